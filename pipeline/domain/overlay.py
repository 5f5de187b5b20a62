"""How each asset's position lies over the floor plan: which room and which zones hold how much.

Working it out is the dearest step for an asset that stands still, and then nothing has changed.
So it is kept from window to window and laid anew where its inputs differ. It is a function of the
tracks alone: without it, after a restart, everything is laid anew and comes out the same.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.domain import rooms
from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.tracks import Ints, Tracks


@dataclass(frozen=True)
class Overlay:
    """Arrays over assets, treated as immutable, like Tracks.

    The first seven are the inputs, columns of Tracks; the rest was worked out from them.
    """

    x_m: Floats
    y_m: Floats
    cxx: Floats
    cxy: Floats
    cyy: Floats
    floor: Ints
    room: Ints
    best: Ints
    """The room with the largest share; NOWHERE: outside every room there is as much."""
    best_points: Ints
    own_points: Ints
    """How many of the rooms.POINTS lie in `best`, and in `room`."""
    zone_points: NDArray[np.uint8]
    """(assets, zones): how many of the points lie in each zone; not counted where it is a room."""

    @classmethod
    def lay(cls, building: Building, at: Tracks) -> Overlay:
        """Work it out for the assets with these tracks."""
        points = points_of(at)
        counts = rooms.room_shares(building, at.floor, points)
        best, row = counts.argmax(axis=1), np.arange(len(at))
        return cls(
            at.x_m, at.y_m, at.cxx, at.cxy, at.cyy, at.floor, at.room,
            np.where(best == len(building.rooms), NOWHERE, best),
            counts[row, best],
            counts[row, at.room],  # NOWHERE is the last column
            _zone_points(building, at.floor, points),
        )  # fmt: skip

    def at(self, which: Ints) -> Overlay:
        """That of some of the assets."""
        return Overlay(*(getattr(self, f.name).take(which, axis=0) for f in fields(self)))

    def differs(self, at: Tracks) -> NDArray[np.bool_]:
        """Which assets' inputs are no longer those of `at`."""
        different = np.zeros(len(at), dtype=bool)
        for name in _INPUTS:
            different |= getattr(self, name) != getattr(at, name)
        return different

    def put(self, which: Ints, other: Overlay) -> Overlay:
        """A copy in which the assets `which` have what `other` says."""
        columns = {f.name: getattr(self, f.name).copy() for f in fields(self)}
        for name, column in columns.items():
            column[which] = getattr(other, name)
        return Overlay(**columns)


_INPUTS = ("x_m", "y_m", "cxx", "cxy", "cyy", "floor", "room")


@dataclass(frozen=True)
class Overlays:
    """The overlay of every asset of a building, as far as it is known."""

    building: Building | None = None
    """For which it was laid: another plan, another overlay."""
    laid: Overlay | None = None

    def of(self, building: Building, assets: Ints, at: Tracks) -> tuple[Overlays, Overlay]:
        """That of `assets` (N,) with the tracks `at` (N,), laying what has changed."""
        if self.laid is None or self.building is not building:
            everything = Overlay.lay(building, Tracks.empty(len(building.assets)))
            return Overlays(building, everything).of(building, assets, at)
        kept = self.laid if len(assets) == len(building.assets) else self.laid.at(assets)
        which = np.flatnonzero(kept.differs(at))
        if not len(which):
            return self, kept
        fresh = Overlay.lay(building, at.at(which))
        laid = self.laid.put(assets[which], fresh)
        return replace(self, laid=laid), laid if kept is self.laid else kept.put(which, fresh)


NOT_LAID = Overlays()
HELD_BACK = 0.5
"""A Gaussian leaks through walls, the posterior that it stands for does not: with this share of its
variance the probability of rooms is right about as often as it says."""


def points_of(at: Tracks) -> Floats:
    """POINTS equally probable places of each asset: (POINTS, N, 2) metres."""
    return rooms.spread(at.x_m, at.y_m, *(HELD_BACK * c for c in (at.cxx, at.cxy, at.cyy)))


def _zone_points(building: Building, floor: Ints, points: Floats) -> NDArray[np.uint8]:
    zones = building.zone_table
    counts = np.zeros((len(floor), len(zones)), dtype=np.uint8)
    if not counts.size:
        return counts
    near = (floor[:, None] == zones.floor) & (zones.room == NOWHERE)
    for axis in (0, 1):
        low, high = points[..., axis].min(axis=0), points[..., axis].max(axis=0)
        near &= (high[:, None] >= zones.low_m[:, axis]) & (low[:, None] <= zones.high_m[:, axis])
    asset, zone = np.nonzero(near)
    x, y = (points[:, asset, axis] for axis in (0, 1))
    counts[asset, zone] = zones.contains(zone, x, y).sum(axis=0)
    return counts
