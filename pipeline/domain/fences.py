"""Zones and fences: entry with dwell, exit with tolerance and delay, per (zone, asset).

The state of every fence, and what a window says to it; `watching.watch` advances it.

The semantics are the omlox ones (see floorplan.Fence). A zone that is a room follows the room
decision, which has its own hysteresis; a free polygon counts as entered when at least half of the
position's probability lies inside, so one over-confident fix opens or closes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.floorplan import Alignment
from pipeline.domain.geometry import Floats
from pipeline.domain.names import uuid5
from pipeline.domain.tracks import NEVER_US, Ints, Tracks, matching

SECOND_US = 1_000_000


class Phase(IntEnum):
    OUTSIDE = 0
    ENTERING = 1
    INSIDE = 2
    LEAVING = 3


@dataclass(frozen=True)
class Fences:
    """State per zone and asset, arrays (Z, A). Immutable, like Tracks."""

    phase: Ints
    entered_us: Ints
    out_us: Ints
    """Since when the asset is outside: while LEAVING, and after an exit."""
    far_us: Ints
    """Since when it is farther out than the exit tolerance; NEVER_US: it is not."""
    initial: NDArray[np.bool_]

    @classmethod
    def empty(cls, zones: int, assets: int) -> Fences:
        shape = (zones, assets)
        never = np.full(shape, NEVER_US, dtype=np.int64)
        outside = np.zeros(shape, dtype=np.int64)
        return cls(outside, never, never, never, np.zeros(shape, dtype=bool))

    @cached_property
    def pending(self) -> NDArray[np.bool_]:
        """(A,) assets about which some fence has not made up its mind: time alone may decide."""
        open_ = (self.phase == Phase.ENTERING) | (self.phase == Phase.LEAVING)
        open_ |= self.far_us != NEVER_US
        waiting: NDArray[np.bool_] = open_.any(axis=0)
        return waiting

    def move_to(self, old: Alignment, new: Alignment) -> Fences:
        """The same state in another alignment; what the new one lacks is dropped."""
        zones, assets = matching(old.zones, new.zones), matching(old.assets, new.assets)
        moved = Fences.empty(len(new.zones), len(new.assets))
        columns = {}
        for name in Fences.__annotations__:
            column = getattr(moved, name).copy()
            column[np.ix_(zones[1], assets[1])] = getattr(self, name)[np.ix_(zones[0], assets[0])]
            columns[name] = column
        return Fences(**columns)


@dataclass(frozen=True)
class Sighting:
    """Where the assets heard in the window are: arrays (N,), `asset` sorted."""

    asset: Ints
    at: Tracks
    """Their tracks, after the room decision."""
    previous_xy: Floats
    """(N, 2) where they were before; where they are now if that was on another floor."""
    zone_points: NDArray[np.uint8]
    """(N, Z): how many of the rooms.POINTS lie in each zone that is no room."""
    first: NDArray[np.bool_]


def visit_id(asset: UUID, place: UUID, entered_us: int) -> UUID:
    """Deterministic identity of a visit; ties entry to exit and survives a replay."""
    return uuid5(asset, f"visit/{place}/{entered_us}")
