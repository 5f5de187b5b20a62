"""Writes a stretch of history that was computed again: one transaction, what is equal stays.

Positions pass through a temporary table while they are computed. Then, with the live sink held off
for the moment, rows that differ are replaced and carry the revision's number; visits and sessions
are joined to what follows (domain.splice); alerts that nobody was told of are recorded as late.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from pipeline.contracts.transport import Checkpoint
from pipeline.domain.events import ClosedWindow
from pipeline.domain.floorplan import Building
from pipeline.domain.splice import Stay, splice
from pipeline.sinks import location_rows
from pipeline.sinks import revision_statements as sql
from pipeline.sinks.binary_copy import HEADER, TRAILER
from pipeline.sinks.event_rows import Row, when
from pipeline.sinks.late_alerts import write_late_alerts
from pipeline.sinks.raw_rows import write_checkpoints
from pipeline.sinks.revision_rows import Stays, Stretch
from pipeline.sinks.stay_rows import Kind

REVISED = "revised"
COPY_EVERY = 200
"""Windows gathered for one COPY."""


@dataclass(frozen=True)
class Outcome:
    """What a revision changed; the columns of pipeline.revision."""

    batches: int
    reads: int
    windows: int
    positions_removed: int
    positions_written: int
    room_visits_changed: int
    zone_visits_changed: int
    sessions_changed: int
    late_alerts: int


def gather(
    connection: psycopg.Connection, records: Iterable[ClosedWindow | Checkpoint], stretch: Stretch
) -> None:
    """Positions into a temporary table of this connection, everything else into `stretch`."""
    connection.execute(sql.DROP_STAGE)
    connection.execute(sql.STAGE)
    windows: list[ClosedWindow] = []
    for record in records:
        stretch.add(record)
        if isinstance(record, ClosedWindow) and len(record.result.positions):
            windows.append(record)
        if len(windows) >= COPY_EVERY:
            _copy(connection, windows)
            windows = []
    _copy(connection, windows)


def write(
    connection: psycopg.Connection,
    building: Building,
    stretch: Stretch,
    *,
    from_us: int,
    until_us: int,
    cause: str,
    batches: int,
) -> tuple[int, Outcome]:
    """Replace what the tables say about [from_us, until_us); returns the revision's number.

    `gather` must have filled `stretch` and the temporary table on the same connection.
    """
    span = {
        "building": building.ids["building"],
        "organization": building.ids["organization"],
        "from": when(from_us),
        "until": when(until_us),
    }
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(sql.HOLD_OFF)
        cursor.execute(sql.BEGIN, span | {"cause": cause})
        (revision,) = cursor.fetchone() or (0,)
        span["revision"] = revision
        removed, written = _positions(cursor, span)
        changed = [
            _stays(cursor, stays, span, until_us)
            for stays in (stretch.rooms, stretch.zones, stretch.sessions)
        ]
        late = write_late_alerts(cursor, stretch, span, until_us)
        cursor.executemany(sql.WINDOW, [(*row, revision) for row in stretch.windows])
        write_checkpoints(cursor, stretch.checkpoints)
        cursor.execute(sql.SETTLE, span)
        rooms, zones, sessions = changed
        outcome = Outcome(
            batches, stretch.reads, len(stretch.windows),
            removed, written, rooms, zones, sessions, late,
        )  # fmt: skip
        cursor.execute(sql.END, span | asdict(outcome))
    return revision, outcome


def _copy(connection: psycopg.Connection, windows: Iterable[ClosedWindow]) -> None:
    statement = f"copy revised ({location_rows.NAMES}) from stdin (format binary)"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(HEADER)
        for closed in windows:
            for data in location_rows.history(closed):
                copy.write(data)
        copy.write(TRAILER)


def _positions(cursor: psycopg.Cursor, span: dict[str, Any]) -> tuple[int, int]:
    removed = cursor.execute(sql.REMOVE_POSITIONS, span).rowcount
    written = cursor.execute(sql.WRITE_POSITIONS, span).rowcount
    cursor.execute(sql.CURRENT)
    return removed, written


def _stays(cursor: psycopg.Cursor, stays: Stays, span: dict[str, Any], until_us: int) -> int:
    """Returns how many rows were added, changed or taken away."""
    kind, table = stays.kind, sql.TABLES[stays.kind.table]
    assets = list({stay.track[0] for stay in stays.stays.values()})
    cursor.execute(table.old.encode(), span | {"said": list(stays.stays), "assets": assets})
    old = {row[0]: kind.stay(row) for row in cursor}
    kept, gone = splice(old.values(), stays.beside(old), until_us)
    if gone:
        cursor.execute(table.delete.encode(), (list(gone),))
    changed = [stay for stay in kept.values() if old.get(stay.id) != stay]
    for stay in changed:
        said = stay.said or stay.id
        row = stays.rows.get(said)
        change = _change(kind, stay, row, span, begun=said in stays.begun)
        if stay.id in old:
            cursor.execute(table.update.encode(), change)
        elif row is not None:
            values = _changed(kind, row, change)
            cursor.execute(table.insert.encode(), (*values, span["revision"]))
    return len(changed) + len(gone)


def _change(
    kind: Kind, stay: Stay, row: Row | None, span: dict[str, Any], *, begun: bool
) -> dict[str, Any]:
    """How the stay begins and ends and, if the stretch has decided that, why."""
    known = row is not None and not begun
    end = None if stay.end_us is None else when(stay.end_us)
    reason = decided = None
    if stay.revised:
        reason, decided = REVISED, span["until"]
    elif row is not None and end is not None and row[kind.end] == end:
        reason, decided = row[kind.reason], kind.decided and row[kind.decided]
    return {
        "id": stay.id,
        "start": when(stay.start_us),
        "end": end,
        "reason": reason,
        "decided": decided,
        "revision": span["revision"],
        "known": known,
    } | {
        f"entry{i}": row[column] if row is not None and known else None
        for i, column in enumerate(kind.entry)
    }  # fmt: skip


def _changed(kind: Kind, row: Row, change: dict[str, Any]) -> Row:
    values = list(row)
    values[0] = change["id"]
    values[kind.start], values[kind.end] = change["start"], change["end"]
    values[kind.reason] = change["reason"]
    if kind.decided is not None:
        values[kind.decided] = change["decided"] or row[kind.decided]
    return tuple(values)
