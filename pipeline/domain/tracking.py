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

from pipeline.domain import alerts, utilization
from pipeline.domain.codes import Method, Reason
from pipeline.domain.ellipse import radius_90_m
from pipeline.domain.events import AlertTransition, Positions, WindowResult
from pipeline.domain.evidence import Evidence
from pipeline.domain.fences import Fences, Sighting
from pipeline.domain.floorplan import Alignment, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.heartbeat import due
from pipeline.domain.locating import (
    Located,
    Stance,
    compare,
    decide_floor,
    locate,
    tag_height_m,
    without_silence,
)
from pipeline.domain.observations import Heard, Observations
from pipeline.domain.overlay import NOT_LAID, Overlays
from pipeline.domain.policy import Policy
from pipeline.domain.presence import decide_room, departures
from pipeline.domain.quiet import nothing_to_do
from pipeline.domain.rooms import portals
from pipeline.domain.silence import NOT_DRAWN, Ears, Quiet
from pipeline.domain.tracks import NEVER_US, Ints, Tracks
from pipeline.domain.watching import watch

MIN_RECEIVERS = 3
ASKED_A_WINDOW = 32
"""Standing assets by which receivers are judged: a few tell enough."""
FLOOR = ("floor", "floor_challenger", "floor_streak", "floor_since_us")
"""Of the tracks: what the floor decision changes."""


@dataclass(frozen=True)
class BuildingState:
    """All that is carried from window to window."""

    tracks: Tracks
    fences: Fences
    evidence: Evidence
    ears: Ears
    overlays: Overlays = NOT_LAID
    quiet: Quiet = NOT_DRAWN
    """These two follow from the rest; kept only to save time."""

    @classmethod
    def empty(cls, building: Building) -> BuildingState:
        assets, zones = len(building.assets), len(building.zones)
        ears = Ears.empty(len(building.receivers))
        return cls(Tracks.empty(assets), Fences.empty(zones, assets), Evidence.empty(assets), ears)

    def move_to(self, old: Alignment, new: Alignment) -> BuildingState:
        return BuildingState(
            self.tracks.move_to(old, new),
            self.fences.move_to(old, new),
            self.evidence.move_to(old, new),
            self.ears.move_to(old, new),
        )


def advance(
    building: Building,
    state: BuildingState,
    seen: Observations,
    start_us: int,
    end_us: int,
    policy: Policy,
) -> tuple[BuildingState, WindowResult]:
    """Close the window [start_us, end_us) in which `seen` was observed."""
    heard = Heard.of(building, seen)
    portal, tracks = portals(building, heard), state.tracks.at(heard.assets)
    at, floor_changed = decide_floor(building, tracks, heard, portal, end_us, policy)
    stance = compare(building, state.evidence.at(heard.assets), heard, portal, policy)
    ears = state.ears.hear(seen, end_us)
    quiet, silence = state.quiet.of(building, ears, end_us, policy)

    # From here on only those about which anything may change.
    which = np.flatnonzero(~_unchanged(building, state, heard, tracks, at, stance, end_us, policy))
    assets, before = heard.assets[which], tracks.at(which)
    at = replace(before, **{column: getattr(at, column)[which] for column in FLOOR})
    portal, floor_changed = portal[which], floor_changed[which]
    first = before.heard_us == NEVER_US
    at, outcome = locate(
        building, at, which, stance.at(which), heard, portal, silence, end_us, policy
    )
    asked = np.flatnonzero(stance.stands[which] & stance.solve[which])[:ASKED_A_WINDOW]
    if len(asked):
        said, there = stance.at(which[asked]), at.at(asked)
        there = without_silence(building, there, said, silence, end_us, policy)
        ears = ears.judge(building, silence[1].threshold_dbm, said.evidence, there, policy)
    overlays, overlay = state.overlays.of(building, assets, at)
    at, visits = decide_room(building, at, overlay, assets, portal, first, start_us, end_us, policy)
    sighting = Sighting(assets, at, _previous_xy(before, at), overlay.zone_points, first)
    at, sessions = utilization.account(building, at, assets, end_us, policy)
    at, positions = _rows(
        building, at, assets, heard, outcome, floor_changed, before, end_us, policy
    )

    tracks = state.tracks.put(heard.assets, heard_us=np.full(len(heard.assets), end_us))
    tracks = tracks.merge(assets, before, at)
    tracks, gone = departures(building, tracks, end_us, policy)
    fences, zone_visits = watch(building, state.fences, sighting, tracks.heard_us, end_us)
    transitions = alerts.forbidden_zone(building, tracks, zone_visits, end_us)
    tracks, lost = utilization.expire(building, tracks, end_us, policy)
    evidence = state.evidence.put(heard.assets, stance.evidence)
    return BuildingState(tracks, fences, evidence, ears, overlays, quiet), WindowResult(
        building=building.key,
        start_us=start_us,
        end_us=end_us,
        reads=int(seen.receptions.sum()),
        positions=positions,
        room_visits=tuple(visits + gone),
        zone_visits=tuple(zone_visits),
        sessions=tuple(sessions + lost),
        alerts=tuple(_placed(building, tracks, t, policy) for t in transitions),
        solved=int(outcome.solved.sum()),
    )


def _unchanged(
    building: Building,
    state: BuildingState,
    heard: Heard,
    before: Tracks,
    at: Tracks,
    stance: Stance,
    end_us: int,
    policy: Policy,
) -> NDArray[np.bool_]:
    """(N,) heard assets whose tracks `before` and `at`, after the floor, are equal and stay so."""
    same = ~(stance.solve | stance.moved)
    for column in FLOOR:
        same &= getattr(before, column) == getattr(at, column)
    overlays, fences = state.overlays, state.fences
    return same & nothing_to_do(building, overlays, fences, heard.assets, before, end_us, policy)


def _previous_xy(before: Tracks, at: Tracks) -> Floats:
    """(N, 2) where each asset was; where it is if it has changed floors: a lift crosses no zone."""
    same = (before.floor == at.floor)[:, None]
    was = np.stack([before.x_m, before.y_m], axis=1)
    return np.where(same, was, np.stack([at.x_m, at.y_m], axis=1))


def _rows(
    building: Building,
    at: Tracks,
    assets: Ints,
    heard: Heard,
    outcome: Located,
    floor_changed: NDArray[np.bool_],
    before: Tracks,
    at_us: int,
    policy: Policy,
) -> tuple[Tracks, Positions]:
    """History rows: every window while something changes, else one every `row_every_s`."""
    first, room_changed = before.heard_us == NEVER_US, before.room != at.room
    rows_due = due(building, assets, at.row_us, at_us, policy)
    write = np.flatnonzero(rows_due | outcome.solved | room_changed | floor_changed | first)
    told, how = at.at(write), outcome.at(write)
    first, room_changed, floor_changed = first[write], room_changed[write], floor_changed[write]
    few = how.receivers < MIN_RECEIVERS
    method = np.select(
        [how.portal, ~how.solved, few & first],
        [Method.PORTAL, Method.HELD, Method.CENTROID],
        Method.SOLVE,
    )
    reason = np.select(
        [first, how.portal, floor_changed, room_changed, how.on_bound, few, how.solved],
        [Reason.FIRST_SIGHT, Reason.PORTAL_READ, Reason.FLOOR_CHANGED, Reason.ROOM_CHANGED,
         Reason.ON_BOUND, Reason.FEW_RECEIVERS, Reason.MOVED],
        Reason.STILL_EXPLAINED,
    )  # fmt: skip
    receivers, reads = heard.totals(assets[write])
    positions = Positions(
        asset=assets[write],
        floor=told.floor,
        room=told.room,
        x_m=told.x_m,
        y_m=told.y_m,
        z_m=tag_height_m(building, told.floor, policy),
        accuracy_m=radius_90_m(told.exx, told.exy, told.eyy),
        cov_xx=told.exx,
        cov_xy=told.exy,
        cov_yy=told.eyy,
        room_confidence=told.room_confidence,
        method=method,
        reason=reason,
        receivers=receivers,
        reads=reads,
        moving=told.moving,
    )
    return at.put(write, row_us=np.full(len(write), at_us)), positions


def _placed(
    building: Building, tracks: Tracks, transition: AlertTransition, policy: Policy
) -> AlertTransition:
    at = tracks.at(np.array([transition.asset]))
    z = tag_height_m(building, np.array([transition.floor]), policy)
    accuracy = radius_90_m(at.exx, at.exy, at.eyy)
    return replace(transition, z_m=float(z[0]), accuracy_m=float(accuracy[0]))
