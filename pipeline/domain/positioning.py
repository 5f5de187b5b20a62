"""Positions from signal strength: a batched maximum a posteriori solve in dB.

The cost (see likelihood.py) is minimised for every tag at once by damped Gauss-Newton with
iteratively reweighted residuals, from several starts, because walls make it bumpy. A tag is done
when its step is short, so its result does not depend on the tags it is solved with.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.ellipse import invert_2x2
from pipeline.domain.geometry import Floats
from pipeline.domain.likelihood import Likelihood, Prior
from pipeline.domain.radio import RadioModel, Some, sum_receivers

ITERATIONS = 6
DAMPING_START = 1e-2
DAMPING_MAX = 1e4
STEP_LIMIT_M = 5.0
SETTLED_M = 0.1
SETTLED_DB = 0.1
"""A descent ends with a step shorter than this, far below what shadowing leaves open."""
SHADOW_SHARE = 1.0
WEAK_PRECISION = 1.0 / 10.0**2
COST = 9
"""Its row in the normal equations."""
BLOCK = 16_384
"""Costs of candidate places are worked out for about so many (receiver, place) at once: more would
not stay in the processor's cache."""

Starts = list[tuple[Floats, Floats]]


@dataclass(frozen=True)
class Fix:
    """Posterior of each tag; every array is (N,). Covariance of (x, y) in m2.

    `cxx, cxy, cyy` follow from prior and data and are what the next window starts from.
    `exx, exy, eyy` are the error to report: shadowing is the same in every window, so no number of
    windows makes a fix better than the radio map allows.
    """

    x_m: Floats
    y_m: Floats
    offset_db: Floats
    cxx: Floats
    cxy: Floats
    cyy: Floats
    exx: Floats
    exy: Floats
    eyy: Floats
    offset_variance: Floats
    cost: Floats
    on_bound: NDArray[np.bool_]

    @classmethod
    def unknown(cls, tags: int) -> Fix:
        """Fixes that any other is better than."""
        columns: dict[str, Any] = {f.name: np.zeros(tags) for f in fields(cls)}
        columns |= {"cost": np.full(tags, np.inf), "on_bound": np.zeros(tags, dtype=bool)}
        return cls(**columns)

    def tags(self, which: Some) -> Fix:
        """The fixes of some of the tags."""
        return Fix(*(getattr(self, f.name)[which] for f in fields(self)))

    def put(self, which: Some, other: Fix) -> Fix:
        """A copy in which the tags `which` have the fixes of `other`."""
        merged = {f.name: getattr(self, f.name).copy() for f in fields(self)}
        for name, column in merged.items():
            column[which] = getattr(other, name)
        return Fix(**merged)


def weighted_centroid(model: RadioModel) -> tuple[Floats, Floats]:
    """Mean receiver position weighted by the distance the RSSI stands for: (N,), (N,) metres."""
    nearness = np.exp(model.loss_db / model.scale_db) * (model.information > 0.0)
    total = np.maximum(sum_receivers(nearness), 1e-12)
    x, y = sum_receivers(nearness * model.x_m), sum_receivers(nearness * model.y_m)
    return x / total, y / total


def expected_move_m(likelihood: Likelihood) -> Floats:
    """How far one Gauss-Newton step from the prior's mean would move each tag: (N,) metres.

    A score test: when this is small the last position still explains the reads, and the solve
    need not be done.
    """
    prior = likelihood.prior
    normal = likelihood.normal(prior.x_m, prior.y_m, prior.offset_db)
    step_x, step_y, _ = _step(normal, 0.0)
    return np.sqrt(step_x * step_x + step_y * step_y)


def solve(likelihood: Likelihood, starts: Starts, bounds: Floats) -> Fix:
    """The best of the local optima reached from `starts` (each two (N,) arrays, metres).

    `bounds` is [[x min, y min], [x max, y max]]; a fix that ends on it is flagged.
    """
    if not starts:
        raise ValueError("solve needs at least one start")
    tags = len(starts[0][0])
    every = (
        likelihood.tags(np.tile(np.arange(tags), len(starts))) if len(starts) > 1 else likelihood
    )
    x, y = (np.concatenate(parts) for parts in zip(*starts, strict=True))
    place, normal = _descend(every, x, y, bounds)
    best = normal[COST].reshape(len(starts), tags).argmin(axis=0) * tags + np.arange(tags)
    return _fix(normal[:, best], likelihood.prior, place[:, best], bounds)


def _disc(points: int, radius_m: float) -> Floats:
    i = np.arange(points) + 0.5
    radius, angle = radius_m * np.sqrt(i / points), i * np.pi * (3.0 - np.sqrt(5.0))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)])


SEEDS = _disc(24, 9.0)
DESCENTS = 2


def promising_starts(likelihood: Likelihood, bounds: Floats) -> Starts:
    """The best DESCENTS of: the prior's mean, the weighted centroid, a disc of places around it.

    Walls make the cost bumpy; a descent from one place often ends behind the wrong one.
    """
    prior = likelihood.prior
    centre = weighted_centroid(likelihood.model)
    x, y = (
        np.clip(
            np.concatenate([[mean, middle], middle + disc[:, None]]), bounds[0, i], bounds[1, i]
        )
        for i, (mean, middle, disc) in enumerate(
            zip((prior.x_m, prior.y_m), centre, SEEDS, strict=True)
        )
    )
    receivers, tags = likelihood.model.x_m.shape
    step = max(1, BLOCK // (receivers * len(x)))
    cost = np.empty_like(x)
    for first in range(0, tags, step):
        block = np.arange(first, min(first + step, tags))
        some = likelihood.tags(block)
        cost[:, block] = some.cost(x[:, block], y[:, block], some.prior.offset_db)
    order = np.argsort(cost, axis=0, kind="stable")[:DESCENTS]
    column = np.arange(tags)
    return [(x[row, column], y[row, column]) for row in order]


def _descend(
    likelihood: Likelihood, x_m: Floats, y_m: Floats, bounds: Floats
) -> tuple[Floats, Floats]:
    """Places (x, y, offset) (3, N) at which each tag's descent ended, and the normal equations."""
    (x_low, y_low), (x_high, y_high) = bounds
    place = np.stack(
        [np.clip(x_m, x_low, x_high), np.clip(y_m, y_low, y_high), likelihood.prior.offset_db]
    )
    normal = likelihood.normal(*place)
    damping = np.full(len(x_m), DAMPING_START)
    end_place, end_normal, who = np.empty_like(place), np.empty_like(normal), np.arange(len(x_m))
    open_ = np.ones(len(x_m), dtype=bool)
    for _ in range(ITERATIONS):
        trial_place = _trial(place, normal, damping, bounds)
        trial = likelihood.normal(*trial_place)
        good = open_ & (trial[COST] < normal[COST])
        open_ &= _is_far(trial_place - place)
        np.copyto(place, trial_place, where=good)
        np.copyto(normal, trial, where=good)
        damping = np.where(good, damping * 0.2, np.minimum(damping * 10.0, DAMPING_MAX))
        on = np.flatnonzero(open_)
        if not len(on):
            break
        if len(on) <= len(open_) // 2:
            end_place[:, who], end_normal[:, who] = place, normal
            who, damping, open_, likelihood = who[on], damping[on], open_[on], likelihood.tags(on)
            place, normal = place.take(on, axis=1), normal.take(on, axis=1)
    end_place[:, who], end_normal[:, who] = place, normal
    return end_place, end_normal


def _trial(place: Floats, normal: Floats, damping: Floats, bounds: Floats) -> Floats:
    """Where a damped step of limited length leads; along a bound, not across it."""
    (x_low, y_low), (x_high, y_high) = bounds
    (x, y, offset), gx, gy = place, normal[6], normal[7]
    held_x = ((x <= x_low) & (gx < 0)) | ((x >= x_high) & (gx > 0))
    held_y = ((y <= y_low) & (gy < 0)) | ((y >= y_high) & (gy > 0))
    step_x, step_y, step_o = _step(normal, damping, held_x, held_y)
    length = np.sqrt(step_x * step_x + step_y * step_y)
    shrink = np.minimum(1.0, STEP_LIMIT_M / np.maximum(length, 1e-9))
    trial = np.empty_like(place)
    np.clip(x + shrink * step_x, x_low, x_high, out=trial[0])
    np.clip(y + shrink * step_y, y_low, y_high, out=trial[1])
    np.add(offset, shrink * step_o, out=trial[2])
    return trial


def _is_far(step: Floats) -> NDArray[np.bool_]:
    """Whether a step (3, N) is worth another one."""
    x, y, offset = step
    far: NDArray[np.bool_] = x * x + y * y >= SETTLED_M**2
    far |= np.abs(offset) >= SETTLED_DB
    return far


def _reduced(n: Floats, damping: Floats | float) -> tuple[Floats, Floats, Floats, Floats]:
    """The 2 x 2 system in (x, y) after the offset is eliminated, and the damped offset term."""
    hxx, hxy, hyy, hxo, hyo, hoo = n[:6]
    hoo = hoo * (1.0 + damping)
    ratio_x, ratio_y = hxo / hoo, hyo / hoo
    a = hxx * (1.0 + damping) - hxo * ratio_x
    b = hxy - hxo * ratio_y
    c = hyy * (1.0 + damping) - hyo * ratio_y
    return a, b, c, hoo


def _step(
    n: Floats,
    damping: Floats | float,
    held_x: NDArray[np.bool_] | None = None,
    held_y: NDArray[np.bool_] | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Gauss-Newton step; a coordinate that is held on a bound stays, the others step without it."""
    a, b, c, hoo = _reduced(n, damping)
    hxo, hyo = n[3], n[4]
    gx, gy, go = n[6:9]
    rx, ry = gx - hxo * go / hoo, gy - hyo * go / hoo
    if held_x is not None and held_y is not None:
        b = np.where(held_x | held_y, 0.0, b)
        rx, ry = np.where(held_x, 0.0, rx), np.where(held_y, 0.0, ry)
    ia, ib, ic = invert_2x2(a, b, c)
    step_x, step_y = ia * rx + ib * ry, ib * rx + ic * ry
    return step_x, step_y, (go - hxo * step_x - hyo * step_y) / hoo


def _fix(n: Floats, prior: Prior, place: Floats, bounds: Floats) -> Fix:
    a, b, c, hoo = _reduced(n, 0.0)
    cxx, cxy, cyy = invert_2x2(a, b, c)
    x, y, offset = place
    (x_low, y_low), (x_high, y_high) = bounds
    on_bound = (x <= x_low) | (x >= x_high) | (y <= y_low) | (y >= y_high)
    exx, exy, eyy = _reported(a - prior.ixx, b - prior.ixy, c - prior.iyy, (cxx, cxy, cyy))
    return Fix(
        x, y, offset, cxx, cxy, cyy, exx, exy, eyy, 1.0 / hoo, n[COST], on_bound
    )  # fmt: skip


def _reported(
    a: Floats, b: Floats, c: Floats, posterior: tuple[Floats, Floats, Floats]
) -> tuple[Floats, Floats, Floats]:
    """The posterior plus SHADOW_SHARE of what the data of one window alone would leave open.

    `[[a, b], [b, c]]` is the information of the data; a weak floor keeps it invertible.
    """
    sxx, sxy, syy = invert_2x2(a + WEAK_PRECISION, b, c + WEAK_PRECISION)
    xx, xy, yy = posterior
    return xx + SHADOW_SHARE * sxx, xy + SHADOW_SHARE * sxy, yy + SHADOW_SHARE * syy
