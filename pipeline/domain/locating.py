"""Floor and position of the assets heard in a window.

The last position is the prior; a tag whose reads it still explains is not solved again. A portal
read stands in front of everything: the asset is at the door.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.domain import positioning, rooms
from pipeline.domain.ellipse import invert_2x2
from pipeline.domain.fences import SECOND_US
from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.likelihood import Likelihood, Prior
from pipeline.domain.observations import Heard, links
from pipeline.domain.policy import Policy
from pipeline.domain.radio import RadioModel
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

    def at(self, which: Ints) -> Located:
        """How some of them were."""
        return Located(*(getattr(self, f.name)[which] for f in fields(self)))


def decide_floor(
    building: Building, at: Tracks, heard: Heard, portal: Ints, at_us: int, policy: Policy
) -> tuple[Tracks, NDArray[np.bool_]]:
    """Floors compete by path gain with a margin and a streak; a portal read decides at once.

    `at` are the tracks of the heard assets (N,), `portal` (N,) the portal that read each.
    """
    gains = rooms.floor_gains(building, heard)
    best = gains.argmax(axis=1)
    row = np.arange(len(at))
    lead = gains[row, best] - gains[row, np.maximum(at.floor, 0)]
    game = rooms.Competition(at.floor, at.floor_challenger, at.floor_streak, at.floor_since_us)
    wins = (best != at.floor) & (lead >= policy.floor_margin_db)
    game, changed = game.round(best, wins, at_us, policy.floor_streak)
    by_portal = portal != NOWHERE
    floor = np.where(by_portal, building.receivers.floor[portal], game.incumbent)
    after = replace(
        at,
        floor=floor,
        floor_challenger=np.where(by_portal, NOWHERE, game.challenger),
        floor_streak=np.where(by_portal, 0, game.streak),
        floor_since_us=game.since_us,
    )
    return after, changed | (by_portal & (floor != at.floor))


@dataclass(frozen=True)
class Check:
    """Whether the last position still explains what was heard of each asset (N,)."""

    model: RadioModel
    solve: NDArray[np.bool_]
    """It does not, or there is none, or a portal read the asset."""
    portal: Ints
    receivers: Ints

    def at(self, which: Ints) -> Check:
        """That of some of the assets."""
        model = self.model if len(which) == len(self.solve) else self.model.tags(which)
        return Check(model, self.solve[which], self.portal[which], self.receivers[which])


def check(
    building: Building, at: Tracks, heard: Heard, portal: Ints, at_us: int, policy: Policy
) -> Check:
    """Ask it of the heard assets, whose tracks `at` (N,) have the floors of this window."""
    linked = links(building, heard, at.floor, policy.slab_loss_db)
    linked = replace(linked, sigma_db=linked.sigma_db * policy.sigma_inflation)
    model = RadioModel.of(linked, tag_height_m(building, at.floor, policy))
    held = _widened(at, at_us, policy.hold_diffusion_m2_per_s, policy)
    move = positioning.expected_move_m(Likelihood(model, held))
    # Noise alone moves a tag by a small part of its error: one that stands still is left there.
    error_m = np.where(at.moving, 0.0, np.sqrt(at.exx + at.eyy))
    worth_m = np.maximum(policy.hold_m, policy.hold_share * error_m)
    solve = (at.heard_us == NEVER_US) | (portal != NOWHERE) | (move >= worth_m)
    return Check(model, solve, portal, linked.heard.sum(axis=0))


def locate(
    building: Building, at: Tracks, checked: Check, at_us: int, policy: Policy
) -> tuple[Tracks, Located]:
    """Solve the tags whose last position no longer explains their reads; the rest are held."""
    which = np.flatnonzero(checked.solve)
    on_bound = np.zeros(len(at), dtype=bool)
    after = replace(at, heard_us=np.full(len(at), at_us))
    if len(which):
        model, portal = checked.model.tags(which), checked.portal[which]
        fix = _Task(building, at.at(which), model, portal, at_us, policy).solve()
        on_bound[which] = fix.on_bound
        after = after.put(which, **{name: getattr(fix, name) for name in _FROM_FIX})
    by_portal = checked.portal != NOWHERE
    located = Located(checked.solve, by_portal, checked.receivers, on_bound)
    return _note_motion(after, at_us, policy), located


def tag_height_m(building: Building, floor: Ints, policy: Policy) -> Floats:
    """Height of tags in the building's frame: their floor plus the prior above it; (N,)."""
    elevation = np.array([f.elevation_m for f in building.floors])
    return elevation[np.maximum(floor, 0)] + policy.tag_height_m


def _widened(at: Tracks, at_us: int, diffusion_m2_per_s: float, policy: Policy) -> Prior:
    """The last position if the asset has moved about at this rate since it was last heard."""
    known, limit = at.heard_us != NEVER_US, policy.offset_sigma_db**2
    wait_s = np.where(known, (at_us - at.heard_us) / SECOND_US, 0.0)
    grown = diffusion_m2_per_s * np.minimum(wait_s, policy.diffusion_limit_s)
    wandered = at.offset_variance + policy.offset_diffusion_db2_per_s * wait_s
    return Prior(
        at.x_m,
        at.y_m,
        *invert_2x2(at.cxx + grown, at.cxy, at.cyy + grown),
        at.offset_db,
        1.0 / np.where(known, np.minimum(wandered, limit), limit),
    )


@dataclass(frozen=True)
class _Task:
    """Assets to solve: their tracks (N,), links and portals."""

    building: Building
    at: Tracks
    model: RadioModel
    portal: Ints
    at_us: int
    policy: Policy

    def solve(self) -> positioning.Fix:
        """Two hypotheses, it stood still or it was moved; the better, with a penalty for change.

        The belief about a moved asset is the wider one. So for one that moves already, where a
        change has no penalty, "it stood still" can hardly cost less and is not asked; and as no
        cost is below zero, a still one whose fix costs less than the penalty is not asked further.
        """
        policy, bounds, moving = self.policy, self.building.bounds, self.at.moving
        stays = np.flatnonzero(~moving)
        still = self._believe(policy.still_diffusion_m2_per_s).tags(stays)
        stayed = positioning.solve(still, [(still.prior.x_m, still.prior.y_m)], bounds)
        fix = positioning.Fix.unknown(len(moving)).put(stays, stayed)
        ask = np.flatnonzero(fix.cost > policy.move_penalty)
        moved = self._believe(policy.moving_diffusion_m2_per_s).tags(ask)
        went = positioning.solve(moved, positioning.promising_starts(moved, bounds), bounds)
        wins = went.cost + np.where(moving[ask], 0.0, policy.move_penalty) < fix.cost[ask]
        return fix.put(ask[wins], went.tags(wins))

    def _believe(self, diffusion_m2_per_s: float) -> Likelihood:
        """The last position, widened; the weighted centroid at first sight; a portal's place."""
        last = _widened(self.at, self.at_us, diffusion_m2_per_s, self.policy)
        by_portal, first = self.portal != NOWHERE, self.at.heard_us == NEVER_US
        if not (by_portal | first).any():
            return Likelihood(self.model, last)
        receivers = self.building.receivers
        place = receivers.position_m[self.portal]
        x, y = positioning.weighted_centroid(self.model)
        wide = self.policy.first_sight_sigma_m**2
        error = np.where(by_portal, receivers.range_m[self.portal] ** 2, wide)
        cases = [by_portal, first]
        prior = Prior(
            np.select(cases, [place[:, 0], x], last.x_m),
            np.select(cases, [place[:, 1], y], last.y_m),
            np.where(by_portal | first, 1.0 / error, last.ixx),
            np.where(by_portal | first, 0.0, last.ixy),
            np.where(by_portal | first, 1.0 / error, last.iyy),
            last.offset_db,
            last.offset_precision,
        )
        return Likelihood(self.model, prior)


def _note_motion(at: Tracks, at_us: int, policy: Policy) -> Tracks:
    """An asset moves until it has stayed within rest_m of one place for rest_s."""
    away = np.hypot(at.x_m - at.rest_x_m, at.y_m - at.rest_y_m) > policy.rest_m
    away |= at.rest_us == NEVER_US
    rested = ~away & (at_us - at.rest_us >= policy.rest_s * SECOND_US)
    return replace(
        at,
        rest_x_m=np.where(away, at.x_m, at.rest_x_m),
        rest_y_m=np.where(away, at.y_m, at.rest_y_m),
        rest_us=np.where(away, at_us, at.rest_us),
        moving=np.where(away & (at.rest_us != NEVER_US), True, at.moving & ~rested),
    )
