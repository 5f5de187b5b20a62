"""What is too old goes, by the dataflow's own role; what is not, stays."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest

from pipeline.database import connect
from pipeline.database.connect import Connection
from pipeline.database.testing import shared_server
from pipeline.jobs.retention import sweep


@pytest.fixture
def database(pytestconfig: pytest.Config) -> Iterator[Connection]:
    with shared_server(pytestconfig).copy() as url, connect(url) as connection:
        yield connection


def test_a_day_of_raw_batches_and_a_week_of_messages(database: Connection) -> None:
    database.execute(
        "insert into pipeline.raw_batch select t, gen_random_uuid(), 'b', 1, gen_random_uuid(), t,"
        " t, 1, 'x' from generate_series(now() - interval '50 hours', now(), interval '1 hour') t"
    )
    database.execute(
        "insert into pipeline.checkpoint select gen_random_uuid(), t, 'x' from"
        " generate_series(now() - interval '50 hours', now(), interval '1 hour') t"
    )
    database.execute(
        "insert into pipeline.outbox (key, topic, payload, published_at) values"
        " ('old', 't', 'x', now() - interval '8 days'), ('new', 't', 'x', now()),"
        " ('waits', 't', 'x', null)"
    )
    database.execute("set role biotrakr_ingest")
    sweep(database, 24.0)
    database.execute("reset role")
    oldest, batches = database.execute(
        "select extract(epoch from now() - min(at)) / 3600, count(*) from pipeline.raw_batch"
    ).fetchone() or (0, 0)
    assert 23 <= oldest <= 26  # whole chunks of an hour
    assert batches >= 24
    assert database.execute(
        "select count(*) from pipeline.checkpoint where at < now() - interval '24 hours'"
    ).fetchone() == (0,)
    assert database.execute("select key from pipeline.outbox order by 1").fetchall() == [
        ("new",), ("waits",)
    ]  # fmt: skip
    database.execute("set role biotrakr_ingest")
    sweep(database, 24.0)


@pytest.fixture
def positions(database: Connection) -> UUID:
    """An organization with positions and usage, one a week for 20 weeks and one 11 years old."""
    org = uuid4()
    database.execute(
        "insert into registry.organization (id, code, name) values (%s, 'o', 'O')", (org,)
    )
    for table, columns, values in (
        ("location_history", "building_id, method, reason, receivers, reads, moving",
         "gen_random_uuid(), 1, 1, 1, 1, true"),
        ("usage_log", "running", "true"),
    ):  # fmt: skip
        database.execute(
            f"insert into telemetry.{table} (organization_id, asset_id, ts, {columns}) "
            f"select %s, gen_random_uuid(), t, {values} from (select now() - n * interval "
            "'1 week' from generate_series(0, 19) as n union all select now() - interval "
            "'11 years') as old (t)".encode(),
            (org,),
        )
    return org


def _left(database: Connection, table: str) -> int:
    row = database.execute(f"select count(*) from telemetry.{table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_a_policy_drops_old_chunks_and_says_so(database: Connection, positions: UUID) -> None:
    database.execute("delete from ops.retention_policy where relation not like '%usage_log'")
    database.execute("set role biotrakr_ingest")
    sweep(database, 24.0)
    sweep(database, 24.0)
    database.execute("reset role")
    assert _left(database, "usage_log") == 20
    assert database.execute(
        "select last_outcome, chunks_dropped, last_run_at > now() - interval '1 minute' "
        "from ops.retention_policy where relation = 'telemetry.usage_log'"
    ).fetchone() == ("done", 1, True)
    assert database.execute(
        "select action, relation, after ->> 'chunks', role from audit.log "
        "where organization_id = %s and action <> 'INSERT'",
        (positions,),
    ).fetchall() == [("RETENTION", "telemetry.usage_log", "1", "biotrakr_ingest")]


def test_what_nothing_summarises_is_kept(database: Connection, positions: UUID) -> None:
    """On the Apache edition the hours are a view of the positions: dropping these drops those."""
    database.execute(
        "update ops.capability set available = false where name = 'continuous_aggregate_hourly'"
    )
    sweep(database, 24.0)
    assert _left(database, "location_history") == 21
    outcome = "select last_outcome from ops.retention_policy where relation = %s"
    assert database.execute(outcome, ("telemetry.location_history",)).fetchone() == (
        "kept: nothing summarises it here (continuous_aggregate_hourly)",
    )
    database.execute(
        "update ops.capability set available = true where name = 'continuous_aggregate_hourly'"
    )
    sweep(database, 24.0)
    assert 13 <= _left(database, "location_history") <= 14  # whole weeks


def test_nobody_can_drop_what_is_to_be_kept(database: Connection, positions: UUID) -> None:
    database.execute("set role biotrakr_ingest")
    database.execute("select pipeline.apply_retention(now() + interval '100 years')")
    database.execute("reset role")
    assert _left(database, "usage_log") == 20
    for role in ("biotrakr_app", "biotrakr_analyst"):
        database.execute(f"set role {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute("select pipeline.apply_retention()")


def test_one_policy_in_trouble_leaves_the_others_alone(
    database: Connection, positions: UUID
) -> None:
    database.execute(
        "insert into ops.retention_policy (relation, time_column, keep, reason) "
        "values ('registry.asset', 'created_at', '1 day', 'a mistake')"
    )
    sweep(database, 24.0)
    assert _left(database, "usage_log") == 20
    row = database.execute(
        "select last_outcome from ops.retention_policy where relation = 'registry.asset'"
    ).fetchone()
    assert row is not None
    assert row[0].startswith("failed: ")
