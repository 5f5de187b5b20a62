"""A zone boundary learned from a labelled walk: is a tag inside, given how the receivers hear it?

For a boundary that geometry cannot tell, a door with receivers on both sides. Features of each
receiver are its level against the mean of all (a tag's power is not the zone's business), now and
over its short past; a logistic regression weighs them. Causal: a moment's answer uses nothing
later. The constants are round numbers set beforehand, the weights follow from the training walks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from pipeline.domain.geometry import Floats

SPANS_S = (0.4, 1.5, 5.0)
"""Time constants of the exponential means of each receiver's level."""
SILENT_DBM = -100.0
FORGET_S = 1.0
"""A receiver that misses a tag for less than about this is taken to have heard it as before."""
RIDGE = 1.0
"""L2 penalty, per walk, on weights of standardised features."""
REDUNDANCY_S = 1.0
"""Reads this near in time say much the same: a moment counts for its share of this."""


@dataclass(frozen=True)
class Walk:
    """One recording: RSSI (T, R) in dBm, NaN where unheard; `inside` (T,) bool; step in seconds."""

    rssi_dbm: Floats
    inside: NDArray[np.bool_]
    step_s: float


def features(rssi_dbm: Floats, step_s: float) -> Floats:
    """(T, F): the levels of R receivers, relative to their mean, at several time constants, and
    how each has changed; causal."""
    level = _filled(rssi_dbm, step_s)
    means = [level, *(_ema(level, step_s / span) for span in SPANS_S)]
    relative = [mean - mean.mean(axis=1, keepdims=True) for mean in means[1:]]
    trend = [means[1] - means[3]]
    bends = [np.abs(relative[1]), relative[1] * np.roll(relative[1], 1, axis=1) / 10.0]
    return np.concatenate([*relative, *trend, *bends], axis=1)


def _filled(rssi_dbm: Floats, step_s: float) -> Floats:
    """What is not heard fades from the last level to SILENT_DBM."""
    keep = np.exp(-step_s / FORGET_S)
    level, last = np.empty_like(rssi_dbm), np.full(rssi_dbm.shape[1], SILENT_DBM)
    for t, row in enumerate(rssi_dbm):
        last = np.where(np.isnan(row), SILENT_DBM + keep * (last - SILENT_DBM), row)
        level[t] = last
    return level


def _ema(level: Floats, share: float) -> Floats:
    share = min(share, 1.0)
    mean, now = np.empty_like(level), level[0]
    for t, row in enumerate(level):
        now = now + share * (row - now)
        mean[t] = now
    return mean


@dataclass(frozen=True)
class ZoneClassifier:
    """Logistic weights over standardised features."""

    centre: Floats
    scale: Floats
    weights: Floats
    bias: float

    @classmethod
    def learn(cls, walks: Sequence[Walk]) -> ZoneClassifier:
        """Fit to labelled walks. Raises ValueError when one of the classes is missing."""
        x = np.concatenate([features(walk.rssi_dbm, walk.step_s) for walk in walks])
        y = np.concatenate([walk.inside for walk in walks])
        if y.all() or not y.any():
            raise ValueError("a zone is learned from walks that are inside and outside it")
        centre, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
        steps = np.concatenate([np.full(len(walk.inside), walk.step_s) for walk in walks])
        weights, bias = _logistic((x - centre) / scale, y, steps / REDUNDANCY_S, RIDGE * len(walks))
        return cls(centre, scale, weights, bias)

    def log_odds(self, rssi_dbm: Floats, step_s: float) -> Floats:
        """(T,) log odds of being inside at each moment, from it and all before it."""
        x = (features(rssi_dbm, step_s) - self.centre) / self.scale
        odds: Floats = x @ self.weights + self.bias
        return odds

    def probability(self, rssi_dbm: Floats, step_s: float) -> Floats:
        """(T,) the same as a probability."""
        odds = np.clip(self.log_odds(rssi_dbm, step_s), -30.0, 30.0)
        chance: Floats = 1.0 / (1.0 + np.exp(-odds))
        return chance


def _logistic(
    x: Floats, y: NDArray[np.bool_], weight: Floats, ridge: float
) -> tuple[Floats, float]:
    """Weights and bias that minimise the penalised, weighted log loss."""
    sign = np.where(y, 1.0, -1.0)

    def loss(beta: Floats) -> tuple[float, Floats]:
        margin = sign * (x @ beta[:-1] + beta[-1])
        cost = np.logaddexp(0.0, -margin)
        pull = -weight * sign / (1.0 + np.exp(np.clip(margin, -500, 500)))
        gradient = np.append(x.T @ pull + ridge * beta[:-1], pull.sum())
        return float(weight @ cost + 0.5 * ridge * beta[:-1] @ beta[:-1]), gradient

    found = minimize(
        loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 60}
    )
    return found.x[:-1], float(found.x[-1])
