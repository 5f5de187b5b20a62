"""Scratch schemas: copies of everything the dataflow writes, and nothing else is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from pipeline.database.connect import Connection, connect
from pipeline.database.testing import DatabaseServer, shared_server
from pipeline.sinks import scratch
from pipeline.sinks import statements as sql
from pipeline.sinks.errors import ScratchError
from pipeline.sinks.row_counts import counting_cursor

NAME = "replay_test"

_SHAPE = """
select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text,
    pg_get_expr(d.adbin, d.adrelid)
from pg_attribute a left join pg_attrdef d on (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
_CONSTRAINTS = """
select pg_get_constraintdef(oid) from pg_constraint
where conrelid = %s::regclass and contype not in ('f', 'n') order by 1
"""


@pytest.fixture(scope="module")
def server(pytestconfig: pytest.Config) -> DatabaseServer:
    return shared_server(pytestconfig)


@pytest.fixture(scope="module")
def url(server: DatabaseServer) -> Iterator[str]:
    with server.copy() as url:
        yield url


@pytest.fixture
def made(url: str) -> Iterator[Connection]:
    with connect(url) as connection:
        scratch.create(connection, NAME, {"run": "abc"})
        yield connection
        scratch.drop(connection, NAME)


def test_names() -> None:
    assert scratch.check_name("replay_2026_01") == "replay_2026_01"
    for bad in ("tracking", "replay_", "replay_A", "replay_a-b", 'replay_a"b', "replay_" + "a" * 35,
                "xreplay_a", "replay_a;drop", "replay_a\n"):  # fmt: skip
        with pytest.raises(ScratchError):
            scratch.check_name(bad)


def test_redirect_moves_tables_and_leaves_the_registry() -> None:
    for name in ("CURRENT", "LATE_BATCH", "ROOM_VISIT", "STAGE", "OUTBOX", "READ_PROGRESS"):
        statement = getattr(sql, name)
        moved = scratch.redirect(statement, NAME)
        assert NAME + "." in moved
        assert not any(f"{schema}." in moved for schema in ("telemetry", "tracking", "pipeline"))
        assert moved.count("registry.") == statement.count("registry.")


def test_copies_are_like_their_models(made: Connection) -> None:
    tables = made.execute(scratch._TABLES, (scratch.WRITER,)).fetchall()
    assert {"location_history", "room_visit", "outbox", "progress", "window_commit"} <= {
        table for _, table in tables
    }
    for schema, table in tables:
        for query in (_SHAPE, _CONSTRAINTS):
            model = made.execute(query, (f"{schema}.{table}",)).fetchall()
            copy = made.execute(query, (f"{NAME}.{table}",)).fetchall()
            assert model == copy, table
    hyper = made.execute(
        "select hypertable_name from timescaledb_information.hypertables"
        " where hypertable_schema = %s order by 1", (NAME,)
    ).fetchall()  # fmt: skip
    assert ("location_history",) in hyper
    assert scratch.label(made, NAME) == {"run": "abc"}
    assert scratch.label(made, "replay_other") is None


def test_nothing_wakes_the_publisher_and_the_registry_is_not_tied(made: Connection) -> None:
    triggers = made.execute(
        "select tgname from pg_trigger t join pg_class c on c.oid = tgrelid"
        " where relnamespace = %s::regnamespace and not tgisinternal", (NAME,)
    ).fetchall()  # fmt: skip
    names = {name for (name,) in triggers}
    assert "fill_building" in names
    assert "notify" not in names
    keys = made.execute(
        "select count(*) from pg_constraint where connamespace = %s::regnamespace"
        " and contype = 'f'", (NAME,)
    ).fetchone()  # fmt: skip
    assert keys == (0,)


def test_the_writer_may_write_here_and_not_more(made: Connection, url: str) -> None:
    """Also when the sink counts what it writes, with a cursor class on top."""
    opened, rows = scratch.redirected(lambda: connect(url, role=scratch.WRITER), NAME), Counter()
    with opened() as writer:
        writer.cursor_factory = counting_cursor(writer.cursor_factory, rows)
        with writer.cursor() as cursor:
            cursor.executemany(sql.OUTBOX.encode(), [("k", "t", b"pipeline.outbox", False)])
            with cursor.copy(
                b"copy pipeline.progress (building_id, window_end) from stdin"
            ) as copy:
                copy.write_row((uuid4(), "2026-01-01T00:00:00Z"))
        assert writer.execute(sql.READ_PROGRESS).rowcount == 1
        found = writer.execute("select key, payload from pipeline.outbox").fetchall()
        assert found == [("k", b"pipeline.outbox")]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute("truncate pipeline.outbox")
    assert rows == {"pipeline.outbox": 1, "pipeline.progress": 1}
    for table in ("outbox", "progress"):
        assert made.execute(f"select count(*) from pipeline.{table}").fetchone() == (0,)
        assert made.execute(f"select count(*) from {NAME}.{table}").fetchone() == (1,)


@pytest.fixture
def pipeline_url(server: DatabaseServer, made: Connection) -> Iterator[str]:
    """The address of a login that may do what the dataflow may."""
    made.execute("create role replay_tester login password 'secret' in role biotrakr_ingest")
    yield server.url_of(made.info.dbname, user="replay_tester", password="secret")
    made.execute("drop role replay_tester")


def test_only_the_owner_makes_and_drops(made: Connection, pipeline_url: str) -> None:
    with connect(pipeline_url) as login:
        with pytest.raises(ScratchError, match="--owner-url"):
            scratch.create(login, "replay_mine", {})
        with pytest.raises(ScratchError, match="--owner-url"):
            scratch.drop(login, NAME)
    assert scratch.label(made, NAME) is not None
    assert scratch.label(made, "replay_mine") is None
    with pytest.raises(ScratchError):
        scratch.drop(made, "tracking")
