"""What the server is: its versions and TimescaleDB's edition."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from pipeline.database.connect import Connection
from pipeline.database.errors import UnsupportedServer

MINIMUM_POSTGRES = 16
MINIMUM_TIMESCALEDB = (2, 19, 3)
_PRELOAD = (
    "add it to shared_preload_libraries in postgresql.conf and restart the server, "
    "or use the embedded database or docker compose"
)


@dataclass(frozen=True)
class Server:
    """`edition` is "apache" or "timescale" (the Community edition)."""

    postgres: str
    timescaledb: str
    edition: str

    @property
    def is_community(self) -> bool:
        return self.edition == "timescale"

    def __str__(self) -> str:
        edition = "Community" if self.is_community else self.edition.capitalize()
        return f"PostgreSQL {self.postgres}, TimescaleDB {self.timescaledb} ({edition} edition)"


def require_server(connection: Connection) -> Server:
    """Create the extension where it is missing. Raises UnsupportedServer."""
    postgres = connection.info.server_version
    if postgres < MINIMUM_POSTGRES * 10_000:
        found = f"{postgres // 10_000}.{postgres % 10_000}"
        raise UnsupportedServer(
            f"PostgreSQL {found} is too old: {MINIMUM_POSTGRES} or later is needed"
        )
    _create_extension(connection)
    server = read_server(connection)
    if server is None:
        raise UnsupportedServer("the extension timescaledb is not in this database")
    if _numbers(server.timescaledb) < MINIMUM_TIMESCALEDB:
        needed = ".".join(map(str, MINIMUM_TIMESCALEDB))
        raise UnsupportedServer(
            f"TimescaleDB {server.timescaledb} is too old: {needed} or later is needed "
            "(after installing it: ALTER EXTENSION timescaledb UPDATE)"
        )
    return server


def read_server(connection: Connection) -> Server | None:
    """None when the database has no TimescaleDB."""
    row = connection.execute(
        "select current_setting('server_version'), extversion, "
        "coalesce(current_setting('timescaledb.license', true), 'unknown') "
        "from pg_extension where extname = 'timescaledb'"
    ).fetchone()
    return None if row is None else Server(row[0].split()[0], row[1], row[2])


def _create_extension(connection: Connection) -> None:
    try:
        connection.execute("set client_min_messages = warning")  # it greets with a banner
        connection.execute("create extension if not exists timescaledb")
        connection.execute("reset client_min_messages")
    except psycopg.errors.InsufficientPrivilege:
        raise UnsupportedServer(
            "the extension timescaledb is not in this database and this user may not create it: "
            "let a superuser run CREATE EXTENSION timescaledb"
        ) from None
    except psycopg.errors.UniqueViolation:
        pass  # another runner created it at the same moment
    except psycopg.Error as error:
        problem = error.diag.message_primary or str(error)
        if "preload" in problem or connection.broken:
            problem = f"timescaledb is installed but not loaded: {_PRELOAD}"
        raise UnsupportedServer(f"TimescaleDB cannot be used here: {problem}") from None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())
