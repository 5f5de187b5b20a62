"""The host's side of the Mercury protocol: configure the module, start the stream, listen.

The module sends a keep-alive about once a second while it sees no tag, so silence means that it
lost power; its boot answer says so at once. Either way the whole start-up runs again.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_agent.decoders import mercury, mercury_commands
from edge_agent.decoders.names import epc_name
from edge_agent.decoders.readings import EventName, Frame, ReaderEvent, Reading
from edge_agent.decoders.startup import Step, StreamingHost

_BOOT_S = 0.65
"""What a module needs from the boot loader to its firmware."""
_RETRY_S = 2.0


class MercuryConversation(StreamingHost):
    """Implements readings.Conversation. `antennas` count from 1, times are in seconds.

    `region`: a key of mercury_commands.REGIONS. It decides the frequencies that are transmitted on
    and has to fit the country.
    """

    def __init__(
        self,
        antennas: Sequence[int] = (1,),
        *,
        region: str = "eu",
        power_dbm: float | None = None,
        silence_s: float = 3.0,
        reply_timeout_s: float = 0.5,
    ) -> None:
        super().__init__(
            mercury.Decoder(),
            _steps(antennas, region, power_dbm, reply_timeout_s),
            silence_s=silence_s,
            stop=mercury_commands.stop(),
        )
        self._booted = False
        self.temperature_c: int | None = None

    def _take(self, frame: Frame, now_s: float) -> Sequence[Reading | ReaderEvent]:
        if frame["type"] == "tag":
            return [_reading(frame)]
        return self._other(frame, now_s)

    def _other(self, frame: Frame, now_s: float) -> list[ReaderEvent]:
        kind = frame["type"]
        if kind in ("temperature_throttle", "high_return_loss"):
            return self._tell(kind, frame["meaning"], now_s, code=frame["status"])
        if kind in ("status_report", "temperature"):
            return self._temperature(frame, now_s)
        step = self._startup.answered(frame["opcode"], now_s)
        if kind == "error":
            return self._error(frame, step, now_s)
        if kind == "boot" and step is None:
            self._booted = False
            self._startup.restart(now_s, after_s=_BOOT_S)
            return [ReaderEvent("reader_restarted", f"firmware {frame.get('fw_version', '?')}")]
        return []

    def _temperature(self, frame: Frame, now_s: float) -> list[ReaderEvent]:
        if (celsius := frame.get("temperature_c")) is None:
            return []
        self.temperature_c = celsius
        return self._tell("temperature", f"{celsius} degrees Celsius", now_s, code=celsius)

    def _error(self, frame: Frame, step: Step | None, now_s: float) -> list[ReaderEvent]:
        code = frame["status"]
        if step is not None and step.name == "stop":
            return []  # nothing was running
        if code == mercury.INVALID_OPCODE and step is not None and not self._booted:
            self._boot(step, now_s)
            return []
        if step is None or step.name == "start":
            self._startup.restart(now_s, after_s=_RETRY_S)
        name: EventName = "antenna_missing" if code == mercury.ANTENNA_MISSING else "reader_error"
        where = step.name if step is not None else "while reading"
        return self._tell(name, f"{where}: {frame['meaning']} (0x{code:04x})", now_s, code=code)

    def _boot(self, step: Step, now_s: float) -> None:
        """Still in the boot loader: start the firmware, then go on (after the version) or begin
        again (a later request was lost)."""
        self._booted = True
        if step.key != mercury.VERSION:
            self._startup.restart(now_s)
        command = mercury_commands.boot()
        # Without an answer it may run all the same: go on.
        boot = Step(mercury.BOOT, command, "boot", timeout_s=2.0, pause_s=_BOOT_S, needed=False)
        self._startup.insert(boot, now_s)


def _steps(
    antennas: Sequence[int], region: str, power_dbm: float | None, timeout_s: float
) -> list[Step]:
    """A module may still be streaming from before: stop comes first and needs no answer."""
    commands = [
        ("stop", mercury_commands.stop()),
        ("version", mercury_commands.get_version()),
        ("region", mercury_commands.set_region(region)),
        ("protocol", mercury_commands.set_protocol()),
        ("antennas", mercury_commands.set_antennas(antennas)),
    ]
    if power_dbm is not None:
        commands.append(("power", mercury_commands.set_power(power_dbm)))
    commands += [
        ("read filter", mercury_commands.read_filter_off()),
        ("start", mercury_commands.start()),
    ]
    return [
        Step(frame[2], frame, name, timeout_s=timeout_s, needed=name != "stop")
        for name, frame in commands
    ]


def _reading(frame: Frame) -> Reading | ReaderEvent:
    if not frame.get("tag_crc_ok", True):
        return ReaderEvent("bad_tag_crc", f"tag CRC of {frame['epc']} is wrong, not published")
    rssi = frame.get("rssi_dbm")
    level = None if rssi is None else float(rssi)
    return Reading(epc_name(frame["epc"]), level, frame.get("antenna_rx"), "rfid")
