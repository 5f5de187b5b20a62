"""The dataflow's role: everything the sink needs, and no more."""

from __future__ import annotations

import select
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pipeline.database import connect
from pipeline.database.connect import Connection
from pipeline.database.testing import DatabaseServer


@pytest.fixture
def ingest(server: DatabaseServer, url: str) -> Iterator[Connection]:
    """A real login that is a member of biotrakr_ingest, in a transaction that is rolled back."""
    with connect(url) as admin:
        admin.execute("create role dataflow login password 'dataflow' in role biotrakr_ingest")
        try:
            address = server.url_of(url.rpartition("/")[2], user="dataflow", password="dataflow")
            with connect(address) as conn, conn.transaction(force_rollback=True):
                yield conn
        finally:
            admin.execute("drop role dataflow")


# What conftest wrote as this role is not repeated: INSERT everywhere, binary COPY of positions.
ALLOWED = [
    "insert into tracking.room_visit as old select * from tracking.room_visit "
    "on conflict (id) do update set left_at = old.entered_at, exit_reason = 'moved'",
    "insert into tracking.zone_visit as old select * from tracking.zone_visit "
    "on conflict (id) do update set left_at = old.entered_at",
    "insert into tracking.asset_location_current as old select * from "
    "tracking.asset_location_current on conflict (asset_id) do update set ts = excluded.ts "
    "where excluded.ts > old.ts",
    "insert into tracking.usage_session as old select * from tracking.usage_session "
    "on conflict (id) do update set ended_at = old.started_at",
    "insert into tracking.alert as old select * from tracking.alert "
    "on conflict (id) do update set revision = old.revision + 1",
    "insert into tracking.alert_event select * from tracking.alert_event "
    "on conflict (alert_id, revision) do nothing",
    "insert into telemetry.location_history select * from telemetry.location_history "
    "on conflict (asset_id, ts, building_id) do update set x_m = excluded.x_m",
    "insert into pipeline.progress select * from pipeline.progress "
    "on conflict (building_id) do update set window_end = excluded.window_end",
    "insert into pipeline.window_commit select building_id, window_end, "
    "window_end - interval '1 s', 1, 1, 0, 0 from pipeline.progress",
    "insert into pipeline.dead_letter values ('t', 'r', sha256('x'), 'd', 'x', 1, 1, "
    "now(), now()) on conflict (topic, reason, sha256) do update set times = 2",
    "insert into pipeline.late_batch select gateway_id, boot, sequence, gateway_id, 1, 'x' "
    "from pipeline.gateway_progress",
    "insert into pipeline.outbox (key, topic, payload) values ('k', 't', 'p') "
    "on conflict (key) do nothing",
    "update pipeline.outbox set published_at = now(), attempts = attempts + 1",
    "delete from pipeline.outbox where published_at is not null",
    "update pipeline.gateway_status set state = 'offline'",
    "update pipeline.unknown_tag set reads = reads + 1",
    "select * from registry.facility_revision",
    "select name from telemetry.location_reason",
    "create temporary table staging (like tracking.room_visit) on commit drop",
]


@pytest.mark.parametrize("statement", ALLOWED)
def test_the_sink_can(ingest: Connection, statement: str) -> None:
    ingest.execute(statement.encode())


def test_it_sees_every_organization_without_naming_one(
    ingest: Connection, acme: Any, globex: Any
) -> None:
    for table in ("registry.asset", "tracking.alert", "telemetry.location_history"):
        rows = ingest.execute(f"select distinct organization_id from {table}".encode()).fetchall()
        assert {org for (org,) in rows} == {acme.id, globex.id}, table


REFUSED = [
    "delete from tracking.room_visit",
    "delete from telemetry.location_history",
    "delete from pipeline.progress",
    "update tracking.alert_event set reason = 'other'",
    "delete from tracking.alert_event",
    "insert into registry.tag select gen_random_uuid(), organization_id, 'ble:x' from registry.tag",
    "update registry.asset set name = 'x'",
    "truncate tracking.alert",
    "create table pipeline.own (id int)",
    "alter table tracking.alert disable row level security",
    "select drop_chunks('telemetry.location_history', now())",
    "select * from ops.migration",
    "select * from reporting.current_location",
    "insert into app.login_organization values ('dataflow', gen_random_uuid())",
    "select ops.try_feature('x', 'select 1')",
    "set role biotrakr_owner",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_the_sink_cannot(ingest: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ingest.execute(statement.encode())


def test_a_new_message_in_the_outbox_wakes_the_publisher(url: str) -> None:
    with connect(url) as publisher, connect(url, role="biotrakr_ingest") as sink:
        publisher.execute("listen biotrakr_outbox")
        with sink.transaction():
            sink.execute("insert into pipeline.outbox (key, topic, payload) values ('a', 't', 'p')")
            assert select.select([publisher.fileno()], [], [], 0.05)[0] == [], "not before commit"
        (notice,) = publisher.notifies(timeout=5, stop_after=1)
        assert notice.channel == "biotrakr_outbox"


def test_the_backlog_is_read_from_the_small_index(conn: Connection) -> None:
    conn.execute(
        "insert into pipeline.outbox (key, topic, payload, published_at) "
        "select 'done' || n, 't', 'p', now() from generate_series(1, 5000) as n"
    )
    conn.execute("analyze pipeline.outbox")
    plan = conn.execute(
        "explain select * from pipeline.outbox where published_at is null order by id limit 100"
    ).fetchall()
    assert "outbox_unpublished" in plan[1][0]
