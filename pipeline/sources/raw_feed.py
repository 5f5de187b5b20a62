"""A range of the stored raw batches (pipeline.raw_batch) in canonical order.

Sorted by the oldest time a batch can speak of, so every read still to come is at least as new:
the feed says so in markers for all gateways, because the time markers that gateways send while
they hear nothing are not stored. No read is ever late.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import psycopg

from pipeline.contracts import topics
from pipeline.contracts.reads import to_us
from pipeline.contracts.transport import RawMessage
from pipeline.sources.markers import Drain, Gateway, Reached, marker
from pipeline.sources.replay import Item

MARK_EVERY_US = 5_000_000
"""Well below the time after which a silent gateway is set aside."""
ROWS_A_FETCH = 500

_FROM = """
from pipeline.raw_batch r
join registry.gateway g on g.id = r.gateway_id
join registry.facility f on (f.organization_id, f.id) = (g.organization_id, g.facility_id)
join registry.organization o on o.id = g.organization_id
where r.at >= %(start)s and r.at < %(end)s and o.code || '/' || f.code = any(%(places)s)
"""
_ROWS = f"""
select
    o.code, f.code, g.code, r.until_at, r.at, r.reads, r.payload,
    case when r.until_at < '2015-01-01T00:00:00Z' then r.first_at
         else least(r.first_at, r.until_at) end as key
{_FROM}
order by key, o.code collate "C", f.code collate "C", g.code collate "C", r.boot collate "C",
    r.sequence, r.at
"""
_SIZE = f"select count(*), coalesce(sum(r.reads), 0)::bigint {_FROM}"


@dataclass(frozen=True)
class Range:
    """[start, end) of the newest event time in a batch; `places`: "organization/facility"."""

    start: datetime
    end: datetime
    places: Sequence[str]

    def parameters(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "places": list(self.places)}


def size(connection: psycopg.Connection[Any], range_: Range) -> tuple[int, int]:
    """Batches and reads of a range."""
    row = connection.execute(_SIZE.encode(), range_.parameters()).fetchone()
    assert row is not None
    return row[0], row[1]


class RawFeed:
    """Holds one read-only transaction open while it is told."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        range_: Range,
        drain: Drain,
        *,
        drained: bool = True,
    ) -> None:
        self._connect, self._range = connect, range_
        self._drain, self._drained = drain, drained

    def messages(self, skip: int) -> Iterator[Item]:
        """What was told before is read again and passed over."""
        return islice(self._all(), skip, None)

    def close(self) -> None:
        """The connection is closed when the last message has been told."""

    def _all(self) -> Iterator[Item]:
        reached: dict[Gateway, Reached] = {}
        sequence, next_mark_us = 0, None
        # When it came is not stored; its times were found possible then, and so they are now.
        received_us = time.time_ns() // 1000
        for organization, facility, gateway, until_at, at, reads, payload, key in self._rows():
            key_us, until_us, newest_us = to_us(key), to_us(until_at), to_us(at)
            if next_mark_us is None:
                next_mark_us = key_us
            if key_us >= next_mark_us:
                sequence += 1
                next_mark_us = key_us + MARK_EVERY_US
                yield from self._marks(reached, sequence, key_us)
            one = (organization, facility, gateway)
            reached.setdefault(one, Reached()).advance(until_us, newest_us)
            topic = topics.gateway(*one, "reads")
            message = RawMessage(topic, payload, received_us)
            yield Item(message, reads, key_us)
        if self._drained:
            for message in self._drain.markers(reached, sequence + 1):
                yield Item(message, 0, message.received_us)

    def _marks(self, reached: dict[Gateway, Reached], sequence: int, at_us: int) -> Iterator[Item]:
        """For every gateway of the buildings that were heard: nothing older will follow."""
        for gateways in self._drain.buildings:
            if any(gateway in reached for gateway in gateways):
                for gateway in gateways:
                    yield Item(marker(gateway, sequence, at_us), 0, at_us)

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        with self._connect() as connection, connection.transaction():
            connection.execute("set transaction isolation level repeatable read, read only")
            with connection.cursor("raw_batches") as cursor:
                cursor.itersize = ROWS_A_FETCH
                cursor.execute(_ROWS.encode(), self._range.parameters())
                yield from cursor
