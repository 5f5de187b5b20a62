"""Which rooms open into each other: from the rooms and the gaps in the walls between them.

Two rooms of a floor are joined where a short step leads from one into the other without crossing a
wall. Where a plan draws a room without any way out, its doors are not drawn: then every room that
it touches counts as joined.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import shortest_path

from pipeline.domain.geometry import Floats, crossings

STEP_M = 0.25
REACH_STEPS = 3
"""Rooms whose polygons stop this many steps from each other still meet: walls are thick."""
FAR = 9
"""Doors between rooms that no way joins, and the most that are counted."""
BLOCK = 4096


class _Floor(Protocol):
    @property
    def walls(self) -> Floats: ...


class _RoomMap(Protocol):
    @property
    def origin_m(self) -> Floats: ...
    @property
    def cells(self) -> NDArray[np.int16]: ...


def doors_between(room_map: _RoomMap, floors: tuple[_Floor, ...], rooms: int) -> NDArray[np.int8]:
    """(rooms + 1, rooms + 1): doors on the shortest way between two rooms, FAR at most.

    The last row and column are for "no room", which is one door from everywhere.
    """
    joined = np.zeros((rooms, rooms), dtype=bool)
    touching = joined.copy()
    for cells, floor in zip(room_map.cells, floors, strict=True):
        for step in range(1, REACH_STEPS + 1):
            for axis in (0, 1):
                _join(room_map.origin_m, cells, floor.walls, step, axis, joined, touching)
    closed = np.flatnonzero(joined.sum(axis=1) == 0)
    joined[closed] |= touching[closed]
    joined[:, closed] |= touching[:, closed]
    found = np.ones((rooms + 1, rooms + 1), dtype=np.int8)
    if rooms:
        ways = shortest_path(joined.astype(np.float64), unweighted=True, directed=False)
        found[:rooms, :rooms] = np.minimum(ways, FAR)
    return found


def _join(
    origin_m: Floats,
    cells: NDArray[np.int16],
    walls: Floats,
    step: int,
    axis: int,
    joined: NDArray[np.bool_],
    touching: NDArray[np.bool_],
) -> None:
    """Note the pairs of rooms that lie `step` cells apart along an axis of `cells`."""
    near, far = (cells[:-step], cells[step:]) if axis == 0 else (cells[:, :-step], cells[:, step:])
    row, column = np.nonzero((near != far) & (near >= 0) & (far >= 0))
    if not len(row):
        return
    a, b = near[row, column], far[row, column]
    touching[a, b] = touching[b, a] = True
    start = origin_m + (np.stack([column, row], axis=1) + 0.5) * STEP_M
    end = start.copy()
    end[:, 1 - axis] += step * STEP_M
    for first in range(0, len(row), BLOCK):
        part = slice(first, first + BLOCK)
        free = np.ones(len(start[part]), dtype=bool)
        if len(walls):
            hit = crossings(start[part], end[part], walls[:, :2], walls[:, 2:4])
            free = hit.sum(axis=1) == 0
        one, other = a[part][free], b[part][free]
        joined[one, other] = joined[other, one] = True
