"""One closed window of a building: reads in, positions, rooms, visits, sessions, alerts out.

`advance` is the whole job of the domain, in the order of the README's picture:

    observations -> floor -> position -> room -> zones -> alerts -> use

It is a pure function of the state and the window, vectorised over all assets; the same windows
give the same results to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.domain import alerts, positioning, utilization
from pipeline.domain.codes import Method, Reason
from pipeline.domain.events import AlertTransition, Positions, WindowResult
from pipeline.domain.fences import SECOND_US, Fences, Sighting, watch
from pipeline.domain.floorplan import RFID, Alignment, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.locating import Located, decide_floor, locate, tag_height_m
from pipeline.domain.observations import Observations
from pipeline.domain.policy import Policy
from pipeline.domain.presence import decide_room, departures
from pipeline.domain.rooms import portals
from pipeline.domain.tracks import NEVER_US, Ints, Tracks

MIN_RECEIVERS = 3


@dataclass(frozen=True)
class BuildingState:
    """All that is carried from window to window."""

    tracks: Tracks
    fences: Fences

    @classmethod
    def empty(cls, building: Building) -> BuildingState:
        assets = len(building.assets)
        return cls(Tracks.empty(assets), Fences.empty(len(building.zones), assets))

    def move_to(self, old: Alignment, new: Alignment) -> BuildingState:
        return BuildingState(self.tracks.move_to(old, new), self.fences.move_to(old, new))


def advance(
    building: Building,
    state: BuildingState,
    seen: Observations,
    start_us: int,
    end_us: int,
    policy: Policy,
) -> tuple[BuildingState, WindowResult]:
    """Close the window [start_us, end_us) in which `seen` was observed."""
    tracks = state.tracks
    assets = _heard_assets(building, seen)
    first = tracks.heard_us[assets] == NEVER_US
    before = tracks.at(assets)
    portal = portals(building, seen, assets)

    tracks, floor_changed = decide_floor(building, tracks, seen, assets, portal, end_us, policy)
    tracks, outcome = locate(building, tracks, seen, assets, portal, end_us, policy)
    tracks, visits, points = decide_room(
        building, tracks, assets, portal, first, start_us, end_us, policy
    )
    tracks, gone = departures(building, tracks, end_us, policy)
    floor, xy = tracks.floor[assets], np.stack([tracks.x_m[assets], tracks.y_m[assets]], axis=1)
    was_xy = np.stack([before.x_m, before.y_m], axis=1)
    sighting = Sighting(
        assets,
        floor,
        tracks.room[assets],
        tracks.room_entered_us[assets],
        xy,
        np.where((floor == before.floor)[:, None], was_xy, xy),  # a lift crosses no zone
        points,
        first,
    )
    fences, zone_visits = watch(building, state.fences, sighting, tracks.heard_us, end_us)
    transitions = alerts.forbidden_zone(building, tracks, zone_visits, end_us)
    tracks, sessions = utilization.account(building, tracks, assets, end_us, policy)

    room_changed = np.isin(assets, np.array([v.asset for v in visits], dtype=np.int64))
    tracks, positions = _rows(
        building, tracks, seen, assets, outcome, floor_changed, room_changed, first, end_us, policy
    )
    accuracy = positioning.radius_90_m(tracks.exx, tracks.exy, tracks.eyy)
    return BuildingState(tracks, fences), WindowResult(
        building=building.key,
        start_us=start_us,
        end_us=end_us,
        reads=int(seen.receptions.sum()),
        positions=positions,
        room_visits=tuple(visits + gone),
        zone_visits=tuple(zone_visits),
        sessions=tuple(sessions),
        alerts=tuple(_placed(building, t, accuracy, policy) for t in transitions),
        solved=int(outcome.solved.sum()),
    )


def _heard_assets(building: Building, seen: Observations) -> Ints:
    """Assets with at least one observation that says something about a place."""
    usable = np.isfinite(seen.rssi_dbm) | (building.receivers.kind[seen.receiver] == RFID)
    assets: Ints = np.unique(seen.asset[usable])
    return assets


def _rows(
    building: Building,
    tracks: Tracks,
    seen: Observations,
    assets: Ints,
    outcome: Located,
    floor_changed: NDArray[np.bool_],
    room_changed: NDArray[np.bool_],
    first: NDArray[np.bool_],
    at_us: int,
    policy: Policy,
) -> tuple[Tracks, Positions]:
    """History rows: every window while something changes, else one every `row_every_s`."""
    at = tracks.at(assets)
    due = at_us - at.row_us >= policy.row_every_s * SECOND_US
    write = due | outcome.solved | room_changed | floor_changed | first
    few = outcome.receivers < MIN_RECEIVERS
    method = np.select(
        [outcome.portal, ~outcome.solved, few & first],
        [Method.PORTAL, Method.HELD, Method.CENTROID],
        Method.SOLVE,
    )
    reason = np.select(
        [first, outcome.portal, floor_changed, room_changed, outcome.on_bound, few, outcome.solved],
        [Reason.FIRST_SIGHT, Reason.PORTAL_READ, Reason.FLOOR_CHANGED, Reason.ROOM_CHANGED,
         Reason.ON_BOUND, Reason.FEW_RECEIVERS, Reason.MOVED],
        Reason.STILL_EXPLAINED,
    )  # fmt: skip
    starts = np.searchsorted(seen.asset, assets)
    ends = np.searchsorted(seen.asset, assets, side="right")
    total = np.r_[0, np.cumsum(seen.receptions)]
    everything = Positions(
        asset=assets,
        floor=at.floor,
        room=at.room,
        x_m=at.x_m,
        y_m=at.y_m,
        z_m=tag_height_m(building, at.floor, policy),
        accuracy_m=positioning.radius_90_m(at.exx, at.exy, at.eyy),
        cov_xx=at.exx,
        cov_xy=at.exy,
        cov_yy=at.eyy,
        room_confidence=at.room_confidence,
        method=method,
        reason=reason,
        receivers=ends - starts,
        reads=total[ends] - total[starts],
        moving=at.moving,
    )
    tracks = tracks.put(assets[write], row_us=np.full(int(write.sum()), at_us))
    return tracks, everything.rows(write)


def _placed(
    building: Building, transition: AlertTransition, accuracy_m: Floats, policy: Policy
) -> AlertTransition:
    z = tag_height_m(building, np.array([transition.floor]), policy)[0]
    return replace(transition, z_m=float(z), accuracy_m=float(accuracy_m[transition.asset]))
