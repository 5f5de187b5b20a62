"""The rows of an epoch, made at once, are those of its windows; and the database agrees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from uuid import UUID

import numpy as np
import psycopg
import pytest
from sink_windows import ASSETS, closed, two_buildings

from pipeline.database import connect
from pipeline.database.testing import DatabaseServer, shared_server
from pipeline.domain.events import ClosedWindow, Positions
from pipeline.domain.floorplan import NOWHERE, Asset, Building
from pipeline.sinks import location_rows
from pipeline.sinks.location_rows import LocationRows
from pipeline.sinks.transaction import Epoch, write_epoch


@pytest.fixture(scope="module")
def server(pytestconfig: pytest.Config) -> DatabaseServer:
    return shared_server(pytestconfig)


@pytest.fixture
def sink(server: DatabaseServer) -> Iterator[tuple[psycopg.Connection, list[Building]]]:
    with two_buildings(server) as (url, buildings), connect(url) as connection:
        connection.execute("set role biotrakr_ingest")
        yield connection, buildings


def write(connection: psycopg.Connection, *windows: ClosedWindow) -> None:
    epoch = Epoch()
    for window in windows:
        epoch.add(window)
    write_epoch(connection, epoch, {}, lambda _: None)


def current(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        f"select {location_rows.NAMES}, last_seen_at from tracking.asset_location_current "
        "order by asset_id"
    ).fetchall()


def newest_of_history(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        f"select distinct on (asset_id) {location_rows.NAMES}, ts from telemetry.location_history "
        "order by asset_id, ts desc, building_id"
    ).fetchall()


def test_history_is_what_the_windows_say(sink):
    connection, (east, west) = sink
    windows = [closed(east, 1, [0, 3, 9]), closed(west, 1, [1, 3]), closed(east, 2, [3, 5, 9])]
    write(connection, *windows)
    found = connection.execute(
        "select asset_id, building_id, extract(epoch from ts)::bigint, x_m, floor_id, room_id "
        "from telemetry.location_history"
    ).fetchall()
    told = []
    for window in windows:
        b, p = window.building, window.result.positions
        for i in range(len(p)):
            floor, room = p.floor[i], p.room[i]
            told.append((
                b.assets[p.asset[i]].id, b.ids["building"], window.result.end_us // 10**6, 1.0,
                None if floor == NOWHERE else b.floors[floor].id,
                None if room == NOWHERE else b.rooms[room].id,
            ))  # fmt: skip
    assert sorted(found, key=str) == sorted(told, key=str)


def test_the_current_place_is_the_newest_row(sink):
    """Assets that appear, that move within an epoch and between, that walk over and come late."""
    connection, (east, west) = sink
    write(connection, closed(east, 10, [0, 1, 2]))
    write(connection, closed(east, 11, [1, 2, 3]), closed(east, 12, [2, 3], x_m=2.0))
    write(connection, closed(west, 13, [2, 4]), closed(east, 13, [0]), closed(west, 11, [3, 5]))
    write(connection, closed(west, 9, [0, 6]), closed(west, 14, [1]))
    assert current(connection) == newest_of_history(connection)
    assert len(current(connection)) == 7


def test_of_one_time_in_two_buildings_the_smaller_building_counts(sink):
    connection, buildings = sink
    small, large = sorted(buildings, key=lambda b: b.ids["building"])
    write(connection, closed(small, 1, [0, 1]), closed(large, 1, [1, 2]))
    write(connection, closed(large, 2, [0, 1]), closed(small, 2, [1, 2]))
    found = {row[1]: row[2] for row in current(connection)}
    assert found == {
        small.assets[0].id: large.ids["building"],
        small.assets[1].id: small.ids["building"],
        small.assets[2].id: small.ids["building"],
    }


def test_an_epoch_that_brings_nothing_new_changes_nothing(sink):
    connection, (east, _) = sink
    write(connection, closed(east, 5, [0, 1]))
    before = current(connection)
    write(connection, closed(east, 4, [0, 1], x_m=7.0))
    assert current(connection) == before


def test_rows_are_in_the_order_of_the_primary_key(sink):
    _, buildings = sink
    rng = np.random.default_rng(1)
    windows = [
        closed(b, second, sorted(rng.choice(ASSETS, 20, replace=False).tolist()))
        for second in (3, 1, 2)
        for b in buildings
    ]
    rows = LocationRows.of(windows)
    keys = list(zip(map(bytes, rows.values["asset_id"]), rows.values["ts"], strict=True))
    assert keys == sorted(keys)
    newest = [key for key, last in zip(keys, rows.last, strict=True) if last]
    assert newest == sorted(dict(keys).items())


def test_assets_whose_ids_begin_alike_are_not_mixed_up(sink):
    """Half of the 16 bytes are the same: the order must look at the others too."""
    _, (east, _) = sink
    ids = [UUID(int=(7 << 64) | low) for low in (3, 1, 2)]
    twin = replace(east, assets=tuple(Asset(i, "n", "", "") for i in ids))
    rows = LocationRows.of([closed(twin, second, [0, 1, 2]) for second in (1, 2)])
    assert [bytes(i) for i in rows.values["asset_id"]] == [i.bytes for i in sorted(ids * 2)]
    assert rows.last.tolist() == [False, True] * 3


def test_every_field_of_a_position_is_written(sink):
    connection, (east, _) = sink
    window = closed(east, 1, [4])
    p = window.result.positions
    different = {f.name: np.array([i + 1]) for i, f in enumerate(fields(Positions))}
    different |= {"asset": p.asset, "floor": np.array([0]), "room": np.array([0])}
    different |= {"moving": np.array([True])}
    write(
        connection, replace(window, result=replace(window.result, positions=Positions(**different)))
    )
    names = [name for name, _ in location_rows.COLUMNS[6:]]
    (row,) = current(connection)
    assert list(row[6:-1]) == [different[name][0] for name in names]
