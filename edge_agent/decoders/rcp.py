"""Phychips RED / PR9200 modules ("RCP"): `BB TYPE CODE LEN LEN payload 7E CRC CRC`.

The head equals that of m100; only the check tells them apart. Frames only; the host's side is
rcp_host.
"""

from __future__ import annotations

from edge_agent.decoders import crc16
from edge_agent.decoders.framing import NOT_A_FRAME, UNKNOWN_YET, Rules
from edge_agent.decoders.gen2 import epc_bytes
from edge_agent.decoders.readings import Frame
from edge_agent.decoders.stream import StreamDecoder

HEADER, END = 0xBB, 0x7E
COMMAND, ANSWER, NOTICE = 0x00, 0x01, 0x02
INFO, GET_REGION, SET_REGION, RESET = 0x03, 0x06, 0x07, 0x08
GET_HOPPING, SET_HOPPING, GET_CHANNEL, SET_CHANNEL = 0x0D, 0x0E, 0x11, 0x12
GET_POWER, SET_POWER, READ_ONCE = 0x15, 0x16, 0x22
OLD_START, OLD_STOP, READ_MEMORY = 0x27, 0x28, 0x29
GET_ANTI_COLLISION, SET_ANTI_COLLISION = 0x34, 0x35
START, STOP, FINISHED, ERROR = 0x36, 0x37, 0x38, 0xFF
REGIONS = {"kr": 0x11, "na": 0x21, "na2": 0x22, "eu": 0x31, "jp": 0x41, "cn": 0x51, "cn2": 0x52}
NOT_RUNNING = 0x0B
ERRORS = {NOT_RUNNING: "stop failed or not running"}
_MODEL, _FIRMWARE, _MAKER, _DETAIL = 0x00, 0x01, 0x02, 0xB0
_OVERHEAD = 8
_LONGEST_PAYLOAD = 256
"""Longest payload of a real frame, bytes: what a stray `BB 02` announces is longer."""


def encode(code: int, data: bytes = b"", *, kind: int = COMMAND) -> bytes:
    """A frame, in either direction."""
    body = bytes((kind, code)) + len(data).to_bytes(2, "big") + data + bytes((END,))
    return bytes((HEADER,)) + body + crc16.ccitt_false(body).to_bytes(2, "big")


def _measure(buffer: bytearray, offset: int) -> int:
    if len(buffer) > offset + 1 and buffer[offset + 1] > NOTICE:
        return NOT_A_FRAME
    if len(buffer) < offset + 5:
        return UNKNOWN_YET
    length = buffer[offset + 3] << 8 | buffer[offset + 4]
    return length + _OVERHEAD if length <= _LONGEST_PAYLOAD else NOT_A_FRAME


def _verify(frame: bytes) -> bool:
    return frame[-3] == END and crc16.ccitt_false(frame[1:-2]) == int.from_bytes(frame[-2:], "big")


RULES = Rules(starts=bytes((HEADER,)), measure=_measure, verify=_verify)
COMMAND_RULES = RULES


class Decoder(StreamDecoder):
    """Bytes of a module to frames (dictionaries)."""

    def __init__(self) -> None:
        super().__init__(RULES, decode)


def decode(frame: bytes) -> Frame | None:
    """One verified frame; each has `code`.

    `type`: tag, reader_info, inventory_end, error, response, notice or command. None: a tag with an
    empty EPC.
    """
    kind, code, data = frame[1], frame[2], frame[5:-3]
    if code == READ_ONCE and _is_tag(kind, data):
        tag = {"type": "tag", "code": code, "pc": data[:2].hex(), "epc": data[2:].hex()}
        return tag if len(data) > 2 else None
    if kind == ANSWER and code == ERROR and data:
        meaning = ERRORS.get(data[0], f"error 0x{data[0]:02x}")
        return {"type": "error", "code": code, "error": data[0], "meaning": meaning}
    if kind == NOTICE and code == FINISHED:
        return {"type": "inventory_end", "code": code, "data": data.hex()}
    if kind == ANSWER and code == INFO:
        return {"type": "reader_info", "code": code, "text": _text(data), "data": data.hex()}
    name = {COMMAND: "command", ANSWER: "response", NOTICE: "notice"}[kind]
    return {"type": name, "code": code, "data": data.hex()}


def _is_tag(kind: int, data: bytes) -> bool:
    """A notice always is; an answer (to "read once") only if its PC fits: it may be a status."""
    if kind == NOTICE:
        return len(data) >= 2
    return kind == ANSWER and len(data) > 2 and epc_bytes(data[:2]) == len(data) - 2


def _text(data: bytes) -> str:
    return "".join(chr(byte) for byte in data if 0x20 <= byte < 0x7F).strip()


def start(*, max_tags: int = 0, max_time_s: int = 0, rounds: int = 0) -> bytes:
    """Automatic read; zeros: no limit."""
    return encode(START, bytes((2, max_tags, max_time_s)) + rounds.to_bytes(2, "big"))


def stop() -> bytes:
    return encode(STOP)


def get_info(what: int = _MODEL) -> bytes:
    return encode(INFO, bytes((what,)))


def get_power() -> bytes:
    return encode(GET_POWER)


def set_power(power_dbm: float) -> bytes:
    return encode(SET_POWER, round(power_dbm * 10).to_bytes(2, "big"))


def set_region(region: int) -> bytes:
    return encode(SET_REGION, bytes((region,)))


_MEANINGS = {
    GET_REGION: "get region",
    RESET: "reset",
    GET_HOPPING: "get hopping table",
    SET_HOPPING: "set hopping table",
    GET_CHANNEL: "get channel",
    SET_CHANNEL: "set channel",
    GET_POWER: "get power",
    READ_ONCE: "read once",
    OLD_START: "start automatic read (old)",
    OLD_STOP: "stop automatic read (old)",
    READ_MEMORY: "read tag memory",
    GET_ANTI_COLLISION: "get anti-collision",
    SET_ANTI_COLLISION: "set anti-collision",
    STOP: "stop automatic read",
}
_INFORMATION = {_MODEL: "model", _FIRMWARE: "firmware", _MAKER: "maker", _DETAIL: "detail"}


def describe_command(frame: bytes) -> Frame:
    """What a verified frame to the module asks for: `code` and, for people, `meaning`."""
    code, data = frame[2], frame[5:-3]
    meaning = _MEANINGS.get(code, "other")
    if code == INFO:
        meaning = f"get {_INFORMATION.get(data[0] if data else _MODEL, 'information')}"
    elif code == SET_REGION and data:
        meaning = f"set region 0x{data[0]:02x}"
    elif code == SET_POWER and len(data) == 2:
        meaning = f"power {int.from_bytes(data, 'big') / 10:.1f} dBm"
    elif code == START and len(data) == 5:
        meaning = "start automatic read, " + _limits(data)
    return {"code": code, "data": data.hex(), "meaning": meaning}


def _limits(data: bytes) -> str:
    tags, time_s, rounds = data[1], data[2], int.from_bytes(data[3:5], "big")
    limits = ((tags, f"{tags} tags"), (time_s, f"{time_s} s"), (rounds, f"{rounds} rounds"))
    return ", ".join(text for value, text in limits if value) or "endless"
