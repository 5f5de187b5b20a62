"""Locks between processes: PostgreSQL's advisory locks, which end with their session.

However the holder ends, its lock is free at once; after about 20 s when its host vanished without a
word.
"""

from __future__ import annotations

from typing import Any

import psycopg

SHARDS = 0x42545348
OUTBOX = 0x4254484F
"""First numbers of our locks; the second tells locks of one kind apart."""

_KEEP_ALIVE = """
select set_config('tcp_keepalives_idle', '10', false),
       set_config('tcp_keepalives_interval', '5', false),
       set_config('tcp_keepalives_count', '2', false)
"""


def try_lock(connection: psycopg.Connection[Any], kind: int, key: int) -> bool:
    """Take the lock for as long as the session lives; False when another session has it."""
    connection.execute(_KEEP_ALIVE)
    row = connection.execute("select pg_try_advisory_lock(%s, %s)", (kind, key)).fetchone()
    return bool(row and row[0])
