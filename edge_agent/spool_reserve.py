"""A file that only takes up room beside the spool.

Deleting what was acknowledged needs room on the disk as well: without a reserve, a spool that has
filled its disk could never become smaller again.
"""

from __future__ import annotations

import os
from pathlib import Path

RESERVE_BYTES = 4 << 20


class Reserve:
    """`path` None: there is nothing to keep, the spool lies in memory."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def keep(self) -> None:
        """Make it if it is not there and there is room; otherwise another time."""
        if self._path is None or self._path.exists():
            return
        try:
            with self._path.open("xb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        except OSError:
            self.give_up()

    def give_up(self) -> bool:
        """Free its room; False when there was none."""
        if self._path is None:
            return False
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
