"""The host's side of the R2000 protocol: an endless round over the antennas.

There is no endless inventory command: select an antenna, ask for one round, collect tags until the
end frame, go to the next antenna. No answer in time: ask again; several times: reset the reader.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_agent.decoders import r2000
from edge_agent.decoders.names import epc_name
from edge_agent.decoders.readings import EventName, Frame, ReaderEvent, Reading


class R2000Conversation:
    """Implements readings.Conversation. `antennas` count from 1; times are in seconds."""

    def __init__(
        self,
        antennas: Sequence[int] = (1,),
        *,
        power_dbm: float | None = None,
        region: str | None = None,
        reply_timeout_s: float = 0.5,
        round_timeout_s: float = 2.0,
        round_interval_s: float = 0.05,
        timeouts_before_reset: int = 3,
        reset_pause_s: float = 1.0,
        temperature_s: float = 60.0,
    ) -> None:
        self._antennas = list(antennas)
        self._setup: list[tuple[int, bytes]] = []
        if region is not None:
            self._setup.append((r2000.SET_REGION, r2000.REGIONS[region]))
        if power_dbm is not None:
            self._setup.append((r2000.SET_POWER, bytes((round(power_dbm),))))
        self._todo = list(self._setup)
        self._reply_timeout_s = reply_timeout_s
        self._round_timeout_s = round_timeout_s
        self._round_interval_s = round_interval_s
        self._timeouts_before_reset = timeouts_before_reset
        self._reset_pause_s = reset_pause_s
        self._temperature_s = temperature_s
        self._temperature_due_s: float | None = None
        self._decoder = r2000.Decoder()
        self._events: list[ReaderEvent] = []
        self._missing: set[int] = set()
        self._index = 0
        self._selected: int | None = None
        self._asked: int | None = None
        self._timeouts = 0
        self.frames = 0
        self.wake_at_s = float("-inf")

    @property
    def dropped_bytes(self) -> int:
        return self._decoder.framer.dropped_bytes

    @property
    def antenna(self) -> int:
        """The antenna whose turn it is, from 1."""
        return self._antennas[self._index]

    def events(self) -> list[ReaderEvent]:
        noticed, self._events = self._events, []
        return noticed

    def stop(self) -> bytes:
        """Nothing: a reader that is not asked again falls silent by itself."""
        return b""

    def send(self, now_s: float) -> bytes:
        """What to write now; empty while an answer may still come or a pause lasts."""
        if now_s < self.wake_at_s:
            return b""
        if self._asked == r2000.TEMPERATURE:
            self._asked, self._temperature_due_s = None, float("inf")  # this board cannot tell
        if self._asked is not None and self._asked != r2000.RESET:
            self._timeouts += 1
            self._selected = None  # it may have restarted: select the antenna again
            if self._timeouts >= self._timeouts_before_reset:
                return self._reset(now_s)
        return self._next(now_s)

    def _reset(self, now_s: float) -> bytes:
        self._events.append(
            ReaderEvent("reader_reset", f"no answer to {self._timeouts} requests, reset sent")
        )
        self._timeouts = 0
        self._todo = list(self._setup)
        return self._ask(r2000.RESET, b"", now_s, self._reset_pause_s)

    def _next(self, now_s: float) -> bytes:
        if self._todo:
            return self._ask(*self._todo[0], now_s, self._reply_timeout_s)
        if self._temperature_due_s is None:
            self._temperature_due_s = now_s + self._temperature_s
        if now_s >= self._temperature_due_s:
            self._temperature_due_s = now_s + self._temperature_s
            return self._ask(r2000.TEMPERATURE, b"", now_s, self._reply_timeout_s)
        if self._selected != self.antenna:
            data = bytes((self.antenna - 1,))
            return self._ask(r2000.SET_ANTENNA, data, now_s, self._reply_timeout_s)
        return self._ask(r2000.INVENTORY, b"\x01", now_s, self._round_timeout_s)

    def _ask(self, command: int, data: bytes, now_s: float, timeout_s: float) -> bytes:
        self._asked = command
        self._asked_at_s = now_s
        self.wake_at_s = now_s + timeout_s
        return r2000.encode(command, data)

    def receive(self, data: bytes, now_s: float) -> list[Reading | ReaderEvent]:
        found: list[Reading | ReaderEvent] = []
        for frame in self._decoder.feed(data, now_s):
            self.frames += 1
            self._timeouts = 0
            if frame["type"] == "tag":
                found.append(self._reading(frame))
                if self._asked == r2000.INVENTORY:
                    self.wake_at_s = now_s + self._round_timeout_s
            elif frame.get("error") == r2000.RESET_ITSELF and self._asked != r2000.RESET:
                found.append(self._restarted(frame, now_s))
            elif frame.get("command") == self._asked != r2000.RESET:  # a reset needs its pause
                found += self._answer(frame, now_s)
        return found

    def _restarted(self, frame: Frame, now_s: float) -> ReaderEvent:
        """It has lost power or crashed: set it up again."""
        self._todo, self._selected, self._asked = list(self._setup), None, None
        self.wake_at_s = now_s + self._reset_pause_s
        return ReaderEvent("reader_restarted", frame["meaning"], None, frame["error"])

    def _reading(self, frame: Frame) -> Reading:
        # The frame has two bits for the antenna: boards with eight mean the one that was selected.
        antenna = frame["antenna"] + 1
        if self._selected is not None and (self._selected - 1) & 0x03 == frame["antenna"]:
            antenna = self._selected
        return Reading(epc_name(frame["epc"]), frame["rssi_dbm"], antenna, "rfid")

    def _answer(self, frame: Frame, now_s: float) -> list[ReaderEvent]:
        """Go on to the next request; `_asked` is the command that `frame` answers."""
        asked, self._asked = self._asked, None
        self.wake_at_s = now_s
        if asked == r2000.TEMPERATURE:
            return self._temperature(frame)
        failed = frame["type"] == "error" and frame["error"] != r2000.NO_TAG
        if self._todo and asked == self._todo[0][0]:
            del self._todo[0]
        elif asked == r2000.SET_ANTENNA and not failed:
            self._selected = self.antenna
        elif asked in (r2000.SET_ANTENNA, r2000.INVENTORY):
            return self._round_over(frame if failed else None, now_s)
        return [self._error(frame)] if failed else []

    def _temperature(self, frame: Frame) -> list[ReaderEvent]:
        if frame["type"] != "temperature":
            self._temperature_due_s = float("inf")
            return []
        celsius = frame["temperature_c"]
        return [ReaderEvent("temperature", f"{celsius} degrees Celsius", None, celsius)]

    def _round_over(self, failure: Frame | None, now_s: float) -> list[ReaderEvent]:
        antenna = self.antenna
        events: list[ReaderEvent] = []
        if failure is None:
            if antenna in self._missing:
                self._missing.discard(antenna)
                events.append(ReaderEvent("antenna_restored", f"antenna {antenna}", antenna))
        elif failure["error"] != r2000.ANTENNA_MISSING:
            events.append(self._error(failure))
        elif antenna not in self._missing:
            self._missing.add(antenna)
            events.append(self._error(failure))
        self._index = (self._index + 1) % len(self._antennas)
        self.wake_at_s = self._asked_at_s + self._round_interval_s
        return events

    def _error(self, frame: Frame) -> ReaderEvent:
        code = frame["error"]
        name: EventName = "antenna_missing" if code == r2000.ANTENNA_MISSING else "reader_error"
        detail = f"antenna {self.antenna}: {frame['meaning']} (0x{code:02x})"
        return ReaderEvent(name, detail, self.antenna, code)
