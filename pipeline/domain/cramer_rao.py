"""The Cramer-Rao bound of one unbiased fix from signal strength alone, at a known height.

F = (10 n / (sigma ln 10))^2 sum_k v_k v_k^T / d_k^4, v the horizontal vector from receiver to tag
(Patwari et al., Relative location estimation in wireless sensor networks, 2003); the RMS error is
at least sqrt(trace(F^-1)). Walls, motion and a radio map add information: they may go below it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.domain.radio import DB_PER_NEPER, MIN_DISTANCE_M


def bound_m(
    place_m: Floats,
    heard: NDArray[np.bool_],
    receivers_m: Floats,
    exponent: float,
    sigma_db: float,
) -> Floats:
    """RMS error in metres at places (N, 3) heard by (N, R) receivers; inf where F is singular."""
    gap = place_m[:, None] - receivers_m
    square = np.maximum((gap * gap).sum(axis=2), MIN_DISTANCE_M**2)
    weight = heard * (DB_PER_NEPER * exponent / sigma_db) ** 2 / square**2
    xx, xy, yy = (
        (weight * gap[..., i] * gap[..., j]).sum(axis=1) for i, j in ((0, 0), (0, 1), (1, 1))
    )
    determinant = xx * yy - xy * xy
    with np.errstate(divide="ignore", invalid="ignore"):
        bound: Floats = np.sqrt((xx + yy) / determinant)
    return np.where(determinant > 1e-9, bound, np.inf)
