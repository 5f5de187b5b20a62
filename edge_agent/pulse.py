"""Which of the agent's loops still move: what the watchdog and /health go by."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Beat:
    last_s: float
    limit_s: float


class Pulse:
    """Each loop says `beat(name)` when it turns; one that has not for its `limit_s` is stuck.

    Thread-safe: an entry is replaced by assigning one float.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._beats: dict[str, _Beat] = {}

    def expect(self, name: str, limit_s: float) -> Callable[[], None]:
        """From now on `name` has to beat; call what is returned at each turn."""
        beat = self._beats[name] = _Beat(self._clock_s(), limit_s)

        def turned() -> None:
            beat.last_s = self._clock_s()

        return turned

    def forget(self, name: str) -> None:
        """It has ended as it should."""
        self._beats.pop(name, None)

    def stuck(self) -> dict[str, float]:
        """Name -> seconds since it last moved, of those beyond their limit."""
        now_s = self._clock_s()
        ages = {name: (now_s - beat.last_s, beat.limit_s) for name, beat in [*self._beats.items()]}
        return {name: age_s for name, (age_s, limit_s) in ages.items() if age_s > limit_s}
