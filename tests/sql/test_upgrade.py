"""From the previous release with data in it: nothing is lost, nothing big is rewritten."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.database import MigrationFailed, connect, migrate, status
from pipeline.database.audit import verify
from pipeline.database.connect import Connection
from pipeline.database.doctor import examine
from pipeline.database.files import sql_folder
from pipeline.database.testing import DatabaseServer

RELEASED = 9  # the last migration of the previous release
VIEWS = (
    "alert_history", "current_location", "gateway_health", "inside_now", "location_daily",
    "location_history", "location_hourly", "open_alerts", "room_visits", "utilization_daily",
    "zone_visits",
)  # fmt: skip
FEATURES = 40


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """sql/ as far as the previous release had it (functions are today's: they come first)."""
    folder = Path(shutil.copytree(sql_folder(), tmp_path / "sql"))
    for kind, last in (("migrations", RELEASED), ("features", FEATURES)):
        for path in (folder / kind).glob("*.sql"):
            if int(path.name[:4]) > last:
                path.unlink()
    for path in (folder / "views").glob("*.sql"):
        if path.stem not in VIEWS:
            path.unlink()
    return folder


@pytest.fixture
def old(
    server: DatabaseServer, previous: Path, fill_as_released: Callable[[Connection], None]
) -> Iterator[str]:
    with server.empty() as url:
        migrate(url, folder=previous)
        with connect(url) as connection:
            fill_as_released(connection)
        yield url


def _tables(conn: Connection) -> list[str]:
    return [
        name
        for (name,) in conn.execute(
            "select c.oid::regclass::text from pg_class as c "
            "join pg_namespace as n on n.oid = c.relnamespace "
            "where c.relkind = 'r' and n.nspname in ('registry', 'tracking', 'telemetry', "
            "'pipeline') order by 1"
        )
    ]


def _columns(conn: Connection, table: str) -> list[str]:
    return [
        name
        for (name,) in conn.execute(
            "select attname::text from pg_attribute "
            "where attrelid = %s::regclass and attnum > 0 and not attisdropped",
            (table,),
        )
    ]


def _content(conn: Connection, columns: dict[str, list[str]]) -> dict[str, Any]:
    """A digest of every table in the columns that were there."""
    return {
        table: conn.execute(
            f"select md5(string_agg(row::text, ',' order by row::text)) from "
            f"(select {', '.join(names)} from {table}) as row".encode()
        ).fetchone()
        for table, names in columns.items()
    }


def _files(conn: Connection) -> dict[str, int]:
    """Where the rows of the tables that grow lie, chunks included."""
    return dict(
        conn.execute(
            "select c.oid::regclass::text, pg_relation_filenode(c.oid) from pg_class as c "
            "join pg_namespace as n on n.oid = c.relnamespace where c.relkind = 'r' "
            "and (n.nspname in ('tracking', 'telemetry', 'pipeline') or n.nspname = 'chunks' "
            # The Community edition's own jobs compress old chunks at any moment.
            "and current_setting('timescaledb.license') = 'apache')"
        ).fetchall()
    )


def test_an_upgrade_keeps_every_row(old: str, acme: Any, globex: Any) -> None:
    with connect(old) as conn:
        columns = {table: _columns(conn, table) for table in _tables(conn)}
        before, files = _content(conn, columns), _files(conn)
    assert sum(row != (None,) for row in before.values()) > 20, "most tables hold rows"

    applied = [one.path for one in migrate(old)]

    assert next(path for path in applied if path.startswith("migrations/"))[11:15] == "0010"
    assert status(old).is_current
    assert migrate(old) == []
    with connect(old) as conn:
        assert _content(conn, columns) == before
        after = _files(conn)
        assert {name: after[name] for name in files} == files, "a table that grows was rewritten"
        assert conn.execute(
            "select count(*), bool_or(complete), min(version), max(version) from registry.asset"
        ).fetchone() == (5, False, 1, 1)
    assert [one for one in examine(old) if one.verdict == "wrong"] == []


def test_an_upgraded_database_works_on(
    old: str, acme: Any, fill_as_released: Callable[[Connection], None], become: Any
) -> None:
    migrate(old)
    with connect(old) as conn:
        assert [(chain.rows, chain.problems) for chain in verify(conn)] == [(0, []), (0, [])]
        with conn.transaction():
            conn.execute("select set_config('app.org_id', %s, true)", (str(acme.id),))
            conn.execute("set local role biotrakr_app")
            conn.execute(
                "update registry.asset set name = 'Pump A' where id = %s and version = 1",
                (acme.asset(),),
            )
        chain = verify(conn, "acme")[0]
        assert (chain.rows, chain.problems) == (1, [])
        with become(conn, "biotrakr_analyst", acme.id):
            assert conn.execute(
                "select equipment_name, current_room_id from reporting.asset_full "
                "where asset_id = %s",
                (acme.asset(),),
            ).fetchone() == ("Pump A", acme.room)


def test_an_upgrade_can_be_interrupted(old: str, tmp_path: Path) -> None:
    """One transaction a file: after a failure the next run goes on where it stopped."""
    broken = Path(shutil.copytree(sql_folder(), tmp_path / "broken"))
    path = broken / "migrations/0015_maintenance.sql"
    path.write_text(path.read_text() + "\nselect 1 / 0;\n")
    with pytest.raises(MigrationFailed, match=r"0015_maintenance\.sql: division by zero"):
        migrate(old, folder=broken)
    found = {file.path: file.state for file in status(old).files}
    assert found["migrations/0014_custody.sql"] == "applied"
    assert found["migrations/0015_maintenance.sql"] == "pending"
    assert migrate(old)
    assert status(old).is_current
