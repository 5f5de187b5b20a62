"""A sink that keeps nothing but counts and a digest: how fast the flow is without a database.

Delivery guarantee: exactly once with recovery on, because the counts are the snapshot.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from typing_extensions import override

from pipeline.contracts.transport import DeadLetter, LateBatch
from pipeline.domain.events import ClosedWindow


@dataclass
class Tally:
    """What came out of the flow. `digests`: building -> hex, chained over its closed windows."""

    windows: int = 0
    rows: int = 0
    reads: int = 0
    solved: int = 0
    late: int = 0
    duplicates: int = 0
    alerts: int = 0
    dead_letters: int = 0
    late_batches: int = 0
    digests: dict[str, str] = field(default_factory=dict)

    def add(self, record: object) -> None:
        match record:
            case ClosedWindow():
                self._add_window(record)
            case DeadLetter():
                self.dead_letters += 1
            case LateBatch():
                self.late_batches += 1

    def _add_window(self, closed: ClosedWindow) -> None:
        result = closed.result
        self.windows += 1
        self.rows += len(result.positions)
        self.reads += result.reads
        self.solved += result.solved
        self.alerts += len(result.alerts)
        # As the sink for the database counts them: those since the last closed window.
        self.late += closed.late_reads
        self.duplicates += closed.duplicates
        before = self.digests.get(result.building, "")
        self.digests[result.building] = _digest(before, closed)

    def merge(self, other: Tally) -> None:
        """Add what another process counted; a building is worked on by one of them."""
        for one in fields(self):
            if one.name != "digests":
                setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        self.digests |= other.digests

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def _digest(before: str, closed: ClosedWindow) -> str:
    """Of everything the window says, after what was said before it."""
    result = closed.result
    digest = hashlib.sha256(before.encode())
    events = (result.room_visits, result.zone_visits, result.sessions, result.alerts)
    digest.update(repr((result.start_us, result.end_us, result.reads, events)).encode())
    for column in fields(result.positions):
        digest.update(getattr(result.positions, column.name).data)
    return digest.hexdigest()


class NullSink(FixedPartitionedSink[Any, dict[str, Any]]):
    """`tally` is complete when the flow has ended."""

    def __init__(self) -> None:
        self.tally = Tally()

    @override
    def list_parts(self) -> list[str]:
        return ["null"]

    @override
    def part_fn(self, item_key: str) -> int:
        return 0

    @override
    def build_part(
        self, step_id: str, for_part: str, resume_state: dict[str, Any] | None
    ) -> _Partition:
        if resume_state is not None:
            self.tally = Tally(**resume_state)
        return _Partition(self.tally)


class _Partition(StatefulSinkPartition[Any, dict[str, Any]]):
    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    @override
    def write_batch(self, values: list[Any]) -> None:
        for record in values:
            self._tally.add(record)

    @override
    def snapshot(self) -> dict[str, Any]:
        return self._tally.plain()
