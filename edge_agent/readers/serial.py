"""A reader on a serial port: runs a protocol's conversation over pyserial."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

import serial

from edge_agent.decoders.readings import Conversation, ReaderEvent, Reading
from edge_agent.errors import ReaderLostError
from edge_agent.logs import fields
from edge_agent.readers.state import ReaderState

log = logging.getLogger("edge.reader")

_READ_BYTES: Final = 4096
_WRITE_TIMEOUT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 0.5


class SerialReader:
    """`heard(receiver, reading)` is called for every tag; the receiver is `name` or `name/antenna`.

    `run` ends by ReaderLostError (silent for `silent_after_s`) or by the port's own error; call it
    again to start afresh.
    """

    def __init__(
        self,
        state: ReaderState,
        port: str,
        baudrate: int,
        conversation: Callable[[], Conversation],
        heard: Callable[[str, Reading], None],
        *,
        silent_after_s: float = 10.0,
    ) -> None:
        self._state = state
        self._port = port
        self._baudrate = baudrate
        self._new_conversation = conversation
        self._heard = heard
        self._silent_after_s = silent_after_s

    async def run(self) -> None:
        line = await asyncio.to_thread(self._open)
        talk = _Talk(line, self._new_conversation())
        rejected_before = self._state.rejected_bytes
        try:
            await self._converse(talk, rejected_before)
        finally:
            talk.close()

    def _open(self) -> serial.Serial:
        return serial.Serial(
            self._port,
            self._baudrate,
            timeout=0,
            write_timeout=_WRITE_TIMEOUT_S,
            exclusive=True,
        )

    async def _converse(self, talk: _Talk, rejected_before: int) -> None:
        conversation = talk.conversation
        frames, answered_s = 0, time.monotonic()
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
            elif now_s - answered_s > self._silent_after_s:
                detail = f"no valid answer for {self._silent_after_s:g} s"
                raise ReaderLostError(detail, silent=True)

    def _take(self, item: Reading | ReaderEvent) -> None:
        if isinstance(item, Reading):
            name = self._state.name
            self._heard(name if item.antenna is None else f"{name}/{item.antenna}", item)
            return
        level = logging.INFO if item.name == "antenna_restored" else logging.WARNING
        log.log(level, "%s %s", item.name, fields(reader=self._state.name, detail=item.detail))


class _Talk:
    """One opened port and the conversation on it."""

    def __init__(self, line: serial.Serial, conversation: Conversation) -> None:
        self.conversation = conversation
        self._line = line
        self._received = bytearray()
        self._failure: Exception | None = None
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(line.fileno(), self._readable)

    def _readable(self) -> None:
        try:
            self._received += self._line.read(_READ_BYTES)
        except (serial.SerialException, OSError) as error:
            self._failure = error
            self._loop.remove_reader(self._line.fileno())
        self._wake.set()

    def say(self) -> None:
        if command := self.conversation.send(time.monotonic()):
            self._line.write(command)

    async def listen(self) -> list[Reading | ReaderEvent]:
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
        found = self.conversation.receive(data, time.monotonic()) if data else []
        if self._failure is not None and not data:
            raise ReaderLostError(f"port lost: {self._failure}") from self._failure
        return found

    def close(self) -> None:
        self._loop.remove_reader(self._line.fileno())
        try:
            self._line.write(self.conversation.stop())
        except (serial.SerialException, OSError):
            pass
        finally:
            self._line.close()
