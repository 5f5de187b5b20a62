"""Cuts a byte stream into lines, whatever ends them: CR, LF, CR LF, ETX, or silence."""

from __future__ import annotations

import re

_STX = b"\x02"
_ENDS = re.compile(rb"[\r\n\x03]")


class LineSplitter:
    """`feed` bytes as they arrive, get whole lines without their ends; never an empty one.

    A gap of `gap_s` completes a line too: some scanners send no terminator, and what was cut off is
    seen by those who check it. Lines longer than `limit` bytes are dropped and counted.
    """

    def __init__(self, *, gap_s: float = 0.1, limit: int = 8192) -> None:
        self._gap_s = gap_s
        self._limit = limit
        self._buffer = bytearray()
        self._fed_at_s: float | None = None
        self._overlong = False
        self.dropped_bytes = 0

    def feed(self, data: bytes, at_s: float | None = None) -> list[bytes]:
        """The lines completed by `data`. `at_s`: arrival, seconds of any monotonic clock."""
        lines: list[bytes] = []
        if at_s is not None:
            lines += self.silence(at_s)
            self._fed_at_s = at_s
        *ended, rest = _ENDS.split(data)
        for piece in ended:
            self._append(piece)
            lines += self._take()
        self._append(rest)
        return lines

    def silence(self, now_s: float) -> list[bytes]:
        """Call it when nothing arrives: the line that the gap has ended, if any."""
        if self._fed_at_s is None or now_s - self._fed_at_s <= self._gap_s:
            return []
        return self.end()

    def end(self) -> list[bytes]:
        """The stream has paused or ended."""
        return self._take()

    def flush(self) -> int:
        """Give up the line that has begun. Returns the number of bytes dropped."""
        dropped = len(self._buffer)
        self.dropped_bytes += dropped
        self._buffer.clear()
        self._overlong = False
        return dropped

    @property
    def pending(self) -> bool:
        """Whether a line has begun and not ended."""
        return bool(self._buffer)

    def _append(self, piece: bytes) -> None:
        if self._overlong or len(self._buffer) + len(piece) > self._limit:
            self.dropped_bytes += len(self._buffer) + len(piece)
            self._buffer.clear()
            self._overlong = True
        else:
            self._buffer += piece

    def _take(self) -> list[bytes]:
        line = bytes(self._buffer).removeprefix(_STX)
        self._buffer.clear()
        self._overlong = False
        return [line] if line else []


def decode_text(line: bytes) -> str:
    """UTF-8, else Latin-1: scanners send either and do not say which."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")
