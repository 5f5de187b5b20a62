"""What sensors say, on its way to the merger: numbers only, and only what is news."""

from __future__ import annotations

import math

from edge_agent.decoders.readings import SensorReading, Value
from pipeline.contracts.codec import Measured

_BUTTON = {
    "press": 1.0,
    "double_press": 2.0,
    "triple_press": 3.0,
    "long_press": 4.0,
    "long_double_press": 5.0,
    "long_triple_press": 6.0,
    "hold_press": 128.0,
    "released": 129.0,
}
"""As the contract numbers them."""
_TOGETHER = frozenset(("latitude_deg", "longitude_deg"))
"""Always go on: who says them limits the rate, for one without the other is another place."""
_LIMIT = 20_000
"""Quantities of tags whose last value is remembered."""


def number(value: Value) -> float | None:
    """Flags as 0 and 1, presses of a button by their number; None for other text and for what is no
    finite number: one such value would make its whole batch unfit."""
    if isinstance(value, str):
        return _BUTTON.get(value)
    return float(value) if math.isfinite(value) else None


class News:
    """Lets a value through when it changed, or after `refresh_s` without.

    A measured number goes on at most once in `interval_s`: the newest by then. Flags and presses
    always go on when they change, a press each time.
    """

    def __init__(
        self, *, interval_s: float = 60.0, refresh_s: float = 300.0, limit: int = _LIMIT
    ) -> None:
        self._interval_us = round(interval_s * 1e6)
        self._refresh_us = round(refresh_s * 1e6)
        self._limit = limit
        self._last: dict[tuple[str, str, int], tuple[Value, int]] = {}

    def take(self, reading: SensorReading, at_us: int) -> Measured | None:
        """None: nothing new. `at_us`: event time."""
        value = number(reading.value)
        if value is None:
            return None
        if reading.quantity not in _TOGETHER and not self._is_news(reading, at_us):
            return None
        suffix = f"_{reading.index + 1}" if reading.index else ""
        return Measured(reading.tag, f"{reading.quantity}{suffix}", at_us, value)

    def _is_news(self, reading: SensorReading, at_us: int) -> bool:
        key = (reading.tag, reading.quantity, reading.index)
        known = self._last.get(key)
        if known is not None and not isinstance(reading.value, str):
            value, told_us = known
            age_us = abs(at_us - told_us)  # the clock may have been set back
            slow = not isinstance(reading.value, bool)
            if age_us < (self._refresh_us if value == reading.value else self._interval_us * slow):
                return False
        if known is None and len(self._last) >= self._limit:
            self._last.clear()
        self._last[key] = (reading.value, at_us)
        return True
