"""A floor plan from this project's site file, or from a CSV of walls or rooms.

CSV: `room,x,y` corners of rooms; `x,y` a wall line, a row of empty cells between two lines;
`x1,y1,x2,y2[,attenuation_db]` one wall a row.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.errors import GeometryError
from pipeline.domain.geometry import Floats, check_polygon, contains, crossings
from pipeline.domain.lattice import Lattice
from pipeline.domain.walls import MAX_LOSS_DB
from pipeline.evaluation.columns import Columns, read_columns, separator_of
from pipeline.evaluation.errors import InputError
from pipeline.registry.errors import SiteFileError
from pipeline.registry.site_file import BuildingEntry, load_site_file

OUTSIDE = 0.02
"""How likely a place outside every room is, beside one inside."""
CLOSED_M = 0.05
INSIDE_MARGIN = 0.5
"""Of the receivers and survey places at least this share lies inside an outline."""


@dataclass(frozen=True)
class Area:
    """A room, or the outline of a floor (`name` ""). `floor` is an index into elevations."""

    name: str
    polygon: Floats
    floor: int = 0


@dataclass(frozen=True)
class Plan:
    """Metres. `walls` (W, 6): x1, y1, x2, y2, dB, floor; `elevations_m` None: not given."""

    areas: tuple[Area, ...] = ()
    walls: Floats = field(default_factory=lambda: np.zeros((0, 6)))
    elevations_m: Floats | None = None

    @property
    def rooms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(area.name for area in self.areas if area.name))

    @property
    def corners_m(self) -> Floats:
        """(N, 2)."""
        walls = self.walls[:, :4].reshape(-1, 2)
        return np.concatenate([walls, *(area.polygon for area in self.areas)])

    def weight(self, lattice: Lattice, points_m: Floats) -> NDArray[np.float32]:
        """How likely each place is before anything is heard, (F, ny, nx).

        The plan is heeded only when most of `points_m` (receivers, survey) lie in its areas.
        """
        even = np.ones(lattice.shape, np.float32)
        if not self.areas:
            return even
        known = np.zeros(len(points_m), dtype=bool)
        inside = np.zeros(lattice.shape, dtype=bool)
        for area in self.areas:
            known |= contains(area.polygon, points_m[:, :2])
            layer = min(area.floor, lattice.shape[0] - 1)
            inside[layer] |= contains(area.polygon, lattice.xy_m).reshape(lattice.shape[1:])
        if known.mean() < INSIDE_MARGIN or not inside.any(axis=(1, 2)).all():
            return even
        return np.where(inside, np.float32(1.0), np.float32(OUTSIDE))

    def labels(self, lattice: Lattice) -> NDArray[np.float32] | None:
        """Which place lies in which of `rooms`: (C, L); None when no room is named."""
        if not self.rooms:
            return None
        labels = np.zeros((*lattice.shape, len(self.rooms)), np.float32)
        for area in self.areas:
            if area.name:
                layer = min(area.floor, lattice.shape[0] - 1)
                inside = contains(area.polygon, lattice.xy_m).reshape(lattice.shape[1:])
                labels[layer, inside, self.rooms.index(area.name)] = 1.0
        return labels.reshape(-1, len(self.rooms))

    def loss_db(self, lattice: Lattice, receivers_m: Floats) -> Floats | None:
        """What walls take on the way to each place of the receiver's own floor: (R, C).

        None when no wall is known to take anything.
        """
        walls = self.walls[self.walls[:, 4] > 0.0]
        if not len(walls):
            return None
        layers, xy = lattice.shape[0], lattice.xy_m
        loss = np.zeros((len(receivers_m), layers, len(xy)))
        layer_of_wall = np.minimum(walls[:, 5].astype(int), layers - 1)
        hangs_on = np.abs(receivers_m[:, 2, None] - lattice.heights_m).argmin(axis=1)
        for r, layer in enumerate(hangs_on.tolist()):
            own = walls[layer_of_wall == layer]
            here = np.broadcast_to(receivers_m[r, :2], xy.shape)
            crossed = crossings(here, xy, own[:, :2], own[:, 2:4])
            loss[r, layer] = np.minimum(crossed @ own[:, 4], MAX_LOSS_DB)
        return loss.reshape(len(receivers_m), -1)


def read_plan(path: Path, receivers_m: Floats) -> Plan:
    """Raises InputError."""
    if path.suffix.lower() in (".json", ".toml"):
        try:
            buildings = load_site_file(path).buildings
        except SiteFileError as error:
            raise InputError(path, str(error)) from None
        return max((_of_building(b) for b in buildings), key=lambda p: _holds(p, receivers_m))
    table = read_columns(path, ())
    if table.has("room") and table.has("x") and table.has("y"):
        return _rooms(table)
    for names in (("x1", "y1", "x2", "y2"), ("x0", "y0", "x1", "y1")):
        if all(map(table.has, names)):
            return _segments(table, names)
    if table.has("x") and table.has("y"):
        return _lines(path)
    raise InputError(
        path, "is no floor plan: columns room,x,y or x,y or x1,y1,x2,y2, or a site file (.json)", 1
    )


def _holds(plan: Plan, points_m: Floats) -> int:
    known = np.zeros(len(points_m), dtype=bool)
    for area in plan.areas:
        known |= contains(area.polygon, points_m[:, :2])
    return int(known.sum())


def _of_building(building: BuildingEntry) -> Plan:
    floors = sorted(building.floors, key=lambda floor: floor.elevation_m)
    areas = tuple(
        Area(room.code, check_polygon(np.array(room.polygon)), i)
        for i, floor in enumerate(floors)
        for room in floor.rooms
    )
    walls = [
        (*wall.start, *wall.end, wall.attenuation_db, i)
        for i, floor in enumerate(floors)
        for wall in floor.walls
    ]
    elevations = np.array([floor.elevation_m for floor in floors])
    return Plan(areas, np.array(walls, dtype=np.float64).reshape(-1, 6), elevations)


def _rooms(table: Columns) -> Plan:
    names = np.array(table.text("room"))
    corners = np.column_stack([table.numbers("x"), table.numbers("y")])
    areas = []
    for name in dict.fromkeys(names.tolist()):
        rows = np.flatnonzero((names == name) & np.isfinite(corners).all(axis=1))
        try:
            areas.append(Area(name, check_polygon(corners[rows])))
        except GeometryError as error:
            at = int(rows[0]) if len(rows) else 0
            raise table.error(at, f"room {name or '(no name)'}: {error.problem}") from None
    return Plan(tuple(areas))


def _segments(table: Columns, names: tuple[str, ...]) -> Plan:
    ends = np.column_stack([table.numbers(name) for name in names])
    loss = table.numbers("attenuation_db") if table.has("attenuation_db") else np.zeros(len(table))
    walls = np.column_stack([ends, np.nan_to_num(loss), np.zeros(len(table))])
    return Plan((), walls[np.isfinite(ends).all(axis=1)])


def _lines(path: Path) -> Plan:
    """Blank rows matter here, so the file is read once more."""
    lines: list[list[tuple[float, float]]] = [[]]
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, delimiter=separator_of(file))
        for row in reader:
            cells = {str(k).strip().lower(): (v or "").strip() for k, v in row.items()}
            try:
                lines[-1].append((float(cells["x"]), float(cells["y"])))
            except ValueError:
                if cells["x"] or cells["y"]:
                    raise InputError(path, "x or y is not a number", reader.line_num) from None
                lines.append([])
    walls, areas = [], []
    for line in lines:
        corners = np.array(line).reshape(-1, 2)
        walls += [(*a, *b, 0.0, 0.0) for a, b in pairwise(line)]
        if len(line) > 3 and np.linalg.norm(corners[0] - corners[-1]) < CLOSED_M:
            corners = corners[np.r_[True, (np.diff(corners, axis=0) != 0).any(axis=1)]]
            areas.append(Area("", corners))
    return Plan(tuple(areas), np.array(walls).reshape(-1, 6))
