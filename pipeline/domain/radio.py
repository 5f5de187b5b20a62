"""The radio model: what a receiver should hear of a tag at a place.

Log-distance path loss: RSSI = P0 - 10 n log10(d) + tag offset - walls - floors, d in metres and in
three dimensions, P0 the RSSI at one metre in dBm (Rappaport, Wireless Communications, ch. 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.domain.walls import WallMap

MIN_DISTANCE_M = 0.3
"""Nearer than this the model's RSSI would grow without bound."""
DB_PER_NEPER = 10.0 / math.log(10.0)

Some = NDArray[np.bool_] | NDArray[np.int64]


@dataclass(frozen=True)
class Links:
    """What was heard in one window, receivers down, tags across: every array is (K, N).

    Column i holds the receivers that heard tag i, in order of their index, padded with `heard`
    False. Receivers lie on the first axis; `sum_receivers` adds them in order, so a tag's result
    does not depend on which tags are solved with it: a replay is equal to the last bit.
    """

    heard: NDArray[np.bool_]
    rssi_dbm: Floats
    x_m: Floats
    y_m: Floats
    z_m: Floats
    p0_dbm: Floats
    exponent: Floats
    sigma_db: Floats
    floor_loss_db: Floats
    receiver: NDArray[np.int64]
    """Index into `walls`."""
    same_floor: NDArray[np.bool_]
    walls: WallMap | None = None
    """None: nothing is known of walls."""

    def tags(self, which: Some) -> Links:
        """The same links for some of the tags."""
        return columns_of(self, which)


@dataclass(frozen=True)
class RadioModel:
    """Links with all that does not depend on the tag's place worked out; arrays (K, N)."""

    x_m: Floats
    y_m: Floats
    rise_m2: Floats
    """Square of the difference in height."""
    loss_db: Floats
    """What is missing at one metre: RSSI minus P0, plus floors."""
    scale_db: Floats
    """dB per e-fold of the distance."""
    information: Floats
    """1 / variance in dB; 0 where nothing was heard, so that padding says nothing."""
    receiver: NDArray[np.int64]
    same_floor: NDArray[np.bool_]
    walls: WallMap | None

    @classmethod
    def of(cls, links: Links, z_m: Floats) -> RadioModel:
        """`z_m` (N,): height of each tag in the building's frame."""
        rise = z_m - links.z_m
        return cls(
            links.x_m,
            links.y_m,
            rise * rise,
            links.rssi_dbm - links.p0_dbm + links.floor_loss_db,
            DB_PER_NEPER * links.exponent,
            links.heard / (links.sigma_db * links.sigma_db),
            links.receiver,
            links.same_floor,
            links.walls,
        )

    def tags(self, which: Some) -> RadioModel:
        """The same for some of the tags."""
        return columns_of(self, which)

    def residual(self, x_m: Floats, y_m: Floats, offset_db: Floats) -> Floats:
        """Heard minus model in dB, at (..., N) places: (K, ..., N)."""
        k, n = self.x_m.shape
        shape = (k, *(1,) * (x_m.ndim - 1), n)
        dx, dy = x_m - self.x_m.reshape(shape), y_m - self.y_m.reshape(shape)
        square = self._square(dx, dy, self.rise_m2.reshape(shape))
        half_db = (0.5 * self.scale_db).reshape(shape)
        residual = half_db * np.log(square, out=square)
        residual += (self.loss_db - offset_db).reshape(shape)
        if self.walls is not None:
            loss = self.walls.loss_at(self.receiver.reshape(shape), x_m, y_m)
            residual += self.same_floor.reshape(shape) * loss
        return residual

    def residual_and_gradient(
        self, x_m: Floats, y_m: Floats, offset_db: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Residual in dB and d(model)/dx, d(model)/dy in dB/m at (N,) places; each (K, N)."""
        dx, dy = x_m - self.x_m, y_m - self.y_m
        square = self._square(dx, dy, self.rise_m2)
        slope = -self.scale_db / square
        dx *= slope
        dy *= slope
        residual = 0.5 * self.scale_db * np.log(square, out=square)
        residual += self.loss_db - offset_db
        if self.walls is not None:
            loss, loss_x, loss_y = self.walls.at(self.receiver, x_m, y_m)
            residual += self.same_floor * loss
            dx -= self.same_floor * loss_x
            dy -= self.same_floor * loss_y
        return residual, dx, dy

    @staticmethod
    def _square(dx: Floats, dy: Floats, rise_m2: Floats) -> Floats:
        """Squared distance in three dimensions."""
        square = dx * dx
        square += dy * dy
        square += rise_m2
        return np.maximum(square, MIN_DISTANCE_M**2, out=square)


Table = TypeVar("Table", Links, RadioModel)


def columns_of(table: Table, which: Some) -> Table:
    """Some columns of every array of a table of links, rows contiguous."""
    index = np.flatnonzero(which) if which.dtype == bool else which
    picked: dict[str, Any] = {
        f.name: getattr(table, f.name).take(index, axis=1)
        for f in fields(table)
        if f.name != "walls"
    }
    return replace(table, **picked)


def sum_receivers(rows: Floats) -> Floats:
    """Sum (K, ...) over K, one row after another."""
    return _in_order(np.add, rows)


def multiply_receivers(rows: Floats) -> Floats:
    """Product of (K, ...) over K, one row after another."""
    return _in_order(np.multiply, rows)


def _in_order(operation: np.ufunc, rows: Floats) -> Floats:
    """Numpy goes row by row, except that it pairs up the numbers of a lone or strided column; then
    the last bit would depend on how many tags and how much padding there are."""
    if rows[0].size == 1:
        alone: Floats = operation.accumulate(rows, axis=0)[-1]
        return alone
    total: Floats = operation.reduce(np.ascontiguousarray(rows), axis=0)
    return total
