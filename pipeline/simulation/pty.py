"""A reader emulator behind a pseudo-terminal, so that a real serial driver talks to it. POSIX."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

QUEUE_BYTES = 8192
"""Frames that do not fit any more are lost whole, as on a line that nobody listens to."""
CHUNK_BYTES = 4096
LONGEST_WAIT_S = 0.2


class Emulator(Protocol):
    """Sans-I/O: see r2000.R2000Reader and m100.M100Reader."""

    @property
    def next_us(self) -> int | None: ...

    def feed(self, data: bytes, at_us: int) -> bytes: ...

    def due(self, at_us: int) -> bytes: ...


class SerialPort:
    """Runs an emulator in a thread on a pseudo-terminal until it is stopped.

    `path` is the device to give to a serial driver; it exists from `start` to `stop`. Hosts may
    come and go. `clock` gives the event time in us; it must run with the wall clock.
    """

    def __init__(self, emulator: Emulator, clock: Callable[[], int], name: str = "reader") -> None:
        self._emulator, self._clock, self._name = emulator, clock, name
        self._thread: threading.Thread | None = None
        self._queue = b""
        self.lost_bytes = 0
        self.path = ""

    def start(self) -> str:
        """Open the pseudo-terminal; returns its path."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._wake, self._waker = os.pipe()
        self.path = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._run, name=f"pty {self._name}", daemon=True)
        self._thread.start()
        return self.path

    def stop(self) -> None:
        """End the thread and remove the device. May be called again."""
        if self._thread is None:
            return
        os.write(self._waker, b"x")
        self._thread.join()
        self._thread = None
        for descriptor in (self._master, self._slave, self._wake, self._waker):
            os.close(descriptor)

    def __enter__(self) -> SerialPort:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while True:
            readable, _, _ = select.select(
                [self._master, self._wake],
                [self._master] if self._queue else [],
                [],
                self._wait_s(),
            )
            if self._wake in readable:
                return
            if self._master in readable:
                data = os.read(self._master, CHUNK_BYTES)
                self._send(self._emulator.feed(data, self._clock()))
            self._send(self._emulator.due(self._clock()))
            self._flush()

    def _wait_s(self) -> float:
        next_us = self._emulator.next_us
        if next_us is None:
            return LONGEST_WAIT_S
        return min(max((next_us - self._clock()) / 1e6, 0.0), LONGEST_WAIT_S)

    def _send(self, data: bytes) -> None:
        if len(self._queue) + len(data) > QUEUE_BYTES:
            self.lost_bytes += len(data)
        else:
            self._queue += data

    def _flush(self) -> None:
        try:
            while self._queue:
                self._queue = self._queue[os.write(self._master, self._queue) :]
        except BlockingIOError:
            pass  # nobody reads; the kernel's buffer is full
