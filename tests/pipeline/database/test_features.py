"""What the edition of TimescaleDB offers: asked at every run, told, never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from pipeline.database import connect, migrate, status
from pipeline.database.connect import Connection
from pipeline.database.testing import DatabaseServer

COMMUNITY_ONLY = [
    "columnstore", "columnstore_telemetry", "continuous_aggregate_daily",
    "continuous_aggregate_hourly", "continuous_aggregate_sensor_daily",
    "continuous_aggregate_sensor_hourly", "continuous_aggregate_usage_daily",
    "continuous_aggregate_usage_hourly",
]  # fmt: skip
SUMMARIES = [
    "location_daily", "location_hourly", "sensor_daily", "sensor_hourly", "usage_daily",
    "usage_hourly",
]  # fmt: skip


@pytest.fixture(scope="module")
def url(server: DatabaseServer) -> Iterator[str]:
    with server.copy() as url:
        yield url


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    with connect(url) as connection:
        yield connection


def test_the_capability_table_says_what_the_apache_edition_lacks(url: str, apache: None) -> None:
    found = status(url)
    assert found.server is not None
    assert found.server.edition == "apache"
    assert [(c.name, c.available) for c in found.capabilities] == [
        (name, False) for name in COMMUNITY_ONLY
    ]
    for capability in found.capabilities:
        assert capability.detail == (
            "needs the Community edition of TimescaleDB; this is the Apache edition"
        )


def test_every_run_asks_again_and_says_why(url: str, apache: None) -> None:
    before = {c.name: c.checked_at for c in status(url).capabilities}
    lines: list[str] = []
    assert migrate(url, lines.append) == []
    for name in COMMUNITY_ONLY:
        assert any(line.startswith(f"feature {name} is skipped: needs") for line in lines)
    assert all(c.checked_at > before[c.name] for c in status(url).capabilities)


def test_plain_views_stand_in_for_the_aggregates(connection: Connection, apache: None) -> None:
    rows = connection.execute(
        "select relname, relkind from pg_class "
        "where relnamespace = 'telemetry'::regnamespace and relname like '%ly' order by 1"
    ).fetchall()
    assert rows == [(name, "v") for name in SUMMARIES]


def test_a_feature_that_works_is_recorded_as_available(connection: Connection) -> None:
    with connection.transaction(force_rollback=True):
        assert connection.execute(
            "select ops.try_feature('a_table', 'create table app.tried (id int)')"
        ).fetchone() == (True,)
        assert connection.execute(
            "select available, detail from ops.capability where name = 'a_table'"
        ).fetchone() == (True, "in place")
        connection.execute("select from app.tried")


def test_a_real_licence_error_is_caught_and_leaves_nothing(
    connection: Connection, apache: None
) -> None:
    statements = """
        create table app.half (id int);
        select public.add_retention_policy('telemetry.location_history', interval '1 year');
    """
    with connection.transaction(force_rollback=True):
        assert connection.execute(
            "select ops.try_feature('retention', %s)", (statements,)
        ).fetchone() == (False,)
        row = connection.execute(
            "select available, detail, to_regclass('app.half') from ops.capability "
            "where name = 'retention'"
        ).fetchone()
        assert row is not None
        assert row[0] is False
        assert '"apache" license' in row[1]
        assert row[2] is None


def test_any_other_error_is_heard(connection: Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("select ops.try_feature('typo', 'select * from app.tpyo')")


def test_the_job_that_always_fails_on_apache_is_off(connection: Connection, apache: None) -> None:
    assert connection.execute(
        "select scheduled from _timescaledb_config.bgw_job where id = 3"
    ).fetchone() == (False,)


def test_nobody_can_log_in_as_the_owner(connection: Connection, apache: None) -> None:
    assert connection.execute(
        "select rolcanlogin from pg_roles where rolname = 'biotrakr_owner'"
    ).fetchone() == (False,)


def test_community_has_every_feature(url: str, community: None) -> None:
    assert [(c.name, c.available, c.detail) for c in status(url).capabilities] == [
        (name, True, "in place") for name in COMMUNITY_ONLY
    ]


def test_community_owner_has_no_password(connection: Connection, community: None) -> None:
    assert connection.execute(
        "select rolcanlogin, rolpassword from pg_authid where rolname = 'biotrakr_owner'"
    ).fetchone() == (True, None)


def test_community_compresses_and_aggregates_what_tenants_read(url: str, community: None) -> None:
    """Old positions are compressed and summed by the policies' own jobs; views show the same."""
    org, asset, building = (uuid4() for _ in range(3))
    with connect(url) as connection:
        connection.execute(
            "insert into registry.organization (id, code, name) values (%s, 'old', 'Old')", (org,)
        )
        connection.execute(
            "insert into telemetry.location_history (organization_id, asset_id, building_id, ts, "
            "accuracy_m, method, reason, receivers, reads, moving) "
            "select %s, %s, %s, timestamptz '2026-01-01' + n * interval '1 minute', 2, 1, 1, 1, 3, "
            "false from generate_series(0, 119) as n",
            (org, asset, building),
        )
        connection.execute("select set_config('app.org_id', %s, false)", (str(org),))
        read = (
            "select count(*), min(ts), sum(reads) from reporting.location_history "
            "where ts >= '2026-01-01' and ts < '2026-01-02'"
        )
        hours = "select positions, reads, mean_accuracy_m from reporting.location_hourly"
        days = "select positions, reads, mean_accuracy_m from reporting.location_daily"
        before = [connection.execute(query).fetchall() for query in (read, hours, days)]
        jobs = connection.execute(
            "select job_id from timescaledb_information.jobs where hypertable_name is not null "
            "order by job_id"
        ).fetchall()
        for job in jobs:
            connection.execute("call public.run_job(%s)", job)
        connection.execute(
            "call refresh_continuous_aggregate('telemetry.location_hourly', null, null)"
        )
        connection.execute(
            "call refresh_continuous_aggregate('telemetry.location_daily', null, null)"
        )
        assert connection.execute(
            "select count(*) filter (where is_compressed) from timescaledb_information.chunks "
            "where hypertable_name = 'location_history'"
        ).fetchone() == (1,)
        connection.execute("set role biotrakr_analyst")
        after = [connection.execute(query).fetchall() for query in (read, hours, days)]
        assert after == before
        assert after[1] == [(60, 180, 2.0), (60, 180, 2.0)]
        assert after[2] == [(120, 360, 2.0)]


def test_community_plain_views_become_aggregates(url: str, community: None) -> None:
    """A database that began on the Apache edition: the next migrate puts the features in place."""
    with connect(url) as connection:
        for name in ("daily", "hourly"):
            connection.execute(f"drop materialized view telemetry.location_{name} cascade".encode())
        connection.execute("set role biotrakr_owner")
        for name in ("hourly", "daily"):
            # As the Apache edition has it, with a reader on it.
            connection.execute(
                f"create view telemetry.location_{name} as select now() as ts".encode()
            )
            connection.execute(
                f"create view reporting.location_{name} as "
                f"select * from telemetry.location_{name}".encode()
            )
    assert [one.path for one in migrate(url)] == [
        "views/location_daily.sql",
        "views/location_hourly.sql",
    ]
    with connect(url) as connection:
        assert connection.execute(
            "select view_name from timescaledb_information.continuous_aggregates order by 1"
        ).fetchall() == [(name,) for name in SUMMARIES]
