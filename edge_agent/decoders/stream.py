"""A stream decoder of a framed protocol: its framing rules and what one frame says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge_agent.decoders.framing import Framer, Rules
from edge_agent.decoders.readings import Frame


class FrameSource(Protocol):
    """What every serial decoder can do, framed or in lines."""

    def feed(self, data: bytes, at_s: float | None = None) -> list[Frame]:
        """The frames completed by `data`. `at_s`: arrival, seconds of any monotonic clock."""
        ...

    def flush(self) -> int:
        """Give up what is incomplete. Returns the number of bytes dropped."""
        ...


class CountingSource(FrameSource, Protocol):
    """`verified`: frames whose checksum was right, whatever they say."""

    verified: int

    @property
    def dropped_bytes(self) -> int:
        """Bytes outside verified frames."""
        ...


class StreamDecoder:
    """Implements CountingSource. `decode(frame)` gives None for a frame that says nothing."""

    def __init__(self, rules: Rules, decode: Callable[[bytes], Frame | None]) -> None:
        self.framer = Framer(rules)
        self.verified = 0
        self._decode = decode

    def feed(self, data: bytes, at_s: float | None = None) -> list[Frame]:
        frames = self.framer.feed(data, at_s)
        self.verified += len(frames)
        return [said for frame in frames if (said := self._decode(frame)) is not None]

    def flush(self) -> int:
        return self.framer.flush()

    @property
    def dropped_bytes(self) -> int:
        return self.framer.dropped_bytes
