"""The host's side of SSI: enable scanning, acknowledge every scan.

The scanner repeats what is not acknowledged within 2 s and then drops it; a repetition is
acknowledged again but reported once. Enabling is acknowledged and harmless to repeat: it is what
shows that an idle scanner is still there, and what sets up one that restarted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from edge_agent.decoders import scanner, ssi
from edge_agent.decoders.readings import Frame, ReaderEvent, Reading
from edge_agent.decoders.startup import Step, StreamingHost

_AIM = re.compile(rb"\][ACEIJLQdez][0-9A-Za-z]")
_LONGEST_SCAN = 8192
"""Bytes of a scan over several frames; the largest symbols hold less."""
_PART_S = 5.0
"""Parts of a scan come closer together than this."""


class SsiConversation(StreamingHost):
    """Implements readings.Conversation. Times are in seconds."""

    def __init__(self, *, silence_s: float = 4.0, reply_timeout_s: float = 1.0) -> None:
        enable = ssi.encode(ssi.SCAN_ENABLE)
        steps = [Step(ssi.ACK, enable, "scan enable", timeout_s=reply_timeout_s)]
        # Nothing to stop: a scanner goes on scanning and drops what nobody acknowledges.
        super().__init__(ssi.Decoder(), steps, silence_s=silence_s, stop=b"")
        self._pending = b""
        self._scanner = scanner.Decoder()
        self._parts = b""
        self._part_at_s = 0.0
        self._last: tuple[int | None, bytes] | None = None

    def send(self, now_s: float) -> bytes:
        pending, self._pending = self._pending, b""
        return pending + super().send(now_s)

    def receive(self, data: bytes, now_s: float) -> list[Reading | ReaderEvent]:
        found = super().receive(data, now_s)
        if self._pending:
            self.wake_at_s = now_s
        return found

    def _take(self, frame: Frame, now_s: float) -> Sequence[Reading | ReaderEvent]:
        kind = frame["type"]
        if kind == "decode_data":
            self._pending += ssi.ack()
            return self._scan(frame, now_s)
        if kind == "event":
            self._pending += ssi.ack()
        elif kind == "ack":
            self._startup.answered(ssi.ACK, now_s)
        elif kind == "nak":
            self._startup.answered(ssi.ACK, now_s)
            meaning, reason = frame.get("meaning", "refused"), frame.get("reason")
            return self._tell("reader_error", f"scan enable: {meaning}", now_s, code=reason)
        return []

    def _scan(self, frame: Frame, now_s: float) -> list[Reading | ReaderEvent]:
        said = (frame.get("code_type"), bytes.fromhex(frame.get("raw", "")))
        if frame["retransmission"] and said == self._last:
            return []
        self._last = said
        if now_s - self._part_at_s > _PART_S:
            self._parts = b""
        self._part_at_s = now_s
        self._parts = (self._parts + said[1])[:_LONGEST_SCAN]
        if frame["continued"]:
            return []
        whole, self._parts = self._parts, b""
        return self._named(ssi.AIM.get(said[0] or 0, b""), whole) if whole else []

    def _named(self, aim: bytes, code: bytes) -> list[Reading | ReaderEvent]:
        """The same name as when the scanner sends lines, whether or not it adds the identifier."""
        line = code if _AIM.match(code) else aim + code
        reading = scanner.reading(self._scanner.decode(line))
        if reading is None:
            return [ReaderEvent("code_refused", f"a code of {len(code)} bytes gives no name")]
        return [reading]
