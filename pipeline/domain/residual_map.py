"""A map of what path loss leaves over, learned from a survey: a Gaussian process per receiver.

Walls and furniture shift what a receiver hears by several dB, the same at the same place. The
residuals of the survey are averaged in bins; a Matern 3/2 process (Rasmussen and Williams, Gaussian
Processes for Machine Learning, ch. 4) carries them to every place and says how sure it is there.
Length, size and nugget maximise the marginal likelihood of the bins, times weak log-normal priors,
together for all receivers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from pipeline.domain.geometry import Floats
from pipeline.domain.path_loss import PathLoss, Survey

BIN_M = 0.5
MAX_BINS = 400
TYPICAL = np.array([2.0, 5.0, 2.0])
"""Length in m, size and nugget in dB where the survey says nothing of them."""
LOG_SD = np.array([0.7, 0.4, 0.7])
LEARNED_FROM = 8
"""Receivers with the most bins; more add time, not knowledge, to the three parameters."""
SCATTER_DB = 4.5
SCATTER_ROWS = 20.0
"""Prior of a receiver's scatter within a bin, and how many rows it is worth."""
MIN_SCATTER_DB = 2.0
NOBODY = np.empty(0)


@dataclass(frozen=True)
class Kernel:
    """Length in metres; standard deviation of the map and of a bin's own offset in dB."""

    length_m: float
    size_db: float
    nugget_db: float


@dataclass(frozen=True)
class _Bins:
    """Of one receiver: centres (B, 3), mean residual and rows of each, scatter within."""

    place_m: Floats
    residual_db: Floats
    rows: Floats
    scatter_db: float


@dataclass(frozen=True)
class ResidualMap:
    """Path loss and the map over it, from one survey."""

    path_loss: PathLoss
    kernel: Kernel
    receivers_m: Floats
    bins: tuple[_Bins, ...]

    @classmethod
    def fit(cls, survey: Survey, receivers_m: Floats, kernel: Kernel | None = None) -> ResidualMap:
        """`kernel` None: learn it. Receivers that the survey never heard follow the path loss."""
        path_loss = PathLoss.fit(survey, receivers_m)
        expected = path_loss.rssi_dbm(survey.place_m, survey.receiver, receivers_m)
        residual = survey.rssi_dbm - expected
        bins = tuple(
            _bins(survey.place_m[rows], residual[rows], path_loss.sigma_db)
            for rows in (survey.receiver == r for r in range(len(receivers_m)))
        )
        return cls(path_loss, kernel or _learn(bins), receivers_m, bins)

    def at(self, place_m: Floats) -> tuple[Floats, Floats]:
        """Mean RSSI in dBm and standard deviation in dB of one read at places (C, 3): (R, C)."""
        mean = np.empty((len(self.bins), len(place_m)))
        variance = np.empty_like(mean)
        for r, bins in enumerate(self.bins):
            who = np.full(len(place_m), r)
            mean[r] = self.path_loss.rssi_dbm(place_m, who, self.receivers_m)
            variance[r] = self.kernel.size_db**2 + bins.scatter_db**2
            if len(bins.rows):
                added, removed = self._process(bins, place_m)
                mean[r] += added
                variance[r] -= removed
        return mean, np.sqrt(np.maximum(variance, MIN_SCATTER_DB**2))

    def _process(self, bins: _Bins, place_m: Floats) -> tuple[Floats, Floats]:
        factor = linalg.cho_factor(_covariance(bins, self.kernel), lower=True)
        cross = self.kernel.size_db**2 * _matern(place_m, bins.place_m, self.kernel.length_m)
        mean = cross @ linalg.cho_solve(factor, bins.residual_db)
        half = linalg.solve_triangular(factor[0], cross.T, lower=True)
        return mean, (half * half).sum(axis=0)


def _bins(place_m: Floats, residual_db: Floats, sigma_db: float) -> _Bins:
    if not len(residual_db):
        return _Bins(np.empty((0, 3)), NOBODY, NOBODY, sigma_db)
    size = BIN_M
    while True:
        index = np.rint(place_m / size).astype(np.int64)
        _, which = np.unique(index, axis=0, return_inverse=True)
        which = which.ravel()
        rows = np.bincount(which).astype(np.float64)
        if len(rows) <= MAX_BINS:
            break
        size *= 1.25
    mean = np.bincount(which, residual_db) / rows
    centre = np.stack([np.bincount(which, axis) / rows for axis in place_m.T], axis=1)
    within = float(((residual_db - mean[which]) ** 2).sum())
    spare = max(len(residual_db) - len(rows), 0)
    scatter = (within + SCATTER_ROWS * SCATTER_DB**2) / (spare + SCATTER_ROWS)
    return _Bins(centre, mean, rows, float(np.sqrt(scatter)))


def _matern(a_m: Floats, b_m: Floats, length_m: float) -> Floats:
    square = (a_m * a_m).sum(1)[:, None] + (b_m * b_m).sum(1) - 2.0 * (a_m @ b_m.T)
    scaled = np.sqrt(np.maximum(square, 0.0)) * (np.sqrt(3.0) / length_m)
    kernel: Floats = (1.0 + scaled) * np.exp(-scaled)
    return kernel


def _covariance(bins: _Bins, kernel: Kernel) -> Floats:
    own = kernel.nugget_db**2 + bins.scatter_db**2 / bins.rows
    smooth = kernel.size_db**2 * _matern(bins.place_m, bins.place_m, kernel.length_m)
    covariance: Floats = smooth + np.diag(own)
    return covariance


def _learn(bins: Sequence[_Bins]) -> Kernel:
    most = sorted((b for b in bins if len(b.rows) > 2), key=lambda b: -len(b.rows))[:LEARNED_FROM]
    if not most:
        return Kernel(*TYPICAL.tolist())

    def cost(log_parameters: NDArray[np.float64]) -> float:
        kernel = Kernel(*np.exp(log_parameters).tolist())
        total = 0.5 * float((((log_parameters - np.log(TYPICAL)) / LOG_SD) ** 2).sum())
        for one in most:
            factor = linalg.cho_factor(_covariance(one, kernel), lower=True)
            total += 0.5 * float(one.residual_db @ linalg.cho_solve(factor, one.residual_db))
            total += float(np.log(np.diag(factor[0])).sum())
        return total

    options = {"maxiter": 50, "xatol": 0.05, "fatol": 0.1}
    found = optimize.minimize(cost, np.log(TYPICAL), method="Nelder-Mead", options=options)
    bounded = np.clip(found.x, np.log(TYPICAL) - 2.5 * LOG_SD, np.log(TYPICAL) + 2.5 * LOG_SD)
    return Kernel(*np.exp(bounded).tolist())
