"""What live readers hear: stamped with event time, filtered, merged, written once a window."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_agent.allow import AllowList
from edge_agent.clock import EventClock
from edge_agent.decoders.readings import Reading
from edge_agent.merge import WindowMerger
from edge_agent.readers.state import ReaderState
from edge_agent.writer import BatchWriter
from pipeline.contracts.reads import NO_RSSI, Kind

_KINDS = {"ble": Kind.BLE.value, "rfid": Kind.RFID.value, "other": Kind.OTHER.value}
_GRACE_US = 50_000
"""A window is closed this long after its end: its last reads are on their way through the loop."""
_LEVELS_DBM = (-126.0, 20.0)
"""Radios say -127 or 127 when they do not know."""


class LiveReads:
    """One merger for all live readers: a reader that fails holds back no other.

    `listened_to()`: whether anybody can hear a batch without reads now; the spool is no place for
    them, as the next one says as much.
    """

    def __init__(
        self,
        clock: EventClock,
        writer: BatchWriter,
        allow: AllowList,
        *,
        window_us: int,
        heartbeat_us: int,
        listened_to: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._writer = writer
        self._allow = allow
        self._window_us = window_us
        self._heartbeat_us = heartbeat_us
        self._listened_to = listened_to
        self._merger = WindowMerger(window_us)
        self._heartbeat_due_us = 0

    def heard(self, state: ReaderState, receiver: str, reading: Reading) -> None:
        at_us = self._clock.now_us()
        state.heard(at_us)
        if reading.tag not in self._allow:
            return
        low, high = _LEVELS_DBM
        known = reading.rssi_dbm is not None and low <= reading.rssi_dbm <= high
        cdbm = round((reading.rssi_dbm or 0.0) * 100) if known else NO_RSSI
        self._merger.add(at_us, reading.tag, receiver, _KINDS[reading.kind], cdbm)

    async def run(self) -> None:
        """For ever: at the end of each window, close it and write what it holds."""
        while True:
            now_us = self._clock.now_us()
            rest_us = self._window_us - (now_us - _GRACE_US) % self._window_us
            await asyncio.sleep(min(rest_us, self._heartbeat_us) / 1e6)
            await self.write()

    async def write(self) -> None:
        await self._check_clock()
        now_us = self._clock.now_us() - _GRACE_US
        self._merger.advance(now_us)
        complete_us = self._merger.closed_us or 0
        heartbeat = now_us >= self._heartbeat_due_us and self._listened_to()
        reads = self._merger.take()
        await self._writer.write_live(reads, complete_us, heartbeat=heartbeat)
        if heartbeat:
            self._heartbeat_due_us = now_us + self._heartbeat_us

    async def close(self) -> None:
        """At the end: write what was heard, promising nothing about the window that is open."""
        self._merger.advance(self._clock.now_us() - _GRACE_US)
        self._merger.close_all()
        complete_us = self._merger.closed_us or 0
        await self._writer.write_live(self._merger.take(), complete_us, heartbeat=False)

    async def _check_clock(self) -> None:
        step_us = self._clock.check()
        if not self._clock.is_large_backward(step_us):
            return
        # Old windows first, under the old promises; then a stream that is not bound by them.
        self._merger.close_all()
        complete_us = self._merger.closed_us or 0
        await self._writer.write_live(self._merger.take(), complete_us, heartbeat=False)
        await self._writer.begin_new_streams()
        self._merger = WindowMerger(self._window_us)
        self._heartbeat_due_us = 0
