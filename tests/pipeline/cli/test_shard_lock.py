"""One process a shard, shards of one division only; on a real PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from pipeline.cli.errors import CliError
from pipeline.cli.shard_lock import ShardLock
from pipeline.database.connect import connect


@pytest.fixture
def lock(database_url: str) -> Iterator[Callable[..., ShardLock]]:
    """lock(name, scheme): not taken yet."""
    made = []

    def make(
        name: str, scheme: str | None, lost: Callable[[str], None] = lambda _: None
    ) -> ShardLock:
        made.append(
            ShardLock(lambda who: connect(database_url, application_name=who), name, scheme, lost)
        )
        return made[-1]

    yield make
    for one in made:
        one.release()


def test_the_same_shard_twice_is_refused(lock: Callable[..., ShardLock]) -> None:
    lock("shard-0-of-3", "of-3").acquire()
    with pytest.raises(CliError, match="shard-0-of-3 is already running"):
        lock("shard-0-of-3", "of-3").acquire(0.3)


def test_shards_of_one_division_run_together(lock: Callable[..., ShardLock]) -> None:
    for index in range(3):
        lock(f"shard-{index}-of-3", "of-3").acquire(0)
    lock("paging", None).acquire(0)  # hand-picked facilities are the operator's affair


@pytest.mark.parametrize(
    ("running", "name", "scheme"),
    [
        ("shard-0-of-3", "shard-3-of-4", "of-4"),
        ("shard-0-of-3", "shard-1-of-3-log-8", "of-3-log-8"),
        ("shard-0-of-3", "shard-0-of-13", "of-13"),
        ("shard-0-of-3", "all", "all"),
        ("all", "shard-0-of-3", "of-3"),
    ],
)
def test_another_division_is_refused(
    lock: Callable[..., ShardLock], running: str, name: str, scheme: str
) -> None:
    lock(running, running.partition("-")[2].partition("-")[2] or "all").acquire()
    with pytest.raises(CliError, match=f"{name} cannot run beside {running}"):
        lock(name, scheme).acquire(0.3)


def test_it_is_free_again(lock: Callable[..., ShardLock]) -> None:
    first = lock("shard-0-of-3", "of-3")
    first.acquire()
    first.release()
    lock("shard-0-of-4", "of-4").acquire()


def test_a_killed_process_holds_nothing(lock: Callable[..., ShardLock], database_url: str) -> None:
    program = (
        "import sys, time\n"
        "from pipeline.cli.shard_lock import ShardLock\n"
        "from pipeline.database.connect import connect\n"
        "ShardLock(lambda who: connect(sys.argv[1], application_name=who),"
        " 'shard-0-of-3', 'of-3', print).acquire()\n"
        "print('taken', flush=True)\n"
        "time.sleep(60)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, database_url], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "taken\n"
    with pytest.raises(CliError):
        lock("shard-0-of-3", "of-3").acquire(0.3)
    os.kill(holder.pid, signal.SIGKILL)
    lock("shard-0-of-3", "of-3").acquire(5.0)
    holder.wait()
    holder.stdout.close()


def _end_all_sessions(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name like 'biotrakr %' and datname = current_database()"
        )


def test_it_is_taken_again_after_the_database_was_away(
    lock: Callable[..., ShardLock], database_url: str
) -> None:
    lost = threading.Event()
    lock("shard-0-of-3", "of-3", lambda _: lost.set()).acquire()
    _end_all_sessions(database_url)
    time.sleep(5.0)  # noticed, and taken again
    with pytest.raises(CliError):
        lock("shard-0-of-3", "of-3").acquire(0.3)
    assert not lost.is_set()


def test_the_loser_is_told(
    lock: Callable[..., ShardLock], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.cli.shard_lock.WAIT_S", 0.5)
    told: list[str] = []
    lock("shard-0-of-3", "of-3", told.append).acquire()
    _end_all_sessions(database_url)
    lock("shard-0-of-3", "of-3").acquire(2.0)
    deadline = time.monotonic() + 10
    while not told and time.monotonic() < deadline:
        time.sleep(0.1)
    assert told and "already running" in told[0]
