"""A GPS receiver as a tag that says where it is: its position is what it measures.

The tag is `gps:<gateway>/<reader>`. Without a fix nothing is said, so a position is never 0, 0 by
mistake, and one that is old is known by its age.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge_agent.decoders import nmea
from edge_agent.decoders.lines_host import ListenConversation
from edge_agent.decoders.names import tag_name
from edge_agent.decoders.readings import Frame, Item, Reading, SensorReading

_QUANTITIES = (
    ("altitude_m", "altitude_m", 1.0),
    ("hdop", "hdop", 1.0),
    ("satellites", "satellites", 1.0),
    ("speed_knots", "speed_m_s", 1852 / 3600),
    ("course_deg", "course_deg", 1.0),
)
"""Key of a frame -> quantity, factor."""
_POSITION_S = 10.0
"""Both coordinates are said together, this often."""


class NmeaConversation(ListenConversation):
    """`name`: of the receiver, unique among all gateways."""

    def __init__(self, name: str) -> None:
        self._tag = tag_name("gps", name)
        self._decoder_of_lines = nmea.Decoder()
        self._told_s: float | None = None
        self._now_s = 0.0
        super().__init__(self._decoder_of_lines, self._said)

    def receive(self, data: bytes, now_s: float) -> list[Item]:
        self._now_s = now_s
        rejected, frames = self._decoder_of_lines.rejected_lines, self.frames
        found = super().receive(data, now_s)
        # A receiver at another baud rate sends lines too: only what checks is an answer.
        bad = self._decoder_of_lines.rejected_lines - rejected
        self.frames = max(frames, self.frames - bad)
        return found

    def _said(self, frame: Frame) -> list[Item]:
        if not frame["valid"] or frame.get("lat") is None:
            return []
        return [Reading(self._tag, None, None, "other"), *self._position(frame)]

    def _position(self, frame: Frame) -> Iterator[SensorReading]:
        if self._told_s is None or self._now_s - self._told_s >= _POSITION_S:
            self._told_s = self._now_s
            yield SensorReading(self._tag, "latitude_deg", frame["lat"])
            yield SensorReading(self._tag, "longitude_deg", frame["lon"])
        for key, quantity, factor in _QUANTITIES:
            if (value := frame.get(key)) is not None:
                yield SensorReading(self._tag, quantity, round(value * factor, 3))
