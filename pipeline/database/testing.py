"""Databases for test suites: one server a run, one migrated template, cheap copies of it.

    @pytest.fixture(scope="session")
    def server(pytestconfig):
        return shared_server(pytestconfig)

    @pytest.fixture(scope="module")
    def database_url(server):
        with server.copy() as url:
            yield url

The server is the embedded one (Apache edition), or the one that BIOTRAKR_TEST_DATABASE_URL names: a
superuser's address of a server that may be littered with databases and roles.
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from pipeline.database.connect import connect
from pipeline.database.migrate import migrate
from pipeline.database.server import Server, require_server
from pipeline.embedded import start_database

VARIABLE = "BIOTRAKR_TEST_DATABASE_URL"
_shared: dict[int, DatabaseServer] = {}


class DatabaseServer:
    """A running server and its databases. `programs`: where `pg_dump` lies, None: on the PATH."""

    def __init__(self, url: str, programs: Path | None = None) -> None:
        self.url = url
        self._programs = programs
        self._run = secrets.token_hex(3)
        self._numbers = itertools.count(1)

    def url_of(self, database: str, *, user: str | None = None, password: str = "") -> str:
        """The address of `database`, as the superuser or as another login."""
        parts = urlsplit(self.url)
        netloc = parts.netloc
        if user is not None:
            netloc = f"{quote(user)}:{quote(password)}@{netloc.rpartition('@')[2]}"
        return parts._replace(netloc=netloc, path=f"/{database}").geturl()

    def program(self, name: str) -> str:
        """The path of one of PostgreSQL's programs."""
        return str(self._programs / name) if self._programs else shutil.which(name) or name

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The superuser's address of a new database without anything."""
        with self._database("") as url:
            yield url

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The superuser's address of a new database with the whole schema, in about 0.1 s."""
        with self._database(f"template {self._template}") as url:
            yield url

    @cached_property
    def edition(self) -> Server:
        """What the server is."""
        with self.empty() as url, connect(url) as connection:
            return require_server(connection)

    def close(self) -> None:
        """Drop the template."""
        if "_template" in self.__dict__:
            self._execute(f"alter database {self._template} is_template false")
            self._execute(f"drop database {self._template} with (force)")

    @contextmanager
    def _database(self, how: str) -> Iterator[str]:
        name = f"test_{self._run}_{next(self._numbers)}"
        self._execute(f"create database {name} {how}")
        try:
            yield self.url_of(name)
        finally:
            self._execute(f"drop database {name} with (force)")

    @cached_property
    def _template(self) -> str:
        name = f"test_{self._run}_template"
        self._execute(f"create database {name}")
        migrate(self.url_of(name))
        with connect(self.url_of(name)) as connection:
            # Its scheduler is a session, and a template must have none.
            connection.execute("select _timescaledb_functions.stop_background_workers()")
        self._execute(f"alter database {name} with allow_connections false is_template true")
        return name

    def _execute(self, statement: str) -> None:
        with connect(self.url) as connection:
            connection.execute(statement.encode())


def shared_server(config: Any) -> DatabaseServer:
    """The server of this test run (`config` is pytest's); stopped when the run ends."""
    key = id(config)
    if key not in _shared:
        if url := os.environ.get(VARIABLE):
            _shared[key] = DatabaseServer(url)
        else:
            database = start_database()
            config.add_cleanup(database.close)
            programs = database.installation.postgres_program("psql").parent
            _shared[key] = DatabaseServer(database.url, programs)
        config.add_cleanup(_shared[key].close)
    return _shared[key]
