"""Cuts verified frames out of a byte stream: the rules that hold for every framed protocol.

- A candidate starts at every offset that holds a start byte. The earliest candidate which is
  complete and verified wins; one that is incomplete never holds back a later complete one.
- Lengths are bounded by what the protocol can produce, so a stray byte cannot stall the stream.
- After a gap between bytes an incomplete candidate is given up.
- Bytes outside accepted frames are dropped and counted, never published.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

NOT_A_FRAME = 0
UNKNOWN_YET = -1


@dataclass(frozen=True, slots=True)
class Rules:
    """A protocol's frame, as far as cutting needs to know it.

    `measure(buffer, offset)`: total size in bytes of the candidate at `offset`, NOT_A_FRAME, or
    UNKNOWN_YET when too few bytes are there to tell. `verify(frame)`: checksum and end byte.
    """

    starts: bytes
    measure: Callable[[bytearray, int], int]
    verify: Callable[[bytes], bool]
    gap_s: float = 0.1


class Framer:
    """A stream decoder: `feed` bytes as they arrive, get whole verified frames."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._start = re.compile(b"[" + re.escape(rules.starts) + b"]")
        self._buffer = bytearray()
        self._fed_at_s: float | None = None
        self.dropped_bytes = 0

    def feed(self, data: bytes, at_s: float | None = None) -> list[bytes]:
        """The frames completed by `data`, in order. `at_s`: arrival, seconds, any monotonic clock;
        without it candidates are given up by `flush` only."""
        if at_s is not None:
            if self._fed_at_s is not None and at_s - self._fed_at_s > self._rules.gap_s:
                self.flush()
            self._fed_at_s = at_s
        self._buffer += data
        return self._cut()

    def flush(self) -> int:
        """Give up what is incomplete. Returns the number of bytes dropped."""
        dropped = len(self._buffer)
        self.dropped_bytes += dropped
        self._buffer.clear()
        return dropped

    def _cut(self) -> list[bytes]:
        frames: list[bytes] = []
        buffer = self._buffer
        done = offset = 0  # bytes before `done` are frames already taken or dropped
        incomplete: int | None = None
        while found := self._start.search(buffer, offset):
            offset = found.start()
            size = self._rules.measure(buffer, offset)
            if size == UNKNOWN_YET or offset + size > len(buffer):
                incomplete = offset if incomplete is None else incomplete
            elif size and self._rules.verify(frame := bytes(buffer[offset : offset + size])):
                frames.append(frame)
                self.dropped_bytes += offset - done
                done = offset = offset + size
                incomplete = None
                continue
            offset += 1
        end = len(buffer) if incomplete is None else incomplete
        self.dropped_bytes += end - done
        del buffer[:end]
        return frames
