"""Floor and position of the assets heard in a window.

The last position is the prior; a tag whose reads it still explains is not solved again. A portal
read stands in front of everything: the asset is at the door.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.domain import positioning, rooms
from pipeline.domain.fences import SECOND_US
from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.observations import Observations, links
from pipeline.domain.policy import Policy
from pipeline.domain.radio import Links
from pipeline.domain.tracks import NEVER_US, Ints, Tracks


@dataclass(frozen=True)
class Located:
    """How each asset of the window was located; arrays (N,)."""

    solved: NDArray[np.bool_]
    portal: NDArray[np.bool_]
    receivers: Ints
    on_bound: NDArray[np.bool_]


def decide_floor(
    building: Building,
    tracks: Tracks,
    seen: Observations,
    assets: Ints,
    portal: Ints,
    at_us: int,
    policy: Policy,
) -> tuple[Tracks, NDArray[np.bool_]]:
    """Floors compete by path gain with a margin and a streak; a portal read decides at once."""
    gains = rooms.floor_gains(building, seen, assets)
    best = gains.argmax(axis=1)
    at = tracks.at(assets)
    row = np.arange(len(assets))
    lead = gains[row, best] - gains[row, np.maximum(at.floor, 0)]
    game = rooms.Competition(at.floor, at.floor_challenger, at.floor_streak, at.floor_since_us)
    wins = (best != at.floor) & (lead >= policy.floor_margin_db)
    game, changed = game.round(best, wins, at_us, policy.floor_streak)
    by_portal = portal != NOWHERE
    floor = np.where(by_portal, building.receivers.floor[portal], game.incumbent)
    tracks = tracks.put(
        assets,
        floor=floor,
        floor_challenger=np.where(by_portal, NOWHERE, game.challenger),
        floor_streak=np.where(by_portal, 0, game.streak),
        floor_since_us=game.since_us,
    )
    return tracks, changed | (by_portal & (floor != at.floor))


def locate(
    building: Building,
    tracks: Tracks,
    seen: Observations,
    assets: Ints,
    portal: Ints,
    at_us: int,
    policy: Policy,
) -> tuple[Tracks, Located]:
    """Solve the tags whose last position no longer explains their reads; the rest are held."""
    at = tracks.at(assets)
    z_m = tag_height_m(building, at.floor, policy)
    linked = _inflate(links(building, seen, assets, at.floor, policy.slab_loss_db), policy)
    by_portal = portal != NOWHERE
    known = at.heard_us != NEVER_US
    prior = _prior(building, at, linked, known, portal, at_us, policy)
    move = positioning.expected_move_m(linked, z_m, prior)
    solve = ~known | by_portal | (move >= policy.hold_m)
    which = np.flatnonzero(solve)
    on_bound = np.zeros(len(assets), dtype=bool)
    if len(which):
        mine = linked.tags(which)
        some = positioning.Prior(*(getattr(prior, f)[which] for f in prior.__annotations__))
        starts = [(some.x_m, some.y_m), positioning.weighted_centroid(mine)]
        fix = positioning.solve(mine, z_m[which], some, starts, building.bounds)
        on_bound[which] = fix.on_bound
        tracks = tracks.put(
            assets[which],
            x_m=fix.x_m,
            y_m=fix.y_m,
            cxx=fix.cxx,
            cxy=fix.cxy,
            cyy=fix.cyy,
            offset_db=fix.offset_db,
            offset_variance=fix.offset_variance,
        )
    tracks = _note_motion(
        tracks.put(assets, heard_us=np.full(len(assets), at_us)), assets, at_us, policy
    )
    return tracks, Located(solve, by_portal, linked.heard.sum(axis=0), on_bound)


def tag_height_m(building: Building, floor: Ints, policy: Policy) -> Floats:
    """Height of tags in the building's frame: their floor plus the prior above it; (N,)."""
    elevation = np.array([f.elevation_m for f in building.floors])
    return elevation[np.maximum(floor, 0)] + policy.tag_height_m


def _inflate(linked: Links, policy: Policy) -> Links:
    return replace(linked, sigma_db=linked.sigma_db * policy.sigma_inflation)


def _prior(
    building: Building,
    at: Tracks,
    linked: Links,
    known: NDArray[np.bool_],
    portal: Ints,
    at_us: int,
    policy: Policy,
) -> positioning.Prior:
    """What is believed of each asset before its reads: last position widened by the time since,
    the weighted centroid at first sight, and a portal's place in front of everything."""
    wait_s = np.where(known, (at_us - at.heard_us) / SECOND_US, 0.0)
    grown = policy.diffusion_m2_per_s * np.minimum(wait_s, policy.diffusion_limit_s)
    cx, cy = positioning.weighted_centroid(linked)
    wide = policy.first_sight_sigma_m**2
    by_portal = portal != NOWHERE
    place = building.receivers.position_m[portal]
    error = building.receivers.range_m[portal] ** 2

    def pick(at_portal: Floats, before: Floats, at_first: Floats | float) -> Floats:
        return np.where(by_portal, at_portal, np.where(known, before, at_first))

    ixx, ixy, iyy = positioning.invert_2x2(
        pick(error, at.cxx + grown, wide),
        pick(np.zeros_like(error), at.cxy, 0.0),
        pick(error, at.cyy + grown, wide),
    )
    offset_limit = policy.offset_sigma_db**2
    offset_variance = np.minimum(
        at.offset_variance + policy.offset_diffusion_db2_per_s * wait_s, offset_limit
    )
    return positioning.Prior(
        pick(place[:, 0], at.x_m, cx),
        pick(place[:, 1], at.y_m, cy),
        ixx,
        ixy,
        iyy,
        np.where(known, at.offset_db, 0.0),
        1.0 / np.where(known, offset_variance, offset_limit),
    )


def _note_motion(tracks: Tracks, assets: Ints, at_us: int, policy: Policy) -> Tracks:
    """An asset moves until it has stayed within rest_m of one place for rest_s."""
    at = tracks.at(assets)
    away = np.hypot(at.x_m - at.rest_x_m, at.y_m - at.rest_y_m) > policy.rest_m
    away |= at.rest_us == NEVER_US
    rested = ~away & (at_us - at.rest_us >= policy.rest_s * SECOND_US)
    return tracks.put(
        assets,
        rest_x_m=np.where(away, at.x_m, at.rest_x_m),
        rest_y_m=np.where(away, at.y_m, at.rest_y_m),
        rest_us=np.where(away, at_us, at.rest_us),
        moving=np.where(away & (at.rest_us != NEVER_US), True, at.moving & ~rested),
    )
