"""The simulated hospital: its site file, and what the site file does not know.

`Hospital` keeps the truth beside the registry's view: doors, the receivers' true path loss, the
equipment types. Frame: metres, x east, y north, z above the ground floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.registry.site_file import SiteFile, parse_site
from pipeline.simulation.equipment import EquipmentType, draw_fleet
from pipeline.simulation.layout import Door, Space, WallLine, draw_level
from pipeline.simulation.portals import PortalReader, place_readers
from pipeline.simulation.scenario import Scenario, stream
from pipeline.simulation.site import site_data

CLEARANCE_M = 0.5
"""A ceiling receiver hangs at least this far from a wall."""


@dataclass(frozen=True)
class BleReceivers:
    """R receivers as arrays. `p0_dbm` and `exponent` are the true ones, `nominal_*` the site's."""

    gateways: tuple[str, ...]
    names: tuple[str, ...]
    position_m: Floats
    """(R, 3)"""
    floor: NDArray[np.int64]
    room: NDArray[np.int64]
    p0_dbm: Floats
    exponent: Floats
    nominal_p0_dbm: Floats
    nominal_exponent: Floats

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Fleet:
    """A assets as tuples in the order of the site file; `epcs` is empty where there is no tag."""

    types: tuple[EquipmentType, ...]
    tag_numbers: tuple[str, ...]
    serials: tuple[str, ...]
    models: tuple[tuple[str, str], ...]
    beacons: tuple[tuple[str, int, int], ...]
    """iBeacon UUID, major, minor."""
    addresses: tuple[str, ...]
    epcs: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.types)

    @cached_property
    def heights_m(self) -> Floats:
        return np.array([kind.tag_height_m for kind in self.types])


@dataclass(frozen=True)
class Hospital:
    scenario: Scenario
    spaces: tuple[Space, ...]
    doors: tuple[Door, ...]
    walls: tuple[WallLine, ...]
    receivers: BleReceivers
    readers: tuple[PortalReader, ...]
    fleet: Fleet
    site: SiteFile

    @cached_property
    def space_index(self) -> dict[str, int]:
        return {space.code: i for i, space in enumerate(self.spaces)}

    @cached_property
    def space_floor(self) -> NDArray[np.int64]:
        return np.array([space.floor for space in self.spaces])

    @cached_property
    def gateways(self) -> tuple[str, ...]:
        return tuple(gateway.code for gateway in self.site.buildings[0].gateways)

    def elevation_m(self, floor: int) -> float:
        return floor * self.scenario.hospital.storey_m


def build_hospital(scenario: Scenario) -> Hospital:
    """The same scenario gives the same hospital, to the last bit."""
    plan = scenario.hospital
    levels = [draw_level(plan, floor) for floor in range(plan.floors)]
    spaces = tuple(space for level in levels for space in level.spaces)
    doors = tuple(door for level in levels for door in level.doors)
    walls = tuple(wall for level in levels for wall in level.walls)
    receivers = _receivers(scenario, spaces)
    readers = place_readers(scenario, spaces, doors)
    fleet = _fleet(scenario)
    data = site_data(scenario, spaces, walls, receivers, readers, fleet)
    site = parse_site(data, "simulated hospital")
    return Hospital(scenario, spaces, doors, walls, receivers, readers, fleet, site)


def gateway_of(scenario: Scenario, floor: int, x_m: float) -> str:
    side = "west" if x_m < scenario.hospital.length_m / 2 else "east"
    return f"gw-{floor + 1}-{side}"


def _receivers(scenario: Scenario, spaces: tuple[Space, ...]) -> BleReceivers:
    """Three staggered lines a floor (two rows, core); each restricted room has one of its own."""
    rng = stream(scenario.seed, "receivers")
    plan, radio = scenario.hospital, scenario.radio
    places: list[tuple[int, float, float, int]] = []
    for floor in range(plan.floors):
        here = [(i, space) for i, space in enumerate(spaces) if space.floor == floor]
        found = [_hang(here, x, y) for x, y in _grid(scenario, rng)]
        for i, space in here:
            if space.restricted and all(room != i for room, _, _ in found):
                found.append((i, *space.centre))
        places += [(floor, x, y, room) for room, x, y in sorted(found, key=lambda p: p[1])]
    floors = np.array([place[0] for place in places])
    height = floors * plan.storey_m + plan.receiver_height_m
    gateways = tuple(gateway_of(scenario, floor, x) for floor, x, _, _ in places)
    count = len(places)
    p0 = radio.p0_dbm + rng.normal(0, radio.p0_spread_db, count)
    exponent = radio.path_loss_exponent + rng.normal(0, radio.exponent_spread, count)
    return BleReceivers(
        gateways=gateways,
        names=tuple(f"ble{gateways[:i].count(gateway)}" for i, gateway in enumerate(gateways)),
        position_m=np.column_stack([[(p[1], p[2]) for p in places], height]).round(2),
        floor=floors,
        room=np.array([place[3] for place in places]),
        p0_dbm=p0,
        exponent=exponent,
        nominal_p0_dbm=(p0 + rng.normal(0, radio.survey_error_db, count)).round(1),
        nominal_exponent=np.full(count, radio.path_loss_exponent),
    )


def _grid(scenario: Scenario, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Where receivers are meant to hang: along each row and each corridor, staggered."""
    plan = scenario.hospital
    count = round(plan.length_m * plan.depth_m / plan.area_per_receiver_m2)
    row, corridor = plan.row_depth_m / 2, plan.row_depth_m + plan.corridor_width_m / 2
    lines = (row, plan.depth_m - corridor, plan.depth_m - row, corridor)
    sizes = [len(part) for part in np.array_split(np.arange(count), len(lines))]
    grid = []
    for line, (y, size) in enumerate(zip(lines, sizes, strict=True)):
        for k in range(size):
            x = (k + (0.3, 0.7)[line // 2]) * plan.length_m / size + rng.uniform(-0.7, 0.7)
            grid.append((x, y + rng.uniform(-1, 1)))
    return grid


def _hang(here: list[tuple[int, Space]], x: float, y: float) -> tuple[int, float, float]:
    """(room, x, y) of a receiver meant for x, y: in the room that holds it, off its walls."""
    index, space = min(here, key=lambda pair: _outside_m(pair[1], x, y))
    x0, y0, x1, y1 = space.box
    return (
        index,
        min(max(x, x0 + CLEARANCE_M), x1 - CLEARANCE_M),
        min(max(y, y0 + CLEARANCE_M), y1 - CLEARANCE_M),
    )


def _outside_m(space: Space, x: float, y: float) -> float:
    x0, y0, x1, y1 = space.box
    return max(x0 - x, x - x1, 0.0) + max(y0 - y, y - y1, 0.0)


def _fleet(scenario: Scenario) -> Fleet:
    rng = stream(scenario.seed, "fleet")
    count = scenario.hospital.assets
    types = draw_fleet(rng, count)
    uuid = rng.bytes(16).hex()
    dashed = "-".join(uuid[a:b] for a, b in pairwise((0, 8, 12, 16, 20, 32)))
    has_rfid = rng.permutation(count) < round(scenario.hospital.rfid_share * count)
    seen: dict[str, int] = {}
    numbers = []
    for kind in types:
        seen[kind.prefix] = seen.get(kind.prefix, 0) + 1
        numbers.append(f"{kind.prefix}-{seen[kind.prefix]:04d}")
    return Fleet(
        types=tuple(types),
        tag_numbers=tuple(numbers),
        serials=tuple(f"SN{rng.integers(10**8):08d}" for _ in types),
        models=tuple(kind.models[rng.integers(len(kind.models))] for kind in types),
        beacons=tuple((dashed, 1 + i // 60_000, 1 + i % 60_000) for i in range(count)),
        addresses=tuple(f"C4:7C:8D:{i >> 16 & 255:02X}:{i >> 8 & 255:02X}:{i & 255:02X}"
                        for i in range(count)),
        epcs=tuple(f"e28069{rng.bytes(5).hex()}{i:08x}" if has_rfid[i] else ""
                   for i in range(count)),
    )  # fmt: skip
