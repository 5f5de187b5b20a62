"""The engine's loop and its sink: turns, epochs, transactions, rows, lag to the committed row."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from typing_extensions import override

from pipeline.flow.event_time import NEVER_US
from pipeline.sinks.transaction import Epoch

EPOCH_BUCKETS_S = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0)
SHORT_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LAG_BUCKETS_S = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0, 300.0, 3600.0)


class LoopMetrics:
    """When the main loop turned, and how long epochs take. Seconds are monotonic."""

    def __init__(
        self, registry: CollectorRegistry, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic_s = monotonic_s
        self.turned_s = monotonic_s()
        self.turns = 0
        self._epoch_began_s: float | None = None
        self._closing_s: float | None = None
        self._epoch_s = Histogram(
            "biotrakr_epoch_seconds",
            "From the end of one epoch to the end of the next.",
            buckets=EPOCH_BUCKETS_S,
            registry=registry,
        )
        self._close_s = Histogram(
            "biotrakr_epoch_close_seconds",
            "From the end of an epoch until it is durable: transaction and recovery store.",
            buckets=SHORT_BUCKETS_S,
            registry=registry,
        )

    def turned(self) -> None:
        """The engine asks the source, which it does only when the epoch before is durable."""
        self.turned_s = now_s = self._monotonic_s()
        self.turns += 1
        if self._closing_s is not None:
            self._close_s.observe(now_s - self._closing_s)
            self._closing_s = None

    def epoch_ends(self) -> None:
        self.turned()
        if self._epoch_began_s is not None:
            self._epoch_s.observe(self.turned_s - self._epoch_began_s)
        self._epoch_began_s = self._closing_s = self.turned_s


class ObservedSource(FixedPartitionedSource[Any, Any]):
    """A source of one partition, with its calls noted down; changes nothing about it."""

    def __init__(self, source: FixedPartitionedSource[Any, Any], loop: LoopMetrics) -> None:
        self._source, self._loop = source, loop

    @override
    def list_parts(self) -> list[str]:
        return self._source.list_parts()

    @override
    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> _ObservedPartition:
        part = self._source.build_part(step_id, for_part, resume_state)
        return _ObservedPartition(part, self._loop)


class _ObservedPartition(StatefulSourcePartition[Any, Any]):
    def __init__(self, part: StatefulSourcePartition[Any, Any], loop: LoopMetrics) -> None:
        self._part, self._loop = part, loop

    @override
    def next_batch(self) -> Any:
        self._loop.turned()
        return self._part.next_batch()

    @override
    def snapshot(self) -> Any:
        self._loop.epoch_ends()
        return self._part.snapshot()

    @override
    def next_awake(self) -> datetime | None:
        return self._part.next_awake()

    @override
    def close(self) -> None:
        self._part.close()


class SinkMetrics:
    """Implements sinks.observer.SinkObserver. `waiting_s`: since when something waits for its
    commit; `connected`: None before the first try."""

    def __init__(
        self,
        registry: CollectorRegistry,
        monotonic_s: Callable[[], float] = time.monotonic,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._monotonic_s, self._wall_s = monotonic_s, wall_s
        self.waiting_s: float | None = None
        self.committing = False
        self.committed_s = monotonic_s()
        self._began_s = 0.0
        self._lag_of: dict[str, Any] = {}
        self._transaction_s = Histogram(
            "biotrakr_transaction_seconds",
            "One epoch's transaction, connecting included where it was needed.",
            buckets=SHORT_BUCKETS_S,
            registry=registry,
        )
        self._failures = Counter(
            "biotrakr_transaction_failures",
            "Transactions that the database did not take; they are tried again.",
            registry=registry,
        )
        self._rows = Counter(
            "biotrakr_rows_written", "Rows inserted or changed.", ["table"], registry=registry
        )
        self._lag_s = Histogram(
            "biotrakr_commit_lag_seconds",
            "From the end of a window, in event time, until its rows were committed.",
            ["building"],
            buckets=LAG_BUCKETS_S,
            registry=registry,
        )
        self._connected = Gauge(
            "biotrakr_database_connected",
            "1: the last transaction was taken. 0: the database is away.",
            registry=registry,
        )
        self._connected.set(1)

    def buffered(self) -> None:
        if self.waiting_s is None:
            self.waiting_s = self._monotonic_s()

    def begins(self) -> None:
        self._began_s = self._monotonic_s()
        self.committing = True

    def failed(self) -> None:
        self._failures.inc()
        self._connected.set(0)

    def committed(self, epoch: Epoch, before: Mapping[UUID, int], rows: Mapping[str, int]) -> None:
        self.committed_s = self._monotonic_s()
        self._transaction_s.observe(self.committed_s - self._began_s)
        self.waiting_s, self.committing = None, False
        self._connected.set(1)
        for table, count in rows.items():
            self._rows.labels(table).inc(count)
        now_s = self._wall_s()
        for closed in epoch.windows:
            end_us = closed.result.end_us
            if end_us > before.get(closed.building.ids["building"], NEVER_US):
                self._observe_lag(closed.building.key, now_s - end_us / 1e6)

    def _observe_lag(self, building: str, lag_s: float) -> None:
        child = self._lag_of.get(building)
        if child is None:
            child = self._lag_of[building] = self._lag_s.labels(building)
        child.observe(lag_s)
