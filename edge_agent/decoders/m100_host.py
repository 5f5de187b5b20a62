"""The host's side of the M100 protocol: keep one multi-poll running.

A multi-poll ends by itself after its rounds, and every empty round answers "no tag": so silence
means that it ended (or that the module restarted) and it is sent again.
"""

from __future__ import annotations

from edge_agent.decoders import m100
from edge_agent.decoders.names import epc_name
from edge_agent.decoders.readings import Frame, ReaderEvent, Reading

ROUNDS = 10_000


class M100Conversation:
    """Implements readings.Conversation. Times are in seconds, power in dBm."""

    def __init__(
        self,
        *,
        power_dbm: float | None = None,
        region: str | None = None,
        silence_s: float = 0.5,
        rounds: int = ROUNDS,
        silences_before_notice: int = 4,
    ) -> None:
        self._setup: list[tuple[int, bytes]] = []
        if region is not None:
            self._setup.append((m100.SET_REGION, bytes((m100.REGIONS[region],))))
        if power_dbm is not None:
            self._setup.append((m100.SET_POWER, round(power_dbm * 100).to_bytes(2, "big")))
        self._silence_s = silence_s
        self._rounds = rounds
        self._silences_before_notice = silences_before_notice
        self._decoder = m100.Decoder()
        self._events: list[ReaderEvent] = []
        self._silences = 0
        self._variant = 0xBB
        self._started = False
        self.frames = 0
        self.wake_at_s = float("-inf")

    @property
    def dropped_bytes(self) -> int:
        return self._decoder.framer.dropped_bytes

    def events(self) -> list[ReaderEvent]:
        noticed, self._events = self._events, []
        return noticed

    def stop(self) -> bytes:
        return m100.encode(m100.STOP_POLL, start=self._variant)

    def send(self, now_s: float) -> bytes:
        """The multi-poll command, at the start and whenever the module fell silent."""
        if now_s < self.wake_at_s:
            return b""
        if self._started:
            self._silences += 1
        if self._silences == self._silences_before_notice:
            self._events.append(ReaderEvent("no_answer", "no answer to the multi-poll"))
        self._choose_variant()
        self._started = True
        self.wake_at_s = now_s + self._silence_s
        poll = b"\x22" + self._rounds.to_bytes(2, "big")
        return self._configuration() + m100.encode(m100.MULTI_POLL, poll, start=self._variant)

    def _choose_variant(self) -> None:
        """Answer with the variant seen; as long as none was seen, try both in turn."""
        if self._decoder.start is not None:
            self._variant = self._decoder.start
        elif self._silences:
            self._variant = 0xAA if self._variant == 0xBB else 0xBB

    def _configuration(self) -> bytes:
        """With each multi-poll, for the module may have restarted."""
        return b"".join(
            m100.encode(command, data, start=self._variant) for command, data in self._setup
        )

    def receive(self, data: bytes, now_s: float) -> list[Reading | ReaderEvent]:
        found: list[Reading | ReaderEvent] = []
        for frame in self._decoder.feed(data, now_s):
            self.frames += 1
            self._silences = 0
            self.wake_at_s = now_s + self._silence_s
            if (item := _meaning(frame)) is not None:
                found.append(item)
        return found


def _meaning(frame: Frame) -> Reading | ReaderEvent | None:
    if frame["type"] == "tag":
        if not frame["epc"]:
            return None  # a record without an EPC names nothing
        if not frame["tag_crc_ok"]:
            return ReaderEvent("bad_tag_crc", f"tag CRC of {frame['epc']} is wrong, not published")
        return Reading(epc_name(frame["epc"]), float(frame["rssi_dbm"]), None, "rfid")
    if frame["type"] == "error":
        return ReaderEvent("reader_error", frame["meaning"], None, frame["error"])
    return None
