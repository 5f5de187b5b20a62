"""Where an asset is, as a cloud of weighted places: what it costs to be there, summed up.

Importance sampling in two or three rounds, without randomness: a disc of places, then places spread
like the Gaussian that the weights of the round before describe. Walls make the cost bumpy, so the
answer is the mean and covariance of all places that explain the reads, not the bottom of one dent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.domain.likelihood import NU, Prior
from pipeline.domain.observations import Ints
from pipeline.domain.radio import RadioModel, Some, multiply_receivers, sum_receivers
from pipeline.domain.silence import Silence

POINTS = 64
BLOCK = 65_536
"""About so many (receiver, place, tag) are worked out at once."""
SPREAD = 1.3
"""Standard deviations of the next round's places per one of the last round's weights."""
LEAST_VARIANCE_M2 = 0.05
NODES = ((-1.7320508, 1 / 6), (0.0, 2 / 3), (1.7320508, 1 / 6))
"""Gauss-Hermite: the tag's power is integrated over its prior."""


@dataclass(frozen=True)
class Cloud:
    """Posterior of each tag; arrays (N,). Covariance in m2."""

    x_m: Floats
    y_m: Floats
    cxx: Floats
    cxy: Floats
    cyy: Floats
    offset_db: Floats
    offset_variance: Floats
    misfit: Floats
    """Mean squared residual in sigmas at the mean: about 1, more where the model is wrong."""

    def tags(self, which: Some) -> Cloud:
        return Cloud(*(getattr(self, f.name)[which] for f in fields(self)))

    def put(self, which: Some, other: Cloud) -> Cloud:
        """A copy in which the tags `which` have the clouds of `other`."""
        merged = {f.name: getattr(self, f.name).copy() for f in fields(self)}
        for name, column in merged.items():
            column[which] = getattr(other, name)
        return Cloud(**merged)


@dataclass(frozen=True)
class Question:
    """Reads, silence and prior of N tags on the floors `floor` (N,)."""

    model: RadioModel
    silence: Silence
    told: NDArray[np.bool_]
    """(N,) whether every receiver that heard the tag is in the model: else silence says nothing."""
    floor: Ints
    prior: Prior
    bounds: Floats

    def tags(self, which: Ints) -> Question:
        return Question(
            self.model.tags(which), self.silence, self.told[which], self.floor[which],
            self.prior.tags(which), self.bounds,
        )  # fmt: skip

    def refine(self) -> Cloud:
        """The posterior, from places that are first spread like the prior: two rounds."""
        return _joined([some._rounds(*_normal(some.prior), 1) for some in self._blocks(POINTS)])

    def search(self, x_m: Floats, y_m: Floats, radius_m: float, more: int = 1) -> Cloud:
        """The posterior, from places that are first a disc of this radius about (x, y) (N,), with
        `more` times as many places: three rounds."""
        u, v = radius_m * _disc(more * POINTS)[..., None]
        found, first = [], 0
        for some in self._blocks(more * POINTS):
            part = slice(first, first + len(some.floor))
            log_q = np.zeros((len(u), 1))
            found.append(some._rounds(x_m[part] + u, y_m[part] + v, log_q, 2))
            first = part.stop
        return _joined(found)

    def _blocks(self, points: int) -> Iterator[Question]:
        """The same in pieces that stay in the processor's cache; they do not change the answer."""
        receivers, tags = self.model.x_m.shape
        step = max(1, BLOCK // (receivers * points))
        if tags <= step:
            yield self
            return
        for first in range(0, tags, step):
            yield self.tags(np.arange(first, min(first + step, tags)))

    def _rounds(self, x: Floats, y: Floats, log_q: Floats, more: int) -> Cloud:
        for _ in range(more):
            weight, _ = self._weights(x, y, log_q)
            mean, (xx, xy, yy) = _moments(weight, *self._inside(x, y))
            x, y, log_q = _spread(len(x), *mean, xx, xy, yy)
        return self._cloud(x, y, log_q)

    def _inside(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        (x_low, y_low), (x_high, y_high) = self.bounds
        return np.clip(x, x_low, x_high), np.clip(y, y_low, y_high)

    def _weights(self, x: Floats, y: Floats, log_q: Floats) -> tuple[Floats, list[Floats]]:
        """(P, N) weights that sum to one; and the log weight of each node of the offset."""
        x, y = self._inside(x, y)
        nodes = self._log_likelihood(x, y)
        common = -self.prior.cost(x, y, self.prior.offset_db) - log_q
        logs = [node + common for node in nodes]
        top = np.maximum.reduce([log.max(axis=0) for log in logs])
        weights = [np.exp(log - top) for log in logs]
        weight = weights[0] + weights[1] + weights[2]
        return weight / sum_receivers(weight), logs

    def _log_likelihood(self, x: Floats, y: Floats) -> list[Floats]:
        """(P, N) at places within the bounds, for each node of the offset, its share included."""
        model, prior = self.model, self.prior
        residual = model.residual(x, y, prior.offset_db)
        k, n = model.x_m.shape
        information = model.information.reshape(k, 1, n)
        heard = model.information > 0.0
        quiet = self.silence.log_p_except(model.receiver, heard, self.floor, x, y)
        # Nor does it of what no receiver hears: it may wear no beacon.
        quiet *= self.told & heard.any(axis=0)
        sigma = 1.0 / np.sqrt(prior.offset_precision)
        found = []
        for node, share in NODES:
            u2 = residual - node * sigma
            u2 *= u2
            u2 *= information
            u2 *= 1.0 / NU
            u2 += 1.0
            found.append(quiet - 0.5 * (NU + 1.0) * np.log(multiply_receivers(u2)) + np.log(share))
        return found

    def _cloud(self, x: Floats, y: Floats, log_q: Floats) -> Cloud:
        weight, logs = self._weights(x, y, log_q)
        x, y = self._inside(x, y)
        mean, covariance = _moments(weight, x, y)
        top = np.maximum.reduce([log.max(axis=0) for log in logs])
        parts = [sum_receivers(np.exp(log - top)) for log in logs]
        total = parts[0] + parts[1] + parts[2]
        sigma = 1.0 / np.sqrt(self.prior.offset_precision)
        step = [node * sigma for node, _ in NODES]
        offset = sum(p * s for p, s in zip(parts, step, strict=True)) / total
        square = sum(p * s * s for p, s in zip(parts, step, strict=True)) / total
        offset_db = self.prior.offset_db + offset
        residual = self.model.residual(*mean, offset_db)
        links = np.maximum(sum_receivers((self.model.information > 0).astype(np.float64)), 1.0)
        misfit = sum_receivers(residual * residual * self.model.information) / links
        return Cloud(
            *mean, *covariance, offset_db, np.maximum(square - offset * offset, 0.1 * sigma**2),
            misfit,
        )  # fmt: skip


def _sunflower(points: int) -> tuple[Floats, Floats]:
    i = np.arange(points) + 0.5
    return i / points, i * np.pi * (3.0 - np.sqrt(5.0))


def _joined(parts: list[Cloud]) -> Cloud:
    if len(parts) == 1:
        return parts[0]
    return Cloud(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Cloud)))


@cache
def _disc(points: int) -> Floats:
    """(2, points) evenly in the unit disc."""
    share, angle = _sunflower(points)
    return np.stack([np.sqrt(share) * np.cos(angle), np.sqrt(share) * np.sin(angle)])


@cache
def _gauss(points: int) -> Floats:
    """(2, points) equally probable places of the standard Gaussian."""
    share, angle = _sunflower(points)
    radius = np.sqrt(-2.0 * np.log1p(-share))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)])


def _spread(
    points: int, x: Floats, y: Floats, xx: Floats, xy: Floats, yy: Floats
) -> tuple[Floats, Floats, Floats]:
    """Places (P, N) that are spread like a wider Gaussian, and the log of their density."""
    a = SPREAD * np.sqrt(np.maximum(xx, LEAST_VARIANCE_M2))
    b = SPREAD * SPREAD * xy / a
    c = np.sqrt(np.maximum(SPREAD * SPREAD * yy - b * b, LEAST_VARIANCE_M2))
    u, v = _gauss(points)[..., None]
    return x + a * u, y + b * u + c * v, -0.5 * (u * u + v * v)


def _normal(prior: Prior) -> tuple[Floats, Floats, Floats]:
    determinant = np.maximum(prior.ixx * prior.iyy - prior.ixy * prior.ixy, 1e-12)
    xx, xy, yy = prior.iyy / determinant, -prior.ixy / determinant, prior.ixx / determinant
    return _spread(POINTS, prior.x_m, prior.y_m, xx, xy, yy)


def _moments(
    weight: Floats, x: Floats, y: Floats
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
    """Mean and covariance of weighted places (P, N)."""
    mx, my = sum_receivers(weight * x), sum_receivers(weight * y)
    dx, dy = x - mx, y - my
    wx = weight * dx
    xx, xy = sum_receivers(wx * dx), sum_receivers(wx * dy)
    yy = sum_receivers(weight * dy * dy)
    least = LEAST_VARIANCE_M2
    return (mx, my), (np.maximum(xx, least), xy, np.maximum(yy, least))
