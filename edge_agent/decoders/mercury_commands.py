"""Commands to a Mercury module: builders, and what a command says."""

from __future__ import annotations

from collections.abc import Sequence

from edge_agent.decoders import mercury
from edge_agent.decoders.mercury import encode
from edge_agent.decoders.mercury_records import GEN2
from edge_agent.decoders.readings import Frame

REGIONS = {
    "na": 0x01,
    "eu": 0x02,
    "in": 0x04,
    "jp": 0x05,
    "prc": 0x06,
    "eu3": 0x08,
    "kr2": 0x09,
    "au": 0x0B,
    "nz": 0x0C,
    "na2": 0x0D,
    "na3": 0x0E,
    "open": 0xFF,
}
_REGION_NAMES = {code: name.upper() for name, code in REGIONS.items()}

ANTENNA_LIST = 3
EMBEDDED_OPERATION = 4
STREAMING = 8
LARGE_POPULATION = 16
STATUS_STREAM = 32
STOP_AFTER = 64
FAST_SEARCH = 128
STATISTICS_STREAM = 256
GPI_TRIGGER = 512
DUTY_CYCLE = 1024

ALL_METADATA = 0x01FF
_START, _STOP = 0x01, 0x02
_READ_FILTER = b"\x01\x0c"


def get_version() -> bytes:
    return encode(mercury.VERSION)


def boot() -> bytes:
    """Leave the boot loader."""
    return encode(mercury.BOOT)


def set_region(name: str) -> bytes:
    """Must come before any command that transmits. Raises KeyError for an unknown name."""
    return encode(mercury.SET_REGION, bytes((REGIONS[name],)))


def set_protocol(protocol: int = GEN2) -> bytes:
    return encode(mercury.SET_PROTOCOL, protocol.to_bytes(2, "big"))


def set_antennas(antennas: Sequence[int]) -> bytes:
    """The search list; each antenna (from 1) both transmits and receives."""
    pairs = bytes(number for antenna in antennas for number in (antenna, antenna))
    return encode(mercury.SET_ANTENNA, b"\x02" + pairs)


def set_power(power_dbm: float) -> bytes:
    return encode(mercury.SET_POWER, round(power_dbm * 100).to_bytes(2, "big"))


def set_baud_rate(baud: int) -> bytes:
    return encode(mercury.BAUD_RATE, baud.to_bytes(4, "big"))


def read_filter_off() -> bytes:
    """Otherwise every tag is reported once only."""
    return encode(mercury.SET_OPTION, _READ_FILTER + b"\x00")


def start(
    *,
    search_flags: int = ANTENNA_LIST | STREAMING | LARGE_POPULATION,
    cycle_ms: int = 1000,
    metadata_flags: int = ALL_METADATA,
) -> bytes:
    """Read without end: streamed tags, a keep-alive each `cycle_ms` without any."""
    read = bytes((mercury.READ_MULTIPLE, 0x10)) + search_flags.to_bytes(2, "big")
    read += cycle_ms.to_bytes(2, "big") + metadata_flags.to_bytes(2, "big")
    head = bytes((0, 0, _START, mercury.READ_MULTIPLE, 0, 0, GEN2, len(read) - 1))
    return encode(mercury.MULTI_PROTOCOL, head + read)


def stop() -> bytes:
    return encode(mercury.MULTI_PROTOCOL, bytes((0, 0, _STOP)))


_MEANINGS = {
    mercury.VERSION: "get version",
    mercury.BOOT: "boot firmware",
    mercury.CURRENT_PROGRAM: "get current program",
    mercury.READ_SINGLE: "read single",
    mercury.READ_MULTIPLE: "read multiple",
    mercury.WRITE_MEMORY: "write tag memory",
    mercury.READ_MEMORY: "read tag memory",
    mercury.GET_TAG_BUFFER: "get tag buffer",
    mercury.CLEAR_TAG_BUFFER: "clear tag buffer",
    mercury.GET_ANTENNA: "get antenna",
    mercury.GET_POWER: "get read power",
    mercury.GET_PROTOCOL: "get protocol",
    mercury.GET_REGION: "get region",
    mercury.TEMPERATURE: "get temperature",
    mercury.SET_OPTION: "set option",
    mercury.USER_PROFILE: "user profile",
}


def describe_command(frame: bytes) -> Frame:
    """What a verified frame to the reader asks for: `opcode`, `data` and, for people, `meaning`."""
    opcode, data = frame[2], frame[3:-2]
    meaning = _MEANINGS.get(opcode) or _with_value(opcode, data)
    if opcode == mercury.SET_OPTION and data == _READ_FILTER + b"\x00":
        meaning = "read filter off"
    return {"opcode": opcode, "data": data.hex(), "meaning": meaning}


def _with_value(opcode: int, data: bytes) -> str:
    number = int.from_bytes(data, "big")
    pairs = zip(data[1::2], data[2::2], strict=False)
    meanings = {
        mercury.SET_REGION: f"set region {number} ({_REGION_NAMES.get(number, 'unknown')})",
        mercury.SET_POWER: f"set read power {int.from_bytes(data[:2], 'big') / 100:.2f} dBm",
        mercury.SET_PROTOCOL: "set protocol " + ("Gen2" if number == GEN2 else str(number)),
        mercury.BAUD_RATE: f"set baud rate {number}",
        mercury.SET_ANTENNA: "set antenna " + ", ".join(f"{a}/{b}" for a, b in pairs),
        mercury.MULTI_PROTOCOL: _multi_protocol(data),
    }
    return meanings.get(opcode, "other")


def _multi_protocol(data: bytes) -> str:
    if data[2:3] == bytes((_STOP,)):
        return "stop continuous read"
    if data[2:3] != bytes((_START,)):
        return "multi-protocol operation"
    flags = int.from_bytes(data[-2:], "big")
    extent = "full metadata" if flags == ALL_METADATA else f"metadata 0x{flags:04x}"
    protocol = "Gen2" if data[6:7] == bytes((GEN2,)) else f"protocol {data[6:7].hex()}"
    return f"start continuous {protocol} read with {extent}"
