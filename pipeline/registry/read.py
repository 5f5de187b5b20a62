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
from pipeline.registry.queries import FACILITIES, QUERIES

Connection: TypeAlias = psycopg.Connection[Any]
Groups: TypeAlias = dict[UUID, list[DictRow]]
MARGIN_M = 5.0
_KINDS = {"BLE": BLE, "RFID": RFID}


def read_buildings(conn: Connection, facilities: Sequence[str] | None = None) -> list[Building]:
    """The buildings of `facilities` ("organization/facility", or a facility's code; None: all).

    Every building of a facility knows all of its assets and worn tags: equipment walks. Raises
    RegistryError for a facility that is not there or a row that describes no place.
    """
    with _snapshot(conn) as cursor:
        places = _facilities(cursor, facilities)
        tables = {name: _group(cursor, query, places) for name, query in QUERIES.items()}
    return [
        building_of(place, row, tables)
        for place in places
        for row in tables["building"][place["id"]]
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
    found = cursor.execute(FACILITIES).fetchall()
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


def building_of(place: dict[str, Any], row: DictRow, tables: dict[str, Groups]) -> Building:
    """One building from its facility, its row, and the rows of each table by their parent."""
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


def _walls(row: DictRow) -> Floats:
    """(W, 5): x1, y1, x2, y2 in metres and the attenuation in dB."""
    walls = [[*w["start"], *w["end"], w["attenuation_db"]] for w in row["walls"] or ()]
    return np.array(walls, dtype=np.float64).reshape(-1, 5)


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
    """The rooms' extent: equipment is inside. Without rooms the receivers', with a margin."""
    if rooms:
        corners, margin_m = np.concatenate([room.polygon for room in rooms]), 0.0
    elif len(receivers):
        corners, margin_m = receivers.position_m[:, :2], MARGIN_M
    else:
        corners, margin_m = np.zeros((1, 2)), MARGIN_M
    return np.stack([corners.min(axis=0) - margin_m, corners.max(axis=0) + margin_m])
