"""How old what waits in the spool is, whatever happens to the wall clock.

A computer without a battery starts months behind. When its clock is set, everything that was stored
before would otherwise be too old at once, and given up.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

_STEP_US = 60_000_000
_SELECT = "SELECT value FROM meta WHERE name = 'kernel_start'"


def uptime_s() -> float:
    """Seconds since the kernel booted, suspension included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True)
class Age:
    """Keeps when this kernel booted, by the wall clock as it was when batches were last stored."""

    kernel_boot: str
    wall_s: Callable[[], float]
    uptime_s: Callable[[], float]

    def follow(self, database: sqlite3.Connection) -> None:
        """If the wall clock was set since, what this boot has stored is moved by as much."""
        start_us = round((self.wall_s() - self.uptime_s()) * 1e6)
        row = database.execute(_SELECT).fetchone()
        kernel_boot, _, before = (row[0] if row else "").partition(" ")
        same_boot = kernel_boot == self.kernel_boot
        step_us = start_us - int(before) if same_boot else 0
        if same_boot and abs(step_us) < _STEP_US:
            return
        if step_us:
            database.execute(
                "UPDATE batches SET created_us = created_us + ? WHERE kernel_boot = ?",
                (step_us, self.kernel_boot),
            )
        database.execute(
            "INSERT OR REPLACE INTO meta VALUES ('kernel_start', ?)",
            (f"{self.kernel_boot} {start_us}",),
        )
