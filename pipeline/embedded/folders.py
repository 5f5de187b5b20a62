"""The folders servers live in: temporary ones that go away, and given ones that stay."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import Any

from pipeline.embedded.account import is_reachable, require_reachable, server_account
from pipeline.embedded.cache import locked
from pipeline.embedded.errors import DirectoryInUseError, DirectoryNotOursError

_LOCK = "biotrakr.lock"
_STATE = "biotrakr.json"
# A watchdog needs up to two seconds after its parent was killed; its folder is free then.
_PATIENCE_S = 3.0


class Folder:
    """A locked folder for one server, with a small state file of ours in it.

    The lock is the owner's sign of life: it goes when this process and the watchdog are gone.
    """

    def __init__(self, path: Path, lock: int, service: str, *, temporary: bool) -> None:
        self.path = path
        self.lock = lock
        self.service = service
        self.temporary = temporary

    def load_state(self) -> dict[str, Any]:
        """What an earlier run in this folder saved, or nothing."""
        try:
            state: dict[str, Any] = json.loads((self.path / _STATE).read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return state

    def save_state(self, **values: Any) -> None:
        """Add `values` to the state, atomically; only our own user can read it."""
        state = {**self.load_state(), "service": self.service, **values}
        draft = self.path / f"{_STATE}.draft"
        draft.touch(0o600)
        draft.write_text(json.dumps(state, indent=1))
        draft.replace(self.path / _STATE)

    def close(self) -> None:
        """Unlock; remove the folder if it is temporary."""
        if self.lock < 0:
            return
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)
        self.lock = -1


def open_folder(directory: Path | None, service: str) -> Folder:
    """Lock `directory` for a server (made when missing), or a temporary folder when None.

    Stale temporary folders, left behind by killed processes, are swept on the way.
    Raises DirectoryInUseError, DirectoryNotOursError or DirectoryUnreachableError.
    """
    base = _temporary_base()
    with locked(base / "sweep.lock"):
        _sweep(base)
        if directory is None:
            path = Path(tempfile.mkdtemp(prefix=f"{service}-", dir=base))
            return _claim(path, service, temporary=True)
    path = directory.expanduser().resolve()
    path.mkdir(parents=True, exist_ok=True)
    _require_ours(path, service)
    return _claim(path, service, temporary=False)


def _claim(path: Path, service: str, *, temporary: bool) -> Folder:
    lock = _lock(path, _PATIENCE_S)
    if lock is None:
        raise DirectoryInUseError(path)
    folder = Folder(path, lock, service, temporary=temporary)
    try:
        # Servers of another user pass through to their own sub-folders.
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        if os.geteuid() == 0:
            require_reachable(path, server_account())
        folder.save_state()
    except BaseException:
        folder.close()
        raise
    return folder


def _require_ours(path: Path, service: str) -> None:
    if path.stat().st_uid != os.geteuid():
        raise DirectoryNotOursError(path, "files of another user")
    names = {entry.name for entry in path.iterdir()}
    if _STATE not in names and names - {_LOCK, f"{_STATE}.draft"}:
        raise DirectoryNotOursError(path, f"files that are not ours, such as {min(names)}")
    if _STATE in names:
        try:
            owner = json.loads((path / _STATE).read_text())["service"]
        except (ValueError, KeyError, TypeError):
            raise DirectoryNotOursError(path, f"an unreadable {_STATE}") from None
        if owner != service:
            raise DirectoryNotOursError(path, f"the data of {owner}, not of {service}")


def _lock(path: Path, patience_s: float) -> int | None:
    """The descriptor of the folder's lock, or None when somebody holds it for too long."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path / _LOCK, flags, 0o600)
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.05)
        else:
            return descriptor


def _sweep(base: Path) -> None:
    for path in base.iterdir():
        if not path.is_dir() or path.is_symlink() or path.name == "cache":
            continue
        with contextlib.suppress(OSError):
            lock = _lock(path, 0.0)
            if lock is not None:
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)


def _temporary_base() -> Path:
    """A folder of our own among the temporary files; its name is short, for socket paths."""
    places = [tempfile.gettempdir(), "/tmp", "/var/tmp"]  # noqa: S108 - checked below
    for place in map(Path, dict.fromkeys(places)):
        # A root's TMPDIR may be closed to the servers' user.
        if os.geteuid() == 0 and not is_reachable(place, server_account()):
            continue
        base = place.resolve() / f"biotrakr-{os.geteuid()}"
        with contextlib.suppress(FileExistsError):
            base.mkdir(mode=0o711)
        status = base.lstat()
        # In a folder everybody may write to, somebody else could have made it first.
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
            base.chmod(0o711)
            return base
    base = Path(tempfile.mkdtemp(prefix="biotrakr-"))
    base.chmod(0o711)
    return base
