"""Devices that only talk: a Conversation that never sends, over any decoder of lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from edge_agent.decoders.lines import LineSplitter
from edge_agent.decoders.readings import Frame, Item, ReaderEvent

_NEVER = float("inf")
_GAP_S = 0.1


class LineDecoder(Protocol):
    """What scanner.Decoder and line_format.LineFormat are."""

    splitter: LineSplitter

    def feed(self, data: bytes, at_s: float | None = None) -> list[Frame]: ...

    def silence(self, now_s: float) -> list[Frame]: ...


class ListenConversation:
    """Implements readings.Conversation. `items(frame)`: what a frame means, if anything.

    It wakes after a gap, because silence may be what ends a line: then `receive` nothing.
    """

    def __init__(self, decoder: LineDecoder, items: Callable[[Frame], Sequence[Item]]) -> None:
        self._decoder = decoder
        self._items = items
        self.frames = 0
        self.wake_at_s = float("-inf")

    @property
    def dropped_bytes(self) -> int:
        return self._decoder.splitter.dropped_bytes

    def receive(self, data: bytes, now_s: float) -> list[Item]:
        frames = self._decoder.feed(data, now_s) if data else self._decoder.silence(now_s)
        self.wake_at_s = now_s + 2 * _GAP_S if self._decoder.splitter.pending else _NEVER
        self.frames += len(frames)
        return [item for frame in frames for item in self._items(frame)]

    def send(self, now_s: float) -> bytes:
        if self.wake_at_s <= now_s:
            self.wake_at_s = _NEVER
        return b""

    def events(self) -> list[ReaderEvent]:
        return []

    def stop(self) -> bytes:
        return b""
