"""One process a shard: a lock in the database, held as long as the process lives.

Two processes with one client id would throw each other off the broker for ever, and two that share
facilities would both write their rows. PostgreSQL's session locks end with the session, however the
process ends. Processes with hand-picked facilities are only kept from sharing a name.
"""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

import psycopg

from pipeline.cli.errors import CliError
from pipeline.database.locks import SHARDS, try_lock

log = logging.getLogger(__name__)
WAIT_S = 10.0
"""A process that was just killed may still hold its lock for a moment."""
CHECK_S = 2.0
_PREFIX = "biotrakr "

_HOLDERS = """
select distinct activity.application_name
from pg_locks as held join pg_stat_activity as activity on activity.pid = held.pid
where held.locktype = 'advisory' and held.granted and held.classid = %s
    and held.database = (select oid from pg_database where datname = current_database())
    and held.pid <> pg_backend_pid()
"""

Connect = Callable[[str], psycopg.Connection[Any]]
"""Opens a connection with the application name that it is given."""


class ShardLock:
    """Taken by `acquire`, kept by a thread that takes it again after a loss of the connection.

    `scheme`: only shards of the same scheme may run together; None: with anything. `lost` is called
    with the reason, in the thread, when another process took the lock while the database was away.
    """

    def __init__(
        self, connect: Connect, name: str, scheme: str | None, lost: Callable[[str], None]
    ) -> None:
        self._connect, self._name, self._scheme, self._lost = connect, name, scheme, lost
        self._connection: psycopg.Connection[Any] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="shard-lock", daemon=True)

    def acquire(self, wait_s: float = WAIT_S) -> None:
        """Raises CliError that names who holds it."""
        problem = self._take(wait_s)
        if problem is not None:
            raise CliError(problem)
        self._thread.start()

    def release(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        self._drop()

    def _take(self, wait_s: float) -> str | None:
        """None when it is ours, else why not after `wait_s`. Raises OperationalError."""
        deadline = time.monotonic() + wait_s
        while True:
            connection = self._connect(_PREFIX + self._name)
            try:
                problem = self._problem(connection)
            except psycopg.Error:
                connection.close()
                raise
            if problem is None:
                self._connection = connection
                return None
            connection.close()  # gives back what it has taken
            if time.monotonic() > deadline or self._stopping.wait(0.2):
                return problem

    def _problem(self, connection: psycopg.Connection[Any]) -> str | None:
        key = zlib.crc32(self._name.encode()) & 0x7FFFFFFF
        if not try_lock(connection, SHARDS, key):
            return f"{self._name} is already running on this database; stop that process first"
        holders = connection.execute(_HOLDERS, (SHARDS,)).fetchall()
        names = sorted(name.removeprefix(_PREFIX) for (name,) in holders)
        others = [name for name in names if self._scheme and _differs(name, self._scheme)]
        if others:
            return (
                f"{self._name} cannot run beside {', '.join(others)}: both would work for the same "
                "facilities. Stop all of them, carry their state over with `biotrakr shards "
                "rescale`, then start all with the same number of shards"
            )
        return None

    def _keep(self) -> None:
        while not self._stopping.wait(CHECK_S):
            try:
                if self._connection is None:
                    problem = self._take(WAIT_S)
                    if problem is not None and not self._stopping.is_set():
                        self._lost(problem)
                        return
                else:
                    self._connection.execute("select 1")
            except (psycopg.Error, OSError) as error:
                log.warning("the lock of %s is not held, trying again: %s", self._name, error)
                self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _differs(name: str, scheme: str) -> bool:
    """Whether `name` is of another scheme; hand-picked processes have none."""
    if name == "all":
        return scheme != "all"
    return name.startswith("shard-") and not name.endswith(f"-{scheme}")
