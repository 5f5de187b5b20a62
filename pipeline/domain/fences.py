"""Zones and fences: entry with dwell, exit with tolerance and delay, per (zone, asset).

The semantics are the omlox ones (see floorplan.Fence). A zone that is a room follows the room
decision, which has its own hysteresis; a free polygon counts as entered when at least half of the
position's probability lies inside, so one over-confident fix opens or closes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.events import Visit
from pipeline.domain.floorplan import NOWHERE, Alignment, Building, Zone
from pipeline.domain.geometry import Floats, contains, crossings, signed_distance_m
from pipeline.domain.tracks import NEVER_US, Ints, matching

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
    """Where the assets heard in the window are: arrays (N,); `points` (P, N, 2) spread the fix."""

    asset: Ints
    floor: Ints
    room: Ints
    room_entered_us: Ints
    xy: Floats
    previous_xy: Floats
    points: Floats
    first: NDArray[np.bool_]


def visit_id(asset: UUID, place: UUID, entered_us: int) -> UUID:
    """Deterministic identity of a visit; ties entry to exit and survives a replay."""
    return uuid5(asset, f"visit/{place}/{entered_us}")


def watch(
    building: Building, fences: Fences, seen: Sighting, heard_us: Ints, at_us: int
) -> tuple[Fences, list[Visit]]:
    """Advance every fence to the window end `at_us`. `heard_us` (A,): last time each was heard.

    Returns the new state and, in the order of zone and asset, a Visit without `left_us` for each
    entry and one with it for each exit.
    """
    visits: list[Visit] = []
    state = {name: getattr(fences, name).copy() for name in Fences.__annotations__}
    for z, zone in enumerate(building.zones):
        row = {name: column[z] for name, column in state.items()}
        changed = _passages(zone, row, seen, at_us) if len(seen.asset) else []
        changed += _expiries(zone, row, heard_us, at_us)
        visits += [_visit(building, z, at_us, *change) for change in sorted(changed)]
    return replace(fences, **state), visits


_Change = tuple[int, int, int, bool, str, float]
"""asset, entered_us, left_us or NEVER_US, initial, reason, confidence"""


def _passages(
    zone: Zone, row: dict[str, NDArray[np.int64]], seen: Sighting, at_us: int
) -> list[_Change]:
    """Entries and exits of the assets that were heard; updates `row` in place."""
    fence, asset = zone.fence, seen.asset
    here, share = _presence(zone, seen)
    phase, entered = row["phase"][asset], row["entered_us"][asset]
    began = phase == Phase.OUTSIDE
    arrived = here & began
    entry_us = seen.room_entered_us if zone.room != NOWHERE else np.full(len(asset), at_us)
    # The room may stand since before the last exit: after a time-out, or a while on another floor.
    entry_us = np.where(entry_us >= row["out_us"][asset], entry_us, at_us)
    entered = np.where(arrived, entry_us, entered)
    initial = np.where(arrived, seen.first, row["initial"][asset])
    entering = here & (began | (phase == Phase.ENTERING))
    confirmed = entering & (at_us - entered >= fence.entry_dwell_s * SECOND_US)

    was_inside = (phase == Phase.INSIDE) | (phase == Phase.LEAVING)
    leaving = was_inside & ~here
    out = np.where(leaving & (phase == Phase.INSIDE), at_us, row["out_us"][asset])
    far_now = leaving & (_distance_m(zone, seen) > fence.exit_tolerance_m)
    far_before = row["far_us"][asset]
    far = np.where(far_now, np.where(far_before == NEVER_US, at_us, far_before), NEVER_US)
    gone_far = far_now & (at_us - far >= fence.exit_delay_s * SECOND_US)
    patience = (fence.tolerance_timeout_s + fence.exit_delay_s) * SECOND_US
    exited = leaving & (gone_far | (at_us - out >= patience))

    new = np.where(entering, np.where(confirmed, Phase.INSIDE, Phase.ENTERING), Phase.OUTSIDE)
    new = np.where(was_inside & here, Phase.INSIDE, new)
    new = np.where(leaving & ~exited, Phase.LEAVING, new)
    row["phase"][asset], row["entered_us"][asset] = new, entered
    row["out_us"][asset], row["far_us"][asset] = out, far
    row["initial"][asset] = initial

    changes: list[_Change] = [
        (int(asset[i]), int(entered[i]), NEVER_US, bool(initial[i]), "dwell", float(share[i]))
        for i in np.flatnonzero(confirmed)
    ]
    changes += [
        (int(asset[i]), int(entered[i]), int(out[i]), bool(initial[i]),
         "left" if gone_far[i] else "tolerance_timeout", 1.0 - float(share[i]))
        for i in np.flatnonzero(exited)
    ]  # fmt: skip
    return changes + _crossed(zone, seen, here | was_inside, at_us)


def _presence(zone: Zone, seen: Sighting) -> tuple[NDArray[np.bool_], Floats]:
    """Which assets count as inside now, and the share of their probability that is."""
    on_floor = seen.floor == zone.floor
    share = contains(zone.polygon, seen.points).mean(axis=0) * on_floor
    here = (seen.room == zone.room) if zone.room != NOWHERE else (share >= 0.5)
    return here & on_floor, share


def _distance_m(zone: Zone, seen: Sighting) -> Floats:
    distance = signed_distance_m(zone.polygon, seen.xy)
    return np.where(seen.floor == zone.floor, distance, np.inf)


def _crossed(zone: Zone, seen: Sighting, known: NDArray[np.bool_], at_us: int) -> list[_Change]:
    """Assets that went right through between two fixes: only a fence without dwell sees these."""
    if zone.fence.entry_dwell_s > 0 or zone.room != NOWHERE:
        return []
    corners = zone.polygon
    hits = crossings(seen.previous_xy, seen.xy, corners, np.roll(corners, -1, axis=0)).sum(axis=1)
    through = (hits >= 2) & ~known & ~seen.first & (seen.floor == zone.floor)
    return [
        (int(seen.asset[i]), at_us, at_us, False, "crossed", 0.5) for i in np.flatnonzero(through)
    ]


def _expiries(
    zone: Zone, row: dict[str, NDArray[np.int64]], heard_us: Ints, at_us: int
) -> list[_Change]:
    """Only fences that were entered expire: exit with reason timeout, when last heard."""
    silent = at_us - heard_us > zone.fence.timeout_s * SECOND_US
    inside = (row["phase"] == Phase.INSIDE) | (row["phase"] == Phase.LEAVING)
    expired = np.flatnonzero(inside & silent)
    left_us = np.maximum(row["entered_us"][expired], heard_us[expired])
    row["phase"][silent] = Phase.OUTSIDE
    row["out_us"][expired] = left_us
    return [
        (a, int(row["entered_us"][a]), left, bool(row["initial"][a]), "timeout", 0.0)
        for a, left in zip(expired.tolist(), left_us.tolist(), strict=True)
    ]


def _visit(building: Building, zone: int, at_us: int, *change: int | bool | str | float) -> Visit:
    asset, entered, left, initial, reason, confidence = change
    return Visit(
        id=visit_id(building.assets[int(asset)].id, building.zones[zone].id, int(entered)),
        asset=int(asset),
        place=zone,
        entered_us=int(entered),
        left_us=None if left == NEVER_US else int(left),
        decided_us=at_us,
        initial=bool(initial),
        reason=str(reason),
        confidence=float(confidence),
    )
