"""Covariances of positions, element by element: [[xx, xy], [xy, yy]] in m2, arrays (N,)."""

from __future__ import annotations

import numpy as np

from pipeline.domain.geometry import Floats

CHI2_90_2D = 4.605170185988092
CHI2_90_1D = 2.705543454095404


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
