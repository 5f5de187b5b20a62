"""Which floor and which room: competitions that a challenger has to win clearly and repeatedly.

A fix on the wrong side of a wall must not move equipment to the next room, so what competes is
probability mass: the posterior's Gaussian is laid over the floor plan, and the share of it in
each room is counted. The winner, its rivals and the reason stay with the decision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.floorplan import NOWHERE, RFID, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.observations import Ints, Observations

POINTS = 32
UNHEARD_GAIN_DB = -60.0


def _disc() -> Floats:
    """(POINTS, 2) equally probable points of the standard 2-D Gaussian (sunflower spiral)."""
    i = np.arange(POINTS) + 0.5
    radius = np.sqrt(-2.0 * np.log1p(-i / POINTS))
    angle = i * np.pi * (3.0 - np.sqrt(5.0))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


DISC = _disc()


def spread(x: Floats, y: Floats, cxx: Floats, cxy: Floats, cyy: Floats) -> Floats:
    """POINTS equally probable positions of each posterior: (POINTS, N, 2) metres."""
    lxx = np.sqrt(np.maximum(cxx, 1e-12))
    lyx = cxy / lxx
    lyy = np.sqrt(np.maximum(cyy - lyx * lyx, 1e-12))
    u, v = DISC[:, 0, None], DISC[:, 1, None]
    return np.stack([x + lxx * u, y + lyx * u + lyy * v], axis=-1)


def room_shares(building: Building, floor: Ints, points: Floats) -> NDArray[np.int64]:
    """How many of the POINTS of each tag lie in each room: (N, rooms + 1); last: in none."""
    n, rooms = points.shape[1], len(building.rooms)
    found = building.room_map.rooms_at(np.broadcast_to(floor, points.shape[:2]), points)
    slot = np.where(found == NOWHERE, rooms, found)
    flat = np.arange(n) * (rooms + 1) + slot
    return np.bincount(flat.ravel(), minlength=n * (rooms + 1)).reshape(n, rooms + 1)


@dataclass(frozen=True)
class Competition:
    """Incumbent, challenger and the challenger's run of wins; arrays (N,)."""

    incumbent: Ints
    challenger: Ints
    streak: Ints
    since_us: Ints
    """When the challenger's run began."""

    def round(
        self, best: Ints, wins: NDArray[np.bool_], at_us: int, needed: int | Ints
    ) -> tuple[Competition, NDArray[np.bool_]]:
        """Play one window. `wins[i]`: `best[i]` beat the incumbent by the margin.

        Returns the competition after it, and where the incumbent was replaced.
        """
        first = self.incumbent == NOWHERE
        again = wins & (best == self.challenger)
        streak = np.where(wins, np.where(again, self.streak + 1, 1), 0)
        since = np.where(wins & ~again, at_us, self.since_us)
        replaced = (first & (best != NOWHERE)) | (wins & (streak >= needed) & (best != NOWHERE))
        since = np.where(first, at_us, since)
        return (
            Competition(
                np.where(replaced, best, self.incumbent),
                np.where(wins & ~replaced, best, NOWHERE),
                np.where(replaced, 0, streak),
                since,
            ),
            replaced,
        )


def floor_gains(building: Building, seen: Observations, assets: Ints) -> Floats:
    """Mean path gain of the two best receivers of each floor: (N, floors) dB.

    Path gain is RSSI minus P0, so strong and weak receivers compare; a floor where the tag is not
    heard counts as UNHEARD_GAIN_DB.
    """
    receivers, floors = building.receivers, len(building.floors)
    rows = np.flatnonzero((receivers.kind[seen.receiver] != RFID) & np.isfinite(seen.rssi_dbm))
    rows = rows[np.isin(seen.asset[rows], assets)]
    column = np.searchsorted(assets, seen.asset[rows])
    group = column * floors + receivers.floor[seen.receiver[rows]]
    gain = seen.rssi_dbm[rows] - receivers.p0_dbm[seen.receiver[rows]]
    order = np.lexsort((-gain, group))
    group, gain = group[order], gain[order]
    top = np.full((2, len(assets) * floors), UNHEARD_GAIN_DB)
    if len(group):
        first = np.r_[True, group[1:] != group[:-1]]
        second = np.r_[False, first[:-1]] & ~first
        top[0, group[first]] = gain[first]
        top[1, group[second]] = gain[second]
    gains: Floats = top.mean(axis=0).reshape(len(assets), floors)
    return gains


def portals(building: Building, seen: Observations, assets: Ints) -> Ints:
    """The RFID receiver that read each of `assets` most often in the window; NOWHERE: none."""
    chosen = np.full(len(assets), NOWHERE, dtype=np.int64)
    rows = np.flatnonzero(building.receivers.kind[seen.receiver] == RFID)
    rows = rows[np.isin(seen.asset[rows], assets)]
    order = np.lexsort((-seen.receiver[rows], seen.receptions[rows], seen.asset[rows]))
    rows = rows[order]
    chosen[np.searchsorted(assets, seen.asset[rows])] = seen.receiver[rows]
    return chosen
