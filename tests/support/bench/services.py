"""Real broker and database for the benchmarks; a fresh database with the registry for each run."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg
from bench import hospital

from pipeline.database.connect import connect
from pipeline.database.migrate import migrate
from pipeline.embedded import Broker, Database, start_broker, start_database
from pipeline.registry.load import load_site

INGEST_ROLE = "biotrakr_ingest"
FEEDER = "feeder"
"""The broker's user that may speak for every gateway."""


class Services:
    """Started when first asked for; a context manager."""

    def __init__(self) -> None:
        self._broker: Broker | None = None
        self._database: Database | None = None
        self._templates: dict[tuple[int, int], str] = {}
        self._numbers = itertools.count(1)

    @property
    def broker(self) -> Broker:
        if self._broker is None:
            self._broker = start_broker(acl=f"user {FEEDER}\ntopic readwrite #")
        return self._broker

    @property
    def database(self) -> Database:
        if self._database is None:
            self._database = start_database()
        return self._database

    def mqtt_url(self, user: str) -> str:
        name, password = self.broker.credentials(user)
        return f"mqtt://{name}:{password}@127.0.0.1:{self.broker.port}"

    def clear_broker(self) -> None:
        """Forget sessions and queues of the run before."""
        broker = self.broker
        broker.kill()
        broker.wipe()
        broker.start()

    @contextmanager
    def fresh(self, buildings: int, tags: int) -> Iterator[str]:
        """The address of a new database whose registry knows these buildings."""
        key = (buildings, tags)
        if key not in self._templates:
            self._templates[key] = self._template(*key)
        name = f"run_{next(self._numbers)}"
        self._execute(f"create database {name} template {self._templates[key]}")
        try:
            yield self._url(name)
        finally:
            self._execute(f"drop database {name} with (force)")

    def _template(self, buildings: int, tags: int) -> str:
        name = f"template_{buildings}_{tags}"
        self._execute(f"create database {name}")
        migrate(self._url(name))
        with connect(self._url(name)) as connection:
            for building in range(buildings):
                load_site(connection, hospital.site(building, tags))
            connection.execute("analyze")
            # TimescaleDB's scheduler is a session, and a template must have none.
            connection.execute("select _timescaledb_functions.stop_background_workers()")
        self._execute(f"alter database {name} with allow_connections false is_template true")
        return name

    def _url(self, database: str) -> str:
        return urlsplit(self.database.url)._replace(path=f"/{database}").geturl()

    def _execute(self, statement: str) -> None:
        with connect(self.database.url) as connection:
            connection.execute(statement.encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for service in (self._broker, self._database):
            if service is not None:
                service.close()


def open_as_pipeline(url: str) -> psycopg.Connection[Any]:
    return connect(url, application_name="biotrakr-pipeline", role=INGEST_ROLE)


TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, of its children and of those that have ended."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(map(int, stat[11:15])) / TICKS_A_SECOND
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(_cpu_or_nothing(int(child)) for child in children)


def _cpu_or_nothing(pid: int) -> float:
    try:
        return cpu_seconds(pid)
    except OSError:  # it ended in between and counts with its parent from now on
        return 0.0


def peak_memory_mib(pid: int) -> float:
    """VmHWM: the most memory that was ever resident."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} has ended")
