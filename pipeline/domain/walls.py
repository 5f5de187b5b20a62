"""What the walls take from a signal, for every receiver and every place: the multi-wall model.

Loss = sum of the attenuations of the walls that the straight line from receiver to tag crosses
(COST 231 final report, section 4.7, linear form), drawn once per building as a raster. Walls count
on the receiver's own floor; through a slab only the slab counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats, crossings

CELL_M = 0.5
MAX_LOSS_DB = 30.0
"""Beyond this a signal goes round the walls, not through them."""
REMEMBERED = 512
_drawn: dict[tuple[bytes, ...], WallMap] = {}
"""By everything that a map follows from. A building gets a new version whenever an asset does, its
walls stay, and drawing takes seconds."""


class _Floor(Protocol):
    @property
    def walls(self) -> Floats: ...


class _Receivers(Protocol):
    @property
    def position_m(self) -> Floats: ...
    @property
    def floor(self) -> NDArray[np.int64]: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True)
class WallMap:
    """`loss_db` (R, ny, nx) at the corners of a grid over the bounds, on the receiver's floor."""

    origin_m: Floats
    loss_db: NDArray[np.float32]

    @classmethod
    def draw(cls, floors: Sequence[_Floor], receivers: _Receivers, bounds: Floats) -> WallMap:
        """The map of these walls; one that was drawn before is the same object."""
        places = (bounds.tobytes(), receivers.position_m.tobytes(), receivers.floor.tobytes())
        key = (*places, *(floor.walls.tobytes() for floor in floors))
        found = _drawn.pop(key, None) or cls._draw(floors, receivers, bounds)
        _drawn[key] = found  # the most recently used is the last
        while len(_drawn) > REMEMBERED:
            del _drawn[next(iter(_drawn))]
        return found

    @classmethod
    def _draw(cls, floors: Sequence[_Floor], receivers: _Receivers, bounds: Floats) -> WallMap:
        nx, ny = np.maximum(2, np.ceil((bounds[1] - bounds[0]) / CELL_M).astype(int) + 1)
        x = bounds[0, 0] + np.arange(nx) * CELL_M
        y = bounds[0, 1] + np.arange(ny) * CELL_M
        places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        loss = np.zeros((len(receivers), ny, nx), dtype=np.float32)
        for r in range(len(receivers)):
            walls = floors[int(receivers.floor[r])].walls
            if len(walls):
                here = receivers.position_m[None, r, :2]
                crossed = crossings(
                    np.broadcast_to(here, places.shape), places, walls[:, :2], walls[:, 2:4]
                )
                loss[r] = np.minimum(crossed @ walls[:, 4], MAX_LOSS_DB).reshape(ny, nx)
        return cls(bounds[0].copy(), loss)

    @cached_property
    def is_flat(self) -> bool:
        return not bool(self.loss_db.any())

    def at(
        self, receiver: NDArray[np.int64], x_m: Floats, y_m: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Loss in dB and its slope d/dx, d/dy in dB/m, bilinear; `receiver` (K, N), places (N,)."""
        (a, b, c, d), fu, fv = self._around(receiver, x_m, y_m)
        right_low, right_high = b - a, d - c
        low, high = a + right_low * fu, c + right_high * fu
        slope_x = (right_low * (1.0 - fv) + right_high * fv) / CELL_M
        return low + (high - low) * fv, slope_x, (high - low) / CELL_M

    def loss_at(self, receiver: NDArray[np.int64], x_m: Floats, y_m: Floats) -> Floats:
        """The loss alone."""
        (a, b, c, d), fu, fv = self._around(receiver, x_m, y_m)
        low = a + (b - a) * fu
        return low + (c + (d - c) * fu - low) * fv

    def _around(
        self, receiver: NDArray[np.int64], x_m: Floats, y_m: Floats
    ) -> tuple[tuple[Floats, Floats, Floats, Floats], Floats, Floats]:
        """The losses at the corners of each place's cell, and how far into the cell it is."""
        _, ny, nx = self.loss_db.shape
        u = np.clip((x_m - self.origin_m[0]) / CELL_M, 0.0, nx - 1.0)
        v = np.clip((y_m - self.origin_m[1]) / CELL_M, 0.0, ny - 1.0)
        i, j = np.minimum(u.astype(np.int64), nx - 2), np.minimum(v.astype(np.int64), ny - 2)
        flat = self.loss_db.reshape(-1)
        base = receiver * (ny * nx) + (j * nx + i)
        a, b, c, d = (flat.take(base + step).astype(np.float64) for step in (0, 1, nx, nx + 1))
        return (a, b, c, d), u - i, v - j
