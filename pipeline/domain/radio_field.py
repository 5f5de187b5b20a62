"""What every receiver should hear of a tag at every place of a lattice, under rival radio models.

With a survey there is one map (path loss plus the residual that the survey showed). Without one
the path-loss exponent and the power of the tag are unknown: each pair of them is a hypothesis, and
the reads decide between them (see belief.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.domain.lattice import Lattice
from pipeline.domain.radio import DB_PER_NEPER, MIN_DISTANCE_M

Single = NDArray[np.float32]

EXPONENTS = (1.6, 2.2, 3.0, 4.0)
EXPONENT_MEAN, EXPONENT_SD = 2.4, 0.7
POWERS_DBM = tuple(range(-84, -31, 4))
POWER_MEAN_DBM, POWER_SD_DB = -57.0, 14.0
"""RSSI at one metre of unknown hardware: what phones, beacons and worn tags were reported with."""
UNKNOWN_SIGMA_DB = 7.0
FLOOR_LOSS_DB = 15.0
"""Of one slab: see ITU-R P.1238."""
SAME_FLOOR_M = 3.6
"""A receiver up to this far above the tag's feet hangs on its floor."""


@dataclass(frozen=True)
class RadioField:
    """M maps, R receivers, C places, H hypotheses.

    `mean_dbm` (M, R, C); `precision` (R, C) in 1/dB2, or (1, 1) where it is the same everywhere. A
    hypothesis h is the map `map_of[h]` with every RSSI `shift_db[h]` higher; `log_prior` (H,) is
    what is believed of it.
    """

    lattice: Lattice
    mean_dbm: Single
    precision: Single
    map_of: NDArray[np.int64]
    shift_db: Floats
    log_prior: Floats

    @classmethod
    def unsurveyed(
        cls,
        lattice: Lattice,
        receivers_m: Floats,
        wall_loss_db: Floats | None = None,
        sigma_db: float = UNKNOWN_SIGMA_DB,
    ) -> RadioField:
        """Nothing is known but where the receivers (R, 3) are and, perhaps, the walls (R, C)."""
        losses = _losses(lattice, receivers_m, EXPONENTS)
        if wall_loss_db is not None:
            losses = losses + wall_loss_db
        n, power = np.meshgrid(EXPONENTS, POWERS_DBM, indexing="ij")
        prior = -0.5 * ((n - EXPONENT_MEAN) / EXPONENT_SD) ** 2
        prior -= 0.5 * ((power - POWER_MEAN_DBM) / POWER_SD_DB) ** 2
        return cls(
            lattice,
            (-losses).astype(np.float32),
            np.full((1, 1), 1.0 / sigma_db**2, np.float32),
            np.repeat(np.arange(len(EXPONENTS)), len(POWERS_DBM)),
            power.ravel().astype(np.float64),
            prior.ravel() - np.log(np.exp(prior).sum()),
        )

    @classmethod
    def surveyed(
        cls,
        lattice: Lattice,
        mean_dbm: Floats,
        sd_db: Floats,
        offsets_db: Sequence[float] = (0.0,),
        offset_sd_db: float = 1.0,
    ) -> RadioField:
        """One map (R, C) and its scatter; a tag may be `offsets_db` louder than the survey's."""
        shift = np.asarray(offsets_db, dtype=np.float64)
        prior = -0.5 * (shift / offset_sd_db) ** 2
        return cls(
            lattice,
            mean_dbm.astype(np.float32)[None],
            (1.0 / sd_db**2).astype(np.float32),
            np.zeros(len(shift), dtype=np.int64),
            shift,
            prior - np.log(np.exp(prior).sum()),
        )

    def __len__(self) -> int:
        return len(self.map_of)

    @property
    def is_even(self) -> bool:
        return self.precision.size == 1

    @cached_property
    def half_log_precision(self) -> Single:
        half: Single = np.float32(0.5) * np.log(self.precision)
        return half


def _losses(lattice: Lattice, receivers_m: Floats, exponents: Sequence[float]) -> Floats:
    """Path and slabs beyond one metre: (M, R, C) dB."""
    gap = lattice.places_m[None] - receivers_m[:, None]
    distance = np.maximum(np.linalg.norm(gap, axis=2), MIN_DISTANCE_M)
    layer = np.repeat(lattice.heights_m, lattice.ny * lattice.nx)
    slabs = slabs_between(layer, receivers_m[:, 2, None], lattice.heights_m)
    scale = DB_PER_NEPER * np.asarray(exponents)[:, None, None]
    losses: Floats = scale * np.log(distance) + FLOOR_LOSS_DB * slabs
    return losses


def slabs_between(tag_z_m: Floats, receiver_z_m: Floats, layers_m: Floats) -> Floats:
    """How many slabs lie between tag and receiver; none in a building of one layer."""
    if len(layers_m) == 1:
        return np.zeros(np.broadcast_shapes(tag_z_m.shape, receiver_z_m.shape))
    above = receiver_z_m[..., None] - layers_m
    fits = np.where((above > -1.5) & (above < SAME_FLOOR_M), np.abs(above), np.inf)
    floor = np.where(np.isfinite(fits.min(axis=-1)), fits.argmin(-1), np.abs(above).argmin(-1))
    own = np.abs(tag_z_m[..., None] - layers_m).argmin(axis=-1)
    slabs: Floats = np.abs(own - floor).astype(np.float64)
    return slabs
