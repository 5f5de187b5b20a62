"""Small disks that can be filled until the kernel says ENOSPC, without being root.

A holder process keeps a user and a mount namespace with one tmpfs a disk; processes join it through
a command prefix. Nothing is left behind: the namespace goes with the holder, and the holder with
us.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

_HOLDER = """
for disk; do mount -t tmpfs -o "size=${disk%%:*},mode=0755" tmpfs "${disk#*:}" || exit; done
echo ready
exec cat
"""
"""Ends with its standard input, that is with us."""


class NoDisksError(RuntimeError):
    """This machine does not let us make disks; the text says why."""


class Disks:
    """`folders` -> bytes; each becomes a disk for whoever runs behind `prefix`.

    `account`: user and group ids of who will use them, when that is not us. Raises NoDisksError.
    """

    def __init__(self, folders: dict[Path, int], account: tuple[int, int] | None = None) -> None:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        disks = [f"{size}:{folder}" for folder, size in folders.items()]
        self._user, self._group = account or (os.getuid(), os.getgid())
        self._account: dict[str, Any] = {}
        if account is not None:
            self._account = {"user": self._user, "group": self._group, "extra_groups": []}
        self._start = Path("/") if account else Path.cwd()
        unshare = [_path("unshare"), "--user", "--map-root-user", "--mount"]
        self._holder = subprocess.Popen(
            [*unshare, "/bin/sh", "-c", _HOLDER, "disks", *disks],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            **self._account,
        )
        assert self._holder.stdout is not None
        said = self._holder.stdout.readline()
        if said != "ready\n":
            said += self._holder.stdout.read()
            self.close()
            raise NoDisksError(f"no private tmpfs: {said.strip()}")

    @property
    def prefix(self) -> list[str]:
        """Put this before a command: it will see the disks, and itself as the user it is."""
        join = ["--user", "--mount", "--preserve-credentials", f"--wdns={self._start}"]
        ids = [f"--map-user={self._user}", f"--map-group={self._group}"]
        return [
            *(_path("nsenter"), "--target", str(self._holder.pid), *join, "--"),
            *(_path("unshare"), "--user", *ids, "--"),
        ]

    def run(self, *command: str | Path) -> None:
        """A short command that sees the disks, as who uses them. Raises CalledProcessError."""
        subprocess.run([*self.prefix, *command], check=True, **self._account)

    def fill(self, folder: Path) -> None:
        """Take what is free. Afterwards every write that needs room fails."""
        self.run("/bin/sh", "-c", 'cat /dev/zero >>"$1" 2>&- || :', "fill", folder / "filler")

    def free(self, folder: Path) -> None:
        self.run("rm", "-f", folder / "filler")

    def close(self) -> None:
        self._holder.kill()
        self._holder.communicate()


def _path(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise NoDisksError(f"{program} of util-linux is not installed")
    return found
