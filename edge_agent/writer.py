"""Cuts merged reads into batches and stores them, with a promise about event time that holds.

Each source (all live readers together; each replay file) says up to when it is complete. A batch
may promise the minimum over the sources, counting for the others only what is already stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from edge_agent.batch import drafts
from edge_agent.clock import EventClock
from edge_agent.merge import MergedRead
from edge_agent.spool import Cursor
from edge_agent.stores import Stores
from pipeline.contracts.codec import Measured

LIVE = "live"
NOTHING_KNOWN_US = 0
"""The promise while a source has not said anything yet: 1970."""


class BatchWriter:
    """Every source registers before anything is written."""

    def __init__(self, gateway: str, stores: Stores, clock: EventClock) -> None:
        self._gateway = gateway
        self._stores = stores
        self._clock = clock
        self._lock = asyncio.Lock()
        self._complete_us: dict[str, int | None] = {}
        self._written_us: int | None = None

    def register(self, source: str, complete_us: int | None = None) -> None:
        self._complete_us[source] = complete_us

    def finish(self, source: str) -> None:
        """This source will never say anything again and holds nothing back."""
        self._complete_us.pop(source, None)

    async def begin_new_streams(self) -> None:
        """Times may lie before what was promised: only a new stream is not bound by that."""
        async with self._lock:
            await asyncio.to_thread(self._stores.begin_new_streams)
            self._written_us = None
            if LIVE in self._complete_us:
                self._complete_us[LIVE] = None

    async def write_live(
        self,
        reads: Sequence[MergedRead],
        complete_us: int,
        *,
        heartbeat: bool,
        values: Sequence[Measured] = (),
    ) -> None:
        """Store reads and what tags measured; without any only the promise, if it moved on and
        `heartbeat`."""
        async with self._lock:
            until_us = self._until_us(LIVE, complete_us)
            if reads or values or (heartbeat and self._moves_on(until_us)):
                batches = drafts(
                    self._gateway,
                    reads,
                    until_us,
                    synchronised=self._clock.synchronised,
                    anchor_us=self._clock.anchor_us,
                    values=values,
                )
                await asyncio.to_thread(self._stores.append_live, batches)
                self._written_us = until_us
            self._complete_us[LIVE] = complete_us

    async def write_replay(
        self, source: str, reads: Sequence[MergedRead], complete_us: int | None, cursor: Cursor
    ) -> None:
        """Store reads together with the cursor. Raises SpoolError: nothing was stored."""
        async with self._lock:
            until_us = self._until_us(source, complete_us)
            batches = []
            if reads or self._moves_on(until_us):
                # The times of a file are what they are: its clock needs no correction.
                batches = drafts(self._gateway, reads, until_us, synchronised=True)
            await asyncio.to_thread(self._stores.append, batches, cursor)
            if batches:
                self._written_us = until_us
            self._complete_us[source] = complete_us

    def _until_us(self, source: str, complete_us: int | None) -> int:
        known = [
            complete_us if name == source else other for name, other in self._complete_us.items()
        ]
        return min(NOTHING_KNOWN_US if at_us is None else at_us for at_us in known)

    def _moves_on(self, until_us: int) -> bool:
        return until_us > NOTHING_KNOWN_US and (
            self._written_us is None or until_us > self._written_us
        )
