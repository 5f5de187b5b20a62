"""Which room each asset is in, since when and why; and when it has departed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.domain import rooms
from pipeline.domain.events import Visit
from pipeline.domain.fences import SECOND_US, visit_id
from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.policy import Policy
from pipeline.domain.tracks import Ints, Tracks


def decide_room(
    building: Building,
    tracks: Tracks,
    assets: Ints,
    portal: Ints,
    first: NDArray[np.bool_],
    start_us: int,
    at_us: int,
    policy: Policy,
) -> tuple[Tracks, list[Visit], Floats]:
    """Rooms compete by probability mass; a portal read decides at once."""
    at = tracks.at(assets)
    points = rooms.spread(at.x_m, at.y_m, at.cxx, at.cxy, at.cyy)
    counts = rooms.room_shares(building, at.floor, points)
    n, nowhere = len(assets), len(building.rooms)
    row = np.arange(n)
    best = counts.argmax(axis=1)
    mine = np.where(at.room == NOWHERE, nowhere, at.room)
    lead = (counts[row, best] - counts[row, mine]) / rooms.POINTS
    challenger = np.where(best == nowhere, NOWHERE, best)
    game = rooms.Competition(at.room, at.room_challenger, at.room_streak, at.room_since_us)
    wins = (challenger != at.room) & (challenger != NOWHERE) & (lead >= policy.room_margin)
    needed = np.where(at.moving, policy.room_streak_moving, policy.room_streak_still)
    game, changed = game.round(challenger, wins, start_us, needed)
    forced_room = np.where(portal != NOWHERE, building.receivers.room[portal], NOWHERE)
    forced = (forced_room != NOWHERE) & (forced_room != at.room)
    stays = (forced_room != NOWHERE) & ~forced
    room = np.where(forced, forced_room, np.where(stays, at.room, game.incumbent))
    changed = forced | (changed & ~stays)
    since = np.where(forced, start_us, game.since_us)
    entered = np.where(changed, np.maximum(since, at.room_entered_us), at.room_entered_us)
    share = counts[row, np.where(room == NOWHERE, nowhere, room)] / rooms.POINTS
    confidence = np.where(forced | stays, np.maximum(share, 0.95), share)
    quiet = forced | stays
    after = tracks.put(
        assets,
        room=room,
        room_challenger=np.where(quiet, NOWHERE, game.challenger),
        room_streak=np.where(quiet, 0, game.streak),
        room_since_us=since,
        room_entered_us=entered,
        room_confidence=confidence,
    )
    why = np.select(
        [first, forced, at.room == NOWHERE],
        ["first_sight", "portal_read", "seen_again"],
        "won_by_margin",
    )
    visits: list[Visit] = []
    for i in np.flatnonzero(changed).tolist():
        visits += _room_change(
            building, tracks, after, int(assets[i]), at_us, bool(first[i]), str(why[i]), counts[i]
        )
    return after, visits, points


def _room_change(
    building: Building,
    before: Tracks,
    after: Tracks,
    asset: int,
    at_us: int,
    initial: bool,
    reason: str,
    counts: Ints,
) -> list[Visit]:
    """The visit that ends and the one that begins."""
    entered = int(after.room_entered_us[asset])
    ended = _room_visit(building, before, asset, at_us, "moved_on", left_us=entered)
    room = int(after.room[asset])
    top = np.argsort(-counts[:-1], kind="stable")[:3].tolist()
    contenders = tuple((r, float(counts[r]) / rooms.POINTS) for r in top if counts[r] > 0)
    began = Visit(
        id=visit_id(building.assets[asset].id, building.rooms[room].id, entered),
        asset=asset,
        place=room,
        entered_us=entered,
        left_us=None,
        decided_us=at_us,
        initial=initial,
        reason=reason,
        confidence=float(after.room_confidence[asset]),
        contenders=contenders,
    )
    return [*ended, began]


def _room_visit(
    building: Building, tracks: Tracks, asset: int, at_us: int, reason: str, left_us: int
) -> list[Visit]:
    """The end of the asset's present room visit; none when it is in no room."""
    room, entered = int(tracks.room[asset]), int(tracks.room_entered_us[asset])
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
            confidence=float(tracks.room_confidence[asset]),
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
        visits += _room_visit(building, tracks, a, at_us, "timeout", int(tracks.heard_us[a]))
    nowhere = np.full(len(gone), NOWHERE)
    tracks = tracks.put(
        gone, room=nowhere, room_challenger=nowhere, moving=np.zeros(len(gone), bool)
    )
    return tracks, visits
