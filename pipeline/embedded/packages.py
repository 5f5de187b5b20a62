"""Bring the programs into the cache: download, verify, unpack, patch, check; once."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pipeline.embedded import recipe
from pipeline.embedded.account import require_reachable, server_account
from pipeline.embedded.apt import PrivateApt, Progress, architecture, require_tools, unpack
from pipeline.embedded.cache import cache_folder, locked, problem_with, write_manifest
from pipeline.embedded.relocate import check_libraries, find_patchelf, relocate


@dataclass(frozen=True, slots=True)
class Installation:
    """The unpacked programs under `root`."""

    root: Path

    def postgres_program(self, name: str) -> Path:
        """A program of PostgreSQL's, such as ``psql`` or ``pg_dump``."""
        return self.root / f"usr/lib/postgresql/{recipe.POSTGRES_MAJOR}/bin" / name

    @property
    def psql(self) -> Path:
        """PostgreSQL's command line client."""
        return self.postgres_program("psql")

    @property
    def mosquitto(self) -> Path:
        """The broker."""
        return self.root / "usr/sbin/mosquitto"

    @property
    def mosquitto_passwd(self) -> Path:
        """The tool that hashes the broker's passwords."""
        return self.root / "usr/bin/mosquitto_passwd"

    @property
    def mosquitto_pub(self) -> Path:
        """The command line publisher."""
        return self.root / "usr/bin/mosquitto_pub"

    @property
    def mosquitto_sub(self) -> Path:
        """The command line subscriber."""
        return self.root / "usr/bin/mosquitto_sub"


def prepare(progress: Progress | None = None, *, rebuild: bool = False) -> Installation:
    """Return the programs, fetching them first when the cache lacks them or is damaged.

    Safe to call from several processes at once: one builds, the others wait for it.
    Needs a network, apt and patchelf only when there is something to build.

    Raises UnsupportedPlatformError, PrepareError or DirectoryUnreachableError.
    """
    report = progress or (lambda _: None)
    final = cache_folder() / f"{_machine()}-{recipe.version()}"
    if rebuild or problem_with(final):
        require_tools()
        find_patchelf()
        final.parent.mkdir(parents=True, exist_ok=True)
        with locked(final.parent / f"{final.name}.lock"):
            problem = "asked to rebuild" if rebuild else problem_with(final)
            if problem:
                _build(final, problem, report)
    if os.geteuid() == 0:
        require_reachable(final, server_account())
    return Installation(final)


def _machine() -> str:
    # Not dpkg's name: a filled cache must be found without dpkg.
    return platform.machine() or architecture()


def _build(final: Path, problem: str, report: Progress) -> None:
    report(f"setting up the embedded services in {final} ({problem})")
    _sweep(final)
    workshop = Path(tempfile.mkdtemp(prefix=f".{final.name}-build-", dir=final.parent))
    try:
        workshop.chmod(0o755)  # apt downloads as a user of its own
        apt = PrivateApt(_subfolder(workshop, "apt"), recipe.SUITE)
        apt.update(report)
        packages = apt.download(recipe.PACKAGES, workshop / "packages", report)
        root = workshop / "root"
        unpack(packages, root, report)
        for unwanted in recipe.UNWANTED:
            _remove(root / unwanted)
        report("patching the programs to run from there")
        relocate(root, final)
        if final.exists():
            final.rename(workshop / "damaged")
        root.rename(final)
        check_libraries(final)
        write_manifest(final)  # last: without it the folder counts as not there
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    report("the embedded services are set up")


def _sweep(final: Path) -> None:
    # We hold the lock, so a workshop that is still there belongs to a build that was killed.
    for left_over in final.parent.glob(f".{final.name}-build-*"):
        shutil.rmtree(left_over, ignore_errors=True)


def _subfolder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
