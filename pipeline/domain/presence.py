"""Which room each asset is in, since when and why; and when it has departed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.domain import rooms
from pipeline.domain.events import Visit
from pipeline.domain.fences import SECOND_US, visit_id
from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.domain.overlay import Overlay, points_of
from pipeline.domain.policy import Policy
from pipeline.domain.tracks import Ints, Tracks


def decide_room(
    building: Building,
    at: Tracks,
    overlay: Overlay,
    assets: Ints,
    portal: Ints,
    first: NDArray[np.bool_],
    start_us: int,
    at_us: int,
    policy: Policy,
) -> tuple[Tracks, list[Visit]]:
    """Rooms compete by probability mass; a portal read decides at once.

    `at` and `overlay` are those of `assets` (N,), as are `portal` and `first`.
    """
    lead = (overlay.best_points - overlay.own_points) / rooms.POINTS
    game = rooms.Competition(at.room, at.room_challenger, at.room_streak, at.room_since_us)
    margin = np.where(at.moving, policy.room_margin, policy.room_margin_still)
    wins = (overlay.best != at.room) & (overlay.best != NOWHERE) & (lead >= margin)
    needed = np.where(at.moving, policy.room_streak_moving, policy.room_streak_still)
    walls = building.doors_between[at.room, overlay.best] - 1  # those without a door on the way
    needed = needed + np.clip(walls, 0, policy.room_streak_walls)
    game, changed = game.round(overlay.best, wins, start_us, needed)
    forced_room = np.where(portal != NOWHERE, building.receivers.room[portal], NOWHERE)
    quiet = forced_room != NOWHERE
    forced = quiet & (forced_room != at.room)
    changed = forced | (changed & ~quiet)
    room = np.where(quiet, forced_room, game.incumbent)
    since = np.where(forced, start_us, game.since_us)
    entered = np.where(changed, np.maximum(since, at.room_entered_us), at.room_entered_us)
    which = np.flatnonzero(changed)
    counts = rooms.room_shares(building, at.floor[which], points_of(at.at(which)))
    share = overlay.own_points / rooms.POINTS
    share[which] = counts[np.arange(len(which)), room[which]] / rooms.POINTS
    after = replace(
        at,
        room=room,
        room_challenger=np.where(quiet, NOWHERE, game.challenger),
        room_streak=np.where(quiet, 0, game.streak),
        room_since_us=since,
        room_entered_us=entered,
        room_confidence=np.where(quiet, np.maximum(share, 0.95), share),
    )
    visits: list[Visit] = []
    for i, contenders in zip(which.tolist(), _contenders(counts), strict=True):
        why = "seen_again" if at.room[i] == NOWHERE else "won_by_margin"
        why = "portal_read" if forced[i] else why
        why = "first_sight" if first[i] else why
        visits += _room_change(
            building, at, after, i, int(assets[i]), at_us, bool(first[i]), why, contenders
        )
    return after, visits


def _contenders(counts: Ints) -> Iterator[tuple[tuple[int, float], ...]]:
    """The three rooms with the largest shares of each row of `counts` (N, rooms + 1)."""
    left, row = counts[:, :-1].copy(), np.arange(len(counts))
    found = []
    for _ in range(min(3, left.shape[1])):
        best = left.argmax(axis=1)
        found.append(zip(best.tolist(), left[row, best].tolist(), strict=True))
        left[row, best] = 0
    for each in zip(*found, strict=True):
        yield tuple((room, count / rooms.POINTS) for room, count in each if count > 0)


def _room_change(
    building: Building,
    before: Tracks,
    after: Tracks,
    row: int,
    asset: int,
    at_us: int,
    initial: bool,
    reason: str,
    contenders: tuple[tuple[int, float], ...],
) -> list[Visit]:
    """The visit that ends and the one that begins; `row` of the tracks is the asset's."""
    entered = int(after.room_entered_us[row])
    ended = _room_visit(building, before, row, asset, at_us, "moved_on", left_us=entered)
    room = int(after.room[row])
    began = Visit(
        id=visit_id(building.assets[asset].id, building.rooms[room].id, entered),
        asset=asset,
        place=room,
        entered_us=entered,
        left_us=None,
        decided_us=at_us,
        initial=initial,
        reason=reason,
        confidence=float(after.room_confidence[row]),
        contenders=contenders,
    )
    return [*ended, began]


def _room_visit(
    building: Building, at: Tracks, row: int, asset: int, at_us: int, reason: str, left_us: int
) -> list[Visit]:
    """The end of the asset's present room visit; none when it is in no room."""
    room, entered = int(at.room[row]), int(at.room_entered_us[row])
    if room == NOWHERE:
        return []
    return [
        Visit(
            id=visit_id(building.assets[asset].id, building.rooms[room].id, entered),
            asset=asset,
            place=room,
            entered_us=entered,
            left_us=max(left_us, entered),
            decided_us=at_us,
            initial=False,
            reason=reason,
            confidence=float(at.room_confidence[row]),
        )
    ]


def departures(
    building: Building, tracks: Tracks, at_us: int, policy: Policy
) -> tuple[Tracks, list[Visit]]:
    """Assets unheard for too long leave their room, as of when they were last heard."""
    silent = at_us - tracks.heard_us > policy.departed_after_s * SECOND_US
    gone = np.flatnonzero(silent & (tracks.room != NOWHERE))
    visits: list[Visit] = []
    for a in gone.tolist():
        visits += _room_visit(building, tracks, a, a, at_us, "timeout", int(tracks.heard_us[a]))
    if not len(gone):
        return tracks, []
    nowhere = np.full(len(gone), NOWHERE)
    tracks = tracks.put(
        gone, room=nowhere, room_challenger=nowhere, moving=np.zeros(len(gone), bool)
    )
    return tracks, visits
