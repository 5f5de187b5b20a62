"""The hospital of the benchmarks: buildings of 100 rooms, 20 zones and 40 gateways.

Each building is a facility of its own with two equal floors of 10 x 5 rooms of 8 m x 6 m and a
receiver every 120 m2. One rule forbids surgical equipment, a tenth of all, to enter one room.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.registry.site_file import SiteFile, parse_site

ORGANIZATION, BUILDING, RECEIVER = "bench", "main", "ble0"
FLOORS, COLUMNS, ROWS = 2, 10, 5
ROOM_M = np.array([8.0, 6.0])
EXTENT_M = ROOM_M * [COLUMNS, ROWS]
FLOOR_HEIGHT_M, RECEIVER_HEIGHT_M = 3.5, 2.5
GATEWAY_COLUMNS, GATEWAY_ROWS = 5, 4
GATEWAYS = FLOORS * GATEWAY_COLUMNS * GATEWAY_ROWS
P0_DBM, EXPONENT = -59.0, 2.2
ROOM_ZONES, OPEN_ZONES = 12, 8
KINDS = ("patient", "patient", "patient", "treatment", "storage", "cleaning")


def facility(building: int) -> str:
    return f"h{building:02d}"


def gateway(number: int) -> str:
    return f"g{number:02d}"


def tag(building: int, number: int) -> str:
    return f"ble:{building:04x}{number:08x}"


def receiver_places() -> tuple[np.ndarray, np.ndarray]:
    """(40, 2) metres and (40,) floor of each gateway's receiver."""
    step = EXTENT_M / [GATEWAY_COLUMNS, GATEWAY_ROWS]
    x, y = np.meshgrid(np.arange(GATEWAY_COLUMNS) + 0.5, np.arange(GATEWAY_ROWS) + 0.5)
    one_floor = np.stack([x.ravel(), y.ravel()], axis=1) * step
    return np.tile(one_floor, (FLOORS, 1)), np.repeat(np.arange(FLOORS), len(one_floor))


def site(building: int, tags: int) -> SiteFile:
    """One facility with `tags` assets of one tag each."""
    data = {
        "organization": {"code": ORGANIZATION, "name": "Benchmark"},
        "facility": {"code": facility(building), "name": f"Hospital {building}"},
        "buildings": [
            {
                "code": BUILDING,
                "name": "Main building",
                "floors": [_floor(level) for level in range(FLOORS)],
                "gateways": _gateways(),
                "zones": [*map(_room_zone, range(ROOM_ZONES)), *map(_open_zone, range(OPEN_ZONES))],
            }
        ],
        "assets": [
            {
                "tag_number": f"{facility(building)}-{number:05d}",
                "name": "Equipment",
                "category": "SURGICAL" if number % 10 == 5 else "THERAPEUTIC",
                "tags": [tag(building, number)],
            }
            for number in range(tags)
        ],
        "rules": [{"code": "no-surgical", "zone": "zone-00", "categories": ["SURGICAL"]}],
    }
    return parse_site(data)


def _rectangle(low: np.ndarray, high: np.ndarray) -> list[list[float]]:
    (x1, y1), (x2, y2) = low.tolist(), high.tolist()
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


def _floor(level: int) -> dict[str, Any]:
    places = [(column, row) for row in range(ROWS) for column in range(COLUMNS)]
    rooms = [
        {
            "code": _room(level, number),
            "name": f"Room {number}",
            "kind": KINDS[number % len(KINDS)],
            "polygon": _rectangle(ROOM_M * place, ROOM_M * (np.array(place) + 1)),
        }
        for number, place in enumerate(places)
    ]
    elevation_m = level * FLOOR_HEIGHT_M
    code = {"code": f"f{level}", "name": f"Floor {level}", "level": level}
    return code | {"elevation_m": elevation_m, "height_m": FLOOR_HEIGHT_M, "rooms": rooms}


def _room(level: int, number: int) -> str:
    return f"r{level}{number:02d}"


def _room_zone(number: int) -> dict[str, Any]:
    room = _room(number % FLOORS, number * 3 % (COLUMNS * ROWS))
    return {"code": f"zone-{number:02d}", "name": f"Zone {number}", "room": room}


def _open_zone(number: int) -> dict[str, Any]:
    """A strip across two rows of rooms."""
    low = ROOM_M * [number + 1, number % (ROWS - 1)] + ROOM_M / 2
    polygon = _rectangle(low, low + np.array([4.0, 6.0]))
    code = f"zone-{ROOM_ZONES + number:02d}"
    return {"code": code, "name": code, "floor": f"f{number % FLOORS}", "polygon": polygon}


def _gateways() -> list[dict[str, Any]]:
    places, floors = receiver_places()
    radio = {"p0_dbm": P0_DBM, "path_loss_exponent": EXPONENT, "height_m": RECEIVER_HEIGHT_M}
    return [
        {
            "code": gateway(number),
            "receivers": [{"name": RECEIVER, "floor": f"f{floor}", "x_m": x, "y_m": y} | radio],
        }
        for number, ((x, y), floor) in enumerate(zip(places.tolist(), floors.tolist(), strict=True))
    ]
