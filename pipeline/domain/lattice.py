"""A lattice of places over a building: the support of a belief about where a tag is.

Places lie row by row (x fastest), one layer per height at which a tag may be carried.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats

FINEST_M = 0.35
"""Finer than this the signal cannot tell two places apart."""
MAX_PLACES = 2_400
MIN_SIDE_M = 6.0


@dataclass(frozen=True)
class Lattice:
    """`heights_m` (F,): height of the tag in each layer, in the building's frame.

    `weight` (F, ny, nx): how likely a tag stands there before anything is heard, 0 to 1.
    """

    origin_m: Floats
    cell_m: float
    nx: int
    ny: int
    heights_m: Floats
    weight: NDArray[np.float32] = field(default_factory=lambda: np.ones((1, 1, 1), np.float32))

    @classmethod
    def over(cls, bounds_m: Floats, heights_m: Floats, places: int = MAX_PLACES) -> Lattice:
        """A lattice of at most about `places` places over [[x min, y min], [x max, y max]]."""
        low, high = np.asarray(bounds_m, dtype=np.float64)
        middle, side = 0.5 * (low + high), np.maximum(high - low, 1e-3)
        cell = max(FINEST_M, float(np.sqrt(side.prod() * len(heights_m) / places)))
        cell = max(cell, float(side.max()) * len(heights_m) / places)
        nx, ny = (np.floor(side / cell) + 1).astype(int).tolist()
        origin = middle - 0.5 * cell * (np.array([nx, ny]) - 1)
        weight = np.ones((len(heights_m), ny, nx), np.float32)
        return cls(origin, cell, nx, ny, np.asarray(heights_m, dtype=np.float64), weight)

    def weighted(self, weight: NDArray[np.float32]) -> Lattice:
        """The same places, `weight` (F, ny, nx) likely."""
        return replace(self, weight=weight)

    def __len__(self) -> int:
        return len(self.heights_m) * self.ny * self.nx

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.heights_m), self.ny, self.nx

    @cached_property
    def uneven(self) -> bool:
        return bool((self.weight != self.weight.flat[0]).any())

    @cached_property
    def xy_m(self) -> Floats:
        """(ny nx, 2): the places of one layer."""
        x = self.origin_m[0] + np.arange(self.nx) * self.cell_m
        y = self.origin_m[1] + np.arange(self.ny) * self.cell_m
        return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)

    @cached_property
    def places_m(self) -> Floats:
        """(F ny nx, 3)."""
        flat = np.tile(self.xy_m, (len(self.heights_m), 1))
        return np.column_stack([flat, np.repeat(self.heights_m, self.ny * self.nx)])

    def nearest(self, places_m: Floats) -> NDArray[np.int64]:
        """Index of the place nearest to each of `places_m` (N, 3), clipped to the lattice."""
        index = np.rint((places_m[:, :2] - self.origin_m) / self.cell_m).astype(np.int64)
        column, row = np.clip(index, 0, [self.nx - 1, self.ny - 1]).T
        layer = np.abs(places_m[:, 2, None] - self.heights_m).argmin(axis=1)
        found: NDArray[np.int64] = (layer * self.ny + row) * self.nx + column
        return found


def bounds_around(points_m: Floats, margin_m: float) -> Floats:
    """The box of `points_m` (N, 2+) widened by a margin, and no side shorter than MIN_SIDE_M."""
    low, high = points_m[:, :2].min(axis=0) - margin_m, points_m[:, :2].max(axis=0) + margin_m
    short = np.maximum(0.0, MIN_SIDE_M - (high - low)) / 2
    return np.stack([low - short, high + short])
