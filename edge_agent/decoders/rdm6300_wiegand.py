"""Wiegand-to-serial converters: plain lines without a checksum, so configured and never guessed.

- `hex`: six hex digits and CR: facility (2 digits), card (4), the parity bits removed;
- `decimal`: ten decimal digits and CR LF.
"""

from __future__ import annotations

import re
from typing import Literal

from edge_agent.decoders.lines import LineSplitter
from edge_agent.decoders.readings import Frame

WiegandFormat = Literal["hex", "decimal"]
_FORMS = {"hex": re.compile(rb"[0-9A-Fa-f]{6}"), "decimal": re.compile(rb"[0-9]{10}")}
_LONGEST_LINE = 64


class Decoder:
    """Implements stream.CountingSource for one of the two formats."""

    def __init__(self, form: WiegandFormat = "hex") -> None:
        self._form = form
        self._splitter = LineSplitter(limit=_LONGEST_LINE)
        self._refused_bytes = 0
        self.verified = 0

    @property
    def dropped_bytes(self) -> int:
        return self._splitter.dropped_bytes + self._refused_bytes

    def feed(self, data: bytes, at_s: float | None = None) -> list[Frame]:
        lines = self._splitter.feed(data, at_s)
        return [frame for line in lines if (frame := self._line(line)) is not None]

    def flush(self) -> int:
        before = self._splitter.dropped_bytes
        self._splitter.end()
        return self._splitter.dropped_bytes - before

    def _line(self, line: bytes) -> Frame | None:
        if not _FORMS[self._form].fullmatch(line):
            self._refused_bytes += len(line)
            return None
        self.verified += 1
        if self._form == "decimal":
            return {"type": "tag", "printed10": line.decode(), "card_number": int(line)}
        number = int(line, 16)
        return {
            "type": "tag",
            "id_hex": line.decode().upper(),
            "card_number": number,
            "facility_code": number >> 16,
            "card_code16": number & 0xFFFF,
        }
