"""A reader on a byte stream: runs a protocol's conversation over a serial port or a connection."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from edge_agent.decoders.lines_host import ListenConversation
from edge_agent.decoders.readings import Conversation, Item, ReaderEvent, Reading, SensorReading
from edge_agent.decoders.startup import Notices
from edge_agent.errors import ReaderLostError
from edge_agent.logs import fields
from edge_agent.readers.links import Link, open_link
from edge_agent.readers.state import ReaderState

log = logging.getLogger("edge.reader")

_LONGEST_WAIT_S: Final = 0.5
_NONSENSE_BYTES: Final = 30
_GOOD_NEWS: Final = frozenset(("antenna_restored", "gate"))


class SerialReader:
    """`heard(receiver, reading)` is called for every tag; the receiver is `name` or `name/antenna`.

    `port` as in readers.ports. `baudrate` auto tries `rates` until something is understood, and
    begins with that one from then on. `silent_after_s` None: silence is normal. `run` ends by
    ReaderLostError (silent for `silent_after_s`) or by the link's own error; call it again to start
    afresh.
    """

    def __init__(
        self,
        state: ReaderState,
        port: str,
        baudrate: int | str,
        conversation: Callable[[], Conversation],
        heard: Callable[[str, Reading], None],
        *,
        measured: Callable[[SensorReading], None] = lambda _: None,
        rates: Sequence[int] = (),
        probe_s: float = 3.0,
        silent_after_s: float | None = 10.0,
        tcp_port: int | None = None,
    ) -> None:
        self._state = state
        self._port = port
        self._rates = list(rates) if isinstance(baudrate, str) else [baudrate]
        self._new_conversation = conversation
        self._heard = heard
        self._measured = measured
        self._probe_s = probe_s
        self._silent_after_s = silent_after_s
        self._tcp_port = tcp_port
        self._notices = Notices()

    async def run(self) -> None:
        """Always ends by an error."""
        for _ in self._rates:
            await self._run_at(self._rates[0])
            self._rates.append(self._rates.pop(0))
        tried = ", ".join(str(rate) for rate in sorted(self._rates))
        raise ReaderLostError(f"no valid answer at any of {tried} Bd", silent=True)

    async def _run_at(self, rate: int) -> None:
        """Returns when nothing was understood and another rate should be tried."""
        link = await open_link(self._port, rate, self._tcp_port)
        talk = _Talk(link, self._new_conversation())
        rejected_before = self._state.rejected_bytes
        if self._silent_after_s is None:
            self._state.running()
        try:
            await self._converse(talk, rejected_before)
        finally:
            talk.close()

    async def _converse(self, talk: _Talk, rejected_before: int) -> None:
        conversation = talk.conversation
        frames, began_s = 0, time.monotonic()
        answered_s = began_s
        while True:
            self._state.turned()
            talk.say()
            for item in [*await talk.listen(), *conversation.events()]:
                self._take(item)
            now_s = time.monotonic()
            self._state.rejected_bytes = rejected_before + conversation.dropped_bytes
            if conversation.frames != frames:
                frames, answered_s = conversation.frames, now_s
                self._state.running()
                if len(self._rates) > 1:
                    self._state.figures["baudrate"] = self._rates[0]
            elif frames == 0 and self._is_wrong_rate(talk, now_s - began_s):
                return
            elif self._silent_after_s is not None and now_s - answered_s > self._silent_after_s:
                detail = f"no valid answer for {self._silent_after_s:g} s"
                raise ReaderLostError(detail, silent=True)

    def _is_wrong_rate(self, talk: _Talk, age_s: float) -> bool:
        """What may be silent shows that it is at another rate by talking nonsense."""
        if len(self._rates) == 1 or age_s < self._probe_s:
            return False
        return self._silent_after_s is not None or talk.received_bytes > _NONSENSE_BYTES

    def _take(self, item: Item) -> None:
        if isinstance(item, Reading):
            name = self._state.name
            self._heard(name if item.antenna is None else f"{name}/{item.antenna}", item)
        elif isinstance(item, SensorReading):
            self._measured(item)
        else:
            self._event(item)

    def _event(self, event: ReaderEvent) -> None:
        if event.name == "temperature":
            self._state.figures["temperature_c"] = max(event.code or 0, 0)
            return
        self._state.count(event.name)
        if not self._notices.once(event, time.monotonic()):
            return  # counted; a reader may say it many times a second
        level = logging.INFO if event.name in _GOOD_NEWS else logging.WARNING
        log.log(level, "%s %s", event.name, fields(reader=self._state.name, detail=event.detail))


class _Talk:
    """An opened link and the conversation on it."""

    def __init__(self, link: Link, conversation: Conversation) -> None:
        self.conversation = conversation
        self.received_bytes = 0
        self._link = link
        self._received = bytearray()
        self._failure: Exception | None = None
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(link.fileno(), self._readable)
        # Silence may be what ends a line.
        self._hears_silence = isinstance(conversation, ListenConversation)

    def _readable(self) -> None:
        try:
            self._received += self._link.read()
        except OSError as error:
            self._failure = error
            self._loop.remove_reader(self._link.fileno())
        self._wake.set()

    def say(self) -> None:
        if command := self.conversation.send(time.monotonic()):
            self._link.write(command)

    async def listen(self) -> Sequence[Item]:
        """What arrives until the conversation wants to say something; raises when the port goes."""
        wait_s = min(self.conversation.wake_at_s - time.monotonic(), _LONGEST_WAIT_S)
        try:
            async with asyncio.timeout(max(wait_s, 0)):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        data = bytes(self._received)
        self._received.clear()
        self.received_bytes += len(data)
        found: Sequence[Item] = ()
        if data or self._hears_silence:
            found = self.conversation.receive(data, time.monotonic())
        if self._failure is not None and not data:
            raise ReaderLostError(f"port lost: {self._failure}") from self._failure
        return found

    def close(self) -> None:
        self._loop.remove_reader(self._link.fileno())
        try:
            self._link.write(self.conversation.stop())
        except OSError:
            pass
        finally:
            self._link.close()
