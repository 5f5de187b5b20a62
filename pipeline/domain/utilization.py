"""Utilization sessions from presence: what being in a kind of room says about use.

States in order of priority: MAINTENANCE > IN_USE > CLEANING > AVAILABLE > UNKNOWN. The evidence
here is presence in a room, the weakest kind: every session carries `method` presence and is never
averaged with sessions of another method. UNKNOWN (not heard) never counts as idle.
"""

from __future__ import annotations

from uuid import UUID, uuid5

import numpy as np

from pipeline.domain.events import Session
from pipeline.domain.floorplan import NOWHERE, Building
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
    building: Building, tracks: Tracks, heard: Ints, at_us: int, policy: Policy
) -> tuple[Tracks, list[Session]]:
    """Advance every asset's use state to `at_us`; `heard` (N,) are the assets of this window.

    A new state has to last `use_dwell_s` and then counts from when it began. Returns the tracks
    and, for each change, the closed session followed by the opened one.
    """
    kinds = np.array([BY_ROOM_KIND.get(r.kind, AVAILABLE) for r in building.rooms] + [AVAILABLE])
    at = tracks.at(heard)
    wanted = kinds[at.room]
    fresh = wanted != at.use_candidate
    first = at.use_state == NOWHERE
    began = np.where((at.use_state == UNKNOWN) | (at.room == NOWHERE), at_us, at.room_entered_us)
    since = np.where(fresh, np.maximum(began, at.use_since_us), at.use_candidate_us)
    lasted = at_us - since >= policy.use_dwell_s * SECOND_US
    change = (wanted != at.use_state) & (lasted | first)

    sessions: list[Session] = []
    tracks = tracks.put(heard, use_candidate=wanted, use_candidate_us=since)
    which = heard[change]
    tracks, changed = _switch(building, tracks, which, wanted[change], since[change], "presence")
    sessions += changed
    silent = at_us - tracks.heard_us > policy.unknown_after_s * SECOND_US
    lost = np.flatnonzero(silent & (tracks.use_state > UNKNOWN))
    ends = np.maximum(tracks.heard_us[lost], tracks.use_since_us[lost])
    unknown = np.full(len(lost), UNKNOWN)
    tracks, changed = _switch(building, tracks, lost, unknown, ends, "not heard")
    # A candidate from before the silence must not make the silence count once it is heard again.
    forgotten = np.flatnonzero(silent & (tracks.use_candidate > UNKNOWN))
    tracks = tracks.put(forgotten, use_candidate=np.full(len(forgotten), UNKNOWN))
    return tracks, sessions + changed


def _switch(
    building: Building, tracks: Tracks, which: Ints, state: Ints, since_us: Ints, reason: str
) -> tuple[Tracks, list[Session]]:
    sessions: list[Session] = []
    for a, new, since in zip(which.tolist(), state.tolist(), since_us.tolist(), strict=True):
        began, old = int(tracks.use_since_us[a]), int(tracks.use_state[a])
        if old != NOWHERE:
            room = int(tracks.use_room[a])
            sessions.append(_session(building, a, room, old, began, since, reason))
        sessions.append(_session(building, a, int(tracks.room[a]), new, since, None, reason))
    tracks = tracks.put(which, use_state=state, use_since_us=since_us, use_room=tracks.room[which])
    return tracks, sessions


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
