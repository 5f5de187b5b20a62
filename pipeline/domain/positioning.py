"""Positions from signal strength: a batched maximum a posteriori solve in dB.

For every tag at once: minimise over (x, y, offset)

    sum_k rho(r_k / sigma_k) + prior(x, y) + (offset - offset_prior)^2 / (2 var)

where r_k is the residual in dB and rho the negative log of a Student-t density with NU degrees
of freedom, so that one receiver behind a wall cannot pull the fix away. The prior is the last
position, widened by the motion since then: it carries the likelihood through time instead of
smoothing finished fixes. Solved by damped Gauss-Newton with iteratively reweighted residuals
(Gelman et al., Bayesian Data Analysis, on t regression).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.domain.radio import Links, residual_and_gradient, sum_receivers

NU = 4.0
ITERATIONS = 12
DAMPING_START = 1e-2
DAMPING_MAX = 1e4
STEP_LIMIT_M = 5.0
SHADOW_SHARE = 1.0
WEAK_PRECISION = 1.0 / 10.0**2
CHI2_90_2D = 4.605170185988092
CHI2_90_1D = 2.705543454095404


@dataclass(frozen=True)
class Prior:
    """What is believed before the window; every array is (N,). Precision in 1/m2 and 1/dB2."""

    x_m: Floats
    y_m: Floats
    ixx: Floats
    ixy: Floats
    iyy: Floats
    offset_db: Floats
    offset_precision: Floats

    def tags(self, which: NDArray[np.int64]) -> Prior:
        """The same beliefs for some of the tags."""
        return Prior(*(getattr(self, f.name)[which] for f in fields(self)))


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

    def where(self, other_wins: NDArray[np.bool_], other: Fix) -> Fix:
        """`other` where it wins, else this."""
        pairs = ((getattr(other, f.name), getattr(self, f.name)) for f in fields(self))
        return Fix(*(np.where(other_wins, theirs, ours) for theirs, ours in pairs))


@dataclass(frozen=True)
class _Normal:
    """Gauss-Newton normal equations at a point: symmetric 3 x 3 `h` and gradient `g`, per tag."""

    hxx: Floats
    hxy: Floats
    hyy: Floats
    hxo: Floats
    hyo: Floats
    hoo: Floats
    gx: Floats
    gy: Floats
    go: Floats
    cost: Floats


def weighted_centroid(links: Links) -> tuple[Floats, Floats]:
    """Mean receiver position weighted by the distance the RSSI stands for: (N,), (N,) metres."""
    loss_db = links.p0_dbm - links.floor_loss_db - links.rssi_dbm
    nearness = np.where(links.heard, 10.0 ** (-loss_db / (10.0 * links.exponent)), 0.0)
    total = np.maximum(sum_receivers(nearness), 1e-12)
    x = sum_receivers(nearness * np.where(links.heard, links.x_m, 0.0)) / total
    y = sum_receivers(nearness * np.where(links.heard, links.y_m, 0.0)) / total
    return x, y


def expected_move_m(links: Links, z_m: Floats, prior: Prior) -> Floats:
    """How far one Gauss-Newton step from the prior's mean would move each tag: (N,) metres.

    A score test: when this is small the last position still explains the reads, and the solve
    need not be done.
    """
    normal = _normal(links, prior.x_m, prior.y_m, z_m, prior.offset_db, prior)
    step_x, step_y, _ = _step(normal, np.zeros_like(normal.cost))
    return np.hypot(step_x, step_y)


def solve(
    links: Links, z_m: Floats, prior: Prior, starts: list[tuple[Floats, Floats]], bounds: Floats
) -> Fix:
    """The best of the local optima reached from `starts` (each two (N,) arrays, metres).

    `bounds` is [[x min, y min], [x max, y max]]; a fix that ends on it is flagged.
    """
    best: Fix | None = None
    for start in starts:
        found = _descend(links, z_m, prior, *start, bounds)
        best = found if best is None else best.where(found.cost < best.cost, found)
    if best is None:
        raise ValueError("solve needs at least one start")
    return best


def _disc(points: int, radius_m: float) -> Floats:
    i = np.arange(points) + 0.5
    radius, angle = radius_m * np.sqrt(i / points), i * np.pi * (3.0 - np.sqrt(5.0))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)])


SEEDS = _disc(24, 9.0)
DESCENTS = 2


def promising_starts(
    links: Links, z_m: Floats, prior: Prior, bounds: Floats
) -> list[tuple[Floats, Floats]]:
    """The best DESCENTS of: the prior's mean, the weighted centroid, a disc of places around it.

    Walls make the cost bumpy; a descent from one place often ends behind the wrong one.
    """
    starts = [(prior.x_m, prior.y_m), weighted_centroid(links)]
    (x_low, y_low), (x_high, y_high) = bounds
    x, y = starts[-1]
    places = [*starts, *((x + dx, y + dy) for dx, dy in SEEDS.T)]
    places = [(np.clip(x, x_low, x_high), np.clip(y, y_low, y_high)) for x, y in places]
    cost = np.stack([_normal(links, x, y, z_m, prior.offset_db, prior).cost for x, y in places])
    order = np.argsort(cost, axis=0, kind="stable")
    xs, ys = np.stack([x for x, _ in places]), np.stack([y for _, y in places])
    column = np.arange(xs.shape[1])
    return [(xs[order[i], column], ys[order[i], column]) for i in range(DESCENTS)]


def radius_90_m(cxx: Floats, cxy: Floats, cyy: Floats) -> Floats:
    """Radius around the mean that holds 90 % of a 2-D Gaussian: (N,) metres.

    Exact for a circle and for a line, interpolated by the ratio of the axes in between.
    """
    major, minor = principal_variances_m2(cxx, cxy, cyy)
    ratio = np.where(major > 0, minor / np.maximum(major, 1e-12), 1.0)
    return np.sqrt(major * (CHI2_90_1D + (CHI2_90_2D - CHI2_90_1D) * ratio))


def principal_variances_m2(cxx: Floats, cxy: Floats, cyy: Floats) -> tuple[Floats, Floats]:
    """Larger and smaller eigenvalue of the covariance: (N,), (N,)."""
    mean, half = 0.5 * (cxx + cyy), np.hypot(0.5 * (cxx - cyy), cxy)
    return mean + half, np.maximum(mean - half, 0.0)


def invert_2x2(a: Floats, b: Floats, c: Floats) -> tuple[Floats, Floats, Floats]:
    """Inverse of [[a, b], [b, c]], element by element."""
    determinant = np.maximum(a * c - b * b, 1e-12)
    return c / determinant, -b / determinant, a / determinant


def _descend(
    links: Links, z_m: Floats, prior: Prior, x_m: Floats, y_m: Floats, bounds: Floats
) -> Fix:
    (x_low, y_low), (x_high, y_high) = bounds
    x, y = np.clip(x_m, x_low, x_high), np.clip(y_m, y_low, y_high)
    offset = prior.offset_db
    damping = np.full(len(x), DAMPING_START)
    normal = _normal(links, x, y, z_m, offset, prior)
    for _ in range(ITERATIONS):
        held_x = ((x <= x_low) & (normal.gx < 0)) | ((x >= x_high) & (normal.gx > 0))
        held_y = ((y <= y_low) & (normal.gy < 0)) | ((y >= y_high) & (normal.gy > 0))
        step_x, step_y, step_o = _step(normal, damping, held_x, held_y)
        shrink = np.minimum(1.0, STEP_LIMIT_M / np.maximum(np.hypot(step_x, step_y), 1e-9))
        nx = np.clip(x + shrink * step_x, x_low, x_high)
        ny = np.clip(y + shrink * step_y, y_low, y_high)
        no = offset + shrink * step_o
        trial = _normal(links, nx, ny, z_m, no, prior)
        good = trial.cost < normal.cost
        x, y = np.where(good, nx, x), np.where(good, ny, y)
        offset = np.where(good, no, offset)
        normal = _select(good, trial, normal)
        damping = np.where(good, damping * 0.2, np.minimum(damping * 10.0, DAMPING_MAX))
    return _fix(normal, prior, x, y, offset, bounds)


def _normal(links: Links, x: Floats, y: Floats, z: Floats, offset: Floats, prior: Prior) -> _Normal:
    residual, jx, jy = residual_and_gradient(links, x, y, z, offset)
    u = residual / links.sigma_db
    u2 = np.where(links.heard, u * u, 0.0)
    weight = np.where(links.heard, (NU + 1.0) / (NU + u2) / links.sigma_db**2, 0.0)
    wx, wy, wr = weight * jx, weight * jy, weight * residual
    dx, dy, do = x - prior.x_m, y - prior.y_m, offset - prior.offset_db
    px, py = prior.ixx * dx + prior.ixy * dy, prior.ixy * dx + prior.iyy * dy
    data_cost = sum_receivers(np.where(links.heard, 0.5 * (NU + 1.0) * np.log1p(u2 / NU), 0.0))
    prior_cost = 0.5 * (px * dx + py * dy + prior.offset_precision * do * do)
    return _Normal(
        hxx=sum_receivers(wx * jx) + prior.ixx,
        hxy=sum_receivers(wx * jy) + prior.ixy,
        hyy=sum_receivers(wy * jy) + prior.iyy,
        hxo=sum_receivers(wx),
        hyo=sum_receivers(wy),
        hoo=sum_receivers(weight) + prior.offset_precision,
        gx=sum_receivers(wr * jx) - px,
        gy=sum_receivers(wr * jy) - py,
        go=sum_receivers(wr) - prior.offset_precision * do,
        cost=data_cost + prior_cost,
    )


def _reduced(n: _Normal, damping: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The 2 x 2 system in (x, y) after the offset is eliminated, and the damped offset term."""
    hoo = n.hoo * (1.0 + damping)
    a = n.hxx * (1.0 + damping) - n.hxo * n.hxo / hoo
    b = n.hxy - n.hxo * n.hyo / hoo
    c = n.hyy * (1.0 + damping) - n.hyo * n.hyo / hoo
    return a, b, c, hoo


def _step(
    n: _Normal,
    damping: Floats,
    held_x: NDArray[np.bool_] | bool = False,
    held_y: NDArray[np.bool_] | bool = False,
) -> tuple[Floats, Floats, Floats]:
    """Gauss-Newton step; a coordinate that is held on a bound stays, the others step without it."""
    a, b, c, hoo = _reduced(n, damping)
    rx, ry = n.gx - n.hxo * n.go / hoo, n.gy - n.hyo * n.go / hoo
    b = np.where(held_x | held_y, 0.0, b)
    rx, ry = np.where(held_x, 0.0, rx), np.where(held_y, 0.0, ry)
    ia, ib, ic = invert_2x2(a, b, c)
    step_x, step_y = ia * rx + ib * ry, ib * rx + ic * ry
    return step_x, step_y, (n.go - n.hxo * step_x - n.hyo * step_y) / hoo


def _fix(n: _Normal, prior: Prior, x: Floats, y: Floats, offset: Floats, bounds: Floats) -> Fix:
    a, b, c, hoo = _reduced(n, np.zeros_like(n.cost))
    cxx, cxy, cyy = invert_2x2(a, b, c)
    (x_low, y_low), (x_high, y_high) = bounds
    on_bound = (x <= x_low) | (x >= x_high) | (y <= y_low) | (y >= y_high)
    exx, exy, eyy = _reported(a - prior.ixx, b - prior.ixy, c - prior.iyy, (cxx, cxy, cyy))
    return Fix(
        x, y, offset, cxx, cxy, cyy, exx, exy, eyy, 1.0 / hoo, n.cost, on_bound
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


def _select(which: NDArray[np.bool_], one: _Normal, other: _Normal) -> _Normal:
    names = _Normal.__annotations__
    return _Normal(*(np.where(which, getattr(one, f), getattr(other, f)) for f in names))
