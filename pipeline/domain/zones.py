"""The zones of a building as arrays, to ask about many (zone, place) pairs at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats

Ints = NDArray[np.int64]
SECOND_US = 1_000_000


class _Fence(Protocol):
    @property
    def entry_dwell_s(self) -> float: ...
    @property
    def exit_tolerance_m(self) -> float: ...
    @property
    def tolerance_timeout_s(self) -> float: ...
    @property
    def exit_delay_s(self) -> float: ...
    @property
    def timeout_s(self) -> float: ...


class _Zone(Protocol):
    @property
    def floor(self) -> int: ...
    @property
    def room(self) -> int: ...
    @property
    def polygon(self) -> Floats: ...
    @property
    def fence(self) -> _Fence: ...


@dataclass(frozen=True)
class ZoneTable:
    """Arrays (Z,); edges from a to b (E, Z), with a corner in place of those a zone lacks."""

    floor: Ints
    room: Ints
    dwell_us: Floats
    tolerance_m: Floats
    patience_us: Floats
    """How long an asset may stay outside but within the tolerance, exit delay included."""
    delay_us: Floats
    timeout_us: Floats
    low_m: Floats
    high_m: Floats
    """(Z, 2) corners of the box around each zone."""
    ax: Floats
    ay: Floats
    bx: Floats
    by: Floats

    @classmethod
    def of(cls, zones: Sequence[_Zone]) -> ZoneTable:
        corners = max((len(zone.polygon) for zone in zones), default=1)
        edges = np.empty((4, corners, len(zones)))
        for z, zone in enumerate(zones):
            corner = zone.polygon
            edges[:, :, z] = corner[0, [0, 1, 0, 1], None]
            both = np.concatenate([corner, np.roll(corner, -1, axis=0)], axis=1)
            edges[:, : len(corner), z] = both.T
        fences = [zone.fence for zone in zones]
        return cls(
            np.array([zone.floor for zone in zones], dtype=np.int64),
            np.array([zone.room for zone in zones], dtype=np.int64),
            np.array([f.entry_dwell_s * SECOND_US for f in fences]),
            np.array([f.exit_tolerance_m for f in fences]),
            np.array([(f.tolerance_timeout_s + f.exit_delay_s) * SECOND_US for f in fences]),
            np.array([f.exit_delay_s * SECOND_US for f in fences]),
            np.array([f.timeout_s * SECOND_US for f in fences]),
            np.array([zone.polygon.min(axis=0) for zone in zones]).reshape(-1, 2),
            np.array([zone.polygon.max(axis=0) for zone in zones]).reshape(-1, 2),
            *edges,
        )

    def __len__(self) -> int:
        return len(self.floor)

    def contains(self, zone: Ints, x_m: Floats, y_m: Floats) -> NDArray[np.bool_]:
        """Whether places (..., P) lie in the zones (P,), as geometry.contains has it."""
        ax, ay, bx, by = self._edges(zone, x_m.ndim)
        # Upwards: both polygons of a shared edge must round the same way.
        upwards = ay < by
        (x1, x2), (y1, y2) = (
            (np.where(upwards, a, b), np.where(upwards, b, a)) for a, b in ((ax, bx), (ay, by))
        )
        slope = (x2 - x1) / np.where(y1 == y2, 1.0, y2 - y1)
        left = x_m < x1 + (y_m - y1) * slope
        left &= (y1 > y_m) != (y2 > y_m)
        inside: NDArray[np.bool_] = np.logical_xor.reduce(left, axis=0)
        return inside

    def distance_m(self, zone: Ints, x_m: Floats, y_m: Floats) -> Floats:
        """How far places (P,) are from the zones (P,); negative inside."""
        ax, ay, bx, by = self._edges(zone, 1)
        along_x, along_y = bx - ax, by - ay
        square = along_x * along_x + along_y * along_y
        # Instead of a missing edge stands a corner, so its distance changes nothing.
        # No matrix product: its last bit would depend on how many places there are.
        t = ((x_m - ax) * along_x + (y_m - ay) * along_y) / np.where(square > 0, square, 1.0)
        t = np.clip(t, 0.0, 1.0)
        away_x, away_y = x_m - (ax + t * along_x), y_m - (ay + t * along_y)
        nearest = np.sqrt((away_x * away_x + away_y * away_y).min(axis=0))
        signed: Floats = np.where(self.contains(zone, x_m, y_m), -nearest, nearest)
        return signed

    def crossings(self, zone: Ints, start: Floats, end: Floats) -> Ints:
        """How many edges of the zones (P,) the ways from `start` to `end` (P, 2) cross."""
        ax, ay, bx, by = self._edges(zone, 1)
        sx, sy = bx - ax, by - ay
        (px, py), (rx, ry) = start.T, (end - start).T
        gap_x, gap_y = ax - px, ay - py
        denominator = rx * sy - ry * sx
        parallel = np.abs(denominator) < 1e-12
        safe = np.where(parallel, 1.0, denominator)
        t, u = (gap_x * sy - gap_y * sx) / safe, (gap_x * ry - gap_y * rx) / safe
        hit = ~parallel & (t >= 0) & (t <= 1) & (u >= 0) & (u <= 1)
        crossed: Ints = hit.sum(axis=0)
        return crossed

    def _edges(self, zone: Ints, dimensions: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Ends of the edges of the zones (P,): (E, ..., P), to go with places of `dimensions`."""
        shape = (len(self.ax), *(1,) * (dimensions - 1), len(zone))
        ax, ay, bx, by = (
            part[:, zone].reshape(shape) for part in (self.ax, self.ay, self.bx, self.by)
        )
        return ax, ay, bx, by
