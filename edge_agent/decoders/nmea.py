"""NMEA 0183 of GPS receivers: positions in decimal degrees; no fix is None, never 0, 0.

Sentences without checksum are refused, unknown ones and binary between them are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from edge_agent.decoders.lines import LineSplitter
from edge_agent.decoders.readings import Frame

_LIMIT = 1024
"""Bytes: sentences have at most 82, binary messages in between more."""
_CHECKED = re.compile(rb"([^*]*)\*([0-9A-Fa-f]{2})\s*")
_COORDINATE = re.compile(r"([0-9]{2,3})([0-9]{2}(?:\.[0-9]*)?)")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?")
_ROLL_OVER = timedelta(weeks=1024)
_NO_FIX_MODES = ("", "N")


class Decoder:
    """Bytes of a receiver to frames. `valid` is False for a line that fails its checksum."""

    def __init__(self, gap_s: float = 1.0) -> None:
        self.splitter = LineSplitter(gap_s=gap_s, limit=_LIMIT)
        self.rejected_lines = 0

    def feed(self, data: bytes, at_s: float | None = None) -> list[Frame]:
        return self._decode(self.splitter.feed(data, at_s))

    def silence(self, now_s: float) -> list[Frame]:
        return self._decode(self.splitter.silence(now_s))

    def flush(self) -> int:
        return self.splitter.flush()

    def end(self) -> list[Frame]:
        """A sentence whose line end is missing; its checksum tells whether it is whole."""
        return self._decode(self.splitter.end())

    def _decode(self, lines: list[bytes]) -> list[Frame]:
        frames = []
        for line in lines:
            frame = decode(line)
            if frame is not None:
                self.rejected_lines += not frame["valid"]
                frames.append(frame)
        return frames


def decode(line: bytes) -> Frame | None:
    """None for a line without `$` and for sentences that are not of interest."""
    _, dollar, rest = line.rpartition(b"$")
    if not dollar:
        return None
    match = _CHECKED.fullmatch(rest)
    if match is None:
        return {"type": "invalid", "valid": False, "reason": "no checksum"}
    if checksum(match[1]) != int(match[2], 16):
        return {"type": "invalid", "valid": False, "reason": "wrong checksum"}
    name, *fields = match[1].decode("ascii", "replace").split(",")
    decoder = _SENTENCES.get(name[2:])
    if decoder is None or len(name) != 5:
        return None
    head: Frame = {"type": "position", "valid": True, "talker": name[:2], "sentence": name[2:]}
    fields += [""] * (_FIELDS - len(fields))
    return head | decoder(fields)


def checksum(body: bytes) -> int:
    """XOR of all bytes between `$` and `*`."""
    value = 0
    for byte in body:
        value ^= byte
    return value


def _rmc(fields: Sequence[str]) -> Frame:
    # The mode came with version 2.3: older receivers have no such field at all.
    fixed = fields[1] == "A" and fields[11] != "N"
    return {
        "time": fields[0] or None,
        "status": fields[1] or None,
        **_position(fields[2:6], fixed),
        "speed_knots": _number(fields[6]),
        "course_deg": _number(fields[7]),
        "date": fields[8] or None,
        "mode": fields[11] or None,
    }


def _gga(fields: Sequence[str]) -> Frame:
    quality = _number(fields[5])
    return {
        "time": fields[0] or None,
        **_position(fields[1:5], bool(quality)),
        "fix_quality": None if quality is None else int(quality),
        **_quality(fields[6:9]),
        "geoid_separation_m": _number(fields[10]),
    }


def _gns(fields: Sequence[str]) -> Frame:
    fixed = fields[5].strip("N") not in _NO_FIX_MODES
    return {
        "time": fields[0] or None,
        **_position(fields[1:5], fixed),
        "mode": fields[5] or None,
        **_quality(fields[6:9]),
        "geoid_separation_m": _number(fields[9]),
    }


def _gll(fields: Sequence[str]) -> Frame:
    fixed = fields[5] == "A" and fields[6] != "N"
    return {
        **_position(fields[0:4], fixed),
        "time": fields[4] or None,
        "status": fields[5] or None,
    }


_FIELDS = 14
_SENTENCES: dict[str, Callable[[Sequence[str]], Frame]] = {
    "RMC": _rmc,
    "GGA": _gga,
    "GNS": _gns,
    "GLL": _gll,
}


def _quality(fields: Sequence[str]) -> Frame:
    satellites = _number(fields[0])
    return {
        "satellites": None if satellites is None else int(satellites),
        "hdop": _number(fields[1]),
        "altitude_m": _number(fields[2]),
    }


def _position(fields: Sequence[str], fixed: bool) -> Frame:
    """Both or none: latitude, N or S, longitude, E or W."""
    lat, lon = _degrees(fields[0], fields[1], "NS", 90), _degrees(fields[2], fields[3], "EW", 180)
    if not fixed or lat is None or lon is None:
        return {"lat": None, "lon": None}
    return {"lat": lat, "lon": lon}


def _degrees(text: str, hemisphere: str, signs: str, limit: int) -> float | None:
    match = _COORDINATE.fullmatch(text)
    if match is None or len(hemisphere) != 1 or hemisphere not in signs:
        return None
    minutes = float(match[2])
    degrees = int(match[1]) + minutes / 60
    if minutes >= 60 or degrees > limit:
        return None
    return round(-degrees if hemisphere == signs[1] else degrees, 8)


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def fix_time(frame: Frame, now: datetime) -> datetime | None:
    """UTC of an RMC frame. Old receivers count weeks in 10 bits and report dates 19.6 years back:
    `now`, a clock that is right to a few years, says how often they rolled over."""
    text = f"{frame.get('date') or ''} {(frame.get('time') or '').partition('.')[0]}"
    try:
        # Two digits of the year: Python reads 69 to 99 as of the last century.
        at = datetime.strptime(text, "%d%m%y %H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return at + round((now - at) / _ROLL_OVER) * _ROLL_OVER
