r"""TSL ASCII 2.0: commands `.xx -switch value`, answers of lines `KEY: value` and one empty line.

An answer begins with `CS:`, which repeats the command, and ends with `OK:` or `ER:`; without a
checksum that is all there is to verify. Trigger presses send such answers unasked.
"""

from __future__ import annotations

import re

from edge_agent.decoders.gen2 import tag_crc
from edge_agent.decoders.lines import decode_text
from edge_agent.decoders.readings import Frame

_LONGEST_LINE = 4096
_LONGEST_ANSWER = 1 << 20
"""Bytes: about twenty thousand tags."""
_DAMAGED = ("EP", "?")
_GAP_S = 2.0
"""Longest pause inside an answer: an inventory takes its time over Bluetooth."""
_FIRST_LINE = re.compile(rb"CS: ?\.")
_LINE = re.compile(rb"([A-Z]{2}): ?([^\r\n]*)")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_HEX_WORD = re.compile(r"[0-9A-Fa-f]{4}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}")
_TAG_KEYS = ("RI", "PC", "CR", "IX")

Line = tuple[str, str]


class Decoder:
    """Implements stream.CountingSource: one frame for each complete answer."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._lines: list[Line] = []
        self._bytes = 0  # of the answer that is being collected
        self._fed_at_s: float | None = None
        self.verified = 0
        self.dropped_bytes = 0

    def feed(self, data: bytes, at_s: float | None = None) -> list[Frame]:
        if at_s is not None:
            if self._fed_at_s is not None and at_s - self._fed_at_s > _GAP_S:
                self.flush()
            self._fed_at_s = at_s
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        if len(rest) > _LONGEST_LINE:
            self.dropped_bytes += len(rest) - _LONGEST_LINE
            del rest[:-_LONGEST_LINE]
        self._rest = rest
        return [frame for line in lines if (frame := self._line(bytes(line))) is not None]

    def _line(self, line: bytes) -> Frame | None:
        size, line = len(line) + 1, line.removesuffix(b"\r")
        starts = [match.start() for match in _FIRST_LINE.finditer(line)]
        if starts:
            # A new answer: what came before it is cut off or noise, even in this line.
            self._give_up()
            self.dropped_bytes += starts[-1]
            size, line = size - starts[-1], line[starts[-1] :]
        elif not self._lines:
            self.dropped_bytes += size
            return None
        self._bytes += size
        if not line:
            return self._end()
        match = _LINE.fullmatch(line)
        if self._bytes > _LONGEST_ANSWER:
            self._give_up()
        elif match is None:
            # Perhaps it was an EPC: what follows must not be taken for the tag before it.
            self._lines.append(_DAMAGED)
        else:
            self._lines.append((match[1].decode(), decode_text(match[2])))
        return None

    def _end(self) -> Frame | None:
        frame = decode(self._lines)
        if frame is None:
            self._give_up()
            return None
        self.verified += 1
        self._lines, self._bytes = [], 0
        return frame

    def _give_up(self) -> None:
        self.dropped_bytes += self._bytes
        self._lines, self._bytes = [], 0

    def flush(self) -> int:
        dropped = self._bytes + len(self._rest)
        self._give_up()
        self.dropped_bytes += len(self._rest)
        self._rest.clear()
        return dropped


def decode(lines: list[Line]) -> Frame | None:
    """One answer; None: it neither succeeded nor failed, so something is missing.

    Lines after an `EP:` belong to that tag until the next one; a line that is damaged spoils its
    tag.
    """
    frame: Frame = {"type": "response", "command": lines[0][1].split(" ")[0], "ok": None}
    frame |= {"tags": [], "barcodes": [], "fields": {}, "bad_lines": 0}
    tags: list[list[Line]] = []
    for key, said in lines[1:]:
        value = said if key == "BC" else said.strip()
        if key == "EP":
            tags.append([(key, value)])
        elif key in _TAG_KEYS and tags:
            tags[-1].append((key, value))
        else:
            _other(frame, key, value)
    if frame["ok"] is None:
        return None
    for tag in tags:
        known = _tag(tag)
        if known is None:
            frame["bad_lines"] += 1
        elif known["epc"]:
            frame["tags"].append(known)
    return frame


def _other(frame: Frame, key: str, value: str) -> None:
    if key == "OK":
        frame["ok"] = True
    elif key == "ER":
        frame |= {"ok": False, "error": value}
    elif key == "BC":
        frame["barcodes"] += [value] if value else []
        frame["barcode"] = value  # nearly always there is one only
    elif key == "ME":
        frame["message"] = f"{frame.get('message', '')} {value}".strip()
    else:
        frame["fields"][key] = value


def _tag(lines: list[Line]) -> Frame | None:
    tag: Frame = {}
    for key, value in lines:
        if key == "EP" and (_HEX.fullmatch(value) or not value):
            tag["epc"] = value.lower()
        elif key == "RI" and _NUMBER.fullmatch(value):
            tag["rssi_dbm"] = int(value)
        elif key == "IX" and _HEX_WORD.fullmatch(value):
            tag["index"] = int(value, 16)
        elif key == "PC" and _HEX_WORD.fullmatch(value):
            tag["pc"] = value.lower()
        elif key == "CR" and _HEX_WORD.fullmatch(value):
            tag["tag_crc"] = value.lower()
        else:
            return None
    if "pc" in tag and "tag_crc" in tag:
        tag["tag_crc_ok"] = tag_crc(bytes.fromhex(tag["pc"] + tag["epc"])) == int(
            tag["tag_crc"], 16
        )
    return tag


def encode(command: str, **switches: str | float) -> bytes:
    """`encode(".iv", r="on", o=20)` is `.iv -r on -o 20`."""
    words = (command, *(f"-{name} {value}" for name, value in switches.items()))
    return " ".join(words).encode("ascii") + b"\r\n"


def encode_answer(*lines: str) -> bytes:
    """What a reader sends: the lines, each with its end, and the empty one."""
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")


def inventory(power_dbm: float | None = None) -> bytes:
    """One inventory with EPC and level, without beeps."""
    power = {} if power_dbm is None else {"o": round(power_dbm)}
    return encode(".iv", al="off", r="on", e="on", **power)


_MEANINGS = {".vr": "version", ".iv": "inventory", ".ab": "abort", ".bc": "barcode"}


def describe_command(line: bytes) -> Frame:
    """What a command asks for: `command`, `switches` and, for people, `meaning`."""
    command, *words = line.decode("latin-1").split() or [""]
    switches: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("-") and not _NUMBER.fullmatch(word):
            name = word[1:]
            switches[name] = ""
        elif name:
            switches[name] = word
    return {
        "command": command,
        "switches": switches,
        "meaning": _MEANINGS.get(command, "other"),
    }
