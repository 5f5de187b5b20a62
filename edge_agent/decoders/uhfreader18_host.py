"""The host's side of the UHFReader18 family, in both layouts: ask for one inventory after another.

There is no endless inventory. In active mode the reader sends by itself and is only listened to.
Which layout applies cannot be told from a frame: the reader's type decides, as long as it has not
answered the configured one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from edge_agent.decoders import uhfreader18, uhfreader288
from edge_agent.decoders.names import epc_name
from edge_agent.decoders.readings import Frame, ReaderEvent, Reading
from edge_agent.decoders.startup import Notices
from edge_agent.decoders.stream import StreamDecoder

Layout = Literal["18", "288"]
_DECODE = {"18": uhfreader18.decode, "288": uhfreader288.decode}
_TRAILER_S = 0.1
"""A frame of statistics ends the round unless another follows within this time."""


class UhfReader18Conversation:
    """Implements readings.Conversation. `antennas` count from 1 (layout 288); times in seconds."""

    def __init__(
        self,
        antennas: Sequence[int] = (1,),
        *,
        layout: Layout = "18",
        active: bool = False,
        power_dbm: float | None = None,
        region: str | None = None,
        reply_timeout_s: float = 0.5,
        round_timeout_s: float = 4.0,
        round_interval_s: float = 0.05,
        timeouts_before_notice: int = 3,
    ) -> None:
        self._antennas = list(antennas)
        self._layout: Layout = layout
        self._active = active
        self._setup = [(uhfreader18.READER_INFO, uhfreader18.encode(uhfreader18.READER_INFO))]
        if region is not None:
            codes = uhfreader18.REGIONS[region]
            self._setup.append((uhfreader18.SET_REGION, uhfreader18.set_region(*codes)))
        if power_dbm is not None:
            self._setup.append((uhfreader18.SET_POWER, uhfreader18.set_power(power_dbm)))
        self._todo = list(self._setup)
        self._reply_timeout_s = reply_timeout_s
        self._round_timeout_s = round_timeout_s
        self._round_interval_s = round_interval_s
        self._timeouts_before_notice = timeouts_before_notice
        self._decoder = StreamDecoder(uhfreader18.RULES, self._decode)
        self._notices = Notices()
        self._events: list[ReaderEvent] = []
        self._missing: set[int] = set()
        self._index = 0
        self._asked: int | None = None
        self._asked_at_s = float("-inf")
        self._timeouts = 0
        self.frames = 0
        self.wake_at_s = float("-inf")

    def _decode(self, frame: bytes) -> Frame | None:
        return _DECODE[self._layout](frame)

    @property
    def dropped_bytes(self) -> int:
        return self._decoder.dropped_bytes

    def events(self) -> list[ReaderEvent]:
        noticed, self._events = self._events, []
        return noticed

    def stop(self) -> bytes:
        """Nothing: a reader that is not asked again falls silent by itself."""
        return b""

    def send(self, now_s: float) -> bytes:
        if self._active:
            self.wake_at_s = now_s + 1.0
            return b""
        if now_s < self.wake_at_s:
            return b""
        if self._asked is not None:
            self._missed()
        return self._ask(now_s)

    def _missed(self) -> None:
        """No answer: leave out what was asked; several times: perhaps it restarted, so set up
        again."""
        self._timeouts += 1
        if self._asked != uhfreader18.INVENTORY:
            self._todo = self._todo[1:]
        if self._timeouts % self._timeouts_before_notice == 0:
            self._todo = list(self._setup)
        if self._timeouts == self._timeouts_before_notice:
            self._events.append(ReaderEvent("no_answer", f"no answer to {self._timeouts} requests"))

    def _ask(self, now_s: float) -> bytes:
        self._asked_at_s = now_s
        if self._todo:
            self._asked, request = self._todo[0]
            self.wake_at_s = now_s + self._reply_timeout_s
            return request
        self._asked = uhfreader18.INVENTORY
        self.wake_at_s = now_s + self._round_timeout_s
        if self._layout == "18":
            return uhfreader18.encode(uhfreader18.INVENTORY)
        return uhfreader288.inventory(self._antennas[self._index])

    def receive(self, data: bytes, now_s: float) -> list[Reading | ReaderEvent]:
        found: list[Reading | ReaderEvent] = []
        for frame in self._decoder.feed(data, now_s):
            self._timeouts = 0
            found += self._readings(frame)
            if frame["command"] == self._asked:
                found += self._answer(frame, now_s)
        self.frames = self._decoder.verified
        return found

    def _readings(self, frame: Frame) -> list[Reading]:
        """Levels have no documented unit, so none is given."""
        tags = [frame] if frame["type"] == "tag" else frame.get("tags", [])
        antenna = frame.get("antenna")
        return [Reading(epc_name(tag["epc"]), None, antenna, "rfid") for tag in tags if tag["epc"]]

    def _answer(self, frame: Frame, now_s: float) -> list[ReaderEvent]:
        if frame["command"] == uhfreader18.INVENTORY:
            return self._inventory(frame, now_s)
        self._asked, self.wake_at_s = None, now_s
        self._todo = self._todo[1:]
        if frame["type"] == "reader_info":
            return self._reader_info(frame)
        return self._error(frame, now_s) if frame["type"] == "error" else []

    def _reader_info(self, frame: Frame) -> list[ReaderEvent]:
        kind, configured = frame["reader_type"], self._layout
        # A round lasts as long as the reader scans.
        scan_s = frame["scan_time_ms"] / 1000
        self._round_timeout_s = max(self._round_timeout_s, scan_s + self._reply_timeout_s)
        if kind in uhfreader288.READER_TYPES:
            self._layout = "288"
        elif kind in uhfreader288.OLD_READER_TYPES:
            self._layout = "18"
        if self._layout == configured:
            return []
        detail = f"reader type 0x{kind:02x} speaks layout {self._layout}, not {configured}"
        return [ReaderEvent("layout_changed", detail, None, kind)]

    def _inventory(self, frame: Frame, now_s: float) -> list[ReaderEvent]:
        status = frame["status"]
        if status == uhfreader18.MORE:
            self.wake_at_s = now_s + self._round_timeout_s
            return []
        if status == uhfreader18.STATISTICS:
            self._asked, self.wake_at_s = None, now_s + _TRAILER_S
            self._index = (self._index + 1) % len(self._antennas)
            return []
        antenna = self._antennas[self._index]
        self._index = (self._index + 1) % len(self._antennas)
        self._asked = None
        self.wake_at_s = max(now_s, self._asked_at_s + self._round_interval_s)
        if status == uhfreader18.ANTENNA_ERROR:
            return self._antenna_missing(antenna)
        if antenna in self._missing:
            self._missing.discard(antenna)
            return [ReaderEvent("antenna_restored", f"antenna {antenna}", antenna)]
        return self._error(frame, now_s) if frame["type"] == "error" else []

    def _antenna_missing(self, antenna: int) -> list[ReaderEvent]:
        if antenna in self._missing:
            return []
        self._missing.add(antenna)
        detail = f"antenna {antenna}: {uhfreader18.STATUS[uhfreader18.ANTENNA_ERROR]}"
        return [ReaderEvent("antenna_missing", detail, antenna, uhfreader18.ANTENNA_ERROR)]

    def _error(self, frame: Frame, now_s: float) -> list[ReaderEvent]:
        code = frame["error"]
        event = ReaderEvent("reader_error", f"{frame['meaning']} (0x{code:02x})", None, code)
        return self._notices.once(event, now_s)
