"""Event time: a monotonic clock anchored to the wall clock.

The kernel slews both clocks alike, so they part only when somebody steps the wall clock. A step is
taken over at the next `check`; in between event time runs on evenly.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path

_STEP_US = 50_000
"""Smaller differences are scheduling noise between the two clock readings."""
_FREEZE_US = 2_000_000
"""Backward steps up to this are waited out; larger ones begin a new stream."""
_TIME_ERROR = 5
_TIMEX_BYTES = 512
_TIMESYNCD = Path("/run/systemd/timesync/synchronized")


class EventClock:
    """Microseconds since the epoch that never go backwards, except at a reported large step."""

    def __init__(
        self,
        monotonic_us: Callable[[], int] | None = None,
        wall_us: Callable[[], int] | None = None,
        synchronised: Callable[[], bool] | None = None,
    ) -> None:
        self._monotonic_us = monotonic_us or _boot_us
        self._wall_us = wall_us or _epoch_us
        self._synchronised = synchronised or kernel_synchronised
        self.anchor_us = self._wall_us() - self._monotonic_us()
        self.synchronised = self._synchronised()
        self.steps = 0
        self._last_us = -(2**62)

    def now_us(self) -> int:
        self._last_us = max(self._last_us, self._monotonic_us() + self.anchor_us)
        return self._last_us

    def check(self) -> int:
        """Take over a step of the wall clock. Returns its size in microseconds, 0 without one.

        After a forward step or a large backward one the next `now_us` is on the new scale; a small
        backward step holds time still until the wall clock has caught up.
        """
        self.synchronised = self._synchronised()
        step_us = self._wall_us() - self._monotonic_us() - self.anchor_us
        if abs(step_us) < _STEP_US:
            return 0
        self.anchor_us += step_us
        self.steps += 1
        if step_us < -_FREEZE_US:
            self._last_us = -(2**62)
        return step_us

    @staticmethod
    def is_large_backward(step_us: int) -> bool:
        """Whether times before this step may lie after times taken from now on."""
        return step_us < -_FREEZE_US


def kernel_synchronised() -> bool:
    """Whether the kernel counts its clock as synchronised (adjtimex); False when it cannot say."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        # Only the return value is used: the structure's layout differs between 32 and 64 bit.
        state = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        state = -1
    if state < 0:
        return _TIMESYNCD.exists()
    return bool(state != _TIME_ERROR)


def _boot_us() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


def _epoch_us() -> int:
    return time.time_ns() // 1000
