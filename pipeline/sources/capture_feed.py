"""A capture in canonical order: by the event time that its gateway had reached.

A numbering of batches (a boot of a gateway) is taken in the order of its numbers, and the key of a
batch is the largest promise in it so far; equal keys go by the names of gateway and boot. So two
captures of the same messages that differ in how the gateways were interleaved, in the order in
which a backlog arrived, or in repeats, give the same sequence of distinct batches. What is no
batch (status reports, what will be refused) changes no window: it goes by the time of receipt.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.contracts import topics
from pipeline.contracts.errors import TopicError
from pipeline.sources.capture_file import RECORD, CaptureReader
from pipeline.sources.envelope import Looker
from pipeline.sources.markers import Drain, Gateway, Reached
from pipeline.sources.replay import Item

Wanted = Callable[[str], bool]
"""Whether the messages of a place ("organization/facility"; "": of no place) are wanted."""


class CaptureFeed:
    """Reads the file twice: once to index it (36 bytes of memory a message), once to tell it.

    `drain` None: nothing is appended. Raises CaptureError when the file is not whole.
    """

    def __init__(self, path: Path, wanted: Wanted, drain: Drain | None) -> None:
        self._reader = CaptureReader(path)
        self._wanted, self._drain = wanted, drain
        self._reached: dict[Gateway, Reached] = {}
        self._offset, self._size, self._reads = array("q"), array("I"), array("I")
        try:
            self._index()
        except BaseException:
            self.close()
            raise

    @property
    def torn_bytes(self) -> int:
        return self._reader.torn_bytes

    def __len__(self) -> int:
        """Messages without the markers at the end."""
        return len(self._order)

    def messages(self, skip: int) -> Iterator[Item]:
        offsets, sizes, keys, reads = self._offset, self._size, self._key, self._reads
        read = self._reader.read
        for i in self._order[skip:]:
            yield Item(read(offsets[i], sizes[i]), reads[i], keys[i])
        if self._drain is not None:
            last = self._drain.markers(self._reached, 1)
            for message in last[max(0, skip - len(self)) :]:
                yield Item(message, 0, message.received_us)

    def close(self) -> None:
        self._reader.close()

    def _index(self) -> None:
        places: dict[bytes, _Place] = {}
        numbers: dict[str, int] = {}
        look = Looker().look
        stream_of, sequence, reached_us = array("I"), array("q"), array("q")
        for offset, size, body in self._reader.records():
            received_us, length = RECORD.unpack_from(body)
            end = RECORD.size + length
            topic = bytes(body[RECORD.size : end])
            place = places.get(topic) or places.setdefault(topic, self._place(topic))
            if not place.wanted:
                continue
            seen = look(bytes(body[end:]), received_us) if place.gateway else None
            if seen is None or place.gateway is None:
                stream, at, until_us, reads = place.name, 0, received_us, 0
            else:
                self._reached.setdefault(place.gateway, Reached()).advance(*seen[2:4])
                stream = f"{place.name}/{seen.boot}"
                at, until_us, reads = seen.sequence, seen.until_us, seen.reads
            self._offset.append(offset)
            self._size.append(size)
            self._reads.append(reads)
            stream_of.append(numbers.setdefault(stream, len(numbers)))
            sequence.append(at)
            reached_us.append(until_us)
        self._key, self._order = _sorted(list(numbers), stream_of, sequence, reached_us)

    def _place(self, text: bytes) -> _Place:
        topic = text.decode()
        try:
            parsed = topics.parse_gateway(topic)
        except TopicError:
            return _Place(self._wanted(""), topic, None)
        gateway = (parsed.organization, parsed.facility, parsed.gateway)
        batches = gateway if parsed.channel == "reads" else None
        return _Place(self._wanted("/".join(gateway[:2])), topic, batches)


class _Place(NamedTuple):
    """A topic. `name`: of its stream; `gateway`: whose batches it carries, if any."""

    wanted: bool
    name: str
    gateway: Gateway | None


def _sorted(
    names: list[str], stream_of: array[int], sequence: array[int], reached_us: array[int]
) -> tuple[array[int], array[int]]:
    """Keys of all messages in file order, and their canonical order."""
    stream, reached = np.asarray(stream_of, np.int64), np.array(reached_us, np.int64)
    by_number = np.lexsort((np.asarray(sequence, np.int64), stream))  # stable: repeats as they came
    cuts = np.flatnonzero(np.diff(stream[by_number])) + 1
    for part in np.split(by_number, cuts):
        reached[part] = np.maximum.accumulate(reached[part])
    rank = np.zeros(len(names), np.int64)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    order = by_number[np.lexsort((rank[stream[by_number]], reached[by_number]))]
    return array("q", reached.tobytes()), array("q", order.astype(np.int64).tobytes())
