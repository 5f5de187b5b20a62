"""PostgreSQL with TimescaleDB: what survives, who it runs as, what it says when it cannot."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from pipeline.embedded import (
    Database,
    DirectoryInUseError,
    DirectoryNotOursError,
    DirectoryUnreachableError,
    NotRunningError,
    PortTakenError,
    StartFailedError,
    start_broker,
    start_database,
)
from pipeline.embedded.ports import free_port

Ask = Callable[..., list[tuple[object, ...]]]


def test_timescaledb_works(database: Database, ask: Ask) -> None:
    ask(database.url, "CREATE DATABASE hypertables")
    url = database.url_of("hypertables")
    ask(url, "CREATE EXTENSION timescaledb")
    (version,) = ask(url, "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")[0]
    assert tuple(map(int, str(version).split("."))) >= (2, 19, 3)
    ask(url, "CREATE TABLE reads (at timestamptz NOT NULL, rssi_dbm int)")
    ask(url, "SELECT create_hypertable('reads', by_range('at', INTERVAL '7 days'))")
    ask(url, "INSERT INTO reads SELECT '2026-01-01Z'::timestamptz + i * '1 day'::interval, -60"
             " FROM generate_series(0, 20) i")  # fmt: skip
    assert ask(url, "SELECT count(*) FROM show_chunks('reads')") == [(3,)]
    zone = "time_bucket('1 day', '2026-01-01 03:00Z'::timestamptz, 'America/New_York')"
    assert ask(url, f"SELECT {zone} AT TIME ZONE 'UTC' = '2025-12-31 05:00'") == [(True,)]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("jit", "off"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("timescaledb.telemetry_level", "off"),
        ("listen_addresses", "127.0.0.1"),
        ("max_connections", "60"),
        ("server_encoding", "UTF8"),
        ("timezone", "UTC"),
        ("data_checksums", "on"),
    ],
)
def test_settings(database: Database, ask: Ask, setting: str, expected: str) -> None:
    assert ask(database.url, f"SHOW {setting}") == [(expected,)]


def test_a_wrong_password_is_refused(database: Database, ask: Ask) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(database.url_of("postgres", password="guess"), "SELECT 1")


def test_the_socket_works_as_well(database: Database, ask: Ask) -> None:
    password = urlsplit(database.url).password
    socket = f"host={database.directory}/socket port={database.port}"
    assert ask(f"{socket} user=postgres dbname=postgres password={password}", "SELECT 1") == [(1,)]


def test_data_and_port_survive_a_kill(ask: Ask) -> None:
    with start_database() as database:
        url, pid = database.url, database.pid
        ask(url, "CREATE TABLE kept AS SELECT 1 AS n")
        database.kill()
        assert not database.running
        assert not Path(f"/proc/{pid}").exists()
        with pytest.raises(NotRunningError):
            _ = database.pid
        with pytest.raises(psycopg.OperationalError):
            ask(url, "SELECT 1")
        database.start()
        assert database.url == url
        assert ask(url, "SELECT n FROM kept") == [(1,)]
        database.restart()
        assert ask(url, "SELECT n FROM kept") == [(1,)]
        directory = database.directory
    assert not directory.exists()


def test_a_kill_takes_a_busy_backend_along(ask: Ask) -> None:
    spin = "DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$"

    def run(url: str) -> None:
        with contextlib.suppress(psycopg.OperationalError):
            ask(url, spin)

    with start_database() as database:
        busy = threading.Thread(target=run, args=[database.url])
        busy.start()
        active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %'"
        while ask(database.url, active) != [(1,)]:
            time.sleep(0.01)
        database.kill()
        database.start()  # would fail while the old backend still has the shared memory
        busy.join(10)
        assert not busy.is_alive()
        assert ask(database.url, "SELECT 1") == [(1,)]


def test_a_given_folder_keeps_its_data(folder: Path, ask: Ask) -> None:
    kept = folder / "kept"
    with start_database(kept) as database:
        url = database.url
        ask(url, "CREATE TABLE kept AS SELECT 1 AS n")
    with start_database(kept) as database:
        assert database.url == url
        assert ask(url, "SELECT n FROM kept") == [(1,)]


def test_a_folder_serves_one_process_at_a_time(folder: Path) -> None:
    script = (
        "from pathlib import Path; from pipeline.embedded import start_database\n"
        f"start_database(Path({str(folder / 'one')!r}))"
    )
    with start_database(folder / "one"):
        second = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
        assert DirectoryInUseError.__name__ in second.stderr


def test_two_processes_start_at_once() -> None:
    script = (
        "from pipeline.embedded import start_database\n"
        "with start_database() as database: print(database.port)"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", script], text=True, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    ports = {process.communicate(timeout=60)[0].strip() for process in both}
    assert len(ports) == 2
    assert all(ports)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops its privileges")
def test_root_starts_it_as_somebody_else(database: Database) -> None:
    status = Path(f"/proc/{database.pid}/status").read_text()
    (uids,) = [line.split()[1:] for line in status.splitlines() if line.startswith("Uid:")]
    (groups,) = [line.split()[1:] for line in status.splitlines() if line.startswith("Groups:")]
    assert len(set(uids)) == 1
    assert int(uids[0]) != 0
    assert groups == []
    assert pwd.getpwuid(int(uids[0])).pw_uid == database.data_dir.stat().st_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers have another user")
def test_a_folder_behind_a_closed_one(folder: Path) -> None:
    folder.chmod(0o700)
    with pytest.raises(DirectoryUnreachableError, match="chmod") as caught:
        start_database(folder / "inner")
    assert caught.value.barrier == folder


def test_a_folder_with_something_else(folder: Path) -> None:
    (folder / "thesis.txt").write_text("precious")
    with pytest.raises(DirectoryNotOursError, match=r"thesis\.txt"):
        start_database(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["thesis.txt"]
    assert folder.stat().st_mode & 0o777 == 0o755


def test_a_folder_of_the_other_service(folder: Path) -> None:
    start_broker(folder / "one").close()
    with pytest.raises(DirectoryNotOursError, match="mosquitto"):
        start_database(folder / "one")


def test_the_servers_own_words_are_in_the_error(folder: Path) -> None:
    start_database(folder / "one").close()
    (folder / "one/data/PG_VERSION").write_text("9\n")
    with pytest.raises(StartFailedError, match="initialized by PostgreSQL version 9"):
        start_database(folder / "one")


def test_a_taken_port(folder: Path, ask: Ask) -> None:
    with start_database() as database, start_broker() as broker:
        database.stop()
        database.port = broker.port  # as if somebody had taken it in the meantime
        with pytest.raises(PortTakenError, match=str(broker.port)):
            database.start()
        database.port = free_port()
        database.start()
        assert ask(database.url, "SELECT 1") == [(1,)]


def test_a_port_taken_between_runs_is_changed(folder: Path, ask: Ask) -> None:
    with start_database(folder / "one") as database:
        port = database.port
    with start_broker() as broker:
        state = folder / "one/biotrakr.json"
        state.write_text(state.read_text().replace(str(port), str(broker.port)))
        with start_database(folder / "one") as database:
            assert database.port != broker.port
            assert ask(database.url, "SELECT 1") == [(1,)]


def test_a_start_that_was_cut_short_is_repeated(folder: Path, ask: Ask) -> None:
    start_database(folder / "one").close()
    (folder / "one/data").rename(folder / "one/data.draft")
    with start_database(folder / "one") as database:
        assert ask(database.url, "SELECT 1") == [(1,)]
