"""Barcode and QR scanners on a serial line: one line a scan, with or without symbology identifier.

GS1 is parsed only where the symbology says so, where the operator said so, or where a line without
identifier is written with bracketed identifiers; other lines are data and nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict

from edge_agent.decoders import gs1, hibc, udi
from edge_agent.decoders.lines import LineSplitter, decode_text
from edge_agent.decoders.readings import Frame, ReaderEvent, Reading

_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_SYMBOLOGIES = {
    "]C0": "code128",
    "]C1": "gs1-128",
    "]E0": "ean13/upca/upce",
    "]E4": "ean8",
    "]e0": "gs1-databar",
    "]d1": "datamatrix",
    "]d2": "gs1-datamatrix",
    "]Q1": "qr",
    "]Q3": "gs1-qr",
    "]A0": "code39",
    "]I0": "itf",
    "]J1": "gs1-dotcode",
}
_FAMILIES = {
    "]A": "code39",
    "]C": "code128",
    "]I": "itf",
    "]L": "pdf417",
    "]Q": "qr",
    "]d": "datamatrix",
    "]z": "aztec",
}
"""For modifiers that are not in the table above."""
_GS1_CARRIERS = {"]C1", "]e0", "]d2", "]Q3", "]J1"}
_RETAIL = {"]E0", "]E4"}
_LONGEST_NAME = 120


class Decoder:
    """Bytes of a scanner to frames. `gs1_without_aim`: the operator says that it scans GS1.

    `current_year()` resolves two-digit years; without it frames carry no `udi`.
    """

    def __init__(
        self,
        *,
        gs1_without_aim: bool = False,
        current_year: Callable[[], int] | None = None,
        gap_s: float = 0.1,
    ) -> None:
        self.splitter = LineSplitter(gap_s=gap_s)
        self._gs1_without_aim = gs1_without_aim
        self._year: Callable[[], int | None] = current_year or (lambda: None)

    def feed(self, data: bytes, at_s: float | None = None) -> list[Frame]:
        return [self.decode(line) for line in self.splitter.feed(data, at_s)]

    def silence(self, now_s: float) -> list[Frame]:
        """The scan that silence has ended, for scanners without terminator."""
        return [self.decode(line) for line in self.splitter.silence(now_s)]

    def end(self) -> list[Frame]:
        return [self.decode(line) for line in self.splitter.end()]

    def flush(self) -> int:
        return self.splitter.flush()

    def decode(self, line: bytes) -> Frame:
        """One scan. `gs1` is None unless every element of it is right."""
        text = decode_text(line)
        match = _AIM.match(text)
        aim = match[0] if match else None
        data = text[len(aim or "") :]
        frame: Frame = {
            "type": "scan",
            "line": text,
            "aim": aim,
            "symbology": _symbology(aim),
            "data": data,
            "gs1": gs1.parse(data) if self._carries_gs1(aim, data) else None,
        }
        if aim in _RETAIL:
            frame["check_ok"] = gs1.check_digit_ok(data)
        label = hibc.parse(data, self._year())
        if label["valid"] or "labeler" in label:
            frame["hibc"] = label
        return frame | self._udi(aim, data)

    def _carries_gs1(self, aim: str | None, data: str) -> bool:
        if aim is not None:
            return aim in _GS1_CARRIERS
        return self._gs1_without_aim or data.startswith("(")

    def _udi(self, aim: str | None, data: str) -> Frame:
        other = data.startswith(("+", "=/", "=)", "[)>"))
        year = self._year()
        if year is None or not (other or self._carries_gs1(aim, data)):
            return {}
        found = udi.parse(data, year)
        return {"udi": asdict(found)} if found else {}


class HibcDecoder(Decoder):
    """Lines that must be HIBC: the frame is that of hibc.parse, `valid` its verdict."""

    def decode(self, line: bytes) -> Frame:
        scan = super().decode(line)
        return {"type": "hibc", "line": scan["line"]} | hibc.parse(scan["data"], self._year())


def _symbology(aim: str | None) -> str | None:
    return None if aim is None else _SYMBOLOGIES.get(aim, _FAMILIES.get(aim[:2]))


def tag_name(frame: Frame) -> str | None:
    """The name of what was scanned: gs1:(01)...(21)..., hibc:+... or barcode:...

    None when it is too long to be a name.
    """
    if frame["gs1"]:
        name = "gs1:" + "".join(f"({ai}){value}" for ai, value in frame["gs1"].items())
    elif frame.get("hibc", {}).get("valid"):
        name = f"hibc:{frame['data']}"
    else:
        # Names are printable ASCII: the rest is told as in an address on the web.
        escaped = (c if " " <= c <= "~" and c != "%" else _percent(c) for c in frame["data"])
        name = "barcode:" + "".join(escaped)
    _, _, value = name.partition(":")
    return name if 0 < len(value) <= _LONGEST_NAME else None


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def items(frame: Frame) -> list[Reading | ReaderEvent]:
    """A scan for whoever listens to a scanner; a code that cannot be a name is told, not lost."""
    found = reading(frame)
    if found is None:
        return [ReaderEvent("code_refused", f"a code of {len(frame['data'])} characters")]
    return [found]


def reading(frame: Frame) -> Reading | None:
    """A scan as a reading at the scanner, which has no signal strength."""
    name = tag_name(frame)
    return None if name is None else Reading(name, None, None, "other")
