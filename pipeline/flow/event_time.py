"""Event time: its lengths and the open windows. Pure functions of the data; no clock is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
SECOND_US = 1_000_000
NEVER_US = -(2**62)
Column = NDArray[np.integer[Any]]
Piece = tuple[Column, Column, Column, Column]
"""Columns of reads of one window: asset, receiver, RSSI in centi-dBm, receptions."""


@dataclass(frozen=True)
class Timing:
    """Lengths in seconds of event time.

    Gateways promise not to send anything older, so nothing need be waited for beyond the promises;
    `allowed_lateness_s` is for senders that break theirs. A gateway that lags the newest one by
    more than `gateway_timeout_s`, for as long while others talk, is set aside: it no longer holds
    the others back, and what it sends later is late. `tick_s`: how often time-outs are looked at
    while nothing is heard. `checkpoint_s`: how often a building's state is kept, with every batch
    as it came, so that history can be computed again; 0: never, and no batches.
    """

    window_s: float = 1.0
    allowed_lateness_s: float = 0.0
    gateway_timeout_s: float = 30.0
    tick_s: float = 10.0
    checkpoint_s: float = 300.0

    @property
    def lateness_us(self) -> int:
        return round(self.allowed_lateness_s * SECOND_US)

    @property
    def gateway_timeout_us(self) -> int:
        return round(self.gateway_timeout_s * SECOND_US)

    @property
    def checkpoint_us(self) -> int:
        return round(self.checkpoint_s * SECOND_US)

    @property
    def window_us(self) -> int:
        return round(self.window_s * SECOND_US)

    @property
    def tick_us(self) -> int:
        """A whole number of windows."""
        return max(1, round(self.tick_s / self.window_s)) * self.window_us


@dataclass
class Windows:
    """Tumbling windows that are still open: start -> pieces, in order of arrival."""

    open: dict[int, list[Piece]] = field(default_factory=dict)
    closed_us: int = NEVER_US
    """Every window that ends at or before this is closed."""

    def add_whole(
        self, first_us: int, last_us: int, columns: Piece, watermark_us: int, window_us: int
    ) -> bool:
        """File reads that all fall in one open window; False (and nothing done) if they do not."""
        start = first_us - first_us % window_us
        end = start + window_us
        if last_us >= end or end <= watermark_us:
            return False
        self.open.setdefault(start, []).append(columns)
        return True

    def add(self, time_us: Ints, columns: Piece, watermark_us: int, window_us: int) -> int:
        """File reads under their windows; returns how many were late (and were not filed)."""
        start = time_us - time_us % window_us
        on_time = start + window_us > watermark_us
        late = len(start) - int(np.count_nonzero(on_time))
        if late:
            start = start[on_time]
            columns = pick(columns, on_time)
        if not len(start):
            return late
        low, high = int(start.min()), int(start.max())
        if low == high:
            self.open.setdefault(low, []).append(columns)
            return late
        for one in np.unique(start).tolist():
            which = start == one
            self.open.setdefault(one, []).append(pick(columns, which))
        return late

    def due(self, watermark_us: int, timing: Timing, expiring: Callable[[], bool]) -> Iterator[int]:
        """Starts of the windows to close now, in order: those with reads and, while `expiring()`,
        the ticks between them, so that time-outs pass while nothing is heard.

        `expiring` is asked before each tick, when all before it is closed: which ticks there are
        follows from event time alone, not from how many windows close at once.
        """
        window, tick = timing.window_us, timing.tick_us
        limit = watermark_us - watermark_us % window
        starts = sorted(start for start in self.open if start + window <= limit)
        for start in [*starts, None]:
            quiet_until = limit if start is None else start
            while self.closed_us != NEVER_US and expiring():
                end = self.closed_us - self.closed_us % tick + tick
                if end > quiet_until:
                    break
                self.closed_us = end
                yield end - window
            if start is not None:
                self.closed_us = start + window
                yield start
        self.closed_us = max(self.closed_us, limit)

    def take(self, start: int) -> tuple[Ints, Ints, Ints, Ints]:
        """Remove a window and return its reads as one piece."""
        pieces = self.open.pop(start, [])
        if not pieces:
            nothing = np.zeros(0, dtype=np.int64)
            return nothing, nothing, nothing, nothing
        a, r, rssi, count = zip(*pieces, strict=True)
        return _joined(a), _joined(r), _joined(rssi), _joined(count)


def _joined(parts: Sequence[Column]) -> Ints:
    """Arriving columns are narrow: here they are widened, all at once."""
    whole: Ints = np.concatenate(parts, dtype=np.int64)
    return whole


def pick(piece: Piece, which: NDArray[np.bool_]) -> Piece:
    """Some of the reads of a piece."""
    return piece[0][which], piece[1][which], piece[2][which], piece[3][which]
