"""A recorded input as a bytewax source: one canonical order, whatever the order of arrival was.

Delivery guarantee: the position in the canonical order is part of the engine's snapshot, so after
a kill the sequence goes on where the last durable epoch ended; with an exactly-once sink every
message counts once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Protocol

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from typing_extensions import override

from pipeline.contracts.transport import RawMessage

MAX_BATCH = 500


class Item(NamedTuple):
    """A message, how many reads it seems to hold, and the event time it is sorted by."""

    message: RawMessage
    reads: int
    at_us: int


class Feed(Protocol):
    """An input that can be told again from any position: the same messages in the same order."""

    def messages(self, skip: int) -> Iterator[Item]: ...
    def close(self) -> None: ...


@dataclass
class Progress:
    """What this process has emitted; `at_us`: the event time reached, us since 1970."""

    messages: int = 0
    reads: int = 0
    at_us: int = 0


class ReplaySource(FixedPartitionedSource[RawMessage, int]):
    """`batch`: messages a step, which changes speed and memory but never a result."""

    def __init__(self, feed: Feed, progress: Progress, batch: int = MAX_BATCH) -> None:
        self._feed, self._progress, self._batch = feed, progress, batch

    @override
    def list_parts(self) -> list[str]:
        return ["input"]

    @override
    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> _Partition:
        return _Partition(self._feed, resume_state or 0, self._progress, self._batch)


class _Partition(StatefulSourcePartition[RawMessage, int]):
    def __init__(self, feed: Feed, position: int, progress: Progress, batch: int) -> None:
        self._items, self._position = feed.messages(position), position
        self._progress, self._batch = progress, batch

    @override
    def next_batch(self) -> list[RawMessage]:
        items = list(islice(self._items, self._batch))
        if not items:
            raise StopIteration
        self._position += len(items)
        progress = self._progress
        progress.messages += len(items)
        progress.reads += sum(item.reads for item in items)
        progress.at_us = max((i.at_us for i in items if i.reads), default=progress.at_us)
        return [item.message for item in items]

    @override
    def snapshot(self) -> int:
        return self._position
