"""Card readers that only send: nothing is asked, and silence says nothing about their health."""

from __future__ import annotations

from edge_agent.decoders import rdm6300, rdm6300_wiegand
from edge_agent.decoders.rdm6300_wiegand import WiegandFormat
from edge_agent.decoders.readings import Frame, ReaderEvent, Reading
from edge_agent.decoders.stream import CountingSource

_WAKE_S = 3600.0


class CardConversation:
    """Implements readings.Conversation. `wiegand`: the line format of a converter; None: an
    RDM6300 or ID-12."""

    def __init__(self, wiegand: WiegandFormat | None = None) -> None:
        self._decoder: CountingSource = rdm6300.Decoder()
        if wiegand is not None:
            self._decoder = rdm6300_wiegand.Decoder(wiegand)
        self.frames = 0
        self.wake_at_s = float("-inf")

    @property
    def dropped_bytes(self) -> int:
        return self._decoder.dropped_bytes

    def events(self) -> list[ReaderEvent]:
        return []

    def stop(self) -> bytes:
        return b""

    def send(self, now_s: float) -> bytes:
        self.wake_at_s = now_s + _WAKE_S
        return b""

    def receive(self, data: bytes, now_s: float) -> list[Reading | ReaderEvent]:
        found: list[Reading | ReaderEvent] = [
            Reading(card_name(frame), None, None, "rfid")
            for frame in self._decoder.feed(data, now_s)
        ]
        self.frames = self._decoder.verified
        return found


def card_name(frame: Frame) -> str:
    """em4100: the whole number; wiegand24: the 24 bits a converter leaves; card10: as printed."""
    if "version" in frame:
        return f"em4100:{frame['id_hex'].lower()}"
    if "id_hex" in frame:
        return f"wiegand24:{frame['id_hex'].lower()}"
    return f"card10:{frame['printed10']}"
