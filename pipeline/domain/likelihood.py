"""What a place of a tag costs: minus the log of the posterior density, and its normal equations.

For a tag at (x, y) that sends `offset` dB more than others:

    sum_k rho(r_k / sigma_k) + prior(x, y) + (offset - offset_prior)^2 / (2 var)

where r_k is the residual in dB and rho the negative log of a Student-t density with NU degrees
of freedom, so that one receiver behind a wall cannot pull the fix away (Gelman et al., Bayesian
Data Analysis, on t regression). The prior is the last position, widened by the motion since then:
it carries the likelihood through time instead of smoothing finished fixes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pipeline.domain.geometry import Floats
from pipeline.domain.radio import RadioModel, Some, multiply_receivers, sum_receivers

NU = 4.0
SUMS = 9


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

    @property
    def precision(self) -> tuple[Floats, Floats, Floats, Floats]:
        return self.ixx, self.ixy, self.iyy, self.offset_precision

    def tags(self, which: Some) -> Prior:
        """The same beliefs for some of the tags."""
        return Prior(*(getattr(self, f.name)[which] for f in fields(self)))

    def cost(self, x_m: Floats, y_m: Floats, offset_db: Floats) -> Floats:
        """At places (..., N): how far they are from what was believed."""
        dx, dy, do = x_m - self.x_m, y_m - self.y_m, offset_db - self.offset_db
        px, py = self.ixx * dx + self.ixy * dy, self.ixy * dx + self.iyy * dy
        return 0.5 * (px * dx + py * dy + self.offset_precision * do * do)


@dataclass(frozen=True)
class Likelihood:
    """Radio model and prior of N tags."""

    model: RadioModel
    prior: Prior

    def tags(self, which: Some) -> Likelihood:
        """The same for some of the tags."""
        return Likelihood(self.model.tags(which), self.prior.tags(which))

    def cost(self, x_m: Floats, y_m: Floats, offset_db: Floats) -> Floats:
        """At places (..., N): (..., N)."""
        u2 = self.model.residual(x_m, y_m, offset_db)
        u2 *= u2
        u2 *= self.model.information.reshape(len(u2), *(1,) * (x_m.ndim - 1), x_m.shape[-1])
        return _data_cost(u2) + self.prior.cost(x_m, y_m, offset_db)

    def normal(self, x_m: Floats, y_m: Floats, offset_db: Floats) -> Floats:
        """Gauss-Newton normal equations at (N,) places, residuals reweighted there: (10, N).

        Rows: the symmetric 3 x 3 matrix hxx, hxy, hyy, hxo, hyo, hoo, the gradient gx, gy, go of
        minus the cost, and the cost.
        """
        residual, jx, jy = self.model.residual_and_gradient(x_m, y_m, offset_db)
        information, prior = self.model.information, self.prior
        u2 = residual * residual
        u2 *= information
        # One array for all sums: a single reduction, and never over a lone column.
        terms = np.empty((len(residual), SUMS, len(x_m)))
        xx, xy, yy, xo, yo, oo, rx, ry, ro = terms.swapaxes(0, 1)
        np.divide((NU + 1.0) * information, NU + u2, out=oo)
        np.multiply(oo, jx, out=xo)
        np.multiply(oo, jy, out=yo)
        np.multiply(oo, residual, out=ro)
        np.multiply(xo, jx, out=xx)
        np.multiply(xo, jy, out=xy)
        np.multiply(yo, jy, out=yy)
        np.multiply(ro, jx, out=rx)
        np.multiply(ro, jy, out=ry)
        normal = np.empty((SUMS + 1, len(x_m)))
        normal[:SUMS] = sum_receivers(terms)
        dx, dy, do = x_m - prior.x_m, y_m - prior.y_m, offset_db - prior.offset_db
        px, py = prior.ixx * dx + prior.ixy * dy, prior.ixy * dx + prior.iyy * dy
        po = prior.offset_precision * do
        for row, term in zip((0, 1, 2, 5), prior.precision, strict=True):
            normal[row] += term
        for row, term in zip((6, 7, 8), (px, py, po), strict=True):
            normal[row] -= term
        normal[9] = _data_cost(u2) + 0.5 * (px * dx + py * dy + po * do)
        return normal


def _data_cost(u2: Floats) -> Floats:
    """Sum of rho over the receivers, (K, ...) -> (...): the log of a product, for one log a tag.

    A residual of a thousand sigmas from each of twelve receivers is still far from overflow.
    """
    cost: Floats = 0.5 * (NU + 1.0) * np.log(multiply_receivers(1.0 + u2 / NU))
    return cost
