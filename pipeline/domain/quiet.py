"""Which assets a window changes nothing about, except that they were heard again.

Most equipment stands still. For such an asset every later step (room, zones, use, rows) would end
where it began, so they are done for the others only. `nothing_to_do` says yes only where that is
certain: with it or without it the results are the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.domain import rooms, utilization
from pipeline.domain.fences import SECOND_US, Fences
from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.domain.heartbeat import due
from pipeline.domain.overlay import Overlays
from pipeline.domain.policy import Policy
from pipeline.domain.tracks import Ints, Tracks

Bools = NDArray[np.bool_]


def nothing_to_do(
    building: Building,
    overlays: Overlays,
    fences: Fences,
    assets: Ints,
    at: Tracks,
    at_us: int,
    policy: Policy,
) -> Bools:
    """Of the heard `assets` (N,) with the tracks `at` (N,), of the window before: (N,).

    Assumes that neither floor nor position changes in this window: the caller knows where they do.
    """
    if overlays.laid is None or overlays.building is not building:
        return np.zeros(len(at), dtype=bool)  # the rooms or zones themselves may have changed
    laid = overlays.laid if len(assets) == len(building.assets) else overlays.laid.at(assets)
    still = at_us - at.heard_us <= _shortest_expiry_us(building, policy)
    still &= ~due(building, assets, at.row_us, at_us, policy)
    still &= ~(at.moving | laid.differs(at) | fences.pending[assets])
    still &= at.room != NOWHERE
    lead = (laid.best_points - laid.own_points) / rooms.POINTS
    still &= (laid.best == at.room) | (laid.best == NOWHERE) | (lead < policy.room_margin_still)
    still &= at.room_confidence == laid.own_points / rooms.POINTS
    wanted = utilization.use_of_rooms(building)[at.room]
    still &= (wanted == at.use_candidate) & (wanted == at.use_state)
    return still


def _shortest_expiry_us(building: Building, policy: Policy) -> float:
    """Unheard for no longer than this, an asset has left nothing."""
    zones = building.zone_table
    seconds = min(policy.departed_after_s, policy.unknown_after_s)
    return min(seconds * SECOND_US, zones.timeout_us.min() if len(zones) else np.inf)
