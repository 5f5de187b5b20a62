"""Publishes the outbox: alerts that are durable in the database go out to MQTT, in order.

Delivery guarantee: at least once, with deterministic ids (`alert_id`, `revision`), in the order of
the transactions. A message is marked as published only after the broker's PUBACK. Of several
processes on one database one publishes, or the order would be lost; the others wait to take over.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

import psycopg

from pipeline.database.locks import OUTBOX, try_lock

log = logging.getLogger(__name__)
BATCH = 200
POLL_S = 0.2
RETRY_S = 1.0
PUBACK_TIMEOUT_S = 10.0
LOOK_S = 5.0

_NEXT = """
select id, topic, payload, retain from pipeline.outbox
where published_at is null order by id limit %s
"""
_DONE = """
update pipeline.outbox set published_at = clock_timestamp(), attempts = attempts + 1
where id = any(%s)
"""
_AGE = """
select count(*), coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)
from pipeline.outbox where published_at is null
"""


class Receipt(Protocol):
    def wait_for_publish(self, timeout: float | None = None) -> None: ...
    def is_published(self) -> bool: ...


class Publisher(Protocol):
    def publish(self, topic: str, payload: bytes, *, retain: bool) -> Receipt: ...


class OutboxPublisher:
    """A thread beside the flow; it only reads what is committed."""

    def __init__(self, connect: Callable[[], psycopg.Connection], publisher: Publisher) -> None:
        self._connect, self._publisher = connect, publisher
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self.published = 0
        self.unpublished = 0
        """When it was last looked, which is every LOOK_S."""
        self._oldest_s: float | None = None
        self._looked_s = -LOOK_S

    @property
    def oldest_age_s(self) -> float:
        """Age of the oldest message that is not out yet; 0 when there is none. Goes on while the
        database is away."""
        oldest_s = self._oldest_s
        return 0.0 if oldest_s is None else time.monotonic() - oldest_s

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        self._stopping.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    self._pump(connection)
            except (psycopg.Error, OSError, ValueError, RuntimeError) as error:
                log.warning("outbox: trying again in %.0f s: %s", RETRY_S, error)
                self._stopping.wait(RETRY_S)

    def _pump(self, connection: psycopg.Connection) -> None:
        while not try_lock(connection, OUTBOX, 0):
            if self._stopping.wait(RETRY_S):
                return
        while not self._stopping.is_set():
            done = self.publish_once(connection)
            if time.monotonic() - self._looked_s >= LOOK_S:
                self.look(connection)
            if not done:
                self._stopping.wait(POLL_S)

    def publish_once(self, connection: psycopg.Connection) -> int:
        """Publish the next rows; returns how many the broker has taken."""
        rows = connection.execute(_NEXT, (BATCH,)).fetchall()
        receipts = [
            (id_, self._publisher.publish(topic, payload, retain=retain))
            for id_, topic, payload, retain in rows
        ]
        published = []
        for id_, receipt in receipts:
            receipt.wait_for_publish(PUBACK_TIMEOUT_S)
            if not receipt.is_published():
                break
            published.append(id_)
        if published:
            connection.execute(_DONE, (published,))
            self.published += len(published)
        return len(published)

    def look(self, connection: psycopg.Connection) -> None:
        """How much is unpublished, and how old it is."""
        row = connection.execute(_AGE).fetchone()
        assert row is not None
        self._looked_s = time.monotonic()
        self.unpublished = row[0]
        self._oldest_s = self._looked_s - float(row[1]) if row[0] else None
