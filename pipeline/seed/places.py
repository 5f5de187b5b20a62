"""Rows of organizations, places, gateways, zones and rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg.types.json import Jsonb

from pipeline.registry.ids import make_id
from pipeline.seed.build import FLOOR_HEIGHT_M
from pipeline.seed.model import Building, Facility, Floor, Organization, Room, World
from pipeline.seed.writing import Batch, Row

_ORIGINS = {"US": (41.88, -87.63), "DE": (50.36, 7.59)}
"""Country -> latitude and longitude of the first building."""


def batches(world: World) -> Iterator[Batch]:
    """Parents before children; what needs departments comes in people.batches."""
    facilities = [f for o in world.organizations for f in o.facilities]
    buildings = [b for f in facilities for b in f.buildings]
    floors = [floor for b in buildings for floor in b.floors]
    yield (
        "registry.organization",
        ({"id": o.id, "code": o.code, "name": o.name} for o in world.organizations),
    )
    yield "registry.facility", (_facility(f) for f in facilities)
    yield "registry.building", (_building(i, b) for i, b in enumerate(buildings))
    yield "registry.floor", (_floor(floor) for floor in floors)


def rooms(world: World) -> Iterator[Batch]:
    """Rooms and what stands on them; rooms name their department."""
    facilities = [f for o in world.organizations for f in o.facilities]
    floors = [floor for f in facilities for b in f.buildings for floor in b.floors]
    yield "registry.room", (_room(room) for floor in floors for room in floor.rooms)
    yield "registry.zone", (row for f in facilities for row in _zones(f))
    yield "registry.gateway", (_gateway(floor) for floor in floors)
    yield "registry.receiver", (row for floor in floors for row in _receivers(floor))
    yield "registry.rule", (row for f in facilities for row in _rules(f))


def _facility(facility: Facility) -> Row:
    return {
        "id": facility.id,
        "organization_id": facility.organization.id,
        "code": facility.code,
        "name": facility.name,
        "time_zone": facility.hospital.time_zone,
        "currency_code": facility.organization.group.currency,
        "fiscal_year_start_month": 7 if facility.hospital.country == "US" else 1,
    }


def _building(number: int, building: Building) -> Row:
    latitude, longitude = _ORIGINS[building.facility.hospital.country]
    return {
        "id": building.id,
        "organization_id": building.facility.organization.id,
        "facility_id": building.facility.id,
        "code": building.code,
        "name": building.name,
        "latitude": latitude + 0.05 * number,
        "longitude": longitude,
        "bearing_deg": float(15 * number % 360),
    }


def _floor(floor: Floor) -> Row:
    return {
        "id": floor.id,
        "organization_id": floor.building.facility.organization.id,
        "building_id": floor.building.id,
        "code": floor.code,
        "name": f"Floor {floor.level}",
        "level": floor.level,
        "elevation_m": floor.elevation_m,
        "height_m": FLOOR_HEIGHT_M,
        "metres_per_pixel": 0.05,
    }


def _room(room: Room) -> Row:
    return {
        "id": room.id,
        "organization_id": room.floor.building.facility.organization.id,
        "floor_id": room.floor.id,
        "code": room.code,
        "name": room.name,
        "kind": room.kind,
        "polygon": Jsonb(room.polygon),
        "restricted": room.restricted,
        "beds": room.beds,
        "department_id": room.department.id,
    }


def restricted_rooms(facility: Facility) -> list[Room]:
    """Those with a zone that must not be entered."""
    return [room for room in facility.rooms if room.restricted]


def zone_of(room: Room) -> Any:
    return make_id("zone", *_path(room.floor.building), f"no-entry-{room.code}")


def exit_zone_of(building: Building) -> Any:
    return make_id("zone", *_path(building), "exit")


def rule_of(facility: Facility, code: str) -> Any:
    return make_id("rule", facility.organization.code, facility.code, code)


def _zones(facility: Facility) -> Iterator[Row]:
    def row(id_: Any, floor: Floor, code: str, name: str) -> Row:
        return {
            "id": id_,
            "organization_id": facility.organization.id,
            "building_id": floor.building.id,
            "floor_id": floor.id,
            "room_id": None,
            "code": code,
            "name": name,
            "polygon": None,
            "is_exit": False,
        }

    for room in restricted_rooms(facility):
        zone = row(zone_of(room), room.floor, f"no-entry-{room.code}", f"No entry: {room.name}")
        yield zone | {"room_id": room.id}
    for building in facility.buildings:
        corridor = building.floors[0].rooms[0]
        zone = row(exit_zone_of(building), building.floors[0], "exit", "Main entrance")
        polygon = [[corridor.left, corridor.bottom], [corridor.left + 4.0, corridor.bottom],
                   [corridor.left + 4.0, corridor.top], [corridor.left, corridor.top]]  # fmt: skip
        yield zone | {"polygon": Jsonb(polygon), "is_exit": True}


def gateway_of(floor: Floor) -> Any:
    facility = floor.building.facility
    return make_id("gateway", facility.organization.code, facility.code, _gateway_code(floor))


def _gateway_code(floor: Floor) -> str:
    return f"gw-{floor.building.code}-{floor.code}"


def _gateway(floor: Floor) -> Row:
    return {
        "id": gateway_of(floor),
        "organization_id": floor.building.facility.organization.id,
        "facility_id": floor.building.facility.id,
        "building_id": floor.building.id,
        "code": _gateway_code(floor),
    }


def _receivers(floor: Floor) -> Iterator[Row]:
    """One in every fourth room, under the ceiling."""
    facility = floor.building.facility
    path = (facility.organization.code, facility.code, _gateway_code(floor))
    for number, room in enumerate(floor.rooms[1::4]):
        x_m, y_m = room.center
        name = f"ble-{number}"
        yield {
            "id": make_id("receiver", *path, name),
            "organization_id": facility.organization.id,
            "gateway_id": gateway_of(floor),
            "floor_id": floor.id,
            "room_id": room.id,
            "name": name,
            "kind": "BLE",
            "x_m": x_m,
            "y_m": y_m,
            "z_m": floor.elevation_m + 2.6,
            "p0_dbm": -59.0,
            "path_loss_exponent": 2.2,
            "sigma_db": 6.0,
            "range_m": 1.5,
        }


def _rules(facility: Facility) -> Iterator[Row]:
    def row(code: str, type_: str, severity: str) -> Row:
        return {
            "id": rule_of(facility, code),
            "organization_id": facility.organization.id,
            "facility_id": facility.id,
            "zone_id": None,
            "code": code,
            "type": type_,
            "severity": severity,
            "categories": [],
            "parameters": {},
        }

    for room in restricted_rooms(facility):
        rule = row(f"no-entry-{room.code}", "forbidden-zone", "CRITICAL")
        yield rule | {"zone_id": zone_of(room), "categories": ["SUPPORT_EQUIPMENT", "THERAPEUTIC"]}
    for code, type_, severity, parameters in (
        ("pm-due", "pm-due", "WARNING", {}),
        ("battery-low", "battery", "INFO", {"below_percent": 15}),
        ("not-seen", "not-seen", "ERROR", {"hours": 72}),
        ("idle", "idle", "INFO", {"days": 30}),
        ("par", "par", "WARNING", {}),
    ):
        yield row(code, type_, severity) | {"parameters": parameters}


def _path(building: Building) -> tuple[str, str, str]:
    facility: Facility = building.facility
    organization: Organization = facility.organization
    return organization.code, facility.code, building.code
