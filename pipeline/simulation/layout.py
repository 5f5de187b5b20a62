"""Rooms, doors and walls of one floor, from a few lengths. Metres, origin at the south-west corner.

::

    y  row of rooms       (north row)
       corridor           one room of kind corridor, the whole length
       core | cross | core | cross | core
       corridor
       row of rooms       (south row)                                         x ->
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.simulation.scenario import HospitalPlan

GRID_M = 0.25
"""Corners lie on this grid, which is also the raster of the wall losses."""
CONCRETE_DB, BRICK_DB, PLASTER_DB, SHIELD_DB = 12.0, 6.0, 3.5, 10.0

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1"""


@dataclass(frozen=True)
class Space:
    """A room: an upright rectangle on one floor (index from 0)."""

    code: str
    name: str
    kind: str
    floor: int
    box: Box
    restricted: bool = False

    @property
    def centre(self) -> tuple[float, float]:
        x0, y0, x1, y1 = self.box
        return (x0 + x1) / 2, (y0 + y1) / 2


@dataclass(frozen=True)
class Door:
    """A gap in the wall between two spaces; `across` is the unit vector from `a` to `b`."""

    a: str
    b: str
    floor: int
    x_m: float
    y_m: float
    across: tuple[float, float]
    width_m: float


@dataclass(frozen=True)
class WallLine:
    """A straight wall without gaps, parallel to an axis."""

    floor: int
    start: tuple[float, float]
    end: tuple[float, float]
    attenuation_db: float


@dataclass(frozen=True)
class Level:
    spaces: tuple[Space, ...]
    doors: tuple[Door, ...]
    walls: tuple[WallLine, ...]


@dataclass(frozen=True)
class Use:
    code: str
    name: str
    kind: str
    restricted: bool = False


def draw_level(plan: HospitalPlan, floor: int) -> Level:
    """One floor; floor 0 has the services, the others are wards."""
    y1 = plan.row_depth_m
    y2 = y1 + plan.corridor_width_m
    y3 = y2 + plan.core_depth_m
    y4 = y3 + plan.corridor_width_m
    number = floor + 1
    length = plan.length_m
    south = Space(
        f"corridor-{number}-south", "South corridor", "corridor", floor, (0, y1, length, y2)
    )
    north = Space(
        f"corridor-{number}-north", "North corridor", "corridor", floor, (0, y3, length, y4)
    )
    south_row = _row(plan, floor, 0.0, y1, _south_uses(plan, floor))
    north_row = _row(plan, floor, y4, plan.depth_m, _north_uses(plan, floor))
    core, crosses = _core(plan, floor, y2, y3)
    doors = [_door(plan, room, south, 1 / 3) for room in south_row]
    doors += [_door(plan, room, north, 2 / 3) for room in north_row]
    for index, room in enumerate(core):
        both = room.code.startswith(("nurse", "lifts"))
        doors += [_door(plan, room, south, 1 / 2)] * (both or index % 2 == 0)
        doors += [_door(plan, room, north, 1 / 2)] * (both or index % 2 == 1)
    doors += [
        _door(plan, cross, hall, 1 / 2, open_=True) for cross in crosses for hall in (south, north)
    ]
    spaces = (*south_row, *north_row, *core, south, north, *crosses)
    return Level(spaces, tuple(doors), tuple(_walls(plan, floor, spaces, doors)))


def _south_uses(plan: HospitalPlan, floor: int) -> list[Use]:
    count = plan.rooms_per_corridor
    if floor > 0:
        return [_patient(floor, k + 1) for k in range(count)]
    fixed = [
        Use("mri", "MRI", "treatment", restricted=True),
        Use("mri-control", "MRI control", "office"),
        Use("ot-1", "Operating theatre", "treatment", restricted=True),
        Use("pharmacy", "Pharmacy", "storage", restricted=True),
    ]
    between = [
        Use("waiting", "Waiting room", "other"),
        Use("admissions", "Admissions", "office"),
        Use("recovery", "Recovery", "treatment"),
        Use("consultation", "Consultation", "office"),
    ]
    spare = [Use(f"consultation-{k}", f"Consultation {k}", "office") for k in range(2, count)]
    extra = (between + spare)[: count - len(fixed)]
    return [*fixed[:2], *extra[:2], fixed[2], *extra[2:], fixed[3]]


def _north_uses(plan: HospitalPlan, floor: int) -> list[Use]:
    first = 1 if floor == 0 else plan.rooms_per_corridor + 1
    return [_patient(floor, first + k) for k in range(plan.rooms_per_corridor)]


def _patient(floor: int, number: int) -> Use:
    code = f"{floor + 1}{number:02d}"
    return Use(f"room-{code}", f"Patient room {code}", "patient")


def _row(plan: HospitalPlan, floor: int, y0: float, y1: float, uses: list[Use]) -> list[Space]:
    width = plan.room_width_m
    return [_space(use, floor, (k * width, y0, (k + 1) * width, y1)) for k, use in enumerate(uses)]


def _core(plan: HospitalPlan, floor: int, y0: float, y1: float) -> tuple[list[Space], list[Space]]:
    """The rooms of the core, and the two cross corridors between its three blocks."""
    wide = plan.corridor_width_m
    block = _snap((plan.length_m - 2 * wide) / 3)
    starts = (0.0, block + wide, plan.length_m - block)
    ends = (block, plan.length_m - block - wide, plan.length_m)
    number = floor + 1
    crosses = [
        Space(f"cross-{number}-{side}", f"Cross corridor {side}", "corridor", floor, box)
        for side, box in (
            ("west", (ends[0], y0, starts[1], y1)),
            ("east", (ends[1], y0, starts[2], y1)),
        )
    ]
    rooms: list[Space] = []
    for index, (x0, x1) in enumerate(zip(starts, ends, strict=True)):
        uses = _core_uses(floor, index, max(2, round((x1 - x0) / plan.core_room_width_m)))
        cuts = [_snap(x0 + (x1 - x0) * k / len(uses)) for k in range(len(uses) + 1)]
        rooms += [_space(use, floor, (cuts[k], y0, cuts[k + 1], y1)) for k, use in enumerate(uses)]
    return rooms, crosses


def _core_uses(floor: int, block: int, count: int) -> list[Use]:
    n = floor + 1
    services = [
        [Use("storage-1", "Equipment store", "storage"),
         Use("decontamination", "Decontamination", "cleaning")],
        [Use("nurse-1", "Nurse station", "office"), Use("lifts-1", "Lifts and stairs", "other")],
        [Use("workshop", "Biomedical workshop", "workshop"), Use("ct", "CT", "treatment")],
    ]  # fmt: skip
    ward = [
        [Use(f"storage-{n}", "Equipment store", "storage"),
         Use(f"cleaning-{n}", "Dirty utility", "cleaning")],
        [Use(f"nurse-{n}", "Nurse station", "office"),
         Use(f"lifts-{n}", "Lifts and stairs", "other")],
        [Use(f"treatment-{n}", "Treatment room", "treatment"),
         Use(f"office-{n}", "Doctors' office", "office")],
    ]  # fmt: skip
    uses = (services if floor == 0 else ward)[block]
    spare = [Use(f"utility-{n}-{block + 1}{k}", "Utility room", "storage") for k in range(count)]
    return [*uses, *spare][:count]


def _space(use: Use, floor: int, box: Box) -> Space:
    return Space(use.code, use.name, use.kind, floor, box, use.restricted)


def _door(plan: HospitalPlan, room: Space, hall: Space, share: float, open_: bool = False) -> Door:
    """A door in the wall that `room` shares with the corridor north or south of it."""
    x0, y0, x1, y1 = room.box
    north = hall.box[1] == y1
    width = x1 - x0 if open_ else plan.door_width_m
    x = (x0 + x1) / 2 if open_ else _snap(x0 + (x1 - x0) * share)
    across = (0.0, 1.0) if north else (0.0, -1.0)
    return Door(room.code, hall.code, room.floor, x, y1 if north else y0, across, width)


def _walls(
    plan: HospitalPlan, floor: int, spaces: tuple[Space, ...], doors: list[Door]
) -> list[WallLine]:
    """Every edge of every space once, without the doors. The thicker material wins."""
    edges: dict[Box, float] = {}
    for space in spaces:
        x0, y0, x1, y1 = space.box
        for edge in ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)):
            if space.kind != "corridor" or edge[0] == edge[2]:
                edges[edge] = max(edges.get(edge, 0.0), _loss_db(plan, space, edge))
    lines: list[WallLine] = []
    for (x0, y0, x1, y1), loss in edges.items():
        for start, end in _without_doors((x0, y0, x1, y1), doors):
            lines.append(WallLine(floor, start, end, loss))
    return lines


def _loss_db(plan: HospitalPlan, space: Space, edge: Box) -> float:
    x0, y0, x1, y1 = edge
    if (x0 == x1 and x0 in (0.0, plan.length_m)) or (y0 == y1 and y0 in (0.0, plan.depth_m)):
        return CONCRETE_DB
    if space.code == "mri":
        return SHIELD_DB
    return BRICK_DB if space.restricted or space.code.startswith("lifts") else PLASTER_DB


def _without_doors(
    edge: Box, doors: list[Door]
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Doors lie in walls that run along x."""
    x0, y0, x1, y1 = edge
    if x0 == x1:
        return [((x0, y0), (x1, y1))]
    gaps = sorted(
        (max(x0, door.x_m - door.width_m / 2), min(x1, door.x_m + door.width_m / 2))
        for door in doors
        if door.y_m == y0 and door.x_m + door.width_m / 2 > x0 and door.x_m - door.width_m / 2 < x1
    )
    pieces, at = [], x0
    for left, right in gaps:
        if left > at:
            pieces.append(((at, y0), (left, y0)))
        at = right
    return [*pieces, ((at, y0), (x1, y0))] if at < x1 else pieces


def _snap(metres: float) -> float:
    return round(metres / GRID_M) * GRID_M
