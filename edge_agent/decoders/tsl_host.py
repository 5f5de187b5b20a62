"""The host's side of TSL ASCII 2.0: one inventory after another; scans of the trigger come between.

An inventory ends by its empty line. No answer in time: abort and ask again.
"""

from __future__ import annotations

from edge_agent.decoders import scanner, tsl
from edge_agent.decoders.names import epc_name
from edge_agent.decoders.readings import Frame, ReaderEvent, Reading
from edge_agent.decoders.startup import Notices

_NO_TAG = "005"
"""ER: of an inventory that found nothing (not checked with a device)."""


class TslConversation:
    """Implements readings.Conversation. Times are in seconds, power in dBm."""

    def __init__(
        self,
        *,
        power_dbm: float | None = None,
        reply_timeout_s: float = 5.0,
        interval_s: float = 0.1,
        timeouts_before_notice: int = 2,
    ) -> None:
        self._request = tsl.inventory(power_dbm)
        self._reply_timeout_s = reply_timeout_s
        self._interval_s = interval_s
        self._timeouts_before_notice = timeouts_before_notice
        self._decoder = tsl.Decoder()
        self._notices = Notices()
        self._events: list[ReaderEvent] = []
        self._asked = False
        self._timeouts = 0
        self.frames = 0
        self.wake_at_s = float("-inf")

    @property
    def dropped_bytes(self) -> int:
        return self._decoder.dropped_bytes

    def events(self) -> list[ReaderEvent]:
        noticed, self._events = self._events, []
        return noticed

    def stop(self) -> bytes:
        return tsl.encode(".ab")

    def send(self, now_s: float) -> bytes:
        if now_s < self.wake_at_s:
            return b""
        abort = b""
        if self._asked:
            abort = tsl.encode(".ab")
            self._timeouts += 1
            if self._timeouts == self._timeouts_before_notice:
                self._events.append(ReaderEvent("no_answer", "no answer to inventories"))
        self._asked = True
        self.wake_at_s = now_s + self._reply_timeout_s
        return abort + self._request

    def receive(self, data: bytes, now_s: float) -> list[Reading | ReaderEvent]:
        found: list[Reading | ReaderEvent] = []
        for frame in self._decoder.feed(data, now_s):
            self._timeouts = 0
            found += [_reading(tag) for tag in frame["tags"]]
            found += [item for code in frame["barcodes"] if (item := _scan(code)) is not None]
            found += self._outcome(frame, now_s)
            if self._asked and frame["command"] == ".iv":
                self._asked = False
                self.wake_at_s = now_s + self._interval_s
        self.frames = self._decoder.verified
        return found

    def _outcome(self, frame: Frame, now_s: float) -> list[ReaderEvent]:
        if frame["ok"] or frame["error"] == _NO_TAG:
            return []
        message = frame.get("message", "")
        detail = f"{frame['command']}: error {frame['error']} {message}".rstrip()
        code = int(frame["error"]) if frame["error"].isdecimal() else None
        return self._notices.once(ReaderEvent("reader_error", detail, None, code), now_s)


def _scan(code: str) -> Reading | None:
    return scanner.reading(scanner.Decoder().decode(code.encode()))


def _reading(tag: Frame) -> Reading | ReaderEvent:
    if not tag.get("tag_crc_ok", True):
        return ReaderEvent("bad_tag_crc", f"tag CRC of {tag['epc']} is wrong, not published")
    rssi = tag.get("rssi_dbm")
    return Reading(epc_name(tag["epc"]), None if rssi is None else float(rssi), None, "rfid")
