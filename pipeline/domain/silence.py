"""Not being heard is evidence too: a tag is not where a receiver that is silent would hear it.

For each place the map holds the log of the probability that none of the living receivers hears a
tag there; of a tag that some do hear, their part is taken out again. How faint a receiver hears is
learned from what it has heard, so one that is deaf says little, and one that has heard nothing of
anybody for a while says nothing. And each is held to account: where it should hear standing tags
well and does not, its silence counts for less, and in the end for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.evidence import Evidence
from pipeline.domain.floorplan import BLE, Alignment, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.observations import Ints, Observations
from pipeline.domain.policy import Policy
from pipeline.domain.radio import MIN_DISTANCE_M
from pipeline.domain.tracks import Tracks, matching

CELL_M = 1.0
SIDE = 61
"""Cells across; of what is farther from a silent receiver it says nothing."""
STEP_DB = 2.0
SLOPE_DB = 2.9
"""Logistic scale of the chance of being heard: shadowing of 5 dB."""
DEAF_DBM = 0.0
LUCK_DB = 3.0
"""The faintest read that came through was a lucky one."""
FIRST_ASKED, MOST_ASKED = 20.0, 300.0
"""Tags that a receiver is trusted for at first, and those it is judged by later."""
SURE, UNSURE = 0.92, 0.75
"""Shares of them heard at which its silence counts in full, and not at all."""
STEPS_OF_TRUST = 10


@dataclass(frozen=True)
class Reception:
    """What is assumed of every receiver."""

    scan_share: float
    """The chance to hear a strong tag at all, in the time that is asked about."""
    tag_height_m: float
    slab_loss_db: float


@dataclass(frozen=True)
class Ears:
    """What is known of R receivers: when each last heard anybody, the faintest it has heard, and
    of how many standing tags that it should hear it has heard how many, lately."""

    heard_us: Ints
    faintest_dbm: Floats
    asked: Floats
    caught: Floats

    @classmethod
    def empty(cls, receivers: int) -> Ears:
        asked = np.full(receivers, FIRST_ASKED)
        return cls(np.full(receivers, -(2**62)), np.full(receivers, DEAF_DBM), asked, asked.copy())

    def hear(self, seen: Observations, at_us: int) -> Ears:
        """Take in the reads of a window that ends at `at_us`."""
        heard, faintest = self.heard_us.copy(), self.faintest_dbm.copy()
        heard[seen.receiver] = at_us
        np.fmin.at(faintest, seen.receiver, seen.rssi_dbm)  # passes over NaN
        return replace(self, heard_us=heard, faintest_dbm=faintest)

    def judge(
        self,
        building: Building,
        threshold_dbm: Floats,
        evidence: Evidence,
        at: Tracks,
        policy: Policy,
    ) -> Ears:
        """Compare what was heard of standing assets (N,) with what should have been.

        Their places `at` must have been found without silence, which would vouch for itself.
        """
        told = np.flatnonzero(~evidence.crowded & (evidence.count > 0).any(axis=1))
        if not len(told):
            return self
        evidence, at = evidence.at(told), at.at(told)
        heard = np.zeros((len(told), len(threshold_dbm) + 1), dtype=bool)
        heard[np.arange(len(told))[:, None], evidence.receiver] = True  # NOWHERE: the last
        with np.errstate(over="ignore"):
            faint = np.exp((threshold_dbm - _expected_dbm(building, at, policy)) / SLOPE_DB)
        chance = 1.0 / (1.0 + faint)
        # The slope of what was heard over what should have been.
        asked = self.asked + (chance * chance).sum(axis=0)
        caught = self.caught + (chance * heard[:, :-1]).sum(axis=0)
        fade = np.minimum(1.0, MOST_ASKED / asked)
        return replace(self, asked=asked * fade, caught=caught * fade)

    @property
    def trust(self) -> Floats:
        """(R,) how much of its silence counts, 0 to 1, in steps."""
        share = (self.caught / self.asked - UNSURE) / (SURE - UNSURE)
        steps: Floats = np.round(np.clip(share, 0.0, 1.0) * STEPS_OF_TRUST) / STEPS_OF_TRUST
        return steps

    def move_to(self, old: Alignment, new: Alignment) -> Ears:
        source, target = matching(old.receivers, new.receivers)
        moved = Ears.empty(len(new.receivers))
        for column in fields(Ears):
            getattr(moved, column.name)[target] = getattr(self, column.name)[source]
        return moved

    def threshold_dbm(self, building: Building, since_us: int, best_dbm: float) -> Floats:
        """(R,) what each hears half of the time, in steps, never better than `best_dbm`; inf for
        one that has heard nobody since, or is no BLE receiver: it says nothing."""
        alive = (self.heard_us >= since_us) & (building.receivers.kind == BLE)
        steps = np.ceil(np.maximum(self.faintest_dbm + LUCK_DB, best_dbm) / STEP_DB)
        return np.where(alive, steps * STEP_DB, np.inf)


@dataclass(frozen=True)
class Silence:
    """Log probabilities on a grid of CELL_M; the same cells for one receiver and for all, so that
    what is taken out is exactly what was put in."""

    origin_m: Floats
    log_p: Floats
    """(floors, ny, nx): that no living receiver hears a tag there."""
    part: NDArray[np.float32]
    """(R, floors, SIDE, SIDE): that this one does not, in the cells around it."""
    corner: Ints
    """(2, R) column and row of the first of these cells."""
    threshold_dbm: Floats
    """(R,) inf where the receiver is not living."""
    trust: Floats
    """(R,) how much of its silence counts."""

    @classmethod
    def draw(
        cls, building: Building, threshold_dbm: Floats, trust: Floats, radio: Reception
    ) -> Silence:
        """The map when the receivers hear tags of `threshold_dbm` (R,) half of the time."""
        low, high = building.bounds
        nx, ny = np.maximum(1, np.ceil((high - low) / CELL_M)).astype(int)
        at = building.receivers.position_m[:, :2]
        corner = (np.floor((at - low) / CELL_M).astype(np.int64) - SIDE // 2).T
        floors = len(building.floors)
        part = np.zeros((len(at), floors, SIDE, SIDE), dtype=np.float32)
        log_p = np.zeros((floors, ny + 2 * SIDE, nx + 2 * SIDE))
        for r in np.flatnonzero(np.isfinite(threshold_dbm)).tolist():
            x, y = (low[i] + (corner[i, r] + np.arange(SIDE) + 0.5) * CELL_M for i in (0, 1))
            i, j = np.clip(corner[:, r] + SIDE, 0, [nx + SIDE, ny + SIDE])
            share = radio.scan_share * trust[r]
            for f in range(floors):
                px, py = np.meshgrid(x, y)
                mean = _mean_dbm(building, r, f, px, py, radio)
                chance = share / (1 + np.exp((threshold_dbm[r] - mean) / SLOPE_DB))
                part[r, f] = np.log1p(-chance)
                log_p[f, j : j + SIDE, i : i + SIDE] += part[r, f]
        inner = np.ascontiguousarray(log_p[:, SIDE : SIDE + ny, SIDE : SIDE + nx])
        return cls(low.copy(), inner, part, corner, threshold_dbm, trust)

    def is_of(self, threshold_dbm: Floats, trust: Floats) -> bool:
        """Whether it was drawn from these."""
        same = (self.threshold_dbm == threshold_dbm).all() and (self.trust == trust).all()
        return bool(same)

    def log_p_except(
        self, receiver: Ints, heard: NDArray[np.bool_], floor: Ints, x_m: Floats, y_m: Floats
    ) -> Floats:
        """(P, N) log probability that none hears tags on `floor` (N,) at (x, y) (P, N), but for
        those that did: `receiver` (K, N), where `heard` (K, N)."""
        _, ny, nx = self.log_p.shape
        i = np.clip(((x_m - self.origin_m[0]) / CELL_M).astype(np.int64), 0, nx - 1)
        j = np.clip(((y_m - self.origin_m[1]) / CELL_M).astype(np.int64), 0, ny - 1)
        level = np.maximum(floor, 0)
        found: Floats = self.log_p.reshape(-1).take((level * ny + j) * nx + i)
        flat, floors = self.part.reshape(-1), self.part.shape[1]
        for r, was_heard in zip(receiver, heard, strict=True):
            u, v = i - self.corner[0, r], j - self.corner[1, r]
            inside = (u >= 0) & (u < SIDE) & (v >= 0) & (v < SIDE) & was_heard
            cell = ((r * floors + level) * SIDE + v) * SIDE + u
            found -= np.where(inside, flat.take(np.where(inside, cell, 0)), 0.0)
        return found


def _mean_dbm(
    building: Building, r: int, floor: int, x_m: Floats, y_m: Floats, radio: Reception
) -> Floats:
    """What receiver `r` should hear of a tag at these places of a floor."""
    receivers, its = building.receivers, building.floors[int(building.receivers.floor[r])]
    at, here = receivers.position_m[r], building.floors[floor]
    rise = here.elevation_m + radio.tag_height_m - at[2]
    square = (x_m - at[0]) ** 2 + (y_m - at[1]) ** 2 + rise * rise
    distance = np.sqrt(np.maximum(square, MIN_DISTANCE_M**2))
    mean: Floats = receivers.p0_dbm[r] - 10 * receivers.path_loss_exponent[r] * np.log10(distance)
    mean -= radio.slab_loss_db * abs(here.level - its.level)
    if here is its and not building.wall_map.is_flat:
        mean -= building.wall_map.loss_at(np.array(r), x_m, y_m)
    return mean


def _expected_dbm(building: Building, at: Tracks, policy: Policy) -> Floats:
    """(N, R) what each receiver should hear of tags with these tracks; of those on other floors
    nothing is expected."""
    receivers = building.receivers
    elevation = np.array([floor.elevation_m for floor in building.floors])
    height = elevation[np.maximum(at.floor, 0)] + policy.tag_height_m
    gap = np.stack([at.x_m, at.y_m, height], axis=1)[:, None, :] - receivers.position_m
    distance = np.sqrt(np.maximum((gap * gap).sum(axis=2), MIN_DISTANCE_M**2))
    mean: Floats = receivers.p0_dbm - 10 * receivers.path_loss_exponent * np.log10(distance)
    mean += at.offset_db[:, None]
    if not building.wall_map.is_flat:
        which = np.arange(len(receivers))[:, None]
        mean -= building.wall_map.loss_at(which, at.x_m, at.y_m).T
    mean[receivers.floor != at.floor[:, None]] = -np.inf
    return mean


@dataclass(frozen=True)
class Quiet:
    """The last maps: for one window and for a long stand."""

    building: Building | None = None
    maps: tuple[Silence, Silence] | None = None

    def of(
        self, building: Building, ears: Ears, at_us: int, policy: Policy
    ) -> tuple[Quiet, tuple[Silence, Silence]]:
        """The maps for these ears, drawn anew where something has changed."""
        since_us = at_us - round(policy.alive_s * 1e6)
        threshold = ears.threshold_dbm(building, since_us, policy.best_sensitivity_dbm)
        known = self.maps if self.building is building else None
        trust = ears.trust
        if known is not None and known[0].is_of(threshold, trust):
            return self, known
        shares = policy.scan_share, policy.stand_scan_share
        one, many = (
            Silence.draw(
                building,
                threshold,
                trust,
                Reception(share, policy.tag_height_m, policy.slab_loss_db),
            )
            for share in shares
        )
        return Quiet(building, (one, many)), (one, many)


NOT_DRAWN = Quiet()
