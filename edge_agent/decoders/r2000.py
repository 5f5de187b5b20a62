"""The "A0" protocol of R2000 boards: `A0 LEN ADR CMD data CHK`. Frames only; see r2000_host."""

from __future__ import annotations

from edge_agent.decoders.framing import NOT_A_FRAME, UNKNOWN_YET, Framer, Rules
from edge_agent.decoders.gen2 import epc_bytes
from edge_agent.decoders.readings import Frame

HEADER = 0xA0
RESET, FIRMWARE, SET_ANTENNA, GET_ANTENNA, SET_POWER = 0x70, 0x72, 0x74, 0x75, 0x76
INVENTORY, FAST_SWITCH, SESSION_INVENTORY = 0x89, 0x8A, 0x8B
TEMPERATURE, SET_REGION, GET_REGION, GET_POWER = 0x7B, 0x78, 0x79, 0x77
REGIONS = {
    "eu": bytes((2, 0, 6)),
    "na": bytes((1, 7, 59)),
    "cn": bytes((3, 43, 53)),
}
"""Name -> region, lowest and highest frequency index (865 to 868, 902 to 928, 920 to 925 MHz)."""
_REGION_NAMES = {data: name for name, data in REGIONS.items()}
SUCCESS = 0x10
RESET_ITSELF = 0x20
NO_TAG = 0x36
ANTENNA_MISSING = 0x22
_INVENTORIES = (INVENTORY, FAST_SWITCH, SESSION_INVENTORY)
_SINGLE_BYTE_VALUES = {0x75, 0x77, 0x63, 0x7E}
"""Queries whose answer is one byte of data, not a result code: antenna, power, return loss."""
_END_BYTES = 7
_MOST_TAG_BYTES = 68
"""Frequency, PC, 31 words of EPC, level, phase: what is longer is noise that fits the checksum."""
_MIN_LENGTH = 3
_COMMANDS = range(0x60, 0xC0)
"""Every command of the family lies here: a cheap second check beside an 8-bit checksum."""

ERRORS = {
    0x11: "failed",
    0x20: "reader reset itself",
    0x21: "carrier could not be switched on",
    0x22: "antenna missing",
    0x23: "memory could not be written",
    0x24: "memory could not be read",
    0x25: "power could not be set",
    0x31: "inventory failed",
    0x32: "tag could not be read",
    0x33: "tag could not be written",
    0x34: "tag could not be locked",
    0x35: "tag could not be killed",
    0x36: "no tag",
    0x37: "tag found, access failed",
    0x38: "buffer empty",
    0x3C: "custom command failed",
    0x40: "access failed",
    0x41: "parameter error",
    0x46: "reader address invalid",
    0x47: "antenna number invalid",
    0x48: "power out of range",
    0x49: "region or frequency out of range",
    0x4A: "baud rate out of range",
    0x4F: "frequency range invalid",
    0x52: "oscillator does not lock",
    0x53: "radio chip does not answer",
    0x54: "power is not reached",
    0x56: "against the rules of the region",
    0x57: "power too low",
    0xEE: "return loss could not be measured",
}
"""Those without a check on a device are from general knowledge of the vendor's documents."""


def checksum(body: bytes) -> int:
    """The byte that makes the sum of the whole frame 0 modulo 256."""
    return -sum(body) & 0xFF


def encode(command: int, data: bytes = b"", address: int = 0x01) -> bytes:
    """A frame, in either direction."""
    body = bytes((HEADER, len(data) + 3, address, command)) + data
    return body + bytes((checksum(body),))


def _measure(buffer: bytearray, offset: int) -> int:
    if len(buffer) < offset + 2:
        return UNKNOWN_YET
    length = buffer[offset + 1]
    if length < _MIN_LENGTH:
        return NOT_A_FRAME
    if len(buffer) > offset + 3 and buffer[offset + 3] not in _COMMANDS:
        return NOT_A_FRAME
    return length + 2


def _verify(frame: bytes) -> bool:
    return sum(frame) & 0xFF == 0


RULES = Rules(starts=bytes((HEADER,)), measure=_measure, verify=_verify)


class Decoder:
    """Bytes of a reader to frames (dictionaries)."""

    def __init__(self) -> None:
        self.framer = Framer(RULES)

    def feed(self, data: bytes, at_s: float | None = None) -> list[Frame]:
        return [decode(frame) for frame in self.framer.feed(data, at_s)]

    def flush(self) -> int:
        return self.framer.flush()


def decode(frame: bytes) -> Frame:
    """One verified frame. `type`: tag, inventory_end, firmware, result, error or response."""
    command, data = frame[3], frame[4:-1]
    if command in _INVENTORIES and _END_BYTES < len(data) <= _MOST_TAG_BYTES:
        return _tag(command, data)
    if command in _INVENTORIES and len(data) == _END_BYTES:
        return _inventory_end(command, data)
    if command == FIRMWARE and len(data) == 2:
        return {"type": "firmware", "command": command, "version": f"{data[0]}.{data[1]}"}
    return _short(command, data)


def _short(command: int, data: bytes) -> Frame:
    if command == TEMPERATURE and len(data) == 2 and data[0] <= 1:
        celsius = data[1] if data[0] else -data[1]
        return {"type": "temperature", "command": command, "temperature_c": celsius}
    if command == FAST_SWITCH and len(data) == 2:
        return _failure(command, data[1]) | {"antenna": data[0]}
    if len(data) != 1 or command in _SINGLE_BYTE_VALUES:
        return {"type": "response", "command": command, "data": data.hex()}
    if data[0] == SUCCESS:
        return {"type": "result", "command": command, "code": data[0]}
    return _failure(command, data[0])


def _failure(command: int, code: int) -> Frame:
    meaning = ERRORS.get(code, f"error 0x{code:02x}")
    return {"type": "error", "command": command, "error": code, "code": code, "meaning": meaning}


def _tag(command: int, data: bytes) -> Frame:
    epc_end = 3 + epc_bytes(data[1:3])
    # Phase mode appends 2 bytes after the RSSI; a PC that fits neither form is not trusted.
    if len(data) not in (epc_end + 1, epc_end + 3):
        epc_end = len(data) - 1
    frequency = data[0] >> 2
    raw = data[epc_end]
    frame: Frame = {
        "type": "tag",
        "command": command,
        "antenna": data[0] & 0x03,
        "freq_index": frequency,
        "frequency_mhz": _frequency_mhz(frequency),
        "pc": data[1:3].hex(),
        "epc": data[3:epc_end].hex(),
        "rssi_raw": raw,
        "rssi_dbm": _rssi_dbm(raw),
    }
    if len(data) > epc_end + 1:
        frame["phase"] = int.from_bytes(data[epc_end + 1 :], "big")
    return frame


def _frequency_mhz(index: int) -> float:
    return 865.0 + 0.5 * index if index < 7 else 902.0 + 0.5 * (index - 7)


def _rssi_dbm(raw: int) -> float:
    """The vendor's table has a step at 90; bit 7 is a flag of 8-antenna firmware, not level."""
    level = raw & 0x7F
    return float(level - 129 if level >= 90 else level - 130)


def _inventory_end(command: int, data: bytes) -> Frame:
    if command == FAST_SWITCH:
        return {
            "type": "inventory_end",
            "command": command,
            "total": int.from_bytes(data[0:3], "big"),
            "duration_ms": int.from_bytes(data[3:7], "big"),
        }
    return {
        "type": "inventory_end",
        "command": command,
        "antenna": data[0],
        "read_rate": int.from_bytes(data[1:3], "big"),
        "total": int.from_bytes(data[3:7], "big"),
    }


def describe_command(frame: bytes) -> Frame:
    """What a frame to the reader asks for: `command` and, for people, `meaning`."""
    command, data = frame[3], frame[4:-1]
    value = data[0] if data else 0
    rounds = f"{value} round" + ("" if value == 1 else "s")
    meanings = {
        RESET: "reset",
        FIRMWARE: "get firmware version",
        SET_ANTENNA: f"work antenna {value + 1}",
        GET_ANTENNA: "get work antenna",
        SET_POWER: f"power {value} dBm",
        SET_REGION: f"set region {_REGION_NAMES.get(data, data.hex())}",
        GET_REGION: "get region",
        GET_POWER: "get power",
        TEMPERATURE: "get temperature",
        INVENTORY: f"real-time inventory, {rounds}",
        FAST_SWITCH: "fast antenna switching",
        SESSION_INVENTORY: "inventory with session",
    }
    return {"command": command, "data": data.hex(), "meaning": meanings.get(command, "other")}
