"""The radio model: what a receiver should hear of a tag at a place.

Log-distance path loss: RSSI = P0 - 10 n log10(d) + tag offset - walls - floors, d in metres and in
three dimensions, P0 the RSSI at one metre in dBm (Rappaport, Wireless Communications, ch. 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.domain.walls import WallMap

MIN_DISTANCE_M = 0.3
"""Nearer than this the model's RSSI would grow without bound."""
DB_PER_NEPER = 10.0 / math.log(10.0)
FEW_TAGS = 64
"""Up to here numpy's running sum is faster than adding row by row; both add in the same order."""


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

    def tags(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Links:
        """The same links for some of the tags."""
        columns = [f.name for f in fields(self) if f.name != "walls"]
        # A copy in rows: numpy would lay the picked columns out the other way round.
        picked: dict[str, Any] = {
            name: np.ascontiguousarray(getattr(self, name)[:, which]) for name in columns
        }
        return replace(self, **picked)


def sum_receivers(rows: Floats) -> Floats:
    """Sum (K, N) over K, one row after another.

    `rows.sum(axis=0)` pairs rows up when there is one tag or the columns are contiguous, and so
    depends in the last bit on how many tags and how much padding there are.
    """
    total: Floats
    if rows.shape[1] < FEW_TAGS:
        total = np.add.accumulate(rows, axis=0)[-1]
        return total
    total = rows[0].copy()
    for row in rows[1:]:
        total += row
    return total


def residual_and_gradient(
    links: Links, x_m: Floats, y_m: Floats, z_m: Floats, offset_db: Floats
) -> tuple[Floats, Floats, Floats]:
    """Residual in dB (heard minus model) and d(model)/dx, d(model)/dy in dB/m; each (K, N)."""
    dx, dy, dz = x_m - links.x_m, y_m - links.y_m, z_m - links.z_m
    square = np.maximum(dx * dx + dy * dy + dz * dz, MIN_DISTANCE_M**2)
    scale = DB_PER_NEPER * links.exponent
    model = links.p0_dbm - 0.5 * scale * np.log(square) + offset_db - links.floor_loss_db
    slope = -scale / square
    if links.walls is None:
        return links.rssi_dbm - model, slope * dx, slope * dy
    loss, loss_x, loss_y = links.walls.at(links.receiver, x_m, y_m)
    on = links.same_floor
    return (
        links.rssi_dbm - model + on * loss,
        slope * dx - on * loss_x,
        slope * dy - on * loss_y,
    )
