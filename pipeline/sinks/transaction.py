"""One epoch in one transaction: rows, events, outbox and the high-water marks, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import psycopg

from pipeline.contracts.reads import to_us
from pipeline.contracts.transport import (
    Checkpoint,
    DeadLetter,
    GatewayMark,
    LateBatch,
    Measurements,
    RawBatch,
    StatusReport,
)
from pipeline.domain.events import ClosedWindow
from pipeline.sinks import event_rows, location_rows
from pipeline.sinks import statements as sql
from pipeline.sinks.binary_copy import HEADER, TRAILER
from pipeline.sinks.event_rows import Row, when
from pipeline.sinks.location_rows import LocationRows
from pipeline.sinks.raw_rows import write_checkpoints, write_raw
from pipeline.sinks.sensor_rows import write_measured
from pipeline.sinks.stay_rows import ROOMS, SESSIONS, ZONES, Kind, last_words

Record = (
    ClosedWindow | GatewayMark | LateBatch | RawBatch | Checkpoint | Measurements | DeadLetter
    | StatusReport
)  # fmt: skip
Fault = Callable[[str], None]
"""Called at named points; the chaos tests kill the process there."""


@dataclass
class Epoch:
    """What arrived since the last commit, in order of arrival."""

    windows: list[ClosedWindow] = field(default_factory=list)
    marks: dict[tuple[str, str, str, str], GatewayMark] = field(default_factory=dict)
    late: list[LateBatch] = field(default_factory=list)
    raw: list[RawBatch] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    measured: list[Measurements] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    statuses: dict[tuple[str, str, str], StatusReport] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        match record:
            case ClosedWindow():
                self.windows.append(record)
            case GatewayMark(organization=o, facility=f, gateway=g, boot=boot):
                self.marks[o, f, g, boot] = record
            case LateBatch():
                self.late.append(record)
            case RawBatch():
                self.raw.append(record)
            case Checkpoint():
                self.checkpoints.append(record)
            case Measurements():
                self.measured.append(record)
            case DeadLetter():
                self.dead.append(record)
            case StatusReport(organization=o, facility=f, gateway=g):
                self.statuses[o, f, g] = record

    def __bool__(self) -> bool:
        return any(vars(self).values())


def read_progress(connection: psycopg.Connection) -> dict[UUID, int]:
    """Building -> end of the last window that is written, microseconds since 1970."""
    rows = connection.execute(sql.READ_PROGRESS).fetchall()
    return {building: to_us(end) for building, end in rows}


def write_epoch(
    connection: psycopg.Connection, epoch: Epoch, progress: dict[UUID, int], fault: Fault
) -> dict[UUID, int]:
    """Write `epoch` in one transaction; returns the progress after it.

    Windows at or below `progress` were written before a crash and are skipped.
    """
    return Writing(connection, progress, fault).finish(epoch)


class Writing:
    """One transaction: begun, given windows as they come, and finished with the whole epoch.

    What is written before the end is what takes the database longest and what no other process
    waits for. The current places come at the end, in the order of their assets: a process of
    another shard may write the same ones.
    """

    def __init__(
        self, connection: psycopg.Connection, progress: dict[UUID, int], fault: Fault
    ) -> None:
        self._progress, self._fault = progress, fault
        self._rows: list[LocationRows] = []
        self._written = 0
        fault("before-transaction")
        self._open = ExitStack()
        self._open.enter_context(connection.transaction())
        self._cursor = self._open.enter_context(connection.cursor())
        self._cursor.execute(sql.SHARE_HISTORY)

    def write(self, windows: Sequence[ClosedWindow]) -> None:
        """Write the next windows of the epoch: their history, visits and sessions."""
        self._written += len(windows)
        fresh = [closed for closed in windows if self._is_fresh(closed)]
        if with_rows := [closed for closed in fresh if len(closed.result.positions)]:
            rows = LocationRows.of(with_rows)
            _copy(self._cursor, "telemetry.location_history", rows.history())
            self._rows.append(rows)
        for kind, statement in _STAYS:
            if rows_of_stays := last_words(kind, fresh):
                _stage_stays(self._cursor, kind, rows_of_stays.values())
                self._cursor.execute(statement.encode())

    def finish(self, epoch: Epoch) -> dict[UUID, int]:
        """Write what is left of the epoch and commit; returns the progress after it."""
        fresh = [closed for closed in epoch.windows if self._is_fresh(closed)]
        after = dict(self._progress)
        for closed in fresh:
            after[closed.building.ids["building"]] = closed.result.end_us
        with self._open:
            if fresh:
                self.write(epoch.windows[self._written :])
                if self._rows:
                    _write_current(self._cursor, LocationRows.joined(self._rows))
                _write_events(self._cursor, fresh)
                self._fault("inside-transaction")
                old = self._progress
                moved = ((b, when(end)) for b, end in after.items() if end != old.get(b))
                _many(self._cursor, sql.PROGRESS, moved)
            _write_rest(self._cursor, epoch)
        self._fault("after-transaction")
        return after

    def _is_fresh(self, closed: ClosedWindow) -> bool:
        return closed.result.end_us > self._progress.get(closed.building.ids["building"], -(2**62))


_STAYS = ((ROOMS, sql.ROOM_VISIT), (ZONES, sql.ZONE_VISIT), (SESSIONS, sql.SESSION))


def _write_current(cursor: psycopg.Cursor, rows: LocationRows) -> None:
    cursor.execute(sql.STAGE)
    _copy(cursor, "stage", rows.newest())
    cursor.execute(sql.MOVED)
    if cursor.rowcount < np.count_nonzero(rows.last):
        cursor.execute(sql.APPEARED)


def _write_events(cursor: psycopg.Cursor, windows: Sequence[ClosedWindow]) -> None:
    alerts = [parts for w in windows for parts in event_rows.alerts(w)]
    _many(cursor, sql.ALERT, (alert for alert, _, _ in alerts))
    _many(cursor, sql.ALERT_EVENT, (event for _, event, _ in alerts))
    _many(cursor, sql.OUTBOX, (row for _, _, outbox in alerts for row in outbox))
    _many(cursor, sql.UNKNOWN_TAG, (row for w in windows for row in _unknown(w)))
    _many(cursor, sql.WINDOW, map(_window, windows))


def _stage_stays(cursor: psycopg.Cursor, kind: Kind, rows: Iterable[Row]) -> None:
    """For short rows of many kinds of columns a third of the price of JSON at both ends."""
    columns = ", ".join(map(" ".join, zip(kind.columns, kind.types, strict=True)))
    cursor.execute(sql.SAID.format(table=kind.table, columns=columns).encode())
    cursor.execute(f"truncate said_{kind.table}".encode())  # of what came earlier in this epoch
    with cursor.copy(f"copy said_{kind.table} from stdin (format binary)".encode()) as copy:
        copy.set_types(kind.types)
        for row in rows:
            copy.write_row(row)


def _write_rest(cursor: psycopg.Cursor, epoch: Epoch) -> None:
    write_raw(cursor, epoch.raw)
    write_checkpoints(cursor, epoch.checkpoints)
    write_measured(cursor, epoch.measured)
    if epoch.marks:
        marks = [
            (m.organization, m.facility, m.gateway, m.boot, m.sequence, when(max(m.until_us, 0)))
            for m in epoch.marks.values()
        ]
        cursor.execute(sql.GATEWAY_PROGRESS, [list(column) for column in zip(*marks, strict=True)])
    _many(
        cursor,
        sql.GATEWAY_STATUS,
        (
            ("online" if s.online else "offline", when(s.at_us), s.payload.decode(),
             s.organization, s.facility, s.gateway)
            for s in epoch.statuses.values()
        ),
    )  # fmt: skip
    _many(
        cursor,
        sql.LATE_BATCH,
        (
            (
                b.boot,
                b.sequence,
                b.late_reads,
                when(b.first_us),
                when(b.last_us),
                b.payload,
                b.organization,
                b.facility,
                b.gateway,
            )
            for b in epoch.late
        ),
    )
    _many(
        cursor,
        sql.DEAD_LETTER,
        (
            (_text(d.topic), d.reason, d.sha256, _text(d.detail), d.payload, d.size,
             when(d.received_us), when(d.received_us))
            for d in epoch.dead
        ),
    )  # fmt: skip


def _window(closed: ClosedWindow) -> Row:
    result = closed.result
    return (
        closed.building.ids["building"],
        when(result.end_us),
        when(result.start_us),
        result.reads,
        len(result.positions),
        closed.late_reads,
        closed.duplicates,
    )


def _unknown(closed: ClosedWindow) -> Iterable[Row]:
    ids = closed.building.ids
    for tag in closed.unknown_tags:
        yield (
            ids["facility"],
            tag.tag,
            ids["organization"],
            ids["building"],
            when(tag.first_us),
            when(tag.last_us),
            tag.reads,
        )


def _copy(cursor: psycopg.Cursor, table: str, chunks: Iterable[bytes]) -> None:
    statement = f"copy {table} ({location_rows.NAMES}) from stdin (format binary)"
    with cursor.copy(statement.encode()) as copy:
        copy.write(HEADER)
        for chunk in chunks:
            copy.write(chunk)
        copy.write(TRAILER)


def _many(cursor: psycopg.Cursor, statement: str, rows: Iterable[Row]) -> None:
    listed = list(rows)
    if listed:
        cursor.executemany(statement.encode(), listed)


def _text(value: str) -> str:
    """PostgreSQL's text cannot hold a zero character."""
    return value.replace("\0", "\ufffd")
