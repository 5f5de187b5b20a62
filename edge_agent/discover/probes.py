"""Harmless questions to readers, and what an answer tells. Sans-I/O.

Each asks who somebody is; none transmits, moves a setting or starts a scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edge_agent.decoders import (
    chafon_cf,
    feig,
    m100,
    mercury_commands,
    r2000,
    rcp,
    ssi,
    tsl,
    uhfreader18,
    uhfreader288,
)
from edge_agent.decoders.readings import Frame
from edge_agent.decoders.registry_lines import line_sources
from edge_agent.decoders.registry_serial import PROTOCOLS
from edge_agent.decoders.stream import FrameSource

BAUDRATES = (115_200, 57_600, 9_600, 38_400, 4_800)
"""In the order in which they are tried: the commonest first."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`firmware`: version or type, as the reader says it; empty: it says none."""

    protocol: str
    firmware: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """`answer(frame)`: who that is, None for a frame that answers something else."""

    protocol: str
    baudrates: tuple[int, ...]
    request: bytes
    answer: Callable[[Frame], Identity | None]

    def decoder(self) -> FrameSource:
        return PROTOCOLS[self.protocol].decoder()


def _r2000(frame: Frame) -> Identity | None:
    if frame["type"] != "firmware":
        return None
    return Identity("r2000", f"firmware {frame['version']}")


def _m100(frame: Frame) -> Identity | None:
    if frame["type"] != "response" or frame["command"] != m100.INFO:
        return None
    return Identity("m100", _printable(bytes.fromhex(frame["data"])[1:]))


def _mercury(frame: Frame) -> Identity | None:
    if frame["type"] not in ("version", "boot"):
        return None
    return Identity("mercury", f"firmware {frame['fw_version']}")


def _uhfreader(frame: Frame) -> Identity | None:
    if frame["type"] != "reader_info":
        return None
    kind = frame["reader_type"]
    protocol = "uhfreader288" if kind in uhfreader288.READER_TYPES else "uhfreader18"
    return Identity(protocol, f"firmware {frame['version']}, type 0x{kind:02x}")


def _chafon_cf(frame: Frame) -> Identity | None:
    if frame.get("command") != chafon_cf.DEVICE_INFO or frame["type"] == "error":
        return None
    return Identity("chafon_cf", _printable(bytes.fromhex(frame.get("data", ""))))


def _rcp(frame: Frame) -> Identity | None:
    return Identity("rcp", frame["text"]) if frame["type"] == "reader_info" else None


def _tsl(frame: Frame) -> Identity | None:
    if frame["type"] != "response" or frame["command"] != ".vr":
        return None
    said = [f"{key} {value}" for key, value in frame["fields"].items()]
    return Identity("tsl", ", ".join(said)[:60])


def _ssi(frame: Frame) -> Identity | None:
    return Identity("ssi") if frame["type"] in ("ack", "nak") else None


def _feig(frame: Frame) -> Identity | None:
    if frame["command"] != feig.SOFTWARE_VERSION or frame["type"] != "response":
        return None
    return Identity("feig", f"version {frame['data'][:8]}")


def _printable(data: bytes) -> str:
    text = data.decode("ascii", "replace")
    return "".join(c for c in text if " " <= c <= "~").strip()[:60]


PROBES = (
    Probe("r2000", (115_200, 38_400), r2000.encode(r2000.FIRMWARE), _r2000),
    Probe("m100", (115_200,), m100.encode(m100.INFO, b"\x01"), _m100),
    Probe("m100", (115_200,), m100.encode(m100.INFO, b"\x01", start=0xAA), _m100),
    Probe("mercury", (115_200, 9_600), mercury_commands.get_version(), _mercury),
    Probe("chafon_cf", (115_200,), chafon_cf.device_info(), _chafon_cf),
    Probe("rcp", (115_200,), rcp.get_info(), _rcp),
    Probe("tsl", (115_200,), tsl.encode(".vr"), _tsl),
    Probe(
        "uhfreader18",
        (57_600, 115_200, 9_600),
        uhfreader18.encode(uhfreader18.READER_INFO),
        _uhfreader,
    ),
    # Scanners acknowledge this one, and it leaves them as they are.
    Probe("ssi", (9_600,), ssi.encode(ssi.LED_OFF), _ssi),
    Probe("feig", (38_400, 115_200), feig.encode(feig.SOFTWARE_VERSION), _feig),
)


def probes_at(baudrate: int) -> Iterator[Probe]:
    return (probe for probe in PROBES if baudrate in probe.baudrates)


_WEAK = {"r2000": 3, "m100": 3, "ssi": 2}
"""Checked by an 8-bit sum: so many frames are needed before noise cannot look like them."""
_HEARD = (
    "r2000", "m100", "mercury", "uhfreader18", "chafon_cf", "rcp", "rdm6300", "ssi", "feig",
)  # fmt: skip
"""Told apart by their checksums alone. The rest is text, or looks like one of these until asked."""
_TEXT_LINES = 2


class Listener:
    """Feeds every decoder with what a port says unasked."""

    def __init__(self) -> None:
        self._sources = {name: PROTOCOLS[name].decoder() for name in _HEARD}
        self._nmea = line_sources(lambda: 2000)["nmea0183"]()
        self._frames: dict[str, int] = {}
        self._text = b""
        self.bytes = 0

    def feed(self, data: bytes) -> Identity | None:
        """Who that is, once it is sure."""
        self.bytes += len(data)
        for name, source in self._sources.items():
            found = len(source.feed(data))
            self._frames[name] = self._frames.get(name, 0) + found
        self._frames["nmea"] = self._frames.get("nmea", 0) + len(
            [frame for frame in self._nmea.feed(data) if frame["type"] != "invalid"]
        )
        self._text = (self._text + data)[-1024:]
        for name, frames in self._frames.items():
            if frames >= _WEAK.get(name, 1):
                return Identity(name)
        return None

    def text_lines(self) -> str | None:
        """The last line, if what was said is lines of plain text: a scanner, a scale, a console."""
        lines = [line for line in self._text.replace(b"\r", b"\n").split(b"\n") if line]
        good = [line for line in lines if len(line) > 3 and all(32 <= byte < 127 for byte in line)]
        if len(good) < _TEXT_LINES or len(good) < len(lines) - 1:
            return None
        return good[-1].decode()
