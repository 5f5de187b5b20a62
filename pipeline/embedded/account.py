"""Which user the servers run as: ourselves, or an unprivileged account when we are root."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from pipeline.embedded.errors import DirectoryUnreachableError, UnsupportedPlatformError

USER_VARIABLE = "BIOTRAKR_EMBEDDED_USER"


@dataclass(frozen=True, slots=True)
class Account:
    """A user and its group."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether we already run as this user."""
        return self.uid == os.geteuid()

    def own(self, path: Path, mode: int | None = None) -> None:
        """Give `path` to this user (nothing to do when we are that user)."""
        if mode is not None:
            path.chmod(mode)
        if not self.is_ours:
            os.chown(path, self.uid, self.gid)


def server_account(data: Path | None = None) -> Account:
    """Who runs the servers. PostgreSQL refuses to run as root, and nothing here needs it.

    `data`: a data folder of an earlier run, whose owner is kept.
    """
    if os.geteuid() != 0:
        return _named_by_uid(os.geteuid(), os.getegid())
    if data is not None and data.exists() and data.stat().st_uid != 0:
        return _named_by_uid(data.stat().st_uid, data.stat().st_gid)
    wanted = os.environ.get(USER_VARIABLE)
    for name in [wanted] if wanted else ["nobody", "daemon"]:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise UnsupportedPlatformError(
        "the servers must not run as root and there is no unprivileged account for them "
        f"(name one in {USER_VARIABLE})"
    )


def require_reachable(path: Path, account: Account) -> None:
    """Raise DirectoryUnreachableError when `account` may not enter `path` or one of its parents."""
    if account.is_ours:
        return
    for folder in [*reversed(path.resolve().parents), path.resolve()]:
        if folder.is_dir() and not _may_enter(folder.stat(), account):
            raise DirectoryUnreachableError(path, folder, account.name)


def is_reachable(path: Path, account: Account) -> bool:
    """Whether `account` may enter `path` and all of its parents."""
    try:
        require_reachable(path, account)
    except DirectoryUnreachableError:
        return False
    return True


def _may_enter(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _named_by_uid(uid: int, gid: int) -> Account:
    try:
        return Account(pwd.getpwuid(uid).pw_name, uid, gid)
    except KeyError:
        # initdb insists on a name: say so now, not in the middle of a start.
        raise UnsupportedPlatformError(
            f"user id {uid} has no entry in the password database, which PostgreSQL needs"
        ) from None
