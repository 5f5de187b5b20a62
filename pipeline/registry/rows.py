"""A site file as rows of the registry's tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.registry.ids import make_id
from pipeline.registry.site_file import BuildingEntry, GatewayEntry, SiteFile, ZoneEntry

Row = dict[str, Any]
Rows = dict[str, list[Row]]

# Parents before children. `id` and what a site file says; stamps, versions and columns that it
# does not know (a floor's plan, an asset's status, what is switched off) are left alone.
COLUMNS = {
    "organization": ("id", "code", "name"),
    "facility": ("id", "organization_id", "code", "name", "time_zone"),
    "building": ("id", "organization_id", "facility_id", "code", "name"),
    "floor": (
        "id", "organization_id", "building_id", "code", "name", "level", "elevation_m", "height_m",
        "walls",
    ),
    "room": ("id", "organization_id", "floor_id", "code", "name", "kind", "polygon", "restricted"),
    "zone": (
        "id", "organization_id", "building_id", "floor_id", "room_id", "code", "name", "polygon",
        "entry_dwell_s", "exit_tolerance_m", "tolerance_timeout_s", "exit_delay_s", "timeout_s",
    ),
    "gateway": ("id", "organization_id", "facility_id", "building_id", "code"),
    "receiver": (
        "id", "organization_id", "gateway_id", "floor_id", "room_id", "name", "kind", "x_m", "y_m",
        "z_m", "p0_dbm", "path_loss_exponent", "sigma_db", "range_m",
    ),
    "asset": (
        "id", "organization_id", "facility_id", "tag_number", "name", "manufacturer", "model",
        "serial_number", "category",
    ),
    "tag": ("id", "organization_id", "name"),
    "rule": (
        "id", "organization_id", "facility_id", "zone_id", "code", "type", "severity", "categories",
    ),
}  # fmt: skip


def site_rows(site: SiteFile) -> Rows:
    """Table -> rows, with deterministic ids as text; also `tag_assignment` as wanted pairs."""
    organization, facility = site.organization, site.facility
    org, place = organization.code, (organization.code, facility.code)
    rows: Rows = {table: [] for table in (*COLUMNS, "tag_assignment")}
    rows["organization"].append(
        {"id": _id("organization", org), "code": org, "name": organization.name}
    )
    common = {"organization_id": _id("organization", org), "facility_id": _id("facility", *place)}
    rows["facility"].append(
        {
            "id": common["facility_id"],
            "organization_id": common["organization_id"],
            "code": facility.code,
            "name": facility.name,
            "time_zone": facility.time_zone,
        }
    )
    for building in site.buildings:
        for table, row in _building(building, (*place, building.code), common):
            rows[table].append(row)
    _equipment(site, common, rows)
    return rows


def _equipment(site: SiteFile, common: Row, rows: Rows) -> None:
    org, place = site.organization.code, (site.organization.code, site.facility.code)
    for asset in site.assets:
        asset_id = _id("asset", org, asset.tag_number)
        rows["asset"].append({"id": asset_id} | common | asset.model_dump(exclude={"tags"}))
        for name in asset.tags:
            tag_id = _id("tag", org, name)
            owner = {"organization_id": common["organization_id"]}
            rows["tag"].append({"id": tag_id, "name": name} | owner)
            rows["tag_assignment"].append({"tag_id": tag_id, "asset_id": asset_id})
    zones = {zone.code: b.code for b in site.buildings for zone in b.zones}
    for rule in site.rules:
        row = rule.model_dump(exclude={"zone"}) | common
        row["id"] = _id("rule", *place, rule.code)
        row["zone_id"] = _id("zone", *place, zones[rule.zone], rule.zone)
        rows["rule"].append(row)


def _building(
    building: BuildingEntry, path: tuple[str, str, str], common: Row
) -> Iterator[tuple[str, Row]]:
    """`path` is organization, facility, building."""
    building_id = _id("building", *path)
    owner = {"organization_id": common["organization_id"]}
    yield "building", {"id": building_id, "code": building.code, "name": building.name} | common
    for floor in building.floors:
        floor_id = _id("floor", *path, floor.code)
        row = floor.model_dump(mode="json", exclude={"rooms"})
        yield "floor", row | owner | {"id": floor_id, "building_id": building_id}
        for room in floor.rooms:
            row = room.model_dump(mode="json")
            room_id = _id("room", *path, room.code)
            yield "room", row | owner | {"id": room_id, "floor_id": floor_id}
    floor_of_room = {room.code: f.code for f in building.floors for room in f.rooms}
    for zone in building.zones:
        yield "zone", _zone(zone, floor_of_room, path) | owner | {"building_id": building_id}
    elevations = {floor.code: floor.elevation_m for floor in building.floors}
    for gateway in building.gateways:
        gateway_id = _id("gateway", *path[:2], gateway.code)
        own = {"id": gateway_id, "building_id": building_id, "code": gateway.code}
        yield "gateway", own | common
        for row in _receivers(gateway, elevations, path):
            yield "receiver", row | owner | {"gateway_id": gateway_id}


def _zone(zone: ZoneEntry, floor_of_room: dict[str, str], path: tuple[str, str, str]) -> Row:
    # The room decides: a file may name the floor beside it, and name another one.
    floor = zone.floor if zone.room is None else floor_of_room[zone.room]
    row = zone.model_dump(mode="json", include={"code", "name", "polygon"})
    row |= zone.fence.model_dump()
    row["id"] = _id("zone", *path, zone.code)
    row["floor_id"] = _id("floor", *path, str(floor))
    row["room_id"] = None if zone.room is None else _id("room", *path, zone.room)
    return row


def _receivers(
    gateway: GatewayEntry, elevations: dict[str, float], path: tuple[str, str, str]
) -> Iterator[Row]:
    for receiver in gateway.receivers:
        row = receiver.model_dump(mode="json", exclude={"floor", "room", "height_m"})
        row["id"] = _id("receiver", *path[:2], gateway.code, receiver.name)
        row["kind"] = receiver.kind.upper()
        row["z_m"] = elevations[receiver.floor] + receiver.height_m
        row["floor_id"] = _id("floor", *path, receiver.floor)
        row["room_id"] = None if receiver.room is None else _id("room", *path, receiver.room)
        yield row


def _id(kind: Any, *path: str) -> str:
    return str(make_id(kind, *path))
