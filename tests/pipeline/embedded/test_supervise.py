"""No server outlives its parent, and no folder is left for long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.embedded import Broker, start_broker

GONE_WITHIN_S = 2.0

PARENT = """
import json, os, sys, time
from pathlib import Path
from pipeline.embedded import start_broker, start_database
keep = Path(sys.argv[1]) if sys.argv[1:] else None
database = start_database(keep and keep / "database")
broker = start_broker(keep and keep / "broker")
servers = [database, broker]
watchdogs = [int(Path(f"/proc/{s.pid}/stat").read_text().rpartition(")")[2].split()[1])
             for s in servers]
print(json.dumps({
    "servers": [s.pid for s in servers],
    "watchdogs": watchdogs,
    "folders": [str(s.directory) for s in servers],
}), flush=True)
time.sleep(600)
"""


class Parent:
    """A process that has started both servers, and what it said about them."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PARENT, *arguments], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.said: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.servers: list[int] = self.said["servers"]
        self.everybody = {*self.servers, *self.said["watchdogs"]}
        for server in self.servers:
            self.everybody |= _children(server)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def parent() -> Iterator[Parent]:
    started = Parent()
    yield started
    started.kill()


def _children(parent: int) -> set[int]:
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text().split()}


def _alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if _state(pid) not in ("gone", "Z")}


def _state(pid: int) -> str:
    """The kernel's letter for what a process does; Z has ended, and init will collect it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "gone"


def _wait_until_gone(pids: set[int], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while _alive(pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(pids)


def test_a_killed_parent_takes_everything_along(parent: Parent) -> None:
    assert len(parent.everybody) > 6  # both servers, both watchdogs, PostgreSQL's own processes
    parent.kill()
    _wait_until_gone(parent.everybody, GONE_WITHIN_S)
    assert not [folder for folder in parent.said["folders"] if Path(folder).exists()]


def test_a_server_that_ignores_its_signals_goes_too(parent: Parent) -> None:
    for server in parent.servers:
        os.kill(server, signal.SIGSTOP)
    parent.kill()
    _wait_until_gone(parent.everybody, GONE_WITHIN_S)


def test_killed_watchdogs_take_the_servers_along(parent: Parent) -> None:
    parent.process.send_signal(signal.SIGSTOP)
    for watchdog in parent.said["watchdogs"]:
        os.kill(watchdog, signal.SIGKILL)
    parent.kill()
    _wait_until_gone(parent.everybody, GONE_WITHIN_S)
    # nobody was left to remove the folders: the next start does
    stale = [Path(folder) for folder in parent.said["folders"]]
    assert all(folder.exists() for folder in stale)
    start_broker().close()
    assert not any(folder.exists() for folder in stale)


def test_a_given_folder_stays_and_can_be_used_again(folder: Path) -> None:
    parent = Parent(str(folder))
    parent.kill()
    with start_broker(folder / "broker") as broker:  # at once: it waits for the old watchdog
        assert broker.running
    _wait_until_gone(parent.everybody, GONE_WITHIN_S)
    assert (folder / "database/data/PG_VERSION").exists()


def test_a_folder_in_use_is_not_swept(broker: Broker) -> None:
    start_broker().close()
    assert broker.directory.exists()


def test_ctrl_c_stops_in_order(folder: Path) -> None:
    command = [sys.executable, "-m", "pipeline.embedded", "run", "--directory", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("database  postgresql://")
    process.send_signal(signal.SIGINT)
    with process:
        assert process.stderr is not None
        assert "mosquitto_sub" in process.stdout.read()
        assert process.stderr.read().endswith("stopping\n")
    assert process.returncode == 0
    assert "database system is shut down" in (folder / "postgresql/server.log").read_text()


def test_a_server_outlives_the_thread_that_started_it() -> None:
    started: list[Broker] = []
    thread = threading.Thread(target=lambda: started.append(start_broker()))
    thread.start()
    thread.join()
    with started[0] as broker:
        time.sleep(0.5)
        assert broker.running
