"""The durable output of the flow: exactly once into TimescaleDB.

`write_batch` buffers, and has large amounts written ahead (see ahead.py). `snapshot`, at the end
of an epoch, writes the rest in the same transaction together with the high-water mark per building,
so that after a crash the windows that are written already are skipped. A database that is away
blocks here, which holds the flow and, through the unacknowledged messages, the gateways back; the
whole transaction is done again after reconnecting. Delivery guarantee: exactly once for windows;
dead letters count at least once.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import psycopg
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from typing_extensions import override

from pipeline.contracts.transport import GatewayMark
from pipeline.domain.events import ClosedWindow
from pipeline.sinks.ahead import Ahead
from pipeline.sinks.observer import SILENT, SinkObserver
from pipeline.sinks.row_counts import counting_cursor
from pipeline.sinks.transaction import Epoch, Fault, Record, Writing, read_progress

log = logging.getLogger(__name__)
RETRY_FIRST_S, RETRY_MAX_S = 0.1, 5.0
ROWS_AHEAD = 2000
"""So many rows are worth a round of statements of their own."""
ROWS_OF_A_STAY = 10
"""A visit costs the database as much as so many positions."""


def no_fault(_: str) -> None:
    """The production fault point: nothing happens."""


class TimescaleSink(FixedPartitionedSink[Record, None]):
    """One partition, because one transaction an epoch carries everything.

    `connect` opens a connection with autocommit on. `on_committed` is given the gateway marks of a
    committed epoch; they may be acknowledged once the engine has stored the epoch as well.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection],
        on_committed: Callable[[Iterable[GatewayMark]], None],
        fault: Fault = no_fault,
        observer: SinkObserver = SILENT,
    ) -> None:
        self._connect, self._on_committed, self._fault = connect, on_committed, fault
        self._observer = observer

    @override
    def list_parts(self) -> list[str]:
        return ["database"]

    @override
    def part_fn(self, item_key: str) -> int:
        return 0

    @override
    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _Partition:
        return _Partition(self._connect, self._on_committed, self._fault, self._observer)


class _Partition(StatefulSinkPartition[Record, None]):
    def __init__(
        self,
        connect: Callable[[], psycopg.Connection],
        on_committed: Callable[[Iterable[GatewayMark]], None],
        fault: Fault,
        observer: SinkObserver,
    ) -> None:
        self._connect, self._on_committed, self._fault = connect, on_committed, fault
        self._observer = observer
        self._rows: Counter[str] = Counter()
        self._connection: psycopg.Connection | None = None
        self._progress: dict[UUID, int] = {}
        self._epoch = Epoch()
        self._ahead = Ahead(self._begin)
        self._given, self._waiting_rows = 0, 0

    @override
    def write_batch(self, values: list[Any]) -> None:
        for record in values:
            self._epoch.add(record)
            if isinstance(record, ClosedWindow):
                self._waiting_rows += _rows(record)
        if values:
            self._observer.buffered()
        if self._waiting_rows >= ROWS_AHEAD:
            self._ahead.give(self._epoch.windows[self._given :])
            self._given, self._waiting_rows = len(self._epoch.windows), 0

    @override
    def snapshot(self) -> None:
        if self._epoch:
            self._commit()
            self._on_committed(self._epoch.marks.values())
            self._epoch = Epoch()
            self._given, self._waiting_rows = 0, 0

    @override
    def close(self) -> None:
        self._ahead.close()
        if self._connection is not None:
            self._connection.close()

    def _commit(self) -> None:
        wait_s, conflicted = RETRY_FIRST_S, False
        writing, broken = self._ahead.settle()
        if broken:
            self._drop()
        while True:
            try:
                if writing is None:
                    writing = self._begin()
                before = self._progress
                self._progress = writing.finish(self._epoch)
                self._observer.committed(self._epoch, before, self._rows)
                return
            except psycopg.errors.UniqueViolation:
                # A commit of ours whose connection broke may land after we have read the marks:
                # read them again, once.
                self._drop()
                writing = None
                if conflicted:
                    log.exception("the database refuses what the flow found; the process ends")
                    raise
                conflicted = True
            except (psycopg.OperationalError, ConnectionError) as error:
                # Whether a broken commit took effect is settled by reading the marks again.
                self._drop()
                writing = None
                self._observer.failed()
                log.warning(
                    "the database did not take the epoch, trying again in %.1f s: %s", wait_s, error
                )
                time.sleep(wait_s)
                wait_s = min(wait_s * 2, RETRY_MAX_S)
            except Exception:
                # The engine would only say "error snapshotting".
                log.exception("the database refuses what the flow found; the process ends")
                raise

    def _begin(self) -> Writing:
        self._rows.clear()
        self._observer.begins()
        return Writing(self._open(), self._progress, self._fault)

    def _open(self) -> psycopg.Connection:
        if self._connection is None:
            connection = self._connect()
            self._progress = read_progress(connection)
            base = connection.cursor_factory  # may redirect to a scratch schema
            connection.cursor_factory = counting_cursor(base, self._rows)
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _rows(closed: ClosedWindow) -> int:
    result = closed.result
    stays = len(result.room_visits) + len(result.zone_visits) + len(result.sessions)
    return len(result.positions) + ROWS_OF_A_STAY * stays
