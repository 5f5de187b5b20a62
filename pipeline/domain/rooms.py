"""Which floor and which room: competitions that a challenger has to win clearly and repeatedly.

A fix on the wrong side of a wall must not move equipment to the next room, so what competes is
probability mass: the posterior's Gaussian is laid over the floor plan, and the share of it in
each room is counted. The winner, its rivals and the reason stay with the decision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.observations import Heard, Ints

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


def floor_gains(building: Building, heard: Heard) -> Floats:
    """Mean path gain of the two best receivers of each floor: (N, floors) dB.

    Path gain is RSSI minus P0, so strong and weak receivers compare; a floor where the tag is not
    heard counts as UNHEARD_GAIN_DB.
    """
    receivers, floors, seen = building.receivers, len(building.floors), heard.seen
    if floors == 1:
        return np.zeros((len(heard.assets), 1))
    receiver = seen.receiver.take(heard.signals)
    group = heard.signal_column * floors + receivers.floor.take(receiver)
    gain = seen.rssi_dbm.take(heard.signals) - receivers.p0_dbm.take(receiver)
    best, second = np.full((2, len(heard.assets) * floors), -np.inf)
    np.maximum.at(best, group, gain)
    others = gain != best[group]
    np.maximum.at(second, group[others], gain[others])
    shared = np.bincount(group[~others], minlength=len(best)) > 1
    second[shared] = best[shared]
    top = np.stack([best, second])
    top[top == -np.inf] = UNHEARD_GAIN_DB
    gains: Floats = top.mean(axis=0).reshape(len(heard.assets), floors)
    return gains


def portals(building: Building, heard: Heard) -> Ints:
    """The RFID receiver that read each of the assets most often in the window; NOWHERE: none."""
    chosen = np.full(len(heard.assets), NOWHERE, dtype=np.int64)
    rows, seen = heard.portal_rows, heard.seen
    if len(rows):
        rows = rows[np.lexsort((-seen.receiver[rows], seen.receptions[rows], seen.asset[rows]))]
        chosen[heard.column(rows)] = seen.receiver[rows]
    return chosen
