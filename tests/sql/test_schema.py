"""Constraints that keep history sound, and the shapes that other code relies on."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pipeline.database import connect
from pipeline.database.connect import Connection
from pipeline.database.files import read_files, sql_folder
from pipeline.registry.ids import make_id

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LOCATION = [
    ("x_m", "float4"), ("y_m", "float4"), ("z_m", "float4"), ("accuracy_m", "float4"),
    ("cov_xx", "float4"), ("cov_xy", "float4"), ("cov_yy", "float4"),
    ("room_confidence", "float4"), ("method", "int2"), ("reason", "int2"), ("receivers", "int2"),
    ("reads", "int4"), ("moving", "bool"),
]  # fmt: skip


def _columns(conn: Connection, table: str) -> list[tuple[str, str]]:
    return conn.execute(
        "select a.attname::text, t.typname::text from pg_attribute as a "
        "join pg_type as t on t.oid = a.atttypid "
        "where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum",
        (table,),
    ).fetchall()


def test_the_columns_of_the_history_are_a_contract(conn: Connection) -> None:
    """The sink builds binary COPY in numpy: order and fixed widths must not change."""
    assert _columns(conn, "telemetry.location_history") == [
        ("organization_id", "uuid"), ("asset_id", "uuid"), ("building_id", "uuid"),
        ("ts", "timestamptz"), ("floor_id", "uuid"), ("room_id", "uuid"), *LOCATION,
        ("revision", "int4"),
    ]  # fmt: skip
    assert _columns(conn, "tracking.asset_location_current") == [
        ("asset_id", "uuid"), ("organization_id", "uuid"), ("facility_id", "uuid"),
        ("building_id", "uuid"), ("ts", "timestamptz"), ("floor_id", "uuid"), ("room_id", "uuid"),
        *LOCATION, ("last_seen_at", "timestamptz"),
    ]  # fmt: skip


def test_time_series_are_four_hypertables_of_weeks(conn: Connection) -> None:
    assert conn.execute(
        "select hypertable_name, column_name, time_interval from timescaledb_information.dimensions"
        " where hypertable_schema = 'telemetry' order by 1"
    ).fetchall() == [
        (name, "ts", timedelta(days=7))
        for name in ("location_history", "prediction_score", "sensor_reading", "usage_log")
    ]
    assert conn.execute(
        "select count(*) from pg_trigger as t join pg_class as c on c.oid = t.tgrelid "
        "where c.relnamespace = 'telemetry'::regnamespace "
        "and not tgisinternal and tgname not like 'ts_%'"
    ).fetchone() == (0,)


def test_codes_of_methods_and_reasons(conn: Connection) -> None:
    methods = conn.execute("select code, name from telemetry.location_method order by 1").fetchall()
    assert [name for _, name in methods] == [
        "unknown", "solve", "held", "centroid", "portal", "scan", "gps",
    ]  # fmt: skip
    reasons = conn.execute("select code, name from telemetry.location_reason order by 1").fetchall()
    assert [name for _, name in reasons] == [
        "none", "first_sight", "still_explained", "moved", "portal_read", "few_receivers",
        "on_bound", "floor_changed", "room_changed",
    ]  # fmt: skip
    assert [code for code, _ in methods] == list(range(7))
    assert [code for code, _ in reasons] == list(range(9))


def _visit(conn: Connection, org: Any, room: str, start: int, end: int | None) -> None:
    conn.execute(
        "insert into tracking.room_visit (id, organization_id, facility_id, asset_id, room_id, "
        "entered_at, left_at, entry_reason, window_end) "
        "values (gen_random_uuid(), %s, %s, %s, %s, %s, %s, 'test', now())",
        (
            org.id, org.facility, org.asset("P-2"), org.room_of(room),
            NOON + timedelta(minutes=start),
            None if end is None else NOON + timedelta(minutes=end),
        ),
    )  # fmt: skip


def _check_now(conn: Connection) -> None:
    conn.execute("set constraints all immediate")


def test_visits_may_touch_but_not_overlap(conn: Connection, acme: Any) -> None:
    _visit(conn, acme, "lobby", 0, 5)
    _visit(conn, acme, "mri", 5, 5)
    _visit(conn, acme, "mri", 5, 9)
    _visit(conn, acme, "lobby", 9, None)
    _check_now(conn)


@pytest.mark.parametrize(("start", "end"), [(4, 6), (1, 2), (-1, 9), (8, None), (20, 21)])
def test_an_asset_is_in_one_room_at_a_time(
    conn: Connection, acme: Any, start: int, end: int | None
) -> None:
    _visit(conn, acme, "lobby", 0, 5)
    _visit(conn, acme, "lobby", 9, None)
    _visit(conn, acme, "mri", start, end)
    with pytest.raises(psycopg.errors.ExclusionViolation, match="room_visit_is_the_only_one"):
        _check_now(conn)


def test_an_asset_that_walks_over_may_still_be_inside_the_old_building(
    conn: Connection, acme: Any
) -> None:
    """Each building is followed for itself: the old one notices only after its timeout."""
    conn.execute(
        "insert into registry.room (id, organization_id, floor_id, code, name, polygon) "
        "select %s, organization_id, id, 'shed', 'Shed', '[]' from registry.floor where id = %s",
        (acme.room_of("shed"), make_id("floor", "acme", "north", "annex", "f0")),
    )
    _visit(conn, acme, "lobby", 0, None)
    _visit(conn, acme, "shed", 3, None)
    _check_now(conn)
    assert conn.execute(
        "select building.code from tracking.room_visit join registry.building "
        "on building.id = building_id where asset_id = %s order by entered_at",
        (acme.asset("P-2"),),
    ).fetchall() == [("main",), ("annex",)]


def test_a_transaction_may_open_before_it_closes(conn: Connection, acme: Any) -> None:
    _visit(conn, acme, "lobby", 0, None)
    _check_now(conn)
    conn.execute("set constraints all deferred")
    _visit(conn, acme, "mri", 3, None)
    conn.execute(
        "update tracking.room_visit set left_at = %s where asset_id = %s and entered_at = %s",
        (NOON + timedelta(minutes=3), acme.asset("P-2"), NOON),
    )
    _check_now(conn)


def test_a_visit_ends_after_it_began(conn: Connection, acme: Any) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="room_visit_ends_after_it_began"):
        _visit(conn, acme, "lobby", 5, 4)


def test_an_asset_may_be_in_two_zones_but_not_twice_in_one(conn: Connection, acme: Any) -> None:
    copy = (
        "insert into tracking.zone_visit select gen_random_uuid(), organization_id, facility_id, "
        "asset_id, (select id from registry.zone where code = %s), entered_at, left_at, initial, "
        "entry_reason, exit_reason, confidence, contenders, window_end from tracking.zone_visit "
        "where id = %s"
    )
    conn.execute(copy, ("exit", acme.event("zone")))
    _check_now(conn)
    with pytest.raises(psycopg.errors.ExclusionViolation, match="zone_visit_is_the_only_one"):
        conn.execute(copy, ("no-metal", acme.event("zone")))


def test_a_tag_is_worn_once_at_a_time(conn: Connection, acme: Any) -> None:
    with pytest.raises(psycopg.errors.ExclusionViolation, match="tag_is_worn_once"):
        conn.execute(
            "insert into registry.tag_assignment (organization_id, tag_id, asset_id, during) "
            "select organization_id, tag_id, %s, tstzrange(now(), null) "
            "from registry.tag_assignment where organization_id = %s limit 1",
            (acme.asset("V-1"), acme.id),
        )


@pytest.mark.parametrize(
    "change",
    [
        "update registry.receiver set path_loss_exponent = 1.1",
        "update registry.receiver set path_loss_exponent = 6.5",
        "update registry.receiver set kind = 'ble'",
        "update registry.asset set category = 'TOYS'",
        "update registry.zone set polygon = null, room_id = null",
        "update registry.rule set zone_id = null",
        "update registry.room set code = 'Upper Case'",
        "update tracking.usage_session set state = 'IDLE'",
        "update tracking.usage_session set method = 'guess'",
        "update tracking.alert set state = 'resolved'",
        "update tracking.alert set acknowledged_at = now()",
        "update tracking.alert set state = 'snoozed'",
        "insert into pipeline.dead_letter values "
        "('t', 'r', sha256('x'), 'd', convert_to(repeat('x', 65537), 'utf8'), 1, 1, now(), now())",
    ],
)
def test_values_outside_a_closed_set_are_refused(conn: Connection, change: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(change.encode())


def test_the_version_is_the_lock(conn: Connection, acme: Any) -> None:
    mine = "update registry.asset set name = %s where id = %s and version = %s"
    assert conn.execute(mine, ("first", acme.asset(), 1)).rowcount == 1
    assert conn.execute(mine, ("second", acme.asset(), 1)).rowcount == 0
    row = conn.execute(
        "select name, version, updated_at = now() from registry.asset where id = %s",
        (acme.asset(),),
    ).fetchone()
    assert row == ("first", 2, True)
    with pytest.raises(psycopg.errors.SerializationFailure, match="is at version 2, not 1"):
        conn.execute("update registry.asset set version = 1 where id = %s", (acme.asset(),))


def test_a_reading_of_one_week_opens_one_chunk(conn: Connection, become: Any, acme: Any) -> None:
    conn.execute(
        "insert into telemetry.location_history (organization_id, asset_id, building_id, ts, "
        "method, reason, receivers, reads, moving) "
        "select %s, %s, %s, timestamptz '2026-01-01' + n * interval '7 days', 1, 1, 1, 1, true "
        "from generate_series(0, 7) as n",
        (acme.id, acme.asset(), acme.building),
    )
    with become(conn, "biotrakr_analyst", acme.id):
        plan = conn.execute(
            "explain select * from reporting.location_history "
            "where ts >= '2026-03-02' and ts < '2026-03-03' and asset_id = %s",
            (acme.asset(),),
        ).fetchall()
    text = "\n".join(line for (line,) in plan)
    assert text.count("_hyper_") >= 1
    scans = {
        word for line in text.splitlines() for word in line.split() if word.startswith("_hyper")
    }
    assert len({name.split("_chunk")[0] for name in scans}) == 1, text


def test_every_index_says_why() -> None:
    """`create index` follows a comment, and so does a primary key that is not a surrogate."""
    for file in read_files(sql_folder(), "migration"):
        lines = file.text.splitlines()
        for number, line in enumerate(lines):
            if line.startswith(("create index", "create unique index")):
                above = lines[number - 1]
                excused = above.startswith(("create index", "    on "))  # one reason for two
                assert above.startswith("--") or excused, f"{file.path}:{number + 1}"


def test_a_backup_holds_every_organization(url: str, server: Any, acme: Any, globex: Any) -> None:
    """pg_dump as a member of biotrakr_backup: row security would otherwise stop it."""
    with connect(url) as admin:
        admin.execute("create role keeper login password 'keeper' in role biotrakr_backup")
    try:
        database = url.rpartition("/")[2]
        address = server.url_of(database, user="keeper", password="keeper")
        command = [server.program("pg_dump"), "--role=biotrakr_backup", "--data-only", address]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        for org in (acme, globex):
            assert str(org.event("alert")) in done.stdout
            assert done.stdout.count(str(org.asset())) >= 5, "positions lie in the chunks"
        refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
        with connect(address, role="biotrakr_backup") as conn, refused:
            conn.execute("update registry.asset set name = 'x'")
    finally:
        with connect(url) as admin:
            admin.execute("drop role keeper")
