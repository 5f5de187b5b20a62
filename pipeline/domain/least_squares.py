"""Least squares in dB, for every tag at once: x, y, z and the tag's own power.

Minimises, by damped Gauss-Newton with Student-t weights,

    sum_k rho((RSSI_k - model_k(x, y, z) - power) / sigma_k) + z prior + power prior

How much is known of the height makes it 2-D (known), 2.5-D (a prior) or 3-D (hardly anything).
`positioning.py` does the same on the dataflow's hot path with walls and a carried prior, at a
known height; this is for files, where receivers are few and little is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.domain.geometry import Floats
from pipeline.domain.radio import MIN_DISTANCE_M

NU = 4.0
ITERATIONS = 8
DAMPING_START, DAMPING_MAX = 1e-2, 1e4
STEP_LIMIT_M = 5.0
SETTLED_M = 0.02
KNOWN, PRIOR, FREE = 1e6, 4.0, 0.04
"""Precision of the height in 1/m2: 2-D, 2.5-D (0.5 m) and 3-D (5 m)."""
BLOCK = 4096
"""Tags at once: more would not stay in the processor's cache."""


@dataclass(frozen=True)
class Links:
    """K receivers down, N tags across. `weight` is 1 / sigma^2, 0 where nothing was heard."""

    x_m: Floats
    y_m: Floats
    z_m: Floats
    excess_db: Floats
    """RSSI minus the receiver's P0."""
    scale_db: Floats
    """10 n / ln 10."""
    weight: Floats

    def tags(self, some: slice) -> Links:
        return Links(*(column[:, some] for column in vars(self).values()))


@dataclass(frozen=True)
class Prior:
    """Height (N,) in metres with its precision; power in dB with its own. Box [[..], [..]] xyz."""

    z_m: Floats
    z_precision: float
    power_precision: float
    box_m: Floats

    def tags(self, some: slice) -> Prior:
        return Prior(self.z_m[some], self.z_precision, self.power_precision, self.box_m)


@dataclass(frozen=True)
class Solution:
    """(N, 3) metres, (N,) dB, (N, 3, 3) covariance in m2, (N,) cost."""

    place_m: Floats
    power_db: Floats
    covariance_m2: Floats
    cost: Floats


def solve(links: Links, prior: Prior, start_m: Floats) -> Solution:
    """From one start (N, 3) for each tag. A tag without reads stays where it starts."""
    count = links.x_m.shape[1]
    parts = [
        _solve(links.tags(some), prior.tags(some), start_m[some])
        for some in (slice(first, first + BLOCK) for first in range(0, count, BLOCK))
    ]
    return Solution(
        *(np.concatenate(c) for c in zip(*(vars(p).values() for p in parts), strict=True))
    )


def _solve(links: Links, prior: Prior, start_m: Floats) -> Solution:
    low, high = prior.box_m
    place = np.vstack([np.clip(start_m, low, high).T, np.zeros(len(start_m))])
    cost, gradient, normal = _normal(links, prior, place)
    damping = np.full(len(start_m), DAMPING_START)
    for _ in range(ITERATIONS):
        step = _step(normal, gradient, damping)
        length = np.sqrt((step[:3] * step[:3]).sum(axis=0))
        step *= np.minimum(1.0, STEP_LIMIT_M / np.maximum(length, 1e-9))
        trial = place + step
        np.clip(trial[:3], low[:, None], high[:, None], out=trial[:3])
        new_cost, new_gradient, new_normal = _normal(links, prior, trial)
        good = new_cost < cost
        for old, new in ((place, trial), (gradient, new_gradient), (normal, new_normal)):
            np.copyto(old, new, where=good)
        np.copyto(cost, new_cost, where=good)
        damping = np.where(good, damping * 0.2, np.minimum(damping * 10.0, DAMPING_MAX))
        if not (length > SETTLED_M).any():
            break
    return Solution(place[:3].T, place[3], _covariance(normal), cost)


def _normal(links: Links, prior: Prior, place: Floats) -> tuple[Floats, Floats, Floats]:
    """Cost (N,), minus its gradient (4, N), and the 10 sums of the symmetric 4 x 4 matrix."""
    x, y, z, power = place
    dx, dy, dz = x - links.x_m, y - links.y_m, z - links.z_m
    square = dx * dx
    square += dy * dy
    square += dz * dz
    np.maximum(square, MIN_DISTANCE_M**2, out=square)
    slope = -links.scale_db / square
    dx *= slope
    dy *= slope
    dz *= slope
    residual: Floats = np.log(square, out=square)
    residual *= 0.5 * links.scale_db
    residual += links.excess_db
    residual -= power
    u2 = residual * residual
    u2 *= links.weight
    w = (NU + 1.0) * links.weight / (NU + u2)
    np.log1p(u2 / NU, out=u2)
    cost = 0.5 * (NU + 1.0) * u2.sum(axis=0)
    gap = z - prior.z_m
    cost += 0.5 * (prior.z_precision * gap * gap + prior.power_precision * power * power)
    wx, wy, wz, wr = w * dx, w * dy, w * dz, w * residual
    gradient = np.stack(
        [(wr * dx).sum(0), (wr * dy).sum(0), (wr * dz).sum(0) - prior.z_precision * gap,
         wr.sum(0) - prior.power_precision * power]
    )  # fmt: skip
    normal = np.stack(
        [(wx * dx).sum(0), (wx * dy).sum(0), (wx * dz).sum(0), wx.sum(0), (wy * dy).sum(0),
         (wy * dz).sum(0), wy.sum(0), (wz * dz).sum(0) + prior.z_precision, wz.sum(0),
         w.sum(0) + prior.power_precision]
    )  # fmt: skip
    return cost, gradient, normal


def _step(normal: Floats, gradient: Floats, damping: Floats) -> Floats:
    """(4, N): Gauss-Newton by eliminating power, then z, then y."""
    xx, xy, xz, xp, yy, yz, yp, zz, zp, pp = normal
    up = 1.0 + damping
    gx, gy, gz, gp = gradient
    xx, yy, zz = xx * up + 1e-9, yy * up + 1e-9, zz * up + 1e-9
    pp = np.maximum(pp * up, 1e-9)
    a, b, c = xp / pp, yp / pp, zp / pp
    xx, xy, xz = xx - a * xp, xy - a * yp, xz - a * zp
    yy, yz, zz = yy - b * yp, yz - b * zp, zz - c * zp
    rx, ry, rz = gx - a * gp, gy - b * gp, gz - c * gp
    zz = np.maximum(zz, 1e-9)
    a2, b2 = xz / zz, yz / zz
    xx, xy, yy = xx - a2 * xz, xy - a2 * yz, yy - b2 * yz
    rx, ry = rx - a2 * rz, ry - b2 * rz
    determinant = np.maximum(xx * yy - xy * xy, 1e-12)
    sx, sy = (yy * rx - xy * ry) / determinant, (xx * ry - xy * rx) / determinant
    sz = (rz - xz * sx - yz * sy) / zz
    return np.stack([sx, sy, sz, (gp - xp * sx - yp * sy - zp * sz) / pp])


def _covariance(normal: Floats) -> Floats:
    """Of (x, y, z), the power marginalised; a floor keeps it finite: (N, 3, 3)."""
    xx, xy, xz, xp, yy, yz, yp, zz, zp, pp = normal
    pp = np.maximum(pp, 1e-9)
    rows = [
        [xx - xp * xp / pp, xy - xp * yp / pp, xz - xp * zp / pp],
        [xy - xp * yp / pp, yy - yp * yp / pp, yz - yp * zp / pp],
        [xz - xp * zp / pp, yz - yp * zp / pp, zz - zp * zp / pp],
    ]
    information = np.moveaxis(np.array(rows), -1, 0) + 1e-4 * np.eye(3)
    return np.asarray(np.linalg.inv(information), dtype=np.float64)
