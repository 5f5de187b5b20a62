"""ThingMagic / JADAK "Mercury" modules: `FF LEN OP [STATUS STATUS] data CRC CRC`.

Answers carry a status word, commands do not. Frames only; tag records are in mercury_records,
commands in mercury_commands, the host's side in mercury_host.
"""

from __future__ import annotations

from edge_agent.decoders import crc16, mercury_records
from edge_agent.decoders.framing import NOT_A_FRAME, UNKNOWN_YET, Rules
from edge_agent.decoders.readings import Frame
from edge_agent.decoders.stream import StreamDecoder

HEADER = 0xFF
VERSION, BOOT, BAUD_RATE, CURRENT_PROGRAM = 0x03, 0x04, 0x06, 0x0C
READ_SINGLE, READ_MULTIPLE, WRITE_MEMORY, READ_MEMORY = 0x21, 0x22, 0x24, 0x28
GET_TAG_BUFFER, CLEAR_TAG_BUFFER, MULTI_PROTOCOL = 0x29, 0x2A, 0x2F
GET_ANTENNA, GET_POWER, GET_PROTOCOL, GET_REGION = 0x61, 0x62, 0x63, 0x67
SET_ANTENNA, SET_POWER, SET_PROTOCOL, SET_REGION = 0x91, 0x92, 0x93, 0x97
TEMPERATURE, SET_OPTION, USER_PROFILE = 0x72, 0x9A, 0x9D

INVALID_OPCODE, NO_TAG = 0x0101, 0x0400
ANTENNA_MISSING, TOO_HOT, HIGH_RETURN_LOSS = 0x0503, 0x0504, 0x0505
STATUS = {
    0x0100: "wrong data count",
    0x0101: "invalid opcode or still in the boot loader",
    0x0105: "invalid parameter",
    0x010B: "invalid region",
    0x0400: "no tag found",
    0x0503: "antenna not connected",
    0x0504: "too hot, transmitter throttled",
    0x0505: "high return loss",
    0x0601: "tag buffer full",
    0x7F01: "internal assert",
}
_STREAM_NOTICES = {
    NO_TAG: "keepalive",
    TOO_HOT: "temperature_throttle",
    HIGH_RETURN_LOSS: "high_return_loss",
}
"""Status words that are news, not failures, in a running stream."""
_LONGEST_DATA = 0xF8
_COMMAND_OVERHEAD, _ANSWER_OVERHEAD = 5, 7
_VERSION_BYTES = 20
_POWER_BYTES = 7
"""Of the answer that carries the limits too: option, power, highest, lowest."""


def _frame(body: bytes) -> bytes:
    return bytes((HEADER,)) + body + crc16.mercury(body).to_bytes(2, "big")


def encode(opcode: int, data: bytes = b"") -> bytes:
    """A frame to the reader."""
    return _frame(bytes((len(data), opcode)) + data)


def encode_answer(opcode: int, data: bytes = b"", status: int = 0) -> bytes:
    """A frame from the reader."""
    return _frame(bytes((len(data), opcode)) + status.to_bytes(2, "big") + data)


def _measure(overhead: int, buffer: bytearray, offset: int) -> int:
    if len(buffer) < offset + 2:
        return UNKNOWN_YET
    length = buffer[offset + 1]
    return length + overhead if length <= _LONGEST_DATA else NOT_A_FRAME


def _measure_answer(buffer: bytearray, offset: int) -> int:
    return _measure(_ANSWER_OVERHEAD, buffer, offset)


def _measure_command(buffer: bytearray, offset: int) -> int:
    return _measure(_COMMAND_OVERHEAD, buffer, offset)


def _verify(frame: bytes) -> bool:
    return crc16.mercury(frame[1:-2]) == int.from_bytes(frame[-2:], "big")


RULES = Rules(starts=bytes((HEADER,)), measure=_measure_answer, verify=_verify)
COMMAND_RULES = Rules(starts=bytes((HEADER,)), measure=_measure_command, verify=_verify)


class Decoder(StreamDecoder):
    """Bytes of a module to frames (dictionaries)."""

    def __init__(self) -> None:
        super().__init__(RULES, decode)


def decode(frame: bytes) -> Frame | None:
    """One verified answer; every one has `opcode` and `status`.

    `type`: tag, keepalive, temperature_throttle, high_return_loss, status_report, inventory_end,
    stream_started, stream_stopped, boot, version, temperature, no_tag, error or response. None: a
    record with an empty EPC, which is no read.
    """
    opcode, status, data = frame[2], int.from_bytes(frame[3:5], "big"), frame[5:-2]
    said = _failure(opcode, status) if status else _success(opcode, data)
    if said is None:
        return None
    return {"opcode": opcode, "status": status} | said


def _failure(opcode: int, status: int) -> Frame:
    meaning = STATUS.get(status, f"status 0x{status:04x}")
    if opcode == READ_MULTIPLE and status in _STREAM_NOTICES:
        return {"type": _STREAM_NOTICES[status], "meaning": meaning}
    name = "no_tag" if status == NO_TAG else "error"
    return {"type": name, "error": status, "meaning": meaning}


def _success(opcode: int, data: bytes) -> Frame | None:
    if opcode == READ_MULTIPLE:
        return mercury_records.streamed(data)
    if opcode == READ_SINGLE:
        return mercury_records.single(data)
    if opcode in (VERSION, BOOT):
        return _version("boot" if opcode == BOOT else "version", data)
    if opcode == MULTI_PROTOCOL and data[:1] in (b"\x01", b"\x02"):
        name = "stream_started" if data[0] == 1 else "stream_stopped"
        return {"type": name, "data": data.hex()}
    if opcode == TEMPERATURE and len(data) == 1:
        celsius = int.from_bytes(data, "big", signed=True)
        return {"type": "temperature", "temperature_c": celsius}
    return {"type": "response", "data": data.hex()} | _setting(opcode, data)


def _setting(opcode: int, data: bytes) -> Frame:
    """What the answer to a query says, where it is more than data."""
    if opcode == GET_REGION and len(data) == 1:
        return {"region": data[0]}
    if opcode == GET_POWER and len(data) == _POWER_BYTES:
        names = ("power_dbm", "highest_power_dbm", "lowest_power_dbm")
        return {
            name: int.from_bytes(data[at : at + 2], "big", signed=True) / 100
            for name, at in zip(names, (1, 3, 5), strict=True)
        }
    return {}


def _version(name: str, data: bytes) -> Frame:
    frame: Frame = {"type": name, "data": data.hex()}
    if len(data) >= _VERSION_BYTES:
        frame |= {
            "bootloader": data[0:4].hex(),
            "hardware": data[4:8].hex(),
            "fw_date": data[8:12].hex(),
            "fw_version": data[12:16].hex(),
            "protocol_mask": int.from_bytes(data[16:20], "big"),
        }
    return frame
