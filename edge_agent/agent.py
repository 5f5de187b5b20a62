"""The agent: readers -> merge -> spool -> publisher, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from edge_agent.allow import AllowList
from edge_agent.clock import EventClock
from edge_agent.live import LiveReads
from edge_agent.logs import fields
from edge_agent.publisher import Publisher
from edge_agent.readers.build import live_reader
from edge_agent.readers.replay import ReplayReader
from edge_agent.readers.state import ReaderState
from edge_agent.readers.supervise import supervise
from edge_agent.settings import BleSettings, ReplaySettings, SerialSettings, Settings
from edge_agent.spool import Spool
from edge_agent.status import StatusBuilder
from edge_agent.stores import Stores
from edge_agent.writer import LIVE, BatchWriter
from pipeline.contracts.messages import GatewayStatus

log = logging.getLogger("edge.agent")

_LOOK_S = 0.25
_READERS_STOP_S = 0.5
_REPLAY_SHARE = 0.5
"""A replay leaves the rest of the spool to live reads; its file keeps what it does not take."""
_Run = Callable[[], Awaitable[None]]


class Agent:
    """Raises SpoolTooNewError when built; after that nothing but `stop` ends `run`."""

    def __init__(self, settings: Settings, clock: EventClock | None = None) -> None:
        self._settings = settings
        self.clock = clock or EventClock()
        self._allow = AllowList(settings.allow)
        self._stopping = asyncio.Event()
        self.turned_s = time.monotonic()
        """When the loop last turned (monotonic)."""
        self.stores = Stores(self._open_spool)
        self._writer = BatchWriter(settings.gateway, self.stores, self.clock)
        self._replays: list[ReplayReader] = []
        self._live: LiveReads | None = None
        self._readers = [self._reader(reader) for reader in settings.readers]
        self.status = StatusBuilder(
            settings.gateway, self.clock, self.stores, [state for state, _ in self._readers]
        )
        self.publisher = Publisher(
            settings, self.stores.spools, self.clock, lambda: self.status.build("offline")
        )

    def stop(self) -> None:
        """Flush, say goodbye and let `run` return."""
        self._stopping.set()

    def report(self) -> GatewayStatus:
        """What the gateway says about itself. From any thread; may wait for the spool's lock."""
        return self.status.build("online", publisher=self.publisher, counters=self._counters())

    async def run(self) -> None:
        log.info("starting %s", fields(gateway=self._settings.gateway, readers=len(self._readers)))
        await self._leave_old_promises()
        self.publisher.start()
        tasks = [asyncio.create_task(supervise(state, run)) for state, run in self._readers]
        tasks.append(asyncio.create_task(self._keep("status", self._show_status)))
        if self._live is not None:
            tasks.append(asyncio.create_task(self._keep("live reads", self._live.run)))
        await self._stopping.wait()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=_READERS_STOP_S)
        await self._shut_down()

    async def _shut_down(self) -> None:
        if self._live is not None:
            await self._live.close()
        await asyncio.to_thread(self.publisher.stop)
        self.stores.close()
        log.info("stopped")

    def _open_spool(self) -> Spool:
        spool = self._settings.spool
        return Spool(spool.path, max_bytes=spool.max_bytes, max_age_s=spool.max_age_h * 3600)

    def _reader(
        self, reader: SerialSettings | BleSettings | ReplaySettings
    ) -> tuple[ReaderState, _Run]:
        if isinstance(reader, ReplaySettings):
            return self._replay_reader(reader)
        kind = reader.protocol if isinstance(reader, SerialSettings) else reader.kind
        state = ReaderState(reader.name, kind)
        heard = partial(self._live_reads().heard, state)
        random = self._settings.forward_random
        return state, live_reader(reader, state, heard, forward_random=random)

    def _replay_reader(self, reader: ReplaySettings) -> tuple[ReaderState, _Run]:
        state = ReaderState(reader.name, reader.kind)
        replay = ReplayReader(
            state,
            reader.path,
            self._writer,
            stored_cursor=self._stored_cursor,
            window_us=self._settings.window_us,
            admit=self._allow.__contains__,
            room=self._has_room,
            follow=reader.follow,
            forward_random=self._settings.forward_random,
            lateness_us=round(reader.lateness_s * 1e6),
            heartbeat_s=self._settings.heartbeat_s,
        )
        self._replays.append(replay)
        return state, replay.run

    def _live_reads(self) -> LiveReads:
        if self._live is None:
            self._writer.register(LIVE)
            self._live = LiveReads(
                self.clock,
                self._writer,
                self._allow,
                window_us=self._settings.window_us,
                heartbeat_us=round(self._settings.heartbeat_s * 1e6),
                listened_to=lambda: self.publisher.connected,
            )
        return self._live

    def _stored_cursor(self, name: str) -> str | None:
        return self.stores.ready().cursor(name)

    def _has_room(self) -> bool:
        return self.stores.disk is not None and self.stores.disk.filled < _REPLAY_SHARE

    async def _leave_old_promises(self) -> None:
        """A clock that is behind what the stream has promised needs a new stream."""
        disk = self.stores.disk
        if self._live is None or disk is None or disk.until_us is None:
            return
        if self.clock.now_us() < disk.until_us:
            log.warning("the clock is behind the spool: a new stream begins")
            await self._writer.begin_new_streams()

    async def _show_status(self) -> None:
        """Every `status_s` seconds, and soon after something changed."""
        signature: object = None
        due_s = 0.0
        loop = asyncio.get_running_loop()
        while True:
            self.turned_s = time.monotonic()
            if loop.time() >= due_s or signature != self.status.signature():
                signature = self.status.signature()
                due_s = loop.time() + self._settings.status_s
                await asyncio.to_thread(self._publish_status)
            await asyncio.sleep(_LOOK_S)

    def _publish_status(self) -> None:
        """May wait for the spool's lock, hence not in the loop."""
        self.publisher.show(self.report())

    def _counters(self) -> dict[str, int]:
        return {
            "replay_bad_lines": sum(replay.bad_lines for replay in self._replays),
            "replay_late_reads": sum(replay.late for replay in self._replays),
            "unidentified": sum(replay.unidentified for replay in self._replays),
        }

    async def _keep(self, what: str, run: _Run) -> None:
        """A task without which the agent is deaf: a bug in it is logged and it goes on."""
        while True:
            try:
                await run()
            except Exception:
                log.exception("%s failed", what)
                await asyncio.sleep(1)
