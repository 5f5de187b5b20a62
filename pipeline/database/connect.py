"""psycopg connections with the project's habits.

Autocommit, with explicit `with connection.transaction():` blocks: nothing stays open by accident.
Every connection says who it is and gives up on a dead peer.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from pipeline.database.errors import ConnectionFailed

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

# Keep-alive: a peer that vanished is noticed after about 25 s, also while waiting for an answer.
_KEEP_ALIVE = {
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}


def connect(
    url: str,
    *,
    application_name: str = "biotrakr",
    role: str | None = None,
    connect_timeout_s: int = 10,
    statement_timeout_s: float | None = None,
    lock_timeout_s: float | None = None,
    idle_in_transaction_timeout_s: float | None = None,
) -> Connection:
    """Open an autocommit connection; what the address itself says wins over these defaults.

    `role` is taken with SET ROLE. Raises ConnectionFailed, whose text never holds the password.
    """
    where, given = _describe(url)
    settings: dict[str, Any] = {
        **_KEEP_ALIVE,
        "application_name": application_name,
        "connect_timeout": connect_timeout_s,
    }
    settings = {name: value for name, value in settings.items() if name not in given}
    try:
        connection = psycopg.connect(url, autocommit=True, **settings)
    except psycopg.Error as error:
        raise ConnectionFailed(where, _scrub(str(error), given)) from None
    timeouts = {
        "statement_timeout": statement_timeout_s,
        "lock_timeout": lock_timeout_s,
        "idle_in_transaction_session_timeout": idle_in_transaction_timeout_s,
    }
    try:
        for name, seconds in timeouts.items():
            if seconds is not None:
                milliseconds = str(round(seconds * 1000))
                connection.execute("select set_config(%s, %s, false)", (name, milliseconds))
        if role is not None:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    except psycopg.Error as error:
        connection.close()
        raise ConnectionFailed(where, _scrub(str(error), given)) from None
    return connection


def safe_name(url: str) -> str:
    """The address as user@host:port/database, without the password."""
    return _describe(url)[0]


def _describe(url: str) -> tuple[str, dict[str, Any]]:
    if url.partition("?")[0].count("@") > 1:
        # libpq would take a piece of the password for the host and print it.
        raise ConnectionFailed("the database", "write @ in the user or password as %40")
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        # The parser's message quotes the address, password and all.
        raise ConnectionFailed(
            "the database",
            "the address cannot be read; it has the form postgresql://user:password@host:port/name",
        ) from None
    host = f"{given.get('host', 'localhost')}:{given.get('port', 5432)}"
    user = f"{given['user']}@" if "user" in given else ""
    return f"{user}{host}/{given.get('dbname', '')}", given


def _scrub(text: str, given: dict[str, Any]) -> str:
    password = str(given.get("password") or "")
    clean = " ".join(text.split())
    return clean.replace(password, "***") if password else clean
