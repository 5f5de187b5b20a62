"""What answers on a serial port: listens first, then asks; a bounded time a port."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import serial

from edge_agent.discover.ports import Port, holder
from edge_agent.discover.probes import BAUDRATES, Identity, Listener, Probe, probes_at

_LISTEN_S, _ANSWER_S = 0.6, 0.25
_SETTLE_S = 0.05
_MOST_BYTES = 4096
PORT_S = 15.0
"""Longer than this no port is looked at."""


@dataclass(frozen=True, slots=True)
class Found:
    """`state`: answers, heard (it speaks by itself), text, noise, silent, in use, refused."""

    port: str
    hardware: str
    state: str
    protocol: str | None = None
    baudrate: int | None = None
    firmware: str = ""
    detail: str = ""


def look(port: Port, *, ask: bool = True) -> Found:
    """`ask` False: only listen. Never opens a port that somebody has open. Blocks for PORT_S."""
    held = holder(port.device)
    if held is not None:
        return _found(port, "in use", detail=f"by {held}")
    try:
        return _Look(port).run(ask=ask)
    except (OSError, ValueError) as error:  # pyserial's errors are OSErrors
        return _found(port, *_refusal(error))


def _refusal(error: OSError | ValueError) -> tuple[str, None, None, str, str]:
    text = str(error)
    if "lock" in text:
        return "in use", None, None, "", "by another program"
    if getattr(error, "errno", None) == 13 or "ermission" in text:
        return "refused", None, None, "", "not allowed: be in the group dialout, or root"
    return "refused", None, None, "", text


def _found(
    port: Port,
    state: str,
    protocol: str | None = None,
    baudrate: int | None = None,
    firmware: str = "",
    detail: str = "",
) -> Found:
    return Found(port.name, port.hardware, state, protocol, baudrate, firmware, detail)


class _Look:
    def __init__(self, port: Port) -> None:
        self._port = port
        self._until_s = time.monotonic() + PORT_S
        self._noise: tuple[int, int] | None = None  # bytes, baud rate

    def run(self, *, ask: bool) -> Found:
        with self._opened() as line:
            heard = self._listen(line)
            if heard is not None:
                # It says who it is when asked at the right rate; but it is known already.
                answer = self._ask_all(line, (heard.baudrate or 0,)) if ask else None
                return answer or heard
            answer = self._ask_all(line, BAUDRATES) if ask else None
        if answer is not None:
            return answer
        if self._noise is not None:
            size, baudrate = self._noise
            detail = f"{size} bytes at {baudrate} baud that are of no protocol known here"
            return _found(self._port, "noise", None, baudrate, "", detail)
        return _found(self._port, "silent", detail="" if ask else "it was not asked")

    @contextmanager
    def _opened(self) -> Iterator[serial.Serial]:
        line = serial.Serial(
            self._port.device, BAUDRATES[0], timeout=0.02, write_timeout=0.2, exclusive=True
        )
        try:
            yield line
        finally:
            line.close()

    def _listen(self, line: serial.Serial) -> Found | None:
        for baudrate in BAUDRATES:
            listener = Listener()
            for data in self._said(line, baudrate, _LISTEN_S):
                identity = listener.feed(data)
                if identity is not None:
                    return _found(self._port, "heard", identity.protocol, baudrate)
            if (text := listener.text_lines()) is not None:
                detail = f"lines such as {text[:40]!r}"
                return _found(self._port, "text", "scanner", baudrate, "", detail)
            if listener.bytes and (self._noise is None or listener.bytes > self._noise[0]):
                self._noise = listener.bytes, baudrate
        return None

    def _ask_all(self, line: serial.Serial, baudrates: tuple[int, ...]) -> Found | None:
        for baudrate in baudrates:
            for probe in probes_at(baudrate):
                identity = self._ask(line, baudrate, probe)
                if identity is not None:
                    state, protocol = "answers", identity.protocol
                    return _found(self._port, state, protocol, baudrate, identity.firmware)
        return None

    def _ask(self, line: serial.Serial, baudrate: int, probe: Probe) -> Identity | None:
        decoder = probe.decoder()
        for data in self._said(line, baudrate, _ANSWER_S, probe.request):
            for frame in decoder.feed(data):
                if (identity := probe.answer(frame)) is not None:
                    return identity
        return None

    def _said(
        self, line: serial.Serial, baudrate: int, seconds: float, request: bytes = b""
    ) -> Iterator[bytes]:
        """What arrives within `seconds` after `request` at this rate."""
        if line.baudrate != baudrate:
            line.baudrate = baudrate
            time.sleep(_SETTLE_S)
            line.reset_input_buffer()
        if request:
            line.write(request)
        until_s = min(time.monotonic() + seconds, self._until_s)
        while time.monotonic() < until_s:
            if data := line.read(_MOST_BYTES):
                yield data
