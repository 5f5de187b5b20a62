"""Lines of any other device, by a regular expression from the settings.

Named groups say what is what: `tag` (needed), `rssi_dbm`, `antenna`; every other group is a value
of that name. A line that does not match as a whole is passed over and counted.
"""

from __future__ import annotations

import re

from edge_agent.decoders.lines import LineSplitter, decode_text
from edge_agent.decoders.readings import Frame, Reading, SensorReading

_OWN_GROUPS = {"tag", "rssi_dbm", "antenna"}
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_PREFIX = re.compile(r"[a-z0-9]+")
_QUANTITY = re.compile(r"[a-z][a-z0-9_]{0,62}")
_LONGEST_NAME = 120


class LineFormat:
    """`prefix`: of the tag's name, as in `prefix:tag`. Raises ValueError for what is no pattern.

    Lines are limited to `limit` bytes, which also bounds how long a careless pattern can take.
    """

    def __init__(
        self, pattern: str, *, prefix: str = "line", gap_s: float = 0.1, limit: int = 256
    ) -> None:
        try:
            self._pattern = re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if "tag" not in self._pattern.groupindex:
            raise ValueError("the pattern needs a group (?P<tag>...)")
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(f"a prefix has small letters and digits only: {prefix!r}")
        self._prefix = prefix
        self.splitter = LineSplitter(gap_s=gap_s, limit=limit)
        self.unmatched_lines = 0

    def feed(self, data: bytes, at_s: float | None = None) -> list[Frame]:
        return self._decode(self.splitter.feed(data, at_s))

    def silence(self, now_s: float) -> list[Frame]:
        return self._decode(self.splitter.silence(now_s))

    def end(self) -> list[Frame]:
        return self._decode(self.splitter.end())

    def flush(self) -> int:
        return self.splitter.flush()

    def _decode(self, lines: list[bytes]) -> list[Frame]:
        frames = []
        for line in lines:
            frame = self.decode(line)
            if frame is None:
                self.unmatched_lines += 1
            else:
                frames.append(frame)
        return frames

    def decode(self, line: bytes) -> Frame | None:
        """`tag`, `rssi_dbm`, `antenna` and `values`, or None."""
        match = self._pattern.fullmatch(decode_text(line).strip())
        name = match["tag"] if match else None
        if match is None or not name or len(name) > _LONGEST_NAME or not _printable(name):
            return None
        groups = match.groupdict()
        antenna = groups.get("antenna") or ""
        return {
            "type": "tag",
            "tag": f"{self._prefix}:{name}",
            "rssi_dbm": _number(groups.get("rssi_dbm")),
            "antenna": int(antenna) if antenna.isascii() and antenna.isdigit() else None,
            "values": {
                key: value if _number(value) is None else _number(value)
                for key, value in groups.items()
                if key not in _OWN_GROUPS and value is not None
            },
        }


def _printable(text: str) -> bool:
    return all(" " <= character <= "~" for character in text)


def _number(text: str | None) -> float | None:
    return float(text) if text and _NUMBER.fullmatch(text) else None


def items(frame: Frame) -> list[Reading | SensorReading]:
    """The tag, and its numbers as what it measured; a group's name is the quantity."""
    values = [
        SensorReading(frame["tag"], name, value)
        for name, value in frame["values"].items()
        if isinstance(value, float) and _QUANTITY.fullmatch(name)
    ]
    return [Reading(frame["tag"], frame["rssi_dbm"], frame["antenna"], "other"), *values]
