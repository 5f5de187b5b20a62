"""What a replay says: progress on standard error, and a summary with a digest at the end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline.database.connect import connect
from pipeline.sinks.digest import overall, table_digests
from pipeline.sinks.null import Tally
from pipeline.sinks.scratch import WRITER, redirected
from pipeline.sources.replay import Progress

if TYPE_CHECKING:
    from pipeline.cli.replay_job import Job, Part

EVERY_S = 2.0

_COUNTS = b"""
select
    coalesce(sum(reads), 0)::bigint, count(*), coalesce(sum(positions), 0)::bigint,
    coalesce(sum(late), 0)::bigint, coalesce(sum(duplicates), 0)::bigint,
    (select count(*) from tracking.alert_event),
    (select coalesce(sum(times), 0)::bigint from pipeline.dead_letter),
    (select count(*) from pipeline.late_batch)
from pipeline.window_commit
"""
_NAMES = ("reads", "windows", "rows", "late", "duplicates", "alerts", "dead_letters",
          "late_batches")  # fmt: skip


@contextmanager
def reporting(progress: Progress, name: str) -> Iterator[None]:
    """A line on standard error every two seconds."""
    done = threading.Event()

    def tell() -> None:
        began, reads = time.monotonic(), 0
        while not done.wait(EVERY_S):
            now = time.monotonic()
            rate, began = (progress.reads - reads) / (now - began), now
            reads = progress.reads
            print(f"{name}{_line(progress, rate)}", file=sys.stderr, flush=True)

    thread = threading.Thread(target=tell, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _line(progress: Progress, rate: float) -> str:
    reached = ""
    if progress.at_us > 0:
        at = datetime.fromtimestamp(progress.at_us / 1e6, UTC)
        reached = f", event time {at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{progress.messages} messages, {progress.reads} reads, {rate:,.0f} reads/s{reached}"


def summary(job: Job, parts: Sequence[Part]) -> dict[str, Any]:
    """What came out, how fast this run was, and the digest."""
    seconds = max(part.seconds for part in parts)
    reads = sum(part.reads for part in parts)
    found = _counted(parts) if job.schema is None else _stored(job)
    return {
        "messages": sum(part.messages for part in parts),
        **found,
        "torn_bytes": max(part.torn_bytes for part in parts),
        "indexing_s": round(max(part.indexing_s for part in parts), 3),
        "seconds": round(seconds, 3),
        "reads_per_s": round(reads / seconds) if seconds else 0,
    }


def _counted(parts: Sequence[Part]) -> dict[str, Any]:
    tally = Tally()
    for part in parts:
        assert part.tally is not None
        tally.merge(Tally(**part.tally))
    plain = tally.plain()
    digests = plain.pop("digests")
    return plain | {"digest": overall(digests), "digests": digests}


def _stored(job: Job) -> dict[str, Any]:
    assert job.schema is not None
    opened = redirected(
        lambda: connect(job.database_url, application_name="biotrakr-replay", role=WRITER),
        job.schema,
    )
    with opened() as connection:
        row = connection.execute(_COUNTS).fetchone()
        digests = table_digests(connection)
    assert row is not None
    return dict(zip(_NAMES, row, strict=True)) | {"digest": overall(digests), "digests": digests}


def render(found: dict[str, Any]) -> str:
    lines = [
        f"{name.replace('_', ' '):<16}{value:>20,}"
        for name, value in found.items()
        if isinstance(value, (int, float))
    ]
    if found["torn_bytes"]:
        lines.append(f"the capture ends within a message: {found['torn_bytes']} bytes left out")
    return "\n".join([*lines, f"digest          {found['digest']}"])
