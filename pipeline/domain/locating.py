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

_FROM_FIX = (
    "x_m", "y_m", "cxx", "cxy", "cyy", "exx", "exy", "eyy", "offset_db", "offset_variance",
)  # fmt: skip


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
    believe = _Belief(building, at, linked, known, portal, at_us, policy)
    move = positioning.expected_move_m(linked, z_m, believe.after(policy.hold_diffusion_m2_per_s))
    solve = ~known | by_portal | (move >= policy.hold_m)
    which = np.flatnonzero(solve)
    on_bound = np.zeros(len(assets), dtype=bool)
    if len(which):
        fix = _solve(building, at, believe, linked, z_m, which, policy)
        on_bound[which] = fix.on_bound
        columns = {name: getattr(fix, name) for name in _FROM_FIX}
        tracks = tracks.put(assets[which], **columns)
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


@dataclass(frozen=True)
class _Belief:
    """What is believed of each asset before its reads: last position widened by the time since,
    the weighted centroid at first sight, and a portal's place in front of everything."""

    building: Building
    at: Tracks
    linked: Links
    known: NDArray[np.bool_]
    portal: Ints
    at_us: int
    policy: Policy

    def after(self, diffusion_m2_per_s: float) -> positioning.Prior:
        """The prior if the asset has moved about at this rate since it was last heard."""
        at, policy, by_portal = self.at, self.policy, self.portal != NOWHERE
        wait_s = np.where(self.known, (self.at_us - at.heard_us) / SECOND_US, 0.0)
        grown = diffusion_m2_per_s * np.minimum(wait_s, policy.diffusion_limit_s)
        cx, cy = positioning.weighted_centroid(self.linked)
        wide = policy.first_sight_sigma_m**2
        place = self.building.receivers.position_m[self.portal]
        error = self.building.receivers.range_m[self.portal] ** 2

        def pick(at_portal: Floats, before: Floats, at_first: Floats | float) -> Floats:
            return np.where(by_portal, at_portal, np.where(self.known, before, at_first))

        ixx, ixy, iyy = positioning.invert_2x2(
            pick(error, at.cxx + grown, wide),
            pick(np.zeros_like(error), at.cxy, 0.0),
            pick(error, at.cyy + grown, wide),
        )
        limit = policy.offset_sigma_db**2
        wandered = at.offset_variance + policy.offset_diffusion_db2_per_s * wait_s
        return positioning.Prior(
            pick(place[:, 0], at.x_m, cx),
            pick(place[:, 1], at.y_m, cy),
            ixx,
            ixy,
            iyy,
            np.where(self.known, at.offset_db, 0.0),
            1.0 / np.where(self.known, np.minimum(wandered, limit), limit),
        )


def _solve(
    building: Building,
    at: Tracks,
    believe: _Belief,
    linked: Links,
    z_m: Floats,
    which: Ints,
    policy: Policy,
) -> positioning.Fix:
    """Two hypotheses, it stood still or it was moved; the better one, with a penalty for change."""
    links_, z = linked.tags(which), z_m[which]
    still = believe.after(policy.still_diffusion_m2_per_s).tags(which)
    moved = believe.after(policy.moving_diffusion_m2_per_s).tags(which)
    start = [(still.x_m, still.y_m)]
    stayed = positioning.solve(links_, z, still, start, building.bounds)
    starts = positioning.promising_starts(links_, z, moved, building.bounds)
    went = positioning.solve(links_, z, moved, starts, building.bounds)
    penalty = np.where(at.moving[which], 0.0, policy.move_penalty)
    return stayed.where(went.cost + penalty < stayed.cost, went)


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
