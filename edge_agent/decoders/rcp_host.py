"""The host's side of RCP: stop, configure, start an endless automatic read, listen.

The module says nothing while it sees no tag. Stop is answered either way (by an error when nothing
runs), so silence means stop and start again; the end of a read likewise.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_agent.decoders import rcp
from edge_agent.decoders.names import epc_name
from edge_agent.decoders.readings import Frame, ReaderEvent, Reading
from edge_agent.decoders.startup import Step, StreamingHost

_RETRY_S = 2.0


class RcpConversation(StreamingHost):
    """Implements readings.Conversation. Times are in seconds, power in dBm; `region` is the
    module's number, None: as stored."""

    def __init__(
        self,
        *,
        power_dbm: float | None = None,
        region: int | None = None,
        silence_s: float = 3.0,
        reply_timeout_s: float = 0.5,
    ) -> None:
        commands = [("stop", rcp.stop())]
        if region is not None:
            commands.append(("region", rcp.set_region(region)))
        if power_dbm is not None:
            commands.append(("power", rcp.set_power(power_dbm)))
        commands.append(("start", rcp.start()))
        steps = [Step(frame[2], frame, name, reply_timeout_s) for name, frame in commands]
        super().__init__(rcp.Decoder(), steps, silence_s=silence_s, stop=rcp.stop())

    def _take(self, frame: Frame, now_s: float) -> Sequence[Reading | ReaderEvent]:
        if frame["type"] == "tag":
            return [Reading(epc_name(frame["epc"]), None, None, "rfid")]
        if frame["type"] == "error":
            return self._error(frame, now_s)
        self._startup.answered(frame["code"], now_s)
        if frame["type"] == "inventory_end" and self._startup.step is None:
            self._startup.restart(now_s)
        return []

    def _error(self, frame: Frame, now_s: float) -> list[ReaderEvent]:
        """An error does not name its command: it answers the one that waits."""
        code, waiting = frame["error"], self._startup.step
        step = self._startup.answered(waiting.key, now_s) if waiting is not None else None
        if step is not None and step.name == "stop":
            return []
        if step is not None and step.name == "start":
            self._startup.restart(now_s, after_s=_RETRY_S)
        where = step.name if step is not None else "while reading"
        detail = f"{where}: {frame['meaning']} (0x{code:02x})"
        return self._tell("reader_error", detail, now_s, code=code)
