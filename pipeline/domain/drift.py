"""A receiver whose residual has moved: its antenna was unplugged, or somebody hung it elsewhere.

Each receiver's residual (heard minus model, at the places the tracker believes) wanders with the
tags that happen to be near, but its mean over many tags stays. What is watched is the mean against
its own past and against the other receivers: people or weather change all at once, damage one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats

BASE_TAGS = 2000.0
RECENT_TAGS = 100.0
"""Memory of the long and the short mean, in observations of different tags."""
LEAST_BASE = 300.0
ALARM_DB, CLEAR_DB = 5.0, 2.5
"""An alarm begins and ends at these shifts; below the first, shadowing of a few tags would do."""
ALARM_SIGMAS = 5.0
CLIP_DB = 20.0


@dataclass(frozen=True)
class Drift:
    """Arrays over R receivers; treated as immutable."""

    base_db: Floats
    base_count: Floats
    recent_db: Floats
    recent_count: Floats
    spread_db2: Floats
    """Variance of single residuals."""
    alarm: NDArray[np.bool_]

    @classmethod
    def empty(cls, receivers: int) -> Drift:
        zero, quiet = np.zeros(receivers), np.zeros(receivers, dtype=bool)
        return cls(zero, zero, zero, zero, np.full(receivers, 25.0), quiet)

    @property
    def shift_db(self) -> Floats:
        """(R,) how far each has moved from its own past, less what all have moved; 0: unknown."""
        known = self._known
        moved = np.where(known, self.recent_db - self.base_db, 0.0)
        if known.any():
            moved = np.where(known, moved - np.median(moved[known]), 0.0)
        return moved

    @property
    def _known(self) -> NDArray[np.bool_]:
        enough: NDArray[np.bool_] = (self.base_count >= LEAST_BASE) & (self.recent_count > 0)
        return enough

    def watch(self, receiver: NDArray[np.int64], residual_db: Floats) -> tuple[Drift, Drifted]:
        """Take in residuals (M,), one for each tag and receiver at a time; NaN says nothing.

        Returns the new state and the alarms that begin or end.
        """
        good = np.isfinite(residual_db)
        receiver, residual = receiver[good], np.clip(residual_db[good], -CLIP_DB, CLIP_DB)
        size = len(self.base_db)
        count = np.bincount(receiver, minlength=size).astype(np.float64)
        total = np.bincount(receiver, residual, size)
        mean = total / np.maximum(count, 1.0)
        # While in alarm its past is not overwritten: put right, it is as it was.
        learns = np.where(self.alarm, 0.0, count)
        base, base_count = _mix(self.base_db, self.base_count, mean, learns, BASE_TAGS)
        recent, recent_count = _mix(self.recent_db, self.recent_count, mean, count, RECENT_TAGS)
        square = np.bincount(receiver, (residual - recent[receiver]) ** 2, size)
        spread, _ = _mix(
            self.spread_db2, base_count, square / np.maximum(count, 1.0), count, BASE_TAGS
        )
        after = Drift(base, base_count, recent, recent_count, spread, self.alarm)
        shift = after.shift_db
        error = np.sqrt(spread / np.maximum(np.minimum(recent_count, RECENT_TAGS), 1.0))
        full = recent_count >= RECENT_TAGS / 2
        begins = full & (np.abs(shift) > np.maximum(ALARM_DB, ALARM_SIGMAS * error))
        alarm = after._known & (begins | (self.alarm & (np.abs(shift) > CLEAR_DB)))
        now = Drift(base, base_count, recent, recent_count, spread, alarm)
        return now, Drifted(
            np.flatnonzero(alarm & ~self.alarm), np.flatnonzero(self.alarm & ~alarm), shift
        )


@dataclass(frozen=True)
class Drifted:
    """Receivers whose alarm begins and ends, and the shift of all (R,) in dB."""

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    shift_db: Floats


def _mix(
    mean: Floats, weight: Floats, new: Floats, count: Floats, memory: float
) -> tuple[Floats, Floats]:
    """A running mean that forgets beyond `memory` observations."""
    total = weight + count
    share = count / np.maximum(np.minimum(total, memory), np.maximum(count, 1.0))
    return mean + share * (new - mean), np.minimum(total, memory)
