"""What history can be computed again from: late batches that wait, kept states, raw batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from pipeline.contracts import topics
from pipeline.contracts.reads import to_us
from pipeline.contracts.transport import RawMessage

FAR_US = 2**62
"""When they came is not kept; what came once is not from the future."""
LONGEST_BATCH = "72 minutes"
"""No batch spans more: see the columns of the read batch."""

_WAITING = """
select building_id, min(first_at), max(last_at), count(*),
    extract(epoch from clock_timestamp() - max(recorded_at))::float8,
    extract(epoch from clock_timestamp() - min(recorded_at))::float8
from pipeline.late_batch
where settled_at is null and first_at is not null
group by building_id order by building_id
"""
_STATE = """
select at, state from pipeline.checkpoint
where building_id = %s and at <= %s order by at desc limit 1
"""
_BEGINNING = """
select (select min(window_start) from pipeline.window_commit where building_id = %(building)s),
    (select min(at) from pipeline.raw_batch where building_id = %(building)s),
    (select window_end from pipeline.progress where building_id = %(building)s)
"""
_HERE = f"""
from pipeline.raw_batch r
where r.building_id = %(building)s and r.first_at < %(until)s
    and r.at >= %(from)s and r.at < %(until)s + interval '{LONGEST_BATCH}'
"""
_BATCHES = f"""
select r.first_at, o.code, f.code, g.code, r.payload
from (select * {_HERE}) r
join registry.gateway g on g.id = r.gateway_id
join registry.facility f on (f.organization_id, f.id) = (g.organization_id, g.facility_id)
join registry.organization o on o.id = g.organization_id
order by r.first_at, r.gateway_id, r.boot, r.sequence
"""  # noqa: S608
_GIVE_UP = """
update pipeline.late_batch set settled_at = clock_timestamp(), note = %(note)s
where building_id = %(building)s and settled_at is null and first_at < %(until)s
"""


@dataclass(frozen=True)
class Waiting:
    """Late batches of a building that nobody has dealt with; times of their late reads."""

    building_id: UUID
    first_us: int
    last_us: int
    batches: int
    quiet_s: float
    """Since the newest came."""
    age_s: float
    """Since the oldest came."""


@dataclass(frozen=True)
class Extent:
    """Of one building: first window ever, oldest batch that is kept, end of the newest window."""

    first_window_us: int | None
    first_raw_us: int | None
    written_until_us: int | None


def waiting(connection: psycopg.Connection[Any]) -> list[Waiting]:
    rows = connection.execute(_WAITING).fetchall()
    return [Waiting(id_, to_us(first), to_us(last), *rest) for id_, first, last, *rest in rows]


def extent(connection: psycopg.Connection[Any], building_id: UUID) -> Extent:
    row = connection.execute(_BEGINNING, {"building": building_id}).fetchone()
    assert row is not None
    return Extent(*(None if at is None else to_us(at) for at in row))


def state_before(
    connection: psycopg.Connection[Any], building_id: UUID, at: Any
) -> tuple[int, bytes] | None:
    """The newest kept state at or before `at`, and its time."""
    row = connection.execute(_STATE, (building_id, at)).fetchone()
    return None if row is None else (to_us(row[0]), row[1])


def count(connection: psycopg.Connection[Any], span: dict[str, Any]) -> int:
    row = connection.execute(f"select count(*) {_HERE}".encode(), span).fetchone()
    assert row is not None
    return int(row[0])


def batches(
    connection: psycopg.Connection[Any], span: dict[str, Any]
) -> Iterator[tuple[int, RawMessage]]:
    """Every batch with a read in [from, until), by its oldest read; `span` names the building too.

    A cursor on the server: memory does not grow with the stretch.
    """
    with connection.transaction(), connection.cursor("history") as cursor:
        cursor.itersize = 500
        for first, organization, facility, gateway, payload in cursor.execute(
            _BATCHES.encode(), span
        ):
            topic = topics.gateway(organization, facility, gateway, "reads")
            yield to_us(first), RawMessage(topic, payload, FAR_US)


def give_up(connection: psycopg.Connection[Any], building_id: UUID, until: Any, note: str) -> int:
    """Late batches that begin before `until` cannot be dealt with; returns how many."""
    parameters = {"building": building_id, "until": until, "note": note}
    return connection.execute(_GIVE_UP, parameters).rowcount
