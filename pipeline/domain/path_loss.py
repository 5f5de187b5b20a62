"""Path loss fitted to a survey: one exponent, and the RSSI at one metre of every receiver.

Each receiver's P0 is drawn towards the mean of all by a Gaussian prior, so a receiver that was
surveyed at three places does not run away; the exponent stays between 1.2 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.domain.radio import DB_PER_NEPER, MIN_DISTANCE_M

EXPONENT_RANGE = (1.2, 6.0)
EXPONENT_MEAN, EXPONENT_SD = 2.4, 0.7
RECEIVER_SD_DB = 4.0
"""By how much receivers of one kind differ once they hang on a wall."""
SCATTER_DB = 6.0
ROWS_A_PLACE = 0.3
"""Rows of one place share their shadowing: so many more of them would say as much as one."""
ROUNDS = 6
NU = 4.0


@dataclass(frozen=True)
class Survey:
    """N rows: place (N, 3) in metres, receiver index, RSSI in dBm, time in s (NaN: not known)."""

    place_m: Floats
    receiver: NDArray[np.int64]
    rssi_dbm: Floats
    time_s: Floats

    def __len__(self) -> int:
        return len(self.receiver)

    def rows(self, which: NDArray[np.bool_]) -> Survey:
        return Survey(*(column[which] for column in vars(self).values()))


@dataclass(frozen=True)
class PathLoss:
    """RSSI at distance d of receiver r: p0_dbm[r] - 10 exponent log10(d)."""

    p0_dbm: Floats
    exponent: float
    sigma_db: float

    @classmethod
    def fit(cls, survey: Survey, receivers_m: Floats) -> PathLoss:
        """Student-t regression by reweighting; receivers (R, 3) without rows get the mean P0."""
        count = len(receivers_m)
        decades = decades_between(survey.place_m, receivers_m[survey.receiver])
        design = np.zeros((len(survey), count + 2))
        design[np.arange(len(survey)), survey.receiver] = 1.0
        design[:, count], design[:, count + 1] = 1.0, -10.0 * decades
        prior = np.r_[np.full(count, RECEIVER_SD_DB**-2.0), 1e-6, EXPONENT_SD**-2.0]
        pull = np.zeros(count + 2)
        pull[-1] = EXPONENT_MEAN
        weight, sigma = np.full(len(survey), ROWS_A_PLACE), SCATTER_DB
        for _ in range(ROUNDS):
            scaled = design * (weight / sigma**2)[:, None]
            normal, right = design.T @ scaled + np.diag(prior), scaled.T @ survey.rssi_dbm
            found = np.linalg.solve(normal, right + prior * pull)
            low, high = EXPONENT_RANGE
            if not low <= found[-1] <= high:  # hold it on its bound, fit the rest again
                found[-1] = np.clip(found[-1], low, high)
                keep = np.arange(count + 1)
                rest = right[keep] - normal[keep, -1] * found[-1]
                found[keep] = np.linalg.solve(normal[np.ix_(keep, keep)], rest)
            residual = survey.rssi_dbm - design @ found
            u2 = (residual / sigma) ** 2
            weight = ROWS_A_PLACE * (NU + 1.0) / (NU + u2)
            spread = float(np.median(np.abs(residual))) * 1.4826
            sigma = float(np.clip(spread, 2.0, 12.0))
        return cls(found[:count] + found[count], float(found[-1]), sigma)

    def rssi_dbm(self, place_m: Floats, receiver: NDArray[np.int64], receivers_m: Floats) -> Floats:
        """(N,) at places (N, 3) for the receivers `receiver` (N,)."""
        decades = decades_between(place_m, receivers_m[receiver])
        return self.p0_dbm[receiver] - 10.0 * self.exponent * decades


def decades_between(place_m: Floats, other_m: Floats) -> Floats:
    """log10 of the distance in metres, at least MIN_DISTANCE_M."""
    distance = np.linalg.norm(place_m - other_m, axis=-1)
    decades: Floats = np.log(np.maximum(distance, MIN_DISTANCE_M)) * (DB_PER_NEPER / 10.0)
    return decades
