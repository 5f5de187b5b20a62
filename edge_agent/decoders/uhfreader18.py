"""Chafon UHFReader18 and its family: `LEN ADR CMD [STATUS] data CRC CRC`. Frames only.

There is no start byte: a frame is where a plausible length, a known command and status and the CRC
agree. Inventories of newer readers have another layout: see uhfreader288.
"""

from __future__ import annotations

from edge_agent.decoders import crc16
from edge_agent.decoders.framing import NOT_A_FRAME, UNKNOWN_YET, Rules
from edge_agent.decoders.readings import Frame
from edge_agent.decoders.stream import StreamDecoder

INVENTORY, READ, WRITE, SINGLE_INVENTORY = 0x01, 0x02, 0x03, 0x0F
READER_INFO, SET_REGION, SET_ADDRESS, SET_SCAN_TIME, SET_BAUD = 0x21, 0x22, 0x24, 0x25, 0x28
SET_POWER, BUZZER, WORK_MODE_18, WORK_MODE_288 = 0x2F, 0x33, 0x35, 0x76
ACTIVE = 0xEE
ANY_ADDRESS = 0xFF

FINISHED, TIMER, MORE, MEMORY_FULL = 0x01, 0x02, 0x03, 0x04
STATISTICS, HEARTBEAT = 0x26, 0x28
ANTENNA_ERROR, POOR_COMMUNICATION, NO_TAG = 0xF8, 0xFA, 0xFB
STATUS = {
    0x00: "ok",
    0x01: "inventory finished",
    0x02: "inventory stopped by the timer",
    0x03: "more frames follow",
    0x04: "reader memory full",
    0x05: "access password wrong",
    0x26: "statistics",
    0x28: "heartbeat",
    0xF8: "antenna error",
    0xF9: "command failed",
    0xFA: "poor communication with the tag",
    0xFB: "no tag",
    0xFC: "error of the tag",
    0xFD: "wrong command length",
    0xFE: "unknown command",
    0xFF: "parameter error",
}
WITH_TAGS = (0x00, FINISHED, TIMER, MORE, MEMORY_FULL)
"""Status of an inventory answer that lists tags, perhaps none."""
_NO_FAILURE = (*WITH_TAGS, STATISTICS, HEARTBEAT)
_COMMANDS = frozenset(
    {INVENTORY, READ, WRITE, SINGLE_INVENTORY, READER_INFO, SET_REGION, SET_ADDRESS}
    | {SET_SCAN_TIME, SET_BAUD, SET_POWER, BUZZER, WORK_MODE_18, WORK_MODE_288, ACTIVE}
)
_SHORTEST_ANSWER, _SHORTEST_COMMAND = 5, 4
"""Value of the length byte."""
_EU_BAND = 0b0100
REGIONS = {
    "eu": (0x4E, 0x00),
    "na": (0x31, 0x80),
    "kr": (0x1F, 0xC0),
    "cn": (0x13, 0x40),
}
"""Name -> highest and lowest frequency code of the whole band: its number is in the upper bits."""


def encode(command: int, data: bytes = b"", address: int = ANY_ADDRESS) -> bytes:
    """A frame to the reader."""
    body = bytes((len(data) + 4, address, command)) + data
    return body + crc16.reflected(body).to_bytes(2, "little")


def encode_answer(command: int, data: bytes = b"", status: int = 0, address: int = 0) -> bytes:
    """A frame from the reader."""
    return encode(command, bytes((status,)) + data, address)


def _measure(buffer: bytearray, offset: int) -> int:
    if len(buffer) < offset + 3:
        return UNKNOWN_YET
    return buffer[offset] + 1 if buffer[offset + 2] in _COMMANDS else NOT_A_FRAME


def _verify(frame: bytes) -> bool:
    return crc16.reflected(frame[:-2]) == int.from_bytes(frame[-2:], "little")


RULES = Rules(bytes(range(_SHORTEST_ANSWER, 256)), _measure, _verify)
COMMAND_RULES = Rules(bytes(range(_SHORTEST_COMMAND, 256)), _measure, _verify)


class Decoder(StreamDecoder):
    """Bytes of a reader to frames (dictionaries)."""

    def __init__(self) -> None:
        super().__init__(RULES, decode)


def decode(frame: bytes) -> Frame | None:
    """One verified answer; each has `address`, `command` and `status`.

    `type`: inventory (with `tags`), tag (active mode), reader_info, error or response.
    """
    command, status, data = frame[2], frame[3], frame[4:-2]
    head: Frame = {"address": frame[1], "command": command, "status": status}
    if command == ACTIVE and status == 0:
        return head | {"type": "tag", "epc": data.hex()} if data else None
    if command in (INVENTORY, SINGLE_INVENTORY) and status in (*WITH_TAGS, NO_TAG):
        tags = _tags(data) if status != NO_TAG and data else []
        if tags is not None:
            return head | {"type": "inventory", "tags": tags}
    return head | decode_common(command, status, data)


def decode_common(command: int, status: int, data: bytes) -> Frame:
    """What is the same in both layouts."""
    if command == READER_INFO and status == 0 and len(data) >= 8:
        return _reader_info(data)
    if status in _NO_FAILURE:
        return {"type": "response", "data": data.hex()}
    meaning = STATUS.get(status, f"status 0x{status:02x}")
    return {"type": "no_tag" if status == NO_TAG else "error", "error": status, "meaning": meaning}


def _tags(data: bytes) -> list[Frame] | None:
    """Number of tags, then length and EPC of each; None: another layout."""
    tags: list[Frame] = []
    at = 1
    while at < len(data):
        end = at + 1 + data[at]
        tags.append({"epc": data[at + 1 : end].hex()})
        at = end
    return tags if at == len(data) and len(tags) == data[0] else None


def _reader_info(data: bytes) -> Frame:
    highest, lowest = data[4], data[5]
    frame: Frame = {
        "type": "reader_info",
        "version": f"{data[0]}.{data[1]}",
        "reader_type": data[2],
        "tag_types": data[3],
        "highest_frequency_code": highest,
        "lowest_frequency_code": lowest,
        "power_dbm": data[6],
        "scan_time_ms": data[7] * 100,
    }
    # The band is in the two upper bits of both codes.
    if (highest >> 6) << 2 | lowest >> 6 == _EU_BAND:
        frame["highest_frequency_mhz"] = round(865.1 + 0.2 * (highest & 0x3F), 1)
        frame["lowest_frequency_mhz"] = round(865.1 + 0.2 * (lowest & 0x3F), 1)
    return frame


def set_power(power_dbm: float, address: int = ANY_ADDRESS) -> bytes:
    return encode(SET_POWER, bytes((round(power_dbm),)), address)


def set_region(highest_code: int, lowest_code: int, address: int = ANY_ADDRESS) -> bytes:
    """Frequency codes as reader_info gives them, the band's bits included."""
    return encode(SET_REGION, bytes((highest_code, lowest_code)), address)


def set_scan_time(scan_time_ms: int, address: int = ANY_ADDRESS) -> bytes:
    return encode(SET_SCAN_TIME, bytes((round(scan_time_ms / 100),)), address)


_MEANINGS = {
    INVENTORY: "inventory",
    READ: "read tag memory",
    WRITE: "write tag memory",
    SINGLE_INVENTORY: "single-tag inventory",
    READER_INFO: "get reader information",
    SET_REGION: "set region",
    SET_ADDRESS: "set address",
    SET_SCAN_TIME: "set scan time",
    SET_BAUD: "set baud rate",
    BUZZER: "buzzer and LED",
    WORK_MODE_18: "set work mode",
    WORK_MODE_288: "set work mode",
}


def describe_command(frame: bytes) -> Frame:
    """What a verified frame to the reader asks for: `command` and, for people, `meaning`."""
    address, command, data = frame[1], frame[2], frame[3:-2]
    meaning = _MEANINGS.get(command, "other")
    if command == SET_POWER and data:
        meaning = f"power {data[0]} dBm"
    return {"address": address, "command": command, "data": data.hex(), "meaning": meaning}
