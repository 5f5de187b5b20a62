"""Utilization sessions from presence: what being in a kind of room says about use.

States in order of priority: MAINTENANCE > IN_USE > CLEANING > AVAILABLE > UNKNOWN. The evidence
here is presence in a room, the weakest kind: every session carries `method` presence and is never
averaged with sessions of another method. UNKNOWN (not heard) never counts as idle.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import numpy as np

from pipeline.domain.events import Session
from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.domain.names import uuid5
from pipeline.domain.policy import Policy
from pipeline.domain.tracks import Ints, Tracks

STATES = ("UNKNOWN", "AVAILABLE", "CLEANING", "IN_USE", "MAINTENANCE")
UNKNOWN, AVAILABLE, CLEANING, IN_USE, MAINTENANCE = range(5)
METHOD = "presence"
BY_ROOM_KIND = {
    "patient": IN_USE,
    "treatment": IN_USE,
    "cleaning": CLEANING,
    "workshop": MAINTENANCE,
}
"""Every other kind of room, and being between rooms, means AVAILABLE."""
SECOND_US = 1_000_000


def session_id(asset: UUID, state: int, started_us: int) -> UUID:
    return uuid5(asset, f"session/{METHOD}/{STATES[state]}/{started_us}")


def account(
    building: Building, at: Tracks, assets: Ints, at_us: int, policy: Policy
) -> tuple[Tracks, list[Session]]:
    """Advance the use state of the heard `assets` (N,), whose tracks are `at`, to `at_us`.

    A new state has to last `use_dwell_s` and then counts from when it began. Returns the tracks
    and, for each change, the closed session followed by the opened one.
    """
    wanted = use_of_rooms(building)[at.room]
    fresh = wanted != at.use_candidate
    first = at.use_state == NOWHERE
    began = np.where((at.use_state == UNKNOWN) | (at.room == NOWHERE), at_us, at.room_entered_us)
    since = np.where(fresh, np.maximum(began, at.use_since_us), at.use_candidate_us)
    lasted = at_us - since >= policy.use_dwell_s * SECOND_US
    change = np.flatnonzero((wanted != at.use_state) & (lasted | first))
    after = replace(at, use_candidate=wanted, use_candidate_us=since)
    return _switch(building, after, change, assets, wanted[change], since[change], "presence")


def expire(
    building: Building, tracks: Tracks, at_us: int, policy: Policy
) -> tuple[Tracks, list[Session]]:
    """Of all assets (A,), those unheard for too long: their use is unknown, as of the last read."""
    silent = at_us - tracks.heard_us > policy.unknown_after_s * SECOND_US
    lost = np.flatnonzero(silent & (tracks.use_state > UNKNOWN))
    ends = np.maximum(tracks.heard_us[lost], tracks.use_since_us[lost])
    everyone, unknown = np.arange(len(tracks)), np.full(len(lost), UNKNOWN)
    tracks, sessions = _switch(building, tracks, lost, everyone, unknown, ends, "not heard")
    # A candidate from before the silence must not make the silence count once it is heard again.
    forgotten = np.flatnonzero(silent & (tracks.use_candidate > UNKNOWN))
    if len(forgotten):
        tracks = tracks.put(forgotten, use_candidate=np.full(len(forgotten), UNKNOWN))
    return tracks, sessions


def use_of_rooms(building: Building) -> Ints:
    """What being in each room says: (rooms + 1,); the last one is for no room."""
    return np.array([BY_ROOM_KIND.get(r.kind, AVAILABLE) for r in building.rooms] + [AVAILABLE])


def _switch(
    building: Building,
    at: Tracks,
    rows: Ints,
    assets: Ints,
    state: Ints,
    since_us: Ints,
    reason: str,
) -> tuple[Tracks, list[Session]]:
    """New states for `rows` of the tracks, which are those of `assets`."""
    sessions: list[Session] = []
    if not len(rows):
        return at, sessions
    for row, new, since in zip(rows.tolist(), state.tolist(), since_us.tolist(), strict=True):
        asset, began, old = int(assets[row]), int(at.use_since_us[row]), int(at.use_state[row])
        if old != NOWHERE:
            room = int(at.use_room[row])
            sessions.append(_session(building, asset, room, old, began, since, reason))
        sessions.append(_session(building, asset, int(at.room[row]), new, since, None, reason))
    return at.put(rows, use_state=state, use_since_us=since_us, use_room=at.room[rows]), sessions


def _session(
    building: Building,
    asset: int,
    room: int,
    state: int,
    started_us: int,
    ended_us: int | None,
    reason: str,
) -> Session:
    return Session(
        id=session_id(building.assets[asset].id, state, started_us),
        asset=asset,
        room=room,
        state=STATES[state],
        method=METHOD,
        started_us=started_us,
        ended_us=ended_us,
        reason=reason,
    )
