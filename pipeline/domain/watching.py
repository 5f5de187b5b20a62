"""One window of every fence: who entered, who left, who has not been heard for too long.

Only (zone, asset) pairs in which something may change are looked at: of an asset that is outside
and was outside, or is inside and was inside, there is nothing to say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.domain import rooms
from pipeline.domain.events import Visit
from pipeline.domain.fences import Fences, Phase, Sighting, visit_id
from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.overlay import points_of
from pipeline.domain.tracks import NEVER_US, Ints
from pipeline.domain.zones import ZoneTable


class _Change(NamedTuple):
    """An entry or exit; the order of these is the order of the visits."""

    zone: int
    asset: int
    entered_us: int
    left_us: int
    """NEVER_US: it is still there."""
    initial: bool
    reason: str
    confidence: float


@dataclass(frozen=True)
class _Pairs:
    """(zone, asset) pairs in that order, arrays (P,); `row` is the asset's in the sighting."""

    zone: Ints
    asset: Ints
    row: Ints
    here: NDArray[np.bool_]


def watch(
    building: Building, fences: Fences, seen: Sighting, heard_us: Ints, at_us: int
) -> tuple[Fences, list[Visit]]:
    """Advance every fence to the window end `at_us`. `heard_us` (A,): last time each was heard.

    Returns the new state and, in the order of zone and asset, a Visit without `left_us` for each
    entry and one with it for each exit.
    """
    zones = building.zone_table
    if not len(zones):
        return fences, []
    here = _presence(zones, seen, fences.phase.shape)
    changes = _crossed(zones, fences, seen, here, at_us)
    fences, passed = _passages(zones, fences, seen, here, at_us)
    fences, expired = _expiries(zones, fences, heard_us, at_us)
    changes = sorted(changes + passed + expired)
    return fences, [_visit(building, at_us, change) for change in changes]


def _presence(zones: ZoneTable, seen: Sighting, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(Z, A): which assets count as inside now."""
    here = np.zeros(shape, dtype=bool)
    has_zone = np.zeros(int(zones.room.max()) + 2, dtype=bool)
    has_zone[zones.room] = True
    has_zone[NOWHERE] = False  # the last one
    some = np.flatnonzero(has_zone[np.minimum(seen.at.room, len(has_zone) - 1)])
    hit = zones.room[:, None] == seen.at.room[some]
    hit &= zones.floor[:, None] == seen.at.floor[some]
    zone, index = np.nonzero(hit)
    here[zone, seen.asset[some[index]]] = True
    row, zone = np.nonzero(seen.zone_points >= rooms.POINTS / 2)
    here[zone, seen.asset[row]] = True
    return here


def _unsettled(fences: Fences, seen: Sighting, here: NDArray[np.bool_]) -> _Pairs:
    """The pairs whose state may change: all but "outside as before" and "inside as before"."""
    phase = fences.phase
    open_ = (phase == Phase.INSIDE) != here
    open_ |= (phase == Phase.ENTERING) | (phase == Phase.LEAVING) | (fences.far_us != NEVER_US)
    heard = np.zeros(here.shape[1], dtype=bool)
    heard[seen.asset] = True
    zone, asset = np.nonzero(open_ & heard)
    return _Pairs(zone, asset, np.searchsorted(seen.asset, asset), here[zone, asset])


def _passages(
    zones: ZoneTable, fences: Fences, seen: Sighting, here: NDArray[np.bool_], at_us: int
) -> tuple[Fences, list[_Change]]:
    """Entries and exits of the assets that were heard."""
    pairs = _unsettled(fences, seen, here)
    if not len(pairs.zone):
        return fences, []
    at = pairs.zone, pairs.asset
    phase, entered, out = fences.phase[at], fences.entered_us[at], fences.out_us[at]
    began = phase == Phase.OUTSIDE
    arrived = pairs.here & began
    entry_us = np.where(
        zones.room[pairs.zone] != NOWHERE, seen.at.room_entered_us[pairs.row], at_us
    )
    # The room may stand since before the last exit: after a time-out, or a while on another floor.
    entry_us = np.where(entry_us >= out, entry_us, at_us)
    entered = np.where(arrived, entry_us, entered)
    initial = np.where(arrived, seen.first[pairs.row], fences.initial[at])
    entering = pairs.here & (began | (phase == Phase.ENTERING))
    confirmed = entering & (at_us - entered >= zones.dwell_us[pairs.zone])

    was_inside = (phase == Phase.INSIDE) | (phase == Phase.LEAVING)
    leaving = was_inside & ~pairs.here
    out = np.where(leaving & (phase == Phase.INSIDE), at_us, out)
    far_now = leaving & (_distance_m(zones, seen, pairs, leaving) > zones.tolerance_m[pairs.zone])
    far_before = fences.far_us[at]
    far = np.where(far_now, np.where(far_before == NEVER_US, at_us, far_before), NEVER_US)
    gone_far = far_now & (at_us - far >= zones.delay_us[pairs.zone])
    exited = leaving & (gone_far | (at_us - out >= zones.patience_us[pairs.zone]))

    new = np.where(entering, np.where(confirmed, Phase.INSIDE, Phase.ENTERING), Phase.OUTSIDE)
    new = np.where(was_inside & pairs.here, Phase.INSIDE, new)
    new = np.where(leaving & ~exited, Phase.LEAVING, new)
    fences = _put(
        fences, at, phase=new, entered_us=entered, out_us=out, far_us=far, initial=initial
    )
    told = np.flatnonzero(confirmed | exited)
    share = _share(zones, seen, pairs.zone[told], pairs.row[told])
    confidence = np.where(exited[told], 1.0 - share, share)
    left = np.where(exited, out, NEVER_US)[told]
    why = np.select([gone_far, exited], ["left", "tolerance_timeout"], "dwell")[told]
    columns = (pairs.zone[told], pairs.asset[told], entered[told], left, initial[told])
    return fences, _changes(*columns, why, confidence)


def _changes(*columns: NDArray[np.generic]) -> list[_Change]:
    """Of the columns of _Change."""
    return [_Change(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def _share(zones: ZoneTable, seen: Sighting, zone: Ints, row: Ints) -> Floats:
    """The share of the probability of the assets in `row` that lies in the zones `zone` (P,)."""
    points = seen.zone_points[row, zone].astype(np.int64)
    by_room = np.flatnonzero(zones.room[zone] != NOWHERE)
    places = points_of(seen.at.at(row[by_room]))
    points[by_room] = zones.contains(zone[by_room], *np.moveaxis(places, -1, 0)).sum(axis=0)
    share: Floats = points / rooms.POINTS * (seen.at.floor[row] == zones.floor[zone])
    return share


def _distance_m(
    zones: ZoneTable, seen: Sighting, pairs: _Pairs, wanted: NDArray[np.bool_]
) -> Floats:
    """(P,) metres from the asset to its zone, negative inside, inf on another floor or unasked."""
    distance = np.full(len(wanted), np.inf)
    which = np.flatnonzero(wanted & (seen.at.floor[pairs.row] == zones.floor[pairs.zone]))
    row = pairs.row[which]
    distance[which] = zones.distance_m(pairs.zone[which], seen.at.x_m[row], seen.at.y_m[row])
    return distance


def _crossed(
    zones: ZoneTable, fences: Fences, seen: Sighting, here: NDArray[np.bool_], at_us: int
) -> list[_Change]:
    """Assets that went right through between two fixes: only a fence without dwell sees these."""
    gates = np.flatnonzero((zones.dwell_us <= 0) & (zones.room == NOWHERE))
    if not len(gates):
        return []
    xy, before = np.stack([seen.at.x_m, seen.at.y_m], axis=1), seen.previous_xy
    moved = np.flatnonzero((xy != before).any(axis=1) & ~seen.first)
    xy, before = xy[moved], before[moved]
    near = (np.maximum(xy, before) >= zones.low_m[gates, None]).all(axis=2)
    near &= (np.minimum(xy, before) <= zones.high_m[gates, None]).all(axis=2)
    near &= seen.at.floor[moved] == zones.floor[gates, None]
    gate, row = np.nonzero(near)
    zone, asset = gates[gate], seen.asset[moved[row]]
    phase = fences.phase[zone, asset]
    known = here[zone, asset] | (phase == Phase.INSIDE) | (phase == Phase.LEAVING)
    through = ~known & (zones.crossings(zone, before[row], xy[row]) >= 2)
    return [
        _Change(z, a, at_us, at_us, False, "crossed", 0.5)
        for z, a in zip(zone[through].tolist(), asset[through].tolist(), strict=True)
    ]


def _expiries(
    zones: ZoneTable, fences: Fences, heard_us: Ints, at_us: int
) -> tuple[Fences, list[_Change]]:
    """Only fences that were entered expire: exit with reason timeout, when last heard."""
    quiet = np.flatnonzero(at_us - heard_us > zones.timeout_us.min())
    zone, index = np.nonzero(fences.phase[:, quiet] != Phase.OUTSIDE)
    asset = quiet[index]
    silent = at_us - heard_us[asset] > zones.timeout_us[zone]
    zone, asset = zone[silent], asset[silent]
    if not len(zone):
        return fences, []
    phase = fences.phase[zone, asset]
    inside = (phase == Phase.INSIDE) | (phase == Phase.LEAVING)
    left_us = np.maximum(fences.entered_us[zone, asset], heard_us[asset])
    fences = _put(fences, (zone, asset), phase=np.full(len(zone), Phase.OUTSIDE))
    zone, asset, left_us = zone[inside], asset[inside], left_us[inside]
    fences = _put(fences, (zone, asset), out_us=left_us)
    entered_us, initial = fences.entered_us[zone, asset], fences.initial[zone, asset]
    why, confidence = np.full(len(zone), "timeout"), np.zeros(len(zone))
    return fences, _changes(zone, asset, entered_us, left_us, initial, why, confidence)


def _put(fences: Fences, at: tuple[Ints, Ints], **values: NDArray[np.generic]) -> Fences:
    """A copy with new values at (zone, asset) pairs; columns that stay as they are are shared."""
    changed = {}
    for name, value in values.items():
        column = getattr(fences, name)
        if (column[at] != value).any():
            changed[name] = column.copy()
            changed[name][at] = value
    return replace(fences, **changed)


def _visit(building: Building, at_us: int, change: _Change) -> Visit:
    return Visit(
        id=visit_id(
            building.assets[change.asset].id, building.zones[change.zone].id, change.entered_us
        ),
        asset=change.asset,
        place=change.zone,
        entered_us=change.entered_us,
        left_us=None if change.left_us == NEVER_US else change.left_us,
        decided_us=at_us,
        initial=change.initial,
        reason=change.reason,
        confidence=change.confidence,
    )
