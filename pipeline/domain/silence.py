"""Not being heard is evidence too: where a tag would be loud at a receiver that is silent, it is not.

For each place the map holds the log of the probability that none of the living receivers hears a
tag there; of a tag that some do hear, their part is taken out again. How faint a receiver hears is
learned from what it has heard, so one that is deaf says little, and one that has heard nothing of
anybody for a while says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.floorplan import BLE, Alignment, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.observations import Ints, Observations
from pipeline.domain.policy import Policy
from pipeline.domain.radio import MIN_DISTANCE_M
from pipeline.domain.tracks import matching

CELL_M = 1.0
REACH_M = 40.0
"""Beyond this a silent receiver says nothing."""
STEP_DB = 2.0
SLOPE_DB = 2.9
"""Logistic scale of the chance of being heard: shadowing of 5 dB."""
DEAF_DBM = 0.0


@dataclass(frozen=True)
class Reception:
    """What is assumed of every receiver."""

    scan_share: float
    """The chance to hear a strong tag at all, in the time that is asked about."""
    tag_height_m: float
    slab_loss_db: float


@dataclass(frozen=True)
class Ears:
    """What is known of R receivers: when each last heard anybody, and the faintest it has heard."""

    heard_us: Ints
    faintest_dbm: Floats

    @classmethod
    def empty(cls, receivers: int) -> Ears:
        return cls(np.full(receivers, -(2**62)), np.full(receivers, DEAF_DBM))

    def hear(self, seen: Observations, at_us: int) -> Ears:
        """Take in the reads of a window that ends at `at_us`."""
        heard, faintest = self.heard_us.copy(), self.faintest_dbm.copy()
        heard[seen.receiver] = at_us
        np.fmin.at(faintest, seen.receiver, seen.rssi_dbm)  # passes over NaN
        return Ears(heard, faintest)

    def move_to(self, old: Alignment, new: Alignment) -> Ears:
        source, target = matching(old.receivers, new.receivers)
        moved = Ears.empty(len(new.receivers))
        moved.heard_us[target] = self.heard_us[source]
        moved.faintest_dbm[target] = self.faintest_dbm[source]
        return moved

    def threshold_dbm(self, building: Building, since_us: int, best_dbm: float) -> Floats:
        """(R,) what each hears half of the time, in steps, never better than `best_dbm`; inf for
        one that has heard nobody since, or is no BLE receiver: it says nothing."""
        alive = (self.heard_us >= since_us) & (building.receivers.kind == BLE)
        steps = np.ceil(np.maximum(self.faintest_dbm, best_dbm) / STEP_DB)
        return np.where(alive, steps * STEP_DB, np.inf)


@dataclass(frozen=True)
class Silence:
    """`log_p` (floors, ny, nx): log probability that no living receiver hears a tag there."""

    origin_m: Floats
    log_p: Floats
    threshold_dbm: Floats
    """(R,) inf where the receiver is not living."""
    scan_share: float

    @classmethod
    def draw(cls, building: Building, threshold_dbm: Floats, radio: Reception) -> Silence:
        """The map when the receivers hear tags of `threshold_dbm` (R,) half of the time."""
        return cls(
            building.bounds[0].copy(), _log_p(building, threshold_dbm, radio), threshold_dbm,
            radio.scan_share,
        )  # fmt: skip

    def at(self, floor: Ints, x_m: Floats, y_m: Floats) -> Floats:
        """(P, N) log probability of being heard by nobody, tags on `floor` (N,)."""
        _, ny, nx = self.log_p.shape
        i = np.clip(((x_m - self.origin_m[0]) / CELL_M).astype(np.int64), 0, nx - 1)
        j = np.clip(((y_m - self.origin_m[1]) / CELL_M).astype(np.int64), 0, ny - 1)
        found: Floats = self.log_p.reshape(-1).take((np.maximum(floor, 0) * ny + j) * nx + i)
        return found

    def unheard_by(self, receiver: NDArray[np.int64], mean_dbm: Floats) -> Floats:
        """(K, P, N) probability that each receiver (K, N) misses a tag whose mean there is so."""
        shape = (len(receiver), *(1,) * (mean_dbm.ndim - 2), receiver.shape[1])
        threshold = self.threshold_dbm[receiver].reshape(shape)
        return 1.0 - _chance(mean_dbm, threshold, self.scan_share)


def _log_p(building: Building, threshold_dbm: Floats, radio: Reception) -> Floats:
    """(floors, ny, nx), at the middle of each cell."""
    bounds, receivers = building.bounds, building.receivers
    nx, ny = np.maximum(1, np.ceil((bounds[1] - bounds[0]) / CELL_M)).astype(int)
    x = bounds[0, 0] + (np.arange(nx) + 0.5) * CELL_M
    y = bounds[0, 1] + (np.arange(ny) + 0.5) * CELL_M
    log_p = np.zeros((len(building.floors), ny, nx))
    for r in np.flatnonzero(np.isfinite(threshold_dbm)).tolist():
        at = receivers.position_m[r]
        i, j = (np.abs(line - c) <= REACH_M for line, c in ((x, at[0]), (y, at[1])))
        if i.any() and j.any():
            window = np.ix_(j, i)
            for f in range(len(building.floors)):
                mean = _mean_dbm(building, r, f, *np.meshgrid(x[i], y[j]), radio)
                log_p[f][window] += np.log1p(-_chance(mean, threshold_dbm[r], radio.scan_share))
    return log_p


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


def _chance(mean_dbm: Floats, threshold_dbm: Floats | float, scan: float) -> Floats:
    """Of being heard; 0 for a threshold of inf."""
    z = np.minimum((threshold_dbm - mean_dbm) / SLOPE_DB, 60.0)
    chance: Floats = scan / (1.0 + np.exp(z))
    return chance


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
        if self.maps is not None and self.building is building:
            if (self.maps[0].threshold_dbm == threshold).all():
                return self, self.maps
        shares = policy.scan_share, policy.stand_scan_share
        one, many = (
            Silence.draw(
                building, threshold, Reception(share, policy.tag_height_m, policy.slab_loss_db)
            )
            for share in shares
        )
        return Quiet(building, (one, many)), (one, many)


NOT_DRAWN = Quiet()
