"""The runner, against a real server and copies of the real files."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipeline.database import (
    DriftError,
    MigrationError,
    MigrationFailed,
    SqlFileError,
    connect,
    migrate,
    status,
)
from pipeline.database.files import read_files

KINDS = ("function", "migration", "view")


def _paths(folder: Path) -> list[str]:
    return [file.path for kind in KINDS for file in read_files(folder, kind)]


def _value(url: str, query: str) -> object:
    with connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def _write(folder: Path, path: str, text: str) -> None:
    (folder / path).write_text(text)


def test_from_zero_everything_is_applied_in_order(empty_url: str, folder: Path) -> None:
    lines: list[str] = []
    assert not status(empty_url).is_current

    applied = migrate(empty_url, lines.append)

    assert [one.path for one in applied] == _paths(folder)
    assert status(empty_url).is_current
    assert lines[0] == str(status(empty_url).server)
    assert any(line.startswith("migrations/0001_tenancy.sql: applied in") for line in lines)


def test_a_second_run_changes_nothing(empty_url: str) -> None:
    migrate(empty_url)
    before = _value(empty_url, "select max(applied_at) from ops.migration")

    assert migrate(empty_url) == []
    assert _value(empty_url, "select max(applied_at) from ops.migration") == before


def test_the_runner_leaves_no_lock_and_no_role_behind(empty_url: str) -> None:
    migrate(empty_url)
    locks = (
        "select count(*) from pg_locks join pg_database as d on d.oid = database "
        "where locktype = 'advisory' and datname = current_database()"
    )
    assert _value(empty_url, locks) == 0


def test_two_runners_at_once_apply_each_file_once(empty_url: str, folder: Path) -> None:
    results: list[list[str]] = []
    failures: list[BaseException] = []
    start = threading.Barrier(4)

    def run() -> None:
        try:
            start.wait()
            results.append([one.path for one in migrate(empty_url)])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sorted(path for paths in results for path in paths) == sorted(_paths(folder))


def test_a_runner_that_waits_says_so_and_gives_up(empty_url: str) -> None:
    migrate(empty_url)
    lines: list[str] = []
    with connect(empty_url) as other:
        other.execute("select pg_advisory_lock(x'62696f74'::int)")
        with pytest.raises(MigrationError, match="has been running for 0 s"):
            migrate(empty_url, lines.append, wait_s=0.2)
    assert "another migration is running; waiting for it" in lines
    assert migrate(empty_url) == []


def test_a_changed_migration_is_drift_and_stops_before_anything(
    empty_url: str, folder: Path
) -> None:
    migrate(empty_url, folder=folder)
    path = "migrations/0002_places.sql"
    _write(folder, path, (folder / path).read_text() + "\n-- harmless?\n")
    _write(folder, "migrations/9000_new.sql", "create table app.never (id int);")

    with pytest.raises(DriftError, match=r"0002_places\.sql: was changed after it was applied"):
        migrate(empty_url, folder=folder)

    assert _value(empty_url, "select to_regclass('app.never') is null") is True
    found = {file.path: file.state for file in status(empty_url, folder=folder).files}
    assert (found[path], found["migrations/9000_new.sql"]) == ("changed", "pending")


def test_a_database_of_a_newer_program_is_refused(empty_url: str, folder: Path) -> None:
    _write(folder, "migrations/9000_new.sql", "create table app.newer (id int);")
    migrate(empty_url, folder=folder)
    (folder / "migrations/9000_new.sql").unlink()

    with pytest.raises(DriftError, match=r"9000_new\.sql: has no file here"):
        migrate(empty_url, folder=folder)
    assert [file.state for file in status(empty_url, folder=folder).files][-1] == "no file"


def test_a_checkout_with_other_line_ends_is_no_drift(empty_url: str, folder: Path) -> None:
    migrate(empty_url, folder=folder)
    for path in folder.rglob("*.sql"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert migrate(empty_url, folder=folder) == []


def test_a_failing_file_is_rolled_back_whole_and_named_with_its_line(
    empty_url: str, folder: Path
) -> None:
    migrate(empty_url, folder=folder)
    _write(
        folder,
        "migrations/9000_bad.sql",
        "create table app.half (id int);\ninsert into app.half values (1);\n\nselect nonsense;\n",
    )
    _write(folder, "migrations/9001_after.sql", "create table app.after (id int);")

    with pytest.raises(MigrationFailed) as caught:
        migrate(empty_url, folder=folder)

    assert str(caught.value).startswith('migrations/9000_bad.sql:4: column "nonsense"')
    assert caught.value.sqlstate == "42703"
    assert _value(empty_url, "select to_regclass('app.half') is null") is True
    assert _value(empty_url, "select to_regclass('app.after') is null") is True
    assert _value(empty_url, "select count(*) from ops.migration where path like '%9000%'") == 0

    _write(folder, "migrations/9000_bad.sql", "create table app.half (id int);")
    assert [one.path for one in migrate(empty_url, folder=folder)] == [
        "migrations/9000_bad.sql",
        "migrations/9001_after.sql",
    ]


def test_the_server_parses_bodies_with_dollars_and_semicolons(empty_url: str, folder: Path) -> None:
    body = "create function app.odd() returns text language sql as $x$ select ';--$$' $x$;"
    _write(folder, "migrations/9000_odd.sql", body)
    migrate(empty_url, folder=folder)
    assert _value(empty_url, "select app.odd()") == ";--$$"


def test_functions_and_views_are_applied_again_when_they_change(
    empty_url: str, folder: Path
) -> None:
    migrate(empty_url, folder=folder)
    for path in ("functions/app.facility_clock.sql", "views/open_alerts.sql"):
        _write(folder, path, (folder / path).read_text() + "-- newer\n")
    assert [one.path for one in migrate(empty_url, folder=folder)] == [
        "functions/app.facility_clock.sql",
        "views/open_alerts.sql",
    ]


def test_a_view_that_is_gone_comes_back(empty_url: str) -> None:
    migrate(empty_url)
    with connect(empty_url) as connection:
        connection.execute("drop view reporting.open_alerts")
    assert not status(empty_url).is_current
    assert [one.path for one in migrate(empty_url)] == ["views/open_alerts.sql"]


def test_objects_belong_to_the_owner_unless_a_file_asks_for_the_session(
    empty_url: str, folder: Path
) -> None:
    _write(folder, "migrations/9000_owner.sql", "create table app.a (id int);")
    _write(folder, "migrations/9001_session.sql", "-- role: session\ncreate table app.b (id int);")
    migrate(empty_url, folder=folder)
    owner = "select tableowner from pg_tables where schemaname = 'app' and tablename = "
    assert _value(empty_url, f"{owner} 'a'") == "biotrakr_owner"
    assert _value(empty_url, f"{owner} 'b'") == "postgres"


def test_everything_of_ours_belongs_to_the_owner(empty_url: str) -> None:
    migrate(empty_url)
    others = """
        select string_agg(c.oid::regclass::text, ', ') from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname in ('app', 'registry', 'tracking', 'telemetry', 'chunks', 'pipeline',
                            'reporting', 'ops')
            and pg_get_userbyid(c.relowner) <> 'biotrakr_owner'"""
    assert _value(empty_url, others) is None


def test_a_file_may_stand_outside_a_transaction(empty_url: str, folder: Path) -> None:
    text = "-- transaction: none\ncreate index concurrently later on registry.asset (name);"
    _write(folder, "migrations/9000_later.sql", text)
    migrate(empty_url, folder=folder)
    valid = "select indisvalid from pg_index where indexrelid = 'registry.later'::regclass"
    assert _value(empty_url, valid) is True
    assert _value(empty_url, "select tableowner from pg_tables where tablename = 'asset'") == (
        "biotrakr_owner"
    )


def test_what_needs_the_community_edition_is_left_out_and_offered_again(
    empty_url: str, folder: Path, apache: None
) -> None:
    text = "-- requires: timescaledb community\ncreate table app.community (id int);"
    _write(folder, "migrations/9000_community.sql", text)
    lines: list[str] = []
    applied = migrate(empty_url, lines.append, folder=folder)

    wanted = "migrations/9000_community.sql: left out, it needs the Community edition"
    assert any(line.startswith(wanted) for line in lines)
    assert "migrations/9000_community.sql" not in [one.path for one in applied]
    assert [f.path for f in status(empty_url, folder=folder).files if f.state == "left out"] == [
        "migrations/9000_community.sql"
    ]
    lines.clear()
    migrate(empty_url, lines.append, folder=folder)
    assert any(line.startswith(wanted) for line in lines)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("9000_x.sql", "-- requires: luck\nselect 1;", "requires: 'luck' is not"),
        ("9000_x.sql", "-- role: king\nselect 1;", "role: 'king' is not owner or session"),
        ("0008_again.sql", "select 1;", "has the same number"),
        ("latest.sql", "select 1;", "a migration is named NNNN_lower_case_words.sql"),
    ],
)
def test_files_that_make_no_sense_are_refused_before_anything(
    empty_url: str, folder: Path, name: str, text: str, problem: str
) -> None:
    migrate(empty_url, folder=folder)
    _write(folder, f"migrations/{name}", text)
    with pytest.raises(SqlFileError, match=problem):
        migrate(empty_url, folder=folder)


def test_a_runner_that_is_killed_leaves_no_lock(empty_url: str, folder: Path) -> None:
    migrate(empty_url, folder=folder)
    _write(
        folder, "migrations/9000_slow.sql", "create table app.slow (id int); select pg_sleep(60);"
    )
    code = (
        "import sys; from pathlib import Path; from pipeline.database import migrate;"
        "migrate(sys.argv[1], folder=Path(sys.argv[2]))"
    )
    victim = subprocess.Popen([sys.executable, "-c", code, empty_url, str(folder)])
    with connect(empty_url) as connection:
        sleeping = (
            "select pid from pg_stat_activity "
            "where wait_event = 'PgSleep' and datname = current_database()"
        )
        while not (found := connection.execute(sleeping).fetchone()):
            assert victim.poll() is None
        victim.kill()
        victim.wait()
        connection.execute("select pg_terminate_backend(%s, 5000)", found)
    _write(folder, "migrations/9000_slow.sql", "create table app.slow (id int);")
    assert [one.path for one in migrate(empty_url, folder=folder, wait_s=10)] == [
        "migrations/9000_slow.sql"
    ]
