"""What is of no more use goes: raw batches and states older than a day or so, published messages,
and what ops.retention_policy no longer keeps.

Every pipeline process sees to it, so that no disk fills because another service was forgotten. To
do it twice does no harm.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

log = logging.getLogger(__name__)
EVERY_S = 600.0
PUBLISHED_FOR = timedelta(days=7)
"""Long enough to see what was sent when somebody asks."""


def sweep(connection: psycopg.Connection[Any], keep_h: float) -> None:
    """Raw batches and states older than `keep_h` (a chunk of an hour at a time), messages of the
    outbox that were published more than a week ago, chunks of hypertables past their time."""
    now = datetime.now(UTC)
    before = now - timedelta(hours=keep_h)
    connection.execute("select pipeline.drop_raw_batches(%s)", (before,))
    connection.execute("delete from pipeline.checkpoint where at < %s", (before,))
    connection.execute(
        "delete from pipeline.outbox where published_at < %s", (now - PUBLISHED_FOR,)
    )
    connection.execute("select pipeline.apply_retention()")


class Housekeeper:
    """Sweeps every ten minutes in a thread of its own; what fails is logged and tried again."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], keep_h: float) -> None:
        self._connect, self._keep_h = connect, keep_h
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                with self._connect() as connection:
                    sweep(connection, self._keep_h)
            except (psycopg.Error, OSError) as error:
                log.warning("nothing was swept, trying again in %.0f s: %s", EVERY_S, error)
