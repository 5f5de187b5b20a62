"""A large building as overlapping tiles, each with a lattice of its own.

A tag belongs to one tile. It changes when what it was heard by in the last windows lies nearer to
the edge than to the middle, and its belief then starts anew: rare, because tiles overlap by half.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats

TILE_M = 48.0
MEMORY = 0.7
"""Share of the old centre that stays when a window is heard."""


@dataclass
class Tiles:
    """`boxes_m` (B, 2, 2); one box when the building is small."""

    boxes_m: Floats
    _centre: dict[int, Floats] = field(default_factory=dict)
    _tile: dict[int, int] = field(default_factory=dict)

    @classmethod
    def over(cls, bounds_m: Floats, tile_m: float = TILE_M) -> Tiles:
        starts = [_starts(float(low), float(high), tile_m) for low, high in bounds_m.T]
        boxes = [
            [[x, y], [min(x + tile_m, bounds_m[1, 0]), min(y + tile_m, bounds_m[1, 1])]]
            for y in starts[1]
            for x in starts[0]
        ]
        return cls(np.array(boxes))

    def tile_of(self, tag: int, centre_m: Floats) -> tuple[int, bool]:
        """The tile of a tag that was just heard around `centre_m`, and whether it changed."""
        before = self._centre.get(tag)
        centre = centre_m if before is None else MEMORY * before + (1.0 - MEMORY) * centre_m
        self._centre[tag] = centre
        middle = self.boxes_m.mean(axis=1)
        off = np.abs(middle - centre).max(axis=1)
        best, own = int(off.argmin()), self._tile.get(tag)
        if own is None or off[own] > 0.375 * TILE_M:
            self._tile[tag] = best
            return best, own is not None and own != best
        return own, False


def _starts(low: float, high: float, tile_m: float) -> NDArray[np.float64]:
    """Tiles of `tile_m` that cover [low, high], each overlapping the next by about half."""
    if high - low <= tile_m:
        return np.array([low])
    steps = int(np.ceil((high - low - tile_m) / (tile_m / 2)))
    return np.linspace(low, high - tile_m, steps + 1)
