"""Database -> what the dataflow must know: one immutable `Building` for each building.

One snapshot for everything, ordered by code in code point order, so two processes that read the
same revision get the same indices whatever the database's collation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np
import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

from pipeline.domain.errors import GeometryError
from pipeline.domain.floorplan import (
    BLE,
    NOWHERE,
    RFID,
    Asset,
    Building,
    Fence,
    Floor,
    Receivers,
    Room,
    Rule,
    Zone,
)
from pipeline.domain.geometry import Floats, check_polygon
from pipeline.registry.errors import RegistryError

Connection: TypeAlias = psycopg.Connection[Any]
Groups: TypeAlias = dict[UUID, list[DictRow]]
MARGIN_M = 1.0
_KINDS = {"BLE": BLE, "RFID": RFID}


def read_buildings(conn: Connection, facilities: Sequence[str] | None = None) -> list[Building]:
    """The buildings of `facilities` ("organization/facility", or a facility's code; None: all).

    Every building of a facility knows all of its assets and worn tags: equipment walks. Raises
    RegistryError for a facility that is not there or a row that describes no place.
    """
    with _snapshot(conn) as cursor:
        places = _facilities(cursor, facilities)
        tables = {name: _group(cursor, query, places) for name, query in _QUERIES.items()}
    return [
        _building(place, row, tables) for place in places for row in tables["building"][place["id"]]
    ]


def read_revisions(conn: Connection, facilities: Sequence[str] | None = None) -> dict[str, int]:
    """organization/facility -> revision: `Building.version` of what a read would give now."""
    with _snapshot(conn) as cursor:
        return {row["key"]: row["revision"] for row in _facilities(cursor, facilities)}


@contextmanager
def _snapshot(conn: Connection) -> Iterator[psycopg.Cursor[DictRow]]:
    ours = conn.info.transaction_status == TransactionStatus.IDLE
    with conn.transaction(), conn.cursor(row_factory=dict_row) as cursor:
        if ours:  # inside somebody else's transaction its snapshot is what is wanted
            cursor.execute("set transaction isolation level repeatable read, read only")
        yield cursor


def _facilities(
    cursor: psycopg.Cursor[DictRow], wanted: Sequence[str] | None
) -> list[dict[str, Any]]:
    found = cursor.execute(_FACILITIES).fetchall()
    if wanted is None:
        return found
    names = set(wanted)
    missing = names - {row["key"] for row in found} - {row["code"] for row in found}
    if missing:
        raise RegistryError(f"there is no facility {', '.join(map(repr, sorted(missing)))}")
    return [row for row in found if row["key"] in names or row["code"] in names]


def _group(cursor: psycopg.Cursor[DictRow], query: str, places: Sequence[dict[str, Any]]) -> Groups:
    """Rows by their `parent`, each list sorted by `code`."""
    groups: Groups = defaultdict(list)
    cursor.execute(sql.SQL(query), ([place["id"] for place in places],))
    for row in sorted(cursor.fetchall(), key=lambda row: row["code"]):
        groups[row["parent"]].append(row)
    return groups


def _building(place: dict[str, Any], row: DictRow, tables: dict[str, Groups]) -> Building:
    key = f"{place['key']}/{row['code']}"
    floor_rows, room_rows = tables["floor"][row["id"]], tables["room"][row["id"]]
    floor_index = _index(floor_rows)
    room_index = _index(room_rows)
    zone_rows = [
        zone
        for zone in tables["zone"][row["id"]]
        if zone["floor_id"] in floor_index and zone["room_id"] in {None, *room_index}
    ]
    rooms = tuple(_room(key, room, floor_index) for room in room_rows)
    zones = tuple(_zone(key, zone, floor_index, room_index, rooms) for zone in zone_rows)
    heard = [r for r in tables["receiver"][row["id"]] if r["floor_id"] in floor_index]
    receivers = _receivers(heard, floor_index, room_index)
    gateways = tables["gateway"][row["id"]]
    assets = tables["asset"][place["id"]]
    tags = tables["tag"][place["id"]]
    asset_index = _index(assets)
    ids = {"organization": place["organization_id"], "facility": place["id"], "building": row["id"]}
    return Building(
        key=key,
        organization=place["organization"],
        facility=place["code"],
        code=row["code"],
        ids=ids | {f"gateway/{gateway['code']}": gateway["id"] for gateway in gateways},
        floors=tuple(_floor(floor) for floor in floor_rows),
        rooms=rooms,
        zones=zones,
        rules=_rules(tables["rule"][row["id"]], _index(zone_rows), assets),
        receivers=receivers,
        gateways=tuple(gateway["code"] for gateway in gateways),
        assets=tuple(Asset(a["id"], a["code"], a["name"], a["category"]) for a in assets),
        tags=tuple(tag["code"] for tag in tags),
        tag_asset=np.array([asset_index[tag["asset_id"]] for tag in tags], dtype=np.int64),
        version=place["revision"],
        bounds=_bounds(rooms, receivers),
    )


def _index(rows: Sequence[DictRow]) -> dict[UUID, int]:
    return {row["id"]: i for i, row in enumerate(rows)}


def _floor(row: DictRow) -> Floor:
    walls = [[*wall["start"], *wall["end"], wall["attenuation_db"]] for wall in row["walls"]]
    return Floor(
        row["id"],
        row["code"],
        row["level"],
        row["elevation_m"],
        row["height_m"],
        np.array(walls, dtype=np.float64).reshape(-1, 5),
    )


def _polygon(where: str, row: DictRow) -> Floats:
    try:
        return check_polygon(np.array(row["polygon"], dtype=np.float64))
    except (GeometryError, ValueError, TypeError) as error:
        raise RegistryError(f"{where}/{row['code']}: {error}") from error


def _room(where: str, row: DictRow, floors: dict[UUID, int]) -> Room:
    floor, polygon = floors[row["floor_id"]], _polygon(where, row)
    return Room(row["id"], row["code"], row["name"], row["kind"], floor, polygon, row["restricted"])


def _zone(
    where: str,
    row: DictRow,
    floors: dict[UUID, int],
    room_index: dict[UUID, int],
    rooms: tuple[Room, ...],
) -> Zone:
    room = NOWHERE if row["room_id"] is None else room_index[row["room_id"]]
    polygon = _polygon(where, row) if room == NOWHERE else rooms[room].polygon
    floor = floors[row["floor_id"]] if room == NOWHERE else rooms[room].floor
    fence = Fence(
        entry_dwell_s=row["entry_dwell_s"],
        exit_tolerance_m=row["exit_tolerance_m"],
        tolerance_timeout_s=row["tolerance_timeout_s"],
        exit_delay_s=row["exit_delay_s"],
        timeout_s=row["timeout_s"],
    )
    return Zone(row["id"], row["code"], row["name"], floor, polygon, fence, room)


def _rules(
    rows: Sequence[DictRow], zones: dict[UUID, int], assets: Sequence[DictRow]
) -> tuple[Rule, ...]:
    categories = [asset["category"] for asset in assets]
    rules = []
    for row in rows:
        wanted = set(row["categories"])
        applies = np.array([not wanted or one in wanted for one in categories], dtype=np.bool_)
        if row["zone_id"] in zones:
            zone = zones[row["zone_id"]]
            rules.append(Rule(row["id"], row["code"], row["type"], row["severity"], zone, applies))
    return tuple(rules)


def _receivers(
    rows: Sequence[DictRow], floors: dict[UUID, int], rooms: dict[UUID, int]
) -> Receivers:
    rows = sorted(rows, key=lambda row: (row["gateway"], row["code"]))

    def column(name: str) -> Floats:
        return np.array([row[name] for row in rows], dtype=np.float64)

    return Receivers(
        ids=tuple(row["id"] for row in rows),
        names=tuple((row["gateway"], row["code"]) for row in rows),
        position_m=np.stack([column("x_m"), column("y_m"), column("z_m")], axis=-1),
        floor=np.array([floors[row["floor_id"]] for row in rows], dtype=np.int64),
        room=np.array([rooms.get(row["room_id"], NOWHERE) for row in rows], dtype=np.int64),
        kind=np.array([_KINDS[row["kind"]] for row in rows], dtype=np.int64),
        p0_dbm=column("p0_dbm"),
        path_loss_exponent=column("path_loss_exponent"),
        sigma_db=column("sigma_db"),
        range_m=column("range_m"),
    )


def _bounds(rooms: Sequence[Room], receivers: Receivers) -> Floats:
    corners = np.concatenate([*(room.polygon for room in rooms), receivers.position_m[:, :2]])
    if len(corners) == 0:
        corners = np.zeros((1, 2))
    return np.stack([corners.min(axis=0) - MARGIN_M, corners.max(axis=0) + MARGIN_M])


_FACILITIES = """
select
    facility.id, facility.code, facility.organization_id, organization.code as organization,
    organization.code || '/' || facility.code as key, coalesce(counted.revision, 0) as revision
from registry.facility
join registry.organization on organization.id = facility.organization_id
left join registry.facility_revision as counted on counted.facility_id = facility.id
where facility.deleted_at is null and organization.deleted_at is null
order by organization.code collate "C", facility.code collate "C"
"""

# Each takes the ids of the facilities; `parent` is the building, or the facility where equipment
# belongs to it. What lies in something deleted is deleted with it.
_QUERIES = {
    "building": """
        select id, facility_id as parent, code from registry.building
        where facility_id = any(%s) and deleted_at is null""",
    "floor": """
        select floor.*, floor.building_id as parent from registry.floor
        join registry.building on building.id = floor.building_id
            and building.deleted_at is null and building.facility_id = any(%s)
        where floor.deleted_at is null""",
    "room": """
        select room.*, floor.building_id as parent from registry.room
        join registry.floor on floor.id = room.floor_id and floor.deleted_at is null
        join registry.building on building.id = floor.building_id
            and building.deleted_at is null and building.facility_id = any(%s)
        where room.deleted_at is null""",
    "zone": """
        select zone.*, zone.building_id as parent from registry.zone
        join registry.building on building.id = zone.building_id
            and building.deleted_at is null and building.facility_id = any(%s)
        where zone.deleted_at is null""",
    "rule": """
        select rule.*, zone.building_id as parent from registry.rule
        join registry.zone on zone.id = rule.zone_id and zone.deleted_at is null
        join registry.building on building.id = zone.building_id
            and building.deleted_at is null and building.facility_id = any(%s)
        where rule.deleted_at is null and rule.enabled""",
    "gateway": """
        select gateway.id, gateway.code, gateway.building_id as parent from registry.gateway
        join registry.building on building.id = gateway.building_id
            and building.deleted_at is null and building.facility_id = any(%s)
        where gateway.deleted_at is null and gateway.enabled""",
    "receiver": """
        select
            receiver.*, receiver.name as code, gateway.code as gateway,
            gateway.building_id as parent
        from registry.receiver
        join registry.gateway on gateway.id = receiver.gateway_id
            and gateway.deleted_at is null and gateway.enabled
        join registry.building on building.id = gateway.building_id
            and building.deleted_at is null and building.facility_id = any(%s)
        where receiver.deleted_at is null""",
    "asset": """
        select id, facility_id as parent, tag_number as code, name, category from registry.asset
        where facility_id = any(%s) and deleted_at is null""",
    "tag": """
        select tag.name as code, asset.id as asset_id, asset.facility_id as parent
        from registry.tag_assignment as worn
        join registry.tag on tag.id = worn.tag_id and tag.deleted_at is null
        join registry.asset on asset.id = worn.asset_id and asset.deleted_at is null
        where asset.facility_id = any(%s) and worn.during @> clock_timestamp()""",
}
