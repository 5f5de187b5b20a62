"""What the walls between a receiver and any place cost, from a raster drawn once."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.simulation.hospital import Hospital
from pipeline.simulation.layout import GRID_M, WallLine
from pipeline.simulation.scenario import stream

THINNEST_DB = 0.5
Singles = NDArray[np.float32]


class WallLosses:
    """Loss in dB from each cell of the receiver's own floor; between floors only slabs count."""

    def __init__(self, hospital: Hospital) -> None:
        plan, receivers = hospital.scenario.hospital, hospital.receivers
        self._floor = receivers.floor
        self._shape = round(plan.depth_m / GRID_M), round(plan.length_m / GRID_M)
        self._cells = np.zeros((len(receivers), *self._shape), dtype=np.float32)
        rng = stream(hospital.scenario.seed, "walls")
        spread = rng.normal(0, hospital.scenario.radio.wall_spread_db, len(hospital.walls))
        losses = [
            max(THINNEST_DB, wall.attenuation_db + extra)
            for wall, extra in zip(hospital.walls, spread.tolist(), strict=True)
        ]
        for floor in range(plan.floors):
            here = np.nonzero(receivers.floor == floor)[0]
            self._cells[here] = _draw(
                receivers.position_m[here, :2].astype(np.float32),
                [(w, db) for w, db in zip(hospital.walls, losses, strict=True) if w.floor == floor],
                self._shape,
            )

    def loss_db(self, xyz_m: Floats, floor: NDArray[np.int64]) -> NDArray[np.float32]:
        """(N, R) losses at N points that stand on the given floors (index)."""
        cell = np.floor(xyz_m[:, :2] / GRID_M).astype(np.int64)
        row = np.clip(cell[:, 1], 0, self._shape[0] - 1)
        column = np.clip(cell[:, 0], 0, self._shape[1] - 1)
        return np.where(floor[:, None] == self._floor, self._cells[:, row, column].T, 0)


def _draw(
    receivers: Singles, walls: list[tuple[WallLine, float]], shape: tuple[int, int]
) -> Singles:
    """(R, rows, columns) sum of the losses of the walls that the straight line crosses."""
    cells = np.zeros((len(receivers), *shape), dtype=np.float32)
    centre = [(np.arange(n, dtype=np.float32) + 0.5) * np.float32(GRID_M) for n in shape]
    lines: dict[tuple[int, float], list[tuple[float, float, float]]] = defaultdict(list)
    for wall, loss in walls:
        axis = 0 if wall.start[0] == wall.end[0] else 1  # 0: x is constant
        ends = wall.start[1 - axis], wall.end[1 - axis]
        lines[axis, wall.start[axis]].append((*ends, loss))
    for (axis, at), pieces in lines.items():
        across, along = centre[1 - axis], centre[axis]
        rx, ry = receivers[:, axis, None], receivers[:, 1 - axis, None, None]
        between = (rx < at) != (across < at)
        share = np.where(between, (at - rx) / np.where(between, across - rx, 1), np.nan)
        meets = ry + (along[:, None] - ry) * share[:, None, :]  # (R, along, across)
        total = np.zeros_like(meets)
        for low, high, loss in pieces:
            total += np.float32(loss) * ((meets >= low) & (meets <= high))
        cells += total if axis == 0 else total.transpose(0, 2, 1)
    return cells
