"""What live readers hear: stamped with event time, filtered, merged, written once a window."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_agent.allow import AllowList
from edge_agent.clock import EventClock
from edge_agent.decoders.readings import Reading, SensorReading
from edge_agent.merge import WindowMerger
from edge_agent.readers.state import ReaderState
from edge_agent.sensor_values import News
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
        news: News | None = None,
    ) -> None:
        self._clock = clock
        self._writer = writer
        self._allow = allow
        self._window_us = window_us
        self._heartbeat_us = heartbeat_us
        self._listened_to = listened_to
        self._news = news or News()
        self._merger = WindowMerger(window_us)
        self._floor_cdbm = _floor_cdbm(None)
        self._heartbeat_due_us = 0

    def configure(self, allow: AllowList, *, window_us: int, min_rssi_dbm: float | None) -> None:
        """Takes effect at once. Of an open window what it holds so far becomes reads."""
        self._allow, self._floor_cdbm = allow, _floor_cdbm(min_rssi_dbm)
        if window_us != self._window_us:
            self._merger.close_all()
            old, self._window_us = self._merger, window_us
            self._merger = WindowMerger(window_us, old.closed_us)
            self._merger.completed = old.take()
            self._merger.completed_values = old.take_values()

    def heard(self, state: ReaderState, receiver: str, reading: Reading) -> None:
        at_us = self._clock.now_us()
        state.heard(at_us)
        if reading.tag not in self._allow:
            return
        low, high = _LEVELS_DBM
        known = reading.rssi_dbm is not None and low <= reading.rssi_dbm <= high
        cdbm = round((reading.rssi_dbm or 0.0) * 100) if known else NO_RSSI
        if known and cdbm < self._floor_cdbm:
            return
        self._merger.add(at_us, reading.tag, receiver, _KINDS[reading.kind], cdbm)

    def measured(self, reading: SensorReading) -> None:
        """What a tag measured; what is no news goes no further."""
        if reading.tag not in self._allow:
            return
        measured = self._news.take(reading, self._clock.now_us())
        if measured is not None:
            self._merger.measure(measured)

    async def run(self, turned: Callable[[], None] = lambda: None) -> None:
        """For ever: at the end of each window, close it and write what it holds."""
        while True:
            turned()
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
        reads, values = self._merger.take(), self._merger.take_values()
        await self._writer.write_live(reads, complete_us, heartbeat=heartbeat, values=values)
        if heartbeat:
            self._heartbeat_due_us = now_us + self._heartbeat_us

    async def close(self) -> None:
        """At the end: write what was heard, promising nothing about the window that is open."""
        self._merger.advance(self._clock.now_us() - _GRACE_US)
        await self._write_all()

    async def _write_all(self) -> None:
        """Windows that are open too, without a promise about them."""
        self._merger.close_all()
        complete_us = self._merger.closed_us or 0
        reads, values = self._merger.take(), self._merger.take_values()
        await self._writer.write_live(reads, complete_us, heartbeat=False, values=values)

    async def _check_clock(self) -> None:
        step_us = self._clock.check()
        if not self._clock.is_large_backward(step_us):
            return
        # Old windows first, under the old promises; then a stream that is not bound by them.
        await self._write_all()
        await self._writer.begin_new_streams()
        self._merger = WindowMerger(self._window_us)
        self._heartbeat_due_us = 0


def _floor_cdbm(min_rssi_dbm: float | None) -> int:
    """In 0.01 dBm; what has no level is never below it."""
    return NO_RSSI if min_rssi_dbm is None else round(min_rssi_dbm * 100)
