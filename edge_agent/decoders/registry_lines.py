"""The line protocols by name, and what makes their decoders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge_agent.decoders import nmea, scanner
from edge_agent.decoders.readings import Frame


class LineSource(Protocol):
    """A decoder of lines; `end` gives what the end of the stream completes."""

    def feed(self, data: bytes, at_s: float | None = None) -> list[Frame]: ...

    def end(self) -> list[Frame]: ...


def line_sources(current_year: Callable[[], int]) -> dict[str, Callable[[], LineSource]]:
    """Name -> factory. `current_year()` resolves the two-digit years of labels."""
    return {
        "nmea0183": nmea.Decoder,
        "barcode_line": lambda: scanner.Decoder(current_year=current_year),
        "hibc_line": lambda: scanner.HibcDecoder(current_year=current_year),
    }
