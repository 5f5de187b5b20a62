"""The host's side of the 0xCF protocol: stop, configure, start until stopped, listen.

A running reader may have nothing to say while no tag is near, and one that restarted has nothing to
say at all. Stop is always answered: so silence means stop and start again.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_agent.decoders import chafon_cf
from edge_agent.decoders.names import epc_name
from edge_agent.decoders.readings import Frame, ReaderEvent, Reading
from edge_agent.decoders.startup import Step, StreamingHost

_RETRY_S = 2.0


class ChafonCfConversation(StreamingHost):
    """Implements readings.Conversation. Times are in seconds, power in dBm."""

    def __init__(
        self,
        *,
        power_dbm: float | None = None,
        silence_s: float = 3.0,
        reply_timeout_s: float = 0.5,
    ) -> None:
        steps = [Step(chafon_cf.STOP, chafon_cf.stop(), "stop", timeout_s=reply_timeout_s)]
        if power_dbm is not None:
            power = chafon_cf.set_power(power_dbm)
            steps.append(Step(chafon_cf.SET_POWER, power, "power", timeout_s=reply_timeout_s))
        # Some readers answer a start by their first tag only: so no answer is no failure.
        start = Step(chafon_cf.START, chafon_cf.start(), "start", reply_timeout_s, needed=False)
        decoder = chafon_cf.Decoder()
        super().__init__(decoder, [*steps, start], silence_s=silence_s, stop=chafon_cf.stop())

    def _take(self, frame: Frame, now_s: float) -> Sequence[Reading | ReaderEvent]:
        step = self._startup.answered(frame["command"], now_s)
        if frame["type"] == "tag":
            return [Reading(epc_name(frame["epc"]), frame["rssi_dbm"], frame["antenna"], "rfid")]
        if frame["type"] == "gate":
            return [ReaderEvent("gate", f"direction {frame['direction']}")]
        if frame["type"] == "error":
            return self._error(frame, step, now_s)
        return []

    def _error(self, frame: Frame, step: Step | None, now_s: float) -> list[ReaderEvent]:
        code = frame["error"]
        if step is not None and step.name == "stop":
            return []  # nothing was running
        if step is not None and step.name == "start":
            self._startup.restart(now_s, after_s=_RETRY_S)
        where = step.name if step is not None else "while reading"
        detail = f"{where}: {frame['meaning']} (0x{code:02x})"
        return self._tell("reader_error", detail, now_s, code=code)
