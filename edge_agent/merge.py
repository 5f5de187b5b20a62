"""Receptions merged per (tag, receiver, kind) over windows of event time.

Windows lie at multiples of their length, so an agent that starts again cuts the same ones. All sums
are integers: the result does not depend on order. Of what tags measure a window keeps the newest
value of each tag and quantity.
"""

from __future__ import annotations

from typing import NamedTuple

from pipeline.contracts.codec import Measured
from pipeline.contracts.reads import NO_RSSI

MAX_COUNT = 65_535
_Key = tuple[str, str, int]


class MergedRead(NamedTuple):
    """`at_us` is the event time of the last reception; levels are in 0.01 dBm or NO_RSSI."""

    tag: str
    receiver: str
    kind: int
    at_us: int
    receptions: int
    rssi_cdbm: int
    peak_cdbm: int


class _Window:
    """Open accumulators: [last_us, count, levels, sum_cdbm, peak_cdbm]; newest measured values."""

    __slots__ = ("measured", "position", "rows")

    def __init__(self, position: int) -> None:
        self.position = position
        self.rows: dict[_Key, list[int]] = {}
        self.measured: dict[tuple[str, str], Measured] = {}


class WindowMerger:
    """`add` receptions, `advance` event time, then take what `completed` holds.

    `closed_us`: every window that ends at or before it has been closed; None at first. A reception
    older than that is late: it becomes a read of its own at once, and is counted.
    """

    def __init__(self, window_us: int, closed_us: int | None = None) -> None:
        self._window_us = window_us
        self._open: dict[int, _Window] = {}
        self._latest = (-(2**62), _Window(0))  # the window that most receptions fall in
        self.closed_us = closed_us
        self.completed: list[MergedRead] = []
        self.completed_values: list[Measured] = []
        self.late = 0

    def add(
        self, at_us: int, tag: str, receiver: str, kind: int, cdbm: int, position: int = 0
    ) -> None:
        """`cdbm`: level in 0.01 dBm or NO_RSSI. `position`: where a replay would have to begin."""
        if self.closed_us is not None and at_us < self.closed_us:
            self.late += 1
            self.completed.append(MergedRead(tag, receiver, kind, at_us, 1, cdbm, cdbm))
            return
        start_us = at_us - at_us % self._window_us
        if self._latest[0] != start_us:
            self._latest = (start_us, self._open.setdefault(start_us, _Window(position)))
        key = (tag, receiver, kind)
        rows = self._latest[1].rows
        row = rows.get(key)
        if row is None:
            rows[key] = [at_us, 1, int(cdbm != NO_RSSI), cdbm if cdbm != NO_RSSI else 0, cdbm]
        else:
            _add_to(row, at_us, cdbm)

    def measure(self, measured: Measured, position: int = 0) -> None:
        """What a tag measured; the newest of its window counts. Late ones go on at once."""
        if self.closed_us is not None and measured.at_us < self.closed_us:
            self.late += 1
            self.completed_values.append(measured)
            return
        start_us = measured.at_us - measured.at_us % self._window_us
        values = self._open.setdefault(start_us, _Window(position)).measured
        key = (measured.tag, measured.quantity)
        if key not in values or values[key].at_us <= measured.at_us:
            values[key] = measured

    def advance(self, event_us: int) -> None:
        """Event time has reached `event_us`: close every window that has ended by then."""
        end_us = event_us - event_us % self._window_us
        if self.closed_us is not None and end_us <= self.closed_us:
            return
        self.closed_us = end_us
        for start_us in sorted(start for start in self._open if start < end_us):
            self._close(self._open.pop(start_us))
        self._latest = (-(2**62), _Window(0))

    def close_all(self) -> None:
        """Close what is open before its end, without promising anything about it."""
        for start_us in sorted(self._open):
            self._close(self._open.pop(start_us))
        self._latest = (-(2**62), _Window(0))

    def first_position(self) -> int | None:
        """The smallest position that an open window began at."""
        return min((window.position for window in self._open.values()), default=None)

    def take(self) -> list[MergedRead]:
        completed, self.completed = self.completed, []
        return completed

    def take_values(self) -> list[Measured]:
        completed, self.completed_values = self.completed_values, []
        return completed

    def _close(self, window: _Window) -> None:
        self.completed_values += window.measured.values()
        for key, (last_us, count, levels, total, peak) in window.rows.items():
            mean = (2 * total + levels) // (2 * levels) if levels else NO_RSSI
            self.completed.append(MergedRead(*key, last_us, min(count, MAX_COUNT), mean, peak))


def _add_to(row: list[int], at_us: int, cdbm: int) -> None:
    row[0] = max(row[0], at_us)
    row[1] += 1
    if cdbm != NO_RSSI:
        row[2] += 1
        row[3] += cdbm
        row[4] = max(row[4], cdbm)
