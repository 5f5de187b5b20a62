"""BLE adverts as the receivers hear them, vectorised over all assets and receivers.

RSSI = P0 - 10 n log10(d) - walls - slabs + tag offset + shadowing(place) + fading(advert), rounded
to 1 dBm. Shadowing is a smooth random field per receiver, fixed in space: random Fourier features,
so it is exact at any point (Rahimi and Recht, 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pipeline.domain.geometry import Floats
from pipeline.simulation.hospital import Hospital
from pipeline.simulation.scenario import MICROSECONDS, stream
from pipeline.simulation.walks import Walks
from pipeline.simulation.wall_losses import WallLosses

NEAREST_M = 0.3
BLOCK_ADVERTS = 10
"""Random numbers are drawn for this many adverts of each tag at a time."""
FAINTEST_DBM, LOUDEST_DBM = -105, -20


@dataclass(frozen=True)
class Hearings:
    """One entry a received advert, in event-time order; times after the walks' start."""

    at_us: NDArray[np.int64]
    asset: NDArray[np.int64]
    receiver: NDArray[np.int64]
    rssi_dbm: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.at_us)

    def between(self, start_us: int, end_us: int) -> Hearings:
        first, last = np.searchsorted(self.at_us, [start_us, end_us])
        cut = slice(int(first), int(last))
        return Hearings(self.at_us[cut], self.asset[cut], self.receiver[cut], self.rssi_dbm[cut])


class Radio:
    """The radio world of one hospital; everything is drawn from the scenario's seed."""

    def __init__(self, hospital: Hospital) -> None:
        plan, seed = hospital.scenario.radio, hospital.scenario.seed
        self._plan, self._seed, self._hospital = plan, seed, hospital
        self._walls = WallLosses(hospital)
        rng = stream(seed, "radio")
        assets = len(hospital.fleet)
        self.tag_offset_db = rng.normal(0, plan.tag_spread_db, assets)
        self._phase_s = rng.uniform(0, plan.advert_interval_s - plan.advert_jitter_s, assets)
        waves = plan.shadowing_waves
        self._waves = _spread_normals(rng, (3, waves)) / plan.shadowing_length_m
        phases = rng.uniform(0, 2 * np.pi, (waves, len(hospital.receivers)))
        scale = plan.shadowing_db * np.sqrt(2 / waves)
        self._in_phase, self._in_quadrature = scale * np.cos(phases), scale * np.sin(phases)
        self._latest: tuple[int, Walks, Hearings] | None = None

    @property
    def block_us(self) -> int:
        return round(BLOCK_ADVERTS * self._plan.advert_interval_s * MICROSECONDS)

    def shadowing_db(self, xyz_m: Floats) -> Floats:
        """(N, R) shadowing at N points: sigma `shadowing_db`, the same whenever it is asked."""
        angle = xyz_m @ self._waves
        field: Floats = np.cos(angle) @ self._in_phase - np.sin(angle) @ self._in_quadrature
        return field

    def mean_dbm(self, xyz_m: Floats, floor: NDArray[np.int64]) -> Floats:
        """(N, R) RSSI of a tag without an offset at N points, before fading."""
        receivers = self._hospital.receivers
        gap = xyz_m[:, None, :] - receivers.position_m[None, :, :]
        distance = np.maximum(np.sqrt(np.einsum("nrk,nrk->nr", gap, gap)), NEAREST_M)
        slabs = np.abs(floor[:, None] - receivers.floor[None, :])
        return np.asarray(
            receivers.p0_dbm
            - 10 * receivers.exponent * np.log10(distance)
            - self._walls.loss_db(xyz_m, floor)
            - self._plan.slab_db * slabs
            + self.shadowing_db(xyz_m)
        )

    def hear(self, walks: Walks, start_us: int, end_us: int) -> Hearings:
        """All receptions in [start, end), in order; cutting the time differently is the same."""
        blocks = range(start_us // self.block_us, -(-end_us // self.block_us))
        parts = [self._cached(walks, block) for block in blocks]
        whole = [
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("at_us", "asset", "receiver", "rssi_dbm")
        ]
        return Hearings(*whole).between(start_us, end_us)

    def _cached(self, walks: Walks, block: int) -> Hearings:
        """A live world asks for one block many times."""
        if self._latest is None or self._latest[0] != block or self._latest[1] is not walks:
            self._latest = block, walks, self._block(walks, block)
        return self._latest[2]

    def _block(self, walks: Walks, block: int) -> Hearings:
        plan = self._plan
        rng = stream(self._seed, "adverts", block)
        shape = (BLOCK_ADVERTS, walks.assets)
        begin_s = (block * BLOCK_ADVERTS + np.arange(BLOCK_ADVERTS))[:, None]
        at_s = begin_s * plan.advert_interval_s + self._phase_s
        at_us = np.rint((at_s + rng.uniform(0, plan.advert_jitter_s, shape)) * MICROSECONDS)
        at_us = at_us.astype(np.int64).ravel()
        asset = np.broadcast_to(np.arange(walks.assets), shape).ravel()
        xyz, space = walks.at(asset, at_us)
        mean = self.mean_dbm(xyz, self._hospital.space_floor[space])
        mean += self.tag_offset_db[asset][:, None]
        rssi = np.rint(mean + rng.standard_normal(mean.shape, dtype=np.float32) * plan.fading_db)
        rssi = np.minimum(rssi, LOUDEST_DBM)
        margin = (rssi - plan.sensitivity_dbm) / plan.sensitivity_slope_db
        chance = plan.scan_share / (1 + np.exp(-np.clip(margin, -30, 30)))
        heard = (rng.random(mean.shape, dtype=np.float32) < chance) & (rssi >= FAINTEST_DBM)
        row, receiver = np.nonzero(heard)
        order = np.argsort(at_us[row], kind="stable")
        row, receiver = row[order], receiver[order]
        return Hearings(at_us[row], asset[row], receiver, rssi[row, receiver].astype(np.int64))


def _spread_normals(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Standard normals, one in each of equally likely slices a row (a Latin hypercube)."""
    rows, count = shape
    slices = np.stack([rng.permutation(count) for _ in range(rows)])
    spread: Floats = ndtri((slices + rng.random(shape)) / count)
    return spread
