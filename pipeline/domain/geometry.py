"""Plane geometry on building coordinates (metres, x to the right, y up), vectorised over points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.errors import GeometryError

Floats = NDArray[np.float64]
MIN_AREA_M2 = 0.01


def check_polygon(polygon: Floats) -> Floats:
    """Return the polygon as (n, 2) float64, counter-clockwise, without a repeated last corner.

    Raises GeometryError for fewer than 3 corners, non-finite or repeated corners, no area, or edges
    that cross or fold back.
    """
    corners = np.asarray(polygon, dtype=np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2:
        raise GeometryError("a polygon is a list of [x, y] corners in metres")
    if not np.isfinite(corners).all():
        raise GeometryError("a corner is not a finite number")
    if len(corners) > 1 and (corners[0] == corners[-1]).all():
        corners = corners[:-1]
    if len(corners) < 3:
        raise GeometryError(f"a polygon needs at least 3 corners, this one has {len(corners)}")
    edges = np.roll(corners, -1, axis=0) - corners
    repeated = np.flatnonzero(~edges.any(axis=1))
    if len(repeated):
        i = int(repeated[0])
        raise GeometryError(f"corner {i + 2} repeats corner {i + 1}")
    crossing = _first_crossing(corners)
    if crossing is not None:
        i, j = crossing
        raise GeometryError(f"the polygon crosses itself: edge {i + 1} meets edge {j + 1}")
    after = np.roll(edges, -1, axis=0)
    back = np.flatnonzero((_cross(edges, after) == 0) & ((edges * after).sum(axis=1) < 0))
    if len(back):
        raise GeometryError(f"the polygon folds back on itself after edge {int(back[0]) + 1}")
    area = signed_area_m2(corners)
    if abs(area) < MIN_AREA_M2:
        raise GeometryError(f"the polygon has no area ({abs(area):.4f} m2)")
    return corners if area > 0 else np.ascontiguousarray(corners[::-1])


def signed_area_m2(polygon: Floats) -> float:
    """Shoelace formula; positive when counter-clockwise."""
    x, y = polygon[:, 0], polygon[:, 1]
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def contains(polygon: Floats, points: Floats) -> NDArray[np.bool_]:
    """Which of `points` (..., 2) lie inside `polygon` (n, 2), by the crossing number.

    A point on an edge belongs to exactly one of two polygons that share the edge.
    """
    x, y = points[..., 0], points[..., 1]
    inside = np.zeros(x.shape, dtype=bool)
    for a, b in _edges(polygon):
        # Upwards: both polygons of a shared edge must round the same way.
        (x1, y1), (x2, y2) = (a, b) if a[1] < b[1] else (b, a)
        if y1 == y2:
            continue
        spans = (y1 > y) != (y2 > y)
        inside ^= spans & (x < x1 + (y - y1) * ((x2 - x1) / (y2 - y1)))
    return inside


def crossings(start: Floats, end: Floats, a: Floats, b: Floats) -> NDArray[np.bool_]:
    """Which segments start->end (n, 2) cross which segments a->b (m, 2): (n, m) booleans."""
    p, r = start[:, None, :], (end - start)[:, None, :]
    q, s = a[None, :, :], (b - a)[None, :, :]
    gap = q - p
    denominator = _cross(r, s)
    parallel = np.abs(denominator) < 1e-12
    safe = np.where(parallel, 1.0, denominator)
    t, u = _cross(gap, s) / safe, _cross(gap, r) / safe
    return ~parallel & (t >= 0) & (t <= 1) & (u >= 0) & (u <= 1)


def _edges(polygon: Floats) -> list[tuple[list[float], list[float]]]:
    """Each corner with the next."""
    corners = polygon.tolist()
    return list(zip(corners, [*corners[1:], corners[0]], strict=True))


def _cross(u: Floats, v: Floats) -> Floats:
    product: Floats = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    return product


def _first_crossing(corners: Floats) -> tuple[int, int] | None:
    """The first pair of edges that touch without being neighbours."""
    n = len(corners)
    ends = np.roll(corners, -1, axis=0)
    meets = crossings(corners, ends, corners, ends)
    for i in range(n):
        for j in range(i + 1, n):
            neighbours = j == i + 1 or (i == 0 and j == n - 1)
            if meets[i, j] and not neighbours:
                return i, j
    return None
