#!/bin/sh
# Sets up a private environment in .venv and runs one thing in it. Root or not; needs Python 3.11
# or 3.12 and, for the embedded services, Debian's package client.
#
#   sh config/run.sh demo [options of biotrakr demo]   a simulated hospital on real services
#   sh config/run.sh test [options of pytest]          format, lint, types, import rules, all tests
#   sh config/run.sh setup                             the environment only
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

find_python() {
    for name in python3.11 python3.12 python3; do
        if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' \
            2>/dev/null; then
            printf '%s' "$name"
            return
        fi
    done
    say "Python 3.11 or 3.12 is needed: install Debian's package python3 (Debian 12 or later)"
    exit 2
}

# Debian leaves pip out of a plain python3. Its wheel comes from Debian's own package, fetched
# with a private package list, so this needs no root and changes nothing outside .venv.
add_pip() {
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    mkdir -p "$folder/state/lists/partial" "$folder/cache/archives/partial"
    (
        cd "$folder"
        set -- -qq -o "Dir::State=$folder/state" -o "Dir::Cache=$folder/cache" \
            -o "Dir::State::status=/var/lib/dpkg/status" -o "APT::Sandbox::User=$(id -un)"
        apt-get "$@" update >&2
        apt-get "$@" download python3-pip-whl >&2
        dpkg-deb -x python3-pip-whl_*.deb pip
    )
    wheel=$(ls "$folder"/pip/usr/share/python-wheels/pip-*.whl)
    .venv/bin/python "$wheel/pip" install --quiet --no-index "$wheel"
    rm -rf "$folder"
    trap - EXIT
}

set_up() {
    extras=$1
    if [ ! -x .venv/bin/python ]; then
        python=$(find_python)
        say "creating .venv with $("$python" --version)"
        if "$python" -c 'import ensurepip' 2>/dev/null; then
            "$python" -m venv .venv
        else
            "$python" -m venv --without-pip .venv
        fi
    fi
    .venv/bin/python -m pip --version >/dev/null 2>&1 || add_pip
    stamp=.venv/installed-$extras
    if [ ! -f "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
        say "installing biotrakr[$extras]"
        .venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".[$extras]"
        touch "$stamp"
    fi
}

# Some tests need programs that are no Python packages; without them they skip, and say so.
add_programs() {
    missing=
    command -v dbus-daemon >/dev/null || missing="$missing dbus"
    command -v openssl >/dev/null || missing="$missing openssl"
    command -v git >/dev/null || missing="$missing git"
    if [ -n "$missing" ] && [ "$(id -u)" = 0 ]; then
        say "installing$missing"
        apt-get -qq update >&2
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >&2
    fi
}

check() {
    .venv/bin/ruff format --check .
    .venv/bin/ruff check .
    .venv/bin/mypy -p pipeline -p edge_agent
    .venv/bin/lint-imports
    # Most tests wait for a process, a broker or a clock: four at a time keep two cores busy.
    .venv/bin/python -m pytest -n 4 --dist loadfile "$@"
}

task=${1:-}
[ $# -gt 0 ] && shift
case $task in
demo)
    set_up edge,pipeline
    exec .venv/bin/biotrakr demo "$@"
    ;;
test)
    set_up test
    add_programs
    check "$@"
    ;;
setup) set_up edge,pipeline ;;
*)
    say "use: sh config/run.sh demo | test | setup"
    exit 2
    ;;
esac
