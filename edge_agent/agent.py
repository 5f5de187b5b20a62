"""The agent: readers -> merge -> spool -> publisher, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from edge_agent import tag_keys
from edge_agent.allow import AllowList
from edge_agent.clock import EventClock
from edge_agent.errors import GaveUpError
from edge_agent.live import LiveReads
from edge_agent.logs import fields
from edge_agent.publisher import Publisher
from edge_agent.pulse import Pulse
from edge_agent.reader_tasks import ReaderTasks
from edge_agent.readers.build import Surroundings, live_reader
from edge_agent.readers.replay import ReplayReader
from edge_agent.readers.state import ReaderState
from edge_agent.remote import RemoteConfig
from edge_agent.reporting import Reporting
from edge_agent.sensor_values import News
from edge_agent.service import ServiceManager
from edge_agent.settings import ReaderSettings, ReplaySettings, SerialSettings, Settings
from edge_agent.spool import Spool
from edge_agent.status import StatusBuilder
from edge_agent.stores import Stores
from edge_agent.tag_keys import TagKeys
from edge_agent.watchdog import keep_alive
from edge_agent.writer import LIVE, BatchWriter
from pipeline.contracts.messages import GatewayStatus

log = logging.getLogger("edge.agent")

_READERS_STOP_S = 0.5
_WRITER_STUCK_S, _PUBLISHER_STUCK_S = 60.0, 180.0
"""Looking up the broker's name may take a minute where nobody answers."""
_REPLAY_SHARE = 0.5
"""A replay leaves the rest of the spool to live reads; its file keeps what it does not take."""
_Run = Callable[[], Awaitable[None]]


class Agent:
    """Raises SpoolTooNewError when built; after that nothing but `stop` ends `run`, and what only a
    new start can help: GaveUpError."""

    def __init__(
        self,
        settings: Settings,
        clock: EventClock | None = None,
        manager: ServiceManager | None = None,
    ) -> None:
        self._own = settings
        self.remote = RemoteConfig(settings)
        self.remote.load()
        self.clock = clock or EventClock()
        self.manager = manager or ServiceManager()
        self.pulse = Pulse()
        self._allow = AllowList(self._settings.allow)
        file = settings.tag_keys_file
        self._tag_keys = TagKeys() if file is None else tag_keys.load(file)
        self._stopping = asyncio.Event()
        self._gave_up: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._configuring = asyncio.Lock()
        self.stores = Stores(self._open_spool)
        self._writer = BatchWriter(settings.gateway, self.stores, self.clock)
        self._replays: list[ReplayReader] = []
        self._live: LiveReads | None = None
        self._states = {
            reader.name: ReaderState(reader.name, _kind(reader)) for reader in settings.readers
        }
        self._runs = {reader.name: self._run_of(reader) for reader in self._settings.readers}
        self._tasks = ReaderTasks(self.pulse)
        self.status = StatusBuilder(
            settings.gateway, self.clock, self.stores, list(self._states.values())
        )
        self.publisher = Publisher(
            settings,
            self.stores.spools,
            self.clock,
            lambda: self.status.build("offline"),
            configured=self._configured,
            turned=self.pulse.expect("publisher", _PUBLISHER_STUCK_S),
        )
        self.reporting = Reporting(self, settings)

    @property
    def _settings(self) -> Settings:
        """In force: the file's, with what was sent from afar laid over."""
        return self.remote.settings

    @property
    def certificate(self) -> Path | None:
        """This gateway's own, for the broker."""
        return self._own.broker.cert_file

    def stop(self) -> None:
        """Flush, say goodbye and let `run` return."""
        self._stopping.set()

    def give_up(self, reason: str) -> None:
        """Nothing here helps any more: stop, so that the service manager starts us anew."""
        log.error("gives up, to be started again %s", fields(reason=reason))
        self._gave_up = reason
        self.stop()

    def report(self) -> GatewayStatus:
        """What the gateway says about itself. From any thread; may wait for the spool's lock."""
        return self.status.build(
            "online",
            publisher=self.publisher,
            counters=self._counters(),
            config=self.remote.report,
        )

    async def run(self) -> None:
        log.info("starting %s", fields(gateway=self._own.gateway, readers=len(self._states)))
        self._loop = asyncio.get_running_loop()
        await self._leave_old_promises()
        self.publisher.start()
        for name, run in self._runs.items():
            self._tasks.start(self._states[name], run)
        tasks = [self._task("status", self.reporting.run)]
        tasks.append(self._task("watchdog", partial(keep_alive, self.manager, self.pulse)))
        if self._live is not None:
            turned = self.pulse.expect("writer", _WRITER_STUCK_S)
            tasks.append(self._task("live reads", partial(self._live.run, turned)))
        self.manager.ready()
        await self._stopping.wait()
        self.manager.stopping()
        for task in tasks:
            task.cancel()
        await self._tasks.stop(_READERS_STOP_S)
        await asyncio.wait(tasks, timeout=_READERS_STOP_S)
        await self._shut_down()
        if self._gave_up is not None:
            raise GaveUpError(self._gave_up)

    async def _shut_down(self) -> None:
        if self._live is not None:
            await self._live.close()
        await asyncio.to_thread(self.publisher.stop)
        await asyncio.to_thread(self.reporting.goodbye)
        self.stores.close()
        log.info("stopped")

    def _open_spool(self) -> Spool:
        spool = self._own.spool
        return Spool(spool.path, max_bytes=spool.max_bytes, max_age_s=spool.max_age_h * 3600)

    def _run_of(self, reader: ReaderSettings) -> _Run:
        state = self._states[reader.name]
        if isinstance(reader, ReplaySettings):
            return self._replay_reader(reader, state).run
        live = self._live_reads()
        around = Surroundings(
            gateway=self._own.gateway,
            heard=partial(live.heard, state),
            measured=live.measured,
            escalate=self.give_up,
            forward_random=self._settings.forward_random,
            keys=self._tag_keys,
        )
        return live_reader(reader, state, around)

    def _replay_reader(self, reader: ReplaySettings, state: ReaderState) -> ReplayReader:
        replay = ReplayReader(
            state,
            reader.path,
            self._writer,
            stored_cursor=self._stored_cursor,
            window_us=self._own.window_us,
            admit=lambda tag: tag in self._allow,
            room=self._has_room,
            follow=reader.follow,
            forward_random=self._own.forward_random,
            lateness_us=round(reader.lateness_s * 1e6),
            heartbeat_s=self._own.heartbeat_s,
        )
        self._replays.append(replay)
        return replay

    def _live_reads(self) -> LiveReads:
        if self._live is None:
            self._writer.register(LIVE)
            self._live = LiveReads(
                self.clock,
                self._writer,
                self._allow,
                window_us=self._settings.window_us,
                heartbeat_us=round(self._own.heartbeat_s * 1e6),
                listened_to=lambda: self.publisher.connected,
                news=News(
                    interval_s=self._own.sensor_interval_s, refresh_s=self._own.sensor_repeat_s
                ),
            )
            self._configure_live(self._live)
        return self._live

    def _configure_live(self, live: LiveReads) -> None:
        now = self._settings
        live.configure(self._allow, window_us=now.window_us, min_rssi_dbm=now.min_rssi_dbm)

    def _configured(self, payload: bytes) -> None:
        """Called by the publisher's thread."""
        if self._loop is not None and not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._configure(payload), self._loop)

    async def _configure(self, payload: bytes) -> None:
        """Only the readers that it concerns are started anew; nothing that was heard is lost."""
        try:
            await self._take_over(payload)
        except Exception:
            log.exception("configuration not taken over")

    async def _take_over(self, payload: bytes) -> None:
        async with self._configuring:
            before = self._settings
            if not await asyncio.to_thread(self.remote.offer, payload):
                return
            now = self._settings
            self._allow = AllowList(now.allow)
            if self._live is not None:
                self._configure_live(self._live)
            random_changed = now.forward_random != before.forward_random
            for old, new in zip(before.readers, now.readers, strict=True):
                if old != new or (random_changed and new.kind == "ble"):
                    await self._tasks.restart(self._states[new.name], self._run_of(new))

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

    def _counters(self) -> dict[str, int]:
        return {
            "replay_bad_lines": sum(replay.bad_lines for replay in self._replays),
            "replay_late_reads": sum(replay.late for replay in self._replays),
            "unidentified": sum(replay.unidentified for replay in self._replays),
        }

    def _task(self, what: str, run: _Run) -> asyncio.Task[None]:
        return asyncio.create_task(self._keep(what, run), name=what)

    async def _keep(self, what: str, run: _Run) -> None:
        """A task without which the agent is deaf: a bug in it is logged and it goes on."""
        while True:
            try:
                await run()
            except Exception:
                log.exception("%s failed", what)
                await asyncio.sleep(1)


def _kind(reader: ReaderSettings) -> str:
    return reader.protocol if isinstance(reader, SerialSettings) else reader.kind
