"""Where a run's time goes: a source of recorded messages, a counting sink, stopwatches.

All thin: they add two clock readings a call, and a call carries hundreds of messages.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.load import Recorded
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from pipeline.contracts.transport import DeadLetter, LateBatch, RawMessage
from pipeline.domain.events import ClosedWindow
from pipeline.flow.arrivals import Router
from pipeline.flow.building_logic import BuildingFlow

BATCH = 500


@dataclass
class Tally:
    """What a run did from event time `from_us` on."""

    from_us: int
    began_s: float = 0.0
    """time.perf_counter() when the first message after `from_us` was handed out."""
    began_cpu_s: float = 0.0
    reads: int = 0
    windows: int = 0
    solved: int = 0
    rows: int = 0
    room_visits: int = 0
    zone_visits: int = 0
    sessions: int = 0
    alerts: int = 0
    all_reads: int = 0
    refused: int = 0
    late_reads: int = 0
    working_s: float = 0.0
    """In the flow's own code: decoding and tracking."""
    sink_s: float = 0.0
    """In the sink's end of epoch: the transaction."""
    closes_s: list[float] = field(default_factory=list)
    """From the source's snapshot to its next call, without the two above: one an epoch."""
    stalls_s: list[float] = field(default_factory=list)
    """The same with them: how long nothing is taken from the source."""

    def count(self, record: object) -> None:
        if isinstance(record, DeadLetter):
            self.refused += 1
        if isinstance(record, LateBatch):
            self.late_reads += record.late_reads
        if not isinstance(record, ClosedWindow):
            return
        result = record.result
        self.all_reads += result.reads
        if result.start_us < self.from_us:
            return
        self.windows += 1
        self.reads += result.reads
        self.solved += result.solved
        self.rows += len(result.positions)
        self.room_visits += len(result.room_visits)
        self.zone_visits += len(result.zone_visits)
        self.sessions += len(result.sessions)
        self.alerts += len(result.alerts)

    def watch_the_flow(self) -> None:
        """Time what the flow's steps compute, for the rest of this process."""
        for owner, name in ((Router, "route"), (BuildingFlow, "take")):
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            began = time.perf_counter()
            result = method(*arguments)
            self.working_s += time.perf_counter() - began
            return result

        return timed


class RecordedSource(FixedPartitionedSource[RawMessage, None]):
    """The messages of a load as fast as they are taken. Cannot be resumed."""

    def __init__(self, recorded: Recorded, tally: Tally) -> None:
        self._recorded, self._tally = recorded, tally

    def list_parts(self) -> list[str]:
        return ["recorded"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _Source:
        return _Source(self._recorded, self._tally)


class _Source(StatefulSourcePartition[RawMessage, None]):
    def __init__(self, recorded: Recorded, tally: Tally) -> None:
        self._recorded, self._tally, self._next = recorded, tally, 0
        self._warm = int(recorded.index["ready_us"].searchsorted(tally.from_us))
        self._snapshot: tuple[float, float] | None = None

    def next_batch(self) -> list[RawMessage]:
        tally = self._tally
        now = time.perf_counter()
        if self._snapshot is not None:
            began, worked = self._snapshot
            if tally.began_s:
                tally.stalls_s.append(now - began)
                tally.closes_s.append(now - began - (tally.working_s + tally.sink_s - worked))
            self._snapshot = None
        if self._next >= self._warm and not tally.began_s:
            tally.began_s, tally.began_cpu_s = now, time.process_time()
        if self._next >= len(self._recorded):
            raise StopIteration  # an end of file: every window is closed by the tail before
        first, self._next = self._next, self._next + BATCH
        if first < self._warm:
            self._next = min(self._next, self._warm)
        return [
            RawMessage(topic, payload, ready_us)
            for topic, payload, ready_us in self._recorded.messages(first, self._next)
        ]

    def snapshot(self) -> None:
        self._snapshot = time.perf_counter(), self._tally.working_s + self._tally.sink_s


class CountingSink(FixedPartitionedSink[Any, None]):
    """Counts, and passes on to another sink; None: to nowhere."""

    def __init__(self, tally: Tally, inner: FixedPartitionedSink[Any, None] | None) -> None:
        self._tally, self._inner = tally, inner

    def list_parts(self) -> list[str]:
        return self._inner.list_parts() if self._inner else ["nowhere"]

    def part_fn(self, item_key: str) -> int:
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _Sink:
        inner = self._inner and self._inner.build_part(step_id, for_part, resume_state)
        return _Sink(self._tally, inner)


class _Sink(StatefulSinkPartition[Any, None]):
    def __init__(self, tally: Tally, inner: StatefulSinkPartition[Any, None] | None) -> None:
        self._tally, self._inner = tally, inner

    def write_batch(self, values: list[Any]) -> None:
        for record in values:
            self._tally.count(record)
        if self._inner is not None:
            self._inner.write_batch(values)

    def snapshot(self) -> None:
        if self._inner is not None:
            began = time.perf_counter()
            self._inner.snapshot()
            self._tally.sink_s += time.perf_counter() - began

    def close(self) -> None:
        if self._inner is not None:
            self._inner.close()
