"""What a building looks like to the dataflow: floors, rooms, zones, receivers, tags, assets.

One `Building` is immutable and answers by dense index; every array is aligned to the tuple of
the same name. Frame: metres, x and y in the building's plane, z above the building's zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.doors import doors_between
from pipeline.domain.geometry import Floats, check_polygon, contains
from pipeline.domain.walls import WallMap
from pipeline.domain.zones import ZoneTable

NOWHERE = -1
"""Index of "no room", "no floor", "no asset"."""
RASTER_M = 0.25

BLE, RFID, OTHER = 1, 2, 3


@dataclass(frozen=True)
class Floor:
    """`walls` (W, 5): x1, y1, x2, y2 in metres and what the wall takes from a signal, dB."""

    id: UUID
    code: str
    level: int
    elevation_m: float
    height_m: float
    walls: Floats = field(default_factory=lambda: np.zeros((0, 5)))


@dataclass(frozen=True)
class Room:
    """`kind` decides what presence means for utilization (see domain.utilization)."""

    id: UUID
    code: str
    name: str
    kind: str
    floor: int
    polygon: Floats
    restricted: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "polygon", check_polygon(self.polygon))


@dataclass(frozen=True)
class Fence:
    """omlox fence semantics, seconds and metres, plus the entry dwell that the standard lacks.

    A tag is inside after `entry_dwell_s` of confirmed presence. It leaves when it is farther out
    than `exit_tolerance_m`, or within the tolerance for longer than `tolerance_timeout_s`, and
    stays so for `exit_delay_s`; or when it has not been heard for `timeout_s`. inf: never.
    """

    entry_dwell_s: float = 5.0
    exit_tolerance_m: float = 1.0
    tolerance_timeout_s: float = 10.0
    exit_delay_s: float = 3.0
    timeout_s: float = 120.0


@dataclass(frozen=True)
class Zone:
    id: UUID
    code: str
    name: str
    floor: int
    polygon: Floats
    fence: Fence = Fence()
    room: int = NOWHERE

    def __post_init__(self) -> None:
        object.__setattr__(self, "polygon", check_polygon(self.polygon))


@dataclass(frozen=True)
class Rule:
    """`applies[asset]`: which assets may not enter `zone`."""

    id: UUID
    code: str
    type: str
    severity: str
    zone: int
    applies: NDArray[np.bool_]


@dataclass(frozen=True)
class Asset:
    id: UUID
    tag_number: str
    name: str
    category: str


@dataclass(frozen=True)
class Receivers:
    """Struct of arrays over R receivers.

    `names[i]` is (gateway, receiver name as it stands in the batch). RSSI at distance d metres is
    p0_dbm - 10 path_loss_exponent log10(d). A receiver of kind RFID hears only close by: it is an
    observation of its own place with the error `range_m`.
    """

    ids: tuple[UUID, ...]
    names: tuple[tuple[str, str], ...]
    position_m: Floats
    floor: NDArray[np.int64]
    room: NDArray[np.int64]
    kind: NDArray[np.int64]
    p0_dbm: Floats
    path_loss_exponent: Floats
    sigma_db: Floats
    range_m: Floats

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Alignment:
    """What the indices of persisted state mean; state moves from one alignment to another."""

    assets: tuple[bytes, ...]
    rooms: tuple[bytes, ...]
    floors: tuple[bytes, ...]
    zones: tuple[bytes, ...]
    receivers: tuple[bytes, ...]


@dataclass(frozen=True)
class Building:
    """Everything the dataflow must know about one building; `key` is organization/facility/code."""

    key: str
    organization: str
    facility: str
    code: str
    ids: dict[str, UUID]
    floors: tuple[Floor, ...]
    rooms: tuple[Room, ...]
    zones: tuple[Zone, ...]
    rules: tuple[Rule, ...]
    receivers: Receivers
    gateways: tuple[str, ...]
    assets: tuple[Asset, ...]
    tags: tuple[str, ...]
    tag_asset: NDArray[np.int64]
    """(T,) asset index of each tag; an asset may wear several tags."""
    version: int = 0
    bounds: Floats = field(default_factory=lambda: np.zeros((2, 2)))
    """[[x min, y min], [x max, y max]] that a position cannot leave."""

    @cached_property
    def alignment(self) -> Alignment:
        return Alignment(
            tuple(a.id.bytes for a in self.assets),
            tuple(r.id.bytes for r in self.rooms),
            tuple(f.id.bytes for f in self.floors),
            tuple(z.id.bytes for z in self.zones),
            tuple(i.bytes for i in self.receivers.ids),
        )

    @cached_property
    def receiver_index(self) -> dict[tuple[str, str], int]:
        return {name: i for i, name in enumerate(self.receivers.names)}

    @cached_property
    def tag_index(self) -> dict[str, int]:
        return {tag: i for i, tag in enumerate(self.tags)}

    @cached_property
    def turn(self) -> NDArray[np.int64]:
        """(A,) a number of each asset, of its id alone, by which assets take turns."""
        words = np.frombuffer(b"".join(a.id.bytes[-4:] for a in self.assets), dtype=">u4")
        return words.astype(np.int64)

    @cached_property
    def wall_map(self) -> WallMap:
        return WallMap.draw(self.floors, self.receivers, self.bounds)

    @cached_property
    def zone_table(self) -> ZoneTable:
        return ZoneTable.of(self.zones)

    @cached_property
    def doors_between(self) -> NDArray[np.int8]:
        """(rooms, rooms): how many doors lie between two rooms; doors.FAR: no way is drawn."""
        return doors_between(self.room_map, self.floors, len(self.rooms))

    @cached_property
    def room_map(self) -> RoomMap:
        return RoomMap.draw(self.rooms, len(self.floors), self.bounds)


@dataclass(frozen=True)
class RoomMap:
    """The rooms of every floor as a raster, so that "which room" costs one look-up a point."""

    origin_m: Floats
    cells: NDArray[np.int16]

    @classmethod
    def draw(cls, rooms: tuple[Room, ...], floors: int, bounds: Floats) -> RoomMap:
        """`cells` (floors, ny, nx) holds room indices, NOWHERE where there is none."""
        nx, ny = np.maximum(1, np.ceil((bounds[1] - bounds[0]) / RASTER_M)).astype(int)
        x = bounds[0, 0] + (np.arange(nx) + 0.5) * RASTER_M
        y = bounds[0, 1] + (np.arange(ny) + 0.5) * RASTER_M
        centres = np.stack(np.meshgrid(x, y), axis=-1)
        cells = np.full((floors, ny, nx), NOWHERE, dtype=np.int16)
        for index, room in enumerate(rooms):
            cells[room.floor][contains(room.polygon, centres)] = index
        return cls(bounds[0].copy(), cells)

    def rooms_at(self, floor: NDArray[np.int64], xy: Floats) -> NDArray[np.int64]:
        """Room index of points `xy` (..., 2) on `floor` (...); NOWHERE outside every room."""
        column, row = np.moveaxis(np.floor((xy - self.origin_m) / RASTER_M).astype(np.int64), -1, 0)
        _, ny, nx = self.cells.shape
        inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny) & (floor >= 0)
        found = self.cells[
            np.maximum(floor, 0), np.clip(row, 0, ny - 1), np.clip(column, 0, nx - 1)
        ].astype(np.int64)
        return np.where(inside, found, NOWHERE)
