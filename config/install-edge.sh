#!/bin/sh
# Installs the agent on a gateway, or upgrades it; Raspberry Pi OS 12 or 13 (Debian), as root.
#
#   sudo sh config/install-edge.sh            from this folder
#   sudo sh config/install-edge.sh FILE.whl   from a wheel
#
# Each version gets an environment of its own in /opt/biotrakr-VERSIONS; /opt/biotrakr points to the
# one in use. A new version takes over only when it accepts the configuration, and stays only when
# the agent reports itself within a minute; otherwise the one before goes on. Reads wait in the
# spool meanwhile, so nothing is lost either way.
#
# Exit status: 0 done, 1 the version before is in use, 2 something is missing.
set -eu

source=${1:-$(cd "$(dirname "$0")/.." && pwd)}
root=${BIOTRAKR_ROOT:-}
python=${PYTHON:-python3}
link=$root/opt/biotrakr
versions=$root/opt/biotrakr-versions
settings=$root/etc/biotrakr
unit=$root/etc/systemd/system/biotrakr-edge.service

say() { printf '%s\n' "$*" >&2; }

check() {
    "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || {
        say "Python 3.11 to 3.13 is needed: apt install python3 python3-venv"
        exit 2
    }
    "$python" -c 'import ensurepip, venv' 2>/dev/null || {
        say "apt install python3-venv"
        exit 2
    }
}

make_user() {
    if [ -z "$root" ] && ! id biotrakr >/dev/null 2>&1; then
        useradd --system --home-dir /var/lib/biotrakr --shell /usr/sbin/nologin biotrakr
    fi
}

install_version() {
    new=$versions/$(date -u +%Y%m%dT%H%M%S)-$$
    mkdir -p "$versions"
    "$python" -m venv "$new"
    # Of the extra [edge], so without numpy, scipy and bytewax.
    if ! "$new/bin/pip" install --quiet --disable-pip-version-check ${PIP_OPTIONS:-} "$source[edge]"
    then
        rm -rf "$new"
        say "not installed; what was in use goes on"
        exit 1
    fi
}

place_files() {
    mkdir -p "$settings" "$(dirname "$unit")"
    files=$("$new/bin/python" -P -c 'import pipeline, pathlib
print(pathlib.Path(pipeline.__file__).parent / "_files" / "config")')
    cp "$files/systemd/biotrakr-edge.service" "$unit.new"
    first=no
    if [ ! -e "$settings/gateway.toml" ]; then
        first=yes
        install -m 0640 "$files/examples/gateway.toml" "$settings/gateway.toml"
        [ -n "$root" ] || chgrp biotrakr "$settings/gateway.toml"
    fi
}

manager() { [ -n "$root" ] && [ -z "${SYSTEMCTL:-}" ] || "${SYSTEMCTL:-systemctl}" "$@"; }

use() { # a version
    ln -sfn "$1" "$link.new"
    mv -T "$link.new" "$link"
}

is_up() {
    for _ in $(seq "${WAIT_S:-60}"); do
        "$link/bin/biotrakr-edge" status --file "$root/run/biotrakr/status.json" >/dev/null 2>&1 &&
            return 0
        # 1: it runs, and something is wrong that is not the program's fault.
        [ $? -eq 1 ] && return 0
        sleep 1
    done
    return 1
}

check
make_user
before=$(readlink "$link" 2>/dev/null || :)
install_version
place_files

if [ $first = yes ]; then
    mv "$unit.new" "$unit"
    use "$new"
    manager daemon-reload
    say "installed, not started. Next: $link/bin/biotrakr-edge discover, and provision; then"
    say "edit $settings/gateway.toml and run this again"
    exit 0
fi
if ! "$new/bin/biotrakr-edge" check-config --config "$settings/gateway.toml" >&2; then
    rm -rf "$unit.new"
    [ "$new" = "$before" ] || rm -rf "$new"
    say "this version does not accept $settings/gateway.toml: mend it and run this again"
    exit 1
fi

[ ! -e "$unit" ] || cp "$unit" "$unit.old"
mv "$unit.new" "$unit"
use "$new"
manager daemon-reload
manager enable biotrakr-edge
manager restart biotrakr-edge
if ! is_up; then
    if [ -n "$before" ]; then
        use "$before"
        [ ! -e "$unit.old" ] || mv "$unit.old" "$unit"
        manager daemon-reload
        manager restart biotrakr-edge
        rm -rf "$new"
        say "the new version did not report itself: the one before is in use again"
    else
        say "the agent does not report itself: journalctl -u biotrakr-edge"
    fi
    exit 1
fi
rm -f "$unit.old"
# The one before stays, for going back by hand; older ones go.
for version in "$versions"/*; do
    case $version in "$new" | "$before") ;; *) rm -rf "$version" ;; esac
done
say "in use: $("$link/bin/biotrakr-edge" --version)"
