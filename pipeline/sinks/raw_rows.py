"""Raw batches and checkpoints: what history can be computed from again.

A batch that is written already (a crash between the transaction and the engine's epoch) is written
once: the COPY of an epoch that holds one is undone and its rows go in one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import psycopg

from pipeline.contracts.transport import Checkpoint, RawBatch
from pipeline.sinks.binary_copy import HEADER, POSTGRES_EPOCH_US, TRAILER
from pipeline.sinks.event_rows import when

_COLUMNS = "at, gateway_id, boot, sequence, building_id, first_at, until_at, reads, payload"
COPY = f"copy pipeline.raw_batch ({_COLUMNS}) from stdin (format binary)"
INSERT = f"""
insert into pipeline.raw_batch ({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict do nothing
"""  # noqa: S608
CHECKPOINT = """
insert into pipeline.checkpoint (building_id, at, state) values (%s, %s, %s)
on conflict (building_id, at) do update set state = excluded.state
"""
_HEAD = struct.Struct(">hiqi16si")
_TAIL = struct.Struct(">iqi16siqiqiii")


def write_raw(cursor: psycopg.Cursor, batches: Sequence[RawBatch]) -> None:
    if not batches:
        return
    try:
        with cursor.connection.transaction(), cursor.copy(COPY.encode()) as copy:
            copy.write(b"".join([HEADER, *map(_record, batches), TRAILER]))
    except psycopg.errors.UniqueViolation:
        cursor.executemany(INSERT.encode(), map(_row, batches))


def write_checkpoints(cursor: psycopg.Cursor, checkpoints: Iterable[Checkpoint]) -> None:
    rows = [(c.building_id, when(c.at_us), c.state) for c in checkpoints]
    if rows:
        cursor.executemany(CHECKPOINT.encode(), rows)


def _row(batch: RawBatch) -> tuple[object, ...]:
    return (
        when(batch.last_us),
        batch.gateway_id,
        batch.boot,
        batch.sequence,
        batch.building_id,
        when(batch.first_us),
        when(batch.until_us),
        batch.reads,
        batch.payload,
    )


def _record(batch: RawBatch) -> bytes:
    """One row in PostgreSQL's binary COPY format (see binary_copy)."""
    boot, payload = batch.boot.encode(), batch.payload
    head = _HEAD.pack(9, 8, _time(batch.last_us), 16, batch.gateway_id.bytes, len(boot))
    tail = _TAIL.pack(
        *(8, batch.sequence, 16, batch.building_id.bytes, 8, _time(batch.first_us)),
        *(8, _time(batch.until_us), 4, batch.reads, len(payload)),
    )
    return b"".join((head, boot, tail, payload))


def _time(us: int) -> int:
    return us - POSTGRES_EPOCH_US
