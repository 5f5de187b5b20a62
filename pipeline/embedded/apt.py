"""Fetch and unpack Debian packages into a folder of our own, leaving the machine's apt alone.

apt does what it is good at: it finds the versions, checks the archive's signature and every
package's hash. Its state, cache, preferences and sources are private ones, so nothing of the
machine changes and no privilege is needed; proxies and the like are still the machine's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.embedded.errors import PrepareError, UnsupportedPlatformError
from pipeline.embedded.sources import debian_keyring, debian_mirrors

Progress = Callable[[str], None]

_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Default-Release "{suite}";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Retries "2";
Dir::Etc::sourcelist "{folder}/private.sources";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "{folder}/none";
Dir::Etc::preferencesparts "{folder}/none.d";
Dir::State "{folder}/state";
Dir::State::lists "{folder}/state/lists";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache";
"""

_SOURCE = """\
Types: deb
URIs: {mirror}
Suites: {suite}
Components: main
Architectures: {architecture}
Signed-By: {keyring}
Targets: Packages
"""


def require_tools() -> None:
    """Raise UnsupportedPlatformError unless this is a machine of Debian's family."""
    for tool in ("apt-get", "apt-config", "dpkg", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise UnsupportedPlatformError(
                f"{tool} is missing, so this is not Debian or one of its kin"
            )


def architecture() -> str:
    """Debian's name of this machine's architecture, such as ``amd64``."""
    require_tools()
    return _run("asking dpkg for the architecture", ["dpkg", "--print-architecture"]).strip()


class PrivateApt:
    """An apt whose every file lies under `folder`."""

    def __init__(self, folder: Path, suite: str) -> None:
        require_tools()
        self._folder = folder
        self._suite = suite
        self._configuration = folder / "apt.conf"
        for part in ("state/lists/partial", "cache/archives/partial", "none.d"):
            (folder / part).mkdir(parents=True)
        (folder / "state/status").touch()
        self._configuration.write_text(_CONFIGURATION.format(folder=folder, suite=suite))

    def update(self, progress: Progress) -> None:
        """Fetch the index from the first of the machine's mirrors that carries the suite."""
        refusals = []
        for mirror in debian_mirrors():
            self._write_source(mirror)
            try:
                progress(f"reading Debian's package index ({self._suite})")
                self._apt_get("reading Debian's package index", "update", "--error-on=any")
            except PrepareError as error:
                refusals.append(error.output)
            else:
                return
        raise PrepareError("reading Debian's package index", "\n".join(refusals))

    def download(self, packages: Sequence[str], into: Path, progress: Progress) -> list[Path]:
        """Download `packages` (verified by apt) and return their files."""
        progress(f"downloading {len(packages)} packages")
        into.mkdir()
        self._apt_get("downloading packages", "download", *packages, cwd=into)
        files = sorted(into.glob("*.deb"))
        if len(files) != len(packages):
            found = ", ".join(path.name for path in files)
            raise PrepareError("downloading packages", f"asked for {len(packages)}, got: {found}")
        return files

    def _write_source(self, mirror: str) -> None:
        text = _SOURCE.format(
            mirror=mirror,
            suite=self._suite,
            architecture=architecture(),
            keyring=debian_keyring(),
        )
        (self._folder / "private.sources").write_text(text)

    def _apt_get(self, step: str, *arguments: str, cwd: Path | None = None) -> None:
        _run(step, ["apt-get", "-q", "-c", str(self._configuration), *arguments], cwd)


def unpack(packages: Sequence[Path], into: Path, progress: Progress) -> None:
    """Unpack every package into `into`, without running any of their scripts."""
    progress(f"unpacking {len(packages)} packages")
    into.mkdir()

    def extract(package: Path) -> None:
        _run(f"unpacking {package.name}", ["dpkg-deb", "-x", str(package), str(into)])

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(extract, packages))


def _run(step: str, command: Sequence[str], cwd: Path | None = None) -> str:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(  # noqa: S603 - every command is written above
        command, cwd=cwd, env=environment, text=True, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise PrepareError(step, done.stderr or done.stdout)
    return done.stdout
