"""Fault points for the chaos tests: the agent kills itself at a named place.

`BIOTRAKR_FAULT=spool-insert:3` means: kill -9 at the third time that point is passed. Unset, a
fault point costs one function call a batch.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from edge_agent.errors import SettingsError

VARIABLE = "BIOTRAKR_FAULT"
POINTS = (
    "spool-insert",  # between the insert and its commit
    "spool-committed",  # stored, nothing published yet
    "published",  # sent, not acknowledged
    "ack-received",  # acknowledged, not deleted
    "ack-deleting",  # between the deletion and its commit
)


def _nothing(_: str) -> None:
    """The production fault point."""


_strike: Callable[[str], None] = _nothing


def passing(point: str) -> None:
    """Called where the agent may be killed."""
    _strike(point)


def install_from_environment() -> None:
    """Raises SettingsError for a point that does not exist."""
    global _strike  # noqa: PLW0603 one per process, and nothing else knows of it
    wanted = os.environ.get(VARIABLE)
    if wanted:
        _strike = _killer(wanted)


def _killer(wanted: str) -> Callable[[str], None]:
    point, _, times = wanted.partition(":")
    if point not in POINTS or not times.isdigit():
        raise SettingsError([f"{VARIABLE}: use one of {', '.join(POINTS)}, then :N"])
    left = int(times)

    def strike(passed: str) -> None:
        nonlocal left
        if passed == point:
            left -= 1
            if left == 0:
                os.write(2, f"fault point {point}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)

    return strike
