"""What the tables say, without what may differ between two right runs, and its digest.

Left out: wall-clock times, counts of repeats (they follow how the input was cut into epochs),
boots and surrogate ids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import psycopg

TABLES = {
    "telemetry.location_history": "asset_id, ts, building_id",
    "tracking.asset_location_current": "asset_id",
    "tracking.room_visit": "id",
    "tracking.zone_visit": "id",
    "tracking.usage_session": "id",
    "tracking.alert": "id",
    "tracking.alert_event": "alert_id, revision",
}
QUERIES = {
    table: f"select t::text from {table} t order by {key}"  # noqa: S608 our own names
    for table, key in TABLES.items()
} | {
    "pipeline.window_commit": "select building_id, window_end, window_start, reads, positions "
    "from pipeline.window_commit order by 1, 2",
    "pipeline.outbox": "select key, topic, encode(payload, 'hex'), qos, retain "
    "from pipeline.outbox order by key",
}
"""Table -> its rows in an order that is part of the data."""
ROWS_A_FETCH = 10_000


def table_digests(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Table -> SHA-256 over its rows (hex), in one snapshot; memory does not grow with them."""
    digests = {}
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute("set local timezone to 'UTC'")
        for name, query in QUERIES.items():
            digest = hashlib.sha256()
            # Not a named cursor of psycopg: it would escape a connection's own cursor class.
            connection.execute(f"declare digested no scroll cursor for {query}".encode())
            while rows := connection.execute(_FETCH).fetchall():
                digest.update("\n".join(map(repr, rows)).encode() + b"\n")
            connection.execute("close digested")
            digests[name] = digest.hexdigest()
    return digests


_FETCH = f"fetch {ROWS_A_FETCH} from digested".encode()


def overall(digests: Mapping[str, str]) -> str:
    """One digest for all of them, in the order of their names."""
    lines = "".join(f"{name} {digests[name]}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()
