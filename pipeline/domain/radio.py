"""The radio model: what a receiver should hear of a tag at a place.

Log-distance path loss: RSSI = P0 - 10 n log10(d) + tag offset - walls - floors, d in metres and in
three dimensions, P0 the RSSI at one metre in dBm (Rappaport, Wireless Communications, ch. 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.domain.walls import WallMap

MIN_DISTANCE_M = 0.3
"""Nearer than this the model's RSSI would grow without bound."""
DB_PER_NEPER = 10.0 / math.log(10.0)


@dataclass(frozen=True)
class Links:
    """What was heard in one window, receivers down, tags across: every array is (K, N).

    Column i holds the receivers that heard tag i, in order of their index, padded with `heard`
    False. Receivers lie on the first axis so that sums over them do not depend on how many tags
    are solved together (numpy adds rows in order), which keeps a replay equal to the last bit.
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
        return replace(self, **{name: getattr(self, name)[:, which] for name in columns})


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
