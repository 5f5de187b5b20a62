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
from pipeline.domain.evidence import Evidence, observe, remaining_sigma_db, slot_links
from pipeline.domain.fences import SECOND_US
from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.likelihood import Prior
from pipeline.domain.observations import MAX_LINKS, Heard, links, receptions
from pipeline.domain.policy import Policy
from pipeline.domain.posterior import Cloud, Question
from pipeline.domain.radio import Links, RadioModel
from pipeline.domain.silence import Silence
from pipeline.domain.tracks import NEVER_US, Ints, Tracks

EDGE_M = 0.25
STANDING_MORE = 2
"""Standing assets are seldom solved, and then carefully."""


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
    needed = np.where(at.moving, policy.floor_streak, policy.floor_streak_still)
    game, changed = game.round(best, wins, at_us, needed)
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
class Stance:
    """Which of the heard assets (N,) stand, and what has been heard of them while they did."""

    evidence: Evidence
    moved: NDArray[np.bool_]
    """Their reads are not those of before."""
    stands: NDArray[np.bool_]
    solve: NDArray[np.bool_]
    """Those that do not stand, and now and then one that does."""

    def at(self, which: Ints) -> Stance:
        """That of some of the assets."""
        columns = (self.moved[which], self.stands[which], self.solve[which])
        return Stance(self.evidence.at(which), *columns)


def compare(
    building: Building, evidence: Evidence, heard: Heard, portal: Ints, policy: Policy
) -> Stance:
    """Compare what was heard of each asset with what had been heard before: `evidence`."""
    evidence, moved = observe(building, evidence, heard, policy)
    stands = (evidence.age >= policy.stand_windows) & (portal == NOWHERE)
    due = _is_due(evidence.age, building.turn[heard.assets], policy)
    return Stance(evidence, moved, stands, ~stands | due)


def locate(
    building: Building,
    at: Tracks,
    which: Ints,
    stance: Stance,
    heard: Heard,
    portal: Ints,
    silence: tuple[Silence, Silence],
    at_us: int,
    policy: Policy,
) -> tuple[Tracks, Located]:
    """Assets that stand still are held, and now and then solved anew from all that was heard while
    they stood; those that move are solved from the window, the last position as the prior.

    `at`, `stance` and `portal` are those of `which` (N,) of the heard assets.
    """
    first, by_portal = at.heard_us == NEVER_US, portal != NOWHERE
    evidence = stance.evidence
    ask = _Asked(building, at, evidence, silence, at_us, policy)
    walking = np.flatnonzero(~stance.stands)
    standing = np.flatnonzero(stance.stands & stance.solve)
    after = replace(at, heard_us=np.full(len(at), at_us))
    if len(walking):
        floor, these = at.floor[walking], which[walking]
        linked = links(building, heard, floor, policy.slab_loss_db, these)
        noise = evidence.noise_db2[walking].astype(np.float64)
        reads = receptions(building, heard, these)
        sigma = remaining_sigma_db(linked.sigma_db, noise, reads, policy)
        linked = replace(linked, sigma_db=sigma)
        told = heard.signal_count[these] <= MAX_LINKS
        cloud = ask.walking(walking, linked, told, portal[walking], first[walking])
        after = _put(after, walking, cloud, policy)
    if len(standing):
        after = _put(after, standing, ask.standing(standing), policy)
    bounds = building.bounds
    edge = (after.x_m - bounds[0, 0], bounds[1, 0] - after.x_m,
            after.y_m - bounds[0, 1], bounds[1, 1] - after.y_m)  # fmt: skip
    on_bound = (np.minimum.reduce(edge) < EDGE_M) & stance.solve
    located = Located(stance.solve, by_portal, heard.signal_count[which], on_bound)
    return _note_motion(after, stance, at_us), located


def without_silence(
    building: Building,
    at: Tracks,
    stance: Stance,
    silence: tuple[Silence, Silence],
    at_us: int,
    policy: Policy,
) -> Tracks:
    """The tracks of standing assets (N,) as they would be if not being heard said nothing."""
    ask, everybody = (
        _Asked(building, at, stance.evidence, silence, at_us, policy),
        np.arange(len(at)),
    )
    return _put(at, everybody, ask.standing(everybody, listen=False), policy)


def tag_height_m(building: Building, floor: Ints, policy: Policy) -> Floats:
    """Height of tags in the building's frame: their floor plus the prior above it; (N,)."""
    elevation = np.array([f.elevation_m for f in building.floors])
    return elevation[np.maximum(floor, 0)] + policy.tag_height_m


def _is_due(age: NDArray[np.int32], turn: Ints, policy: Policy) -> NDArray[np.bool_]:
    """Ages, in windows, at which a standing asset is solved anew: doubling, then regularly, and
    then each in its turn."""
    early = policy.stand_windows * 2 ** np.arange(4)
    early = early[:, None] + turn % (early[:, None] // 2)
    old = age >= policy.restand_windows
    due: NDArray[np.bool_] = (age == early).any(axis=0)
    due |= old & ((age + turn) % policy.restand_windows == 0)
    return due


def _put(at: Tracks, which: Ints, cloud: Cloud, policy: Policy) -> Tracks:
    """The tracks with new positions; the reported error is the calibrated one."""
    # A wide posterior is wrong more often than it says: there is less to contradict the model.
    spread = 1.0 + (cloud.cxx + cloud.cyy) / policy.error_doubles_m2
    scale = policy.error_scale * np.minimum(spread, policy.error_scale_max)
    return at.put(
        which,
        x_m=cloud.x_m, y_m=cloud.y_m, cxx=cloud.cxx, cxy=cloud.cxy, cyy=cloud.cyy,
        exx=scale * cloud.cxx, exy=scale * cloud.cxy, eyy=scale * cloud.cyy,
        offset_db=cloud.offset_db, offset_variance=cloud.offset_variance,
    )  # fmt: skip


@dataclass(frozen=True)
class _Asked:
    """The heard assets (N,) of a window, to be solved in two ways."""

    building: Building
    at: Tracks
    evidence: Evidence
    silence: tuple[Silence, Silence]
    """Of one window, and of many."""
    at_us: int
    policy: Policy

    def walking(
        self,
        which: Ints,
        linked: Links,
        told: NDArray[np.bool_],
        portal: Ints,
        first: NDArray[np.bool_],
    ) -> Cloud:
        """From this window's reads (links of `which`) and the last position."""
        policy, at = self.policy, self.at.at(which)
        model = self._model(at, linked)
        prior = self._prior(at, policy.moving_diffusion_m2_per_s)
        by_portal = portal != NOWHERE
        receivers = self.building.receivers
        place, error = receivers.position_m[portal], receivers.range_m[portal] ** 2
        x, y = positioning.weighted_centroid(model)
        wide = 1.0 / policy.first_sight_sigma_m**2
        anew = Prior(x, y, np.full(len(x), wide), np.zeros(len(x)), np.full(len(x), wide),
                     prior.offset_db, prior.offset_precision)  # fmt: skip
        cases = [by_portal, first]
        near = Prior(
            np.select(cases, [place[:, 0], x], prior.x_m),
            np.select(cases, [place[:, 1], y], prior.y_m),
            np.select(cases, [1.0 / error, anew.ixx], prior.ixx),
            np.select(cases, [0.0, 0.0], prior.ixy),
            np.select(cases, [1.0 / error, anew.iyy], prior.iyy),
            prior.offset_db,
            prior.offset_precision,
        )
        question = self._ask(at, model, near, self.silence[0], told)
        cloud = question.refine()
        lost = np.flatnonzero((first | (cloud.misfit > policy.lost_misfit)) & ~by_portal)
        if len(lost):
            again = replace(question, prior=anew).tags(lost)
            found = again.search(x[lost], y[lost], policy.search_m)
            better = first[lost] | (found.misfit < 0.6 * cloud.misfit[lost])
            cloud = cloud.put(lost[better], found.tags(np.flatnonzero(better)))
        # One window says little about the tag's power, and shadowing would be taken for it.
        return replace(cloud, offset_db=at.offset_db, offset_variance=at.offset_variance)

    def standing(self, which: Ints, *, listen: bool = True) -> Cloud:
        """From everything heard since each of these assets stands; the last position only says
        where to look. `listen`: silence counts, too."""
        policy, at = self.policy, self.at.at(which)
        linked = slot_links(self.building, self.evidence.at(which), at.floor, policy)
        model = self._model(at, linked)
        wide = np.full(len(which), 1.0 / policy.stand_sigma_m**2)
        prior = replace(self._prior(at, 0.0), ixx=wide, ixy=0.0 * wide, iyy=wide)
        told = ~self.evidence.at(which).crowded & listen
        question = self._ask(at, model, prior, self.silence[1], told)
        return question.search(at.x_m, at.y_m, policy.search_m, more=STANDING_MORE)

    def _model(self, at: Tracks, linked: Links) -> RadioModel:
        return RadioModel.of(linked, tag_height_m(self.building, at.floor, self.policy))

    def _ask(
        self,
        at: Tracks,
        model: RadioModel,
        prior: Prior,
        silence: Silence,
        told: NDArray[np.bool_],
    ) -> Question:
        return Question(model, silence, told, at.floor, prior, self.building.bounds)

    def _prior(self, at: Tracks, diffusion_m2_per_s: float) -> Prior:
        """The last position if the asset has moved about at this rate since it was last heard."""
        policy = self.policy
        known, limit = at.heard_us != NEVER_US, policy.offset_sigma_db**2
        wait_s = np.where(known, (self.at_us - at.heard_us) / SECOND_US, 0.0)
        grown = diffusion_m2_per_s * np.minimum(wait_s, policy.diffusion_limit_s)
        variance = np.where(known & (at.offset_variance > 0), at.offset_variance, limit)
        wandered = np.minimum(variance + policy.offset_diffusion_db2_per_s * wait_s, limit)
        return Prior(
            at.x_m,
            at.y_m,
            *invert_2x2(at.cxx + grown, at.cxy, at.cyy + grown),
            at.offset_db,
            1.0 / wandered,
        )


def _note_motion(at: Tracks, stance: Stance, at_us: int) -> Tracks:
    """An asset moves from when its reads change until they have been the same for a while."""
    began = at.rest_us == NEVER_US
    anew = stance.moved | began
    return replace(
        at,
        rest_x_m=np.where(anew, at.x_m, at.rest_x_m),
        rest_y_m=np.where(anew, at.y_m, at.rest_y_m),
        rest_us=np.where(anew, at_us, at.rest_us),
        moving=(at.moving | (stance.moved & ~began)) & ~stance.stands,
    )
