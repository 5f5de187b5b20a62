"""M100 / R200 / YRM100 modules: `BB TYPE CMD PL PL param SUM 7E` or the same with `AA .. DD`.

Frames only; the host's side is m100_host.
"""

from __future__ import annotations

from edge_agent.decoders.framing import NOT_A_FRAME, UNKNOWN_YET, Framer, Rules
from edge_agent.decoders.gen2 import tag_crc
from edge_agent.decoders.readings import Frame

ENDS = {0xBB: 0x7E, 0xAA: 0xDD}
"""Start byte -> end byte of the two variants."""
COMMAND, ANSWER, NOTICE = 0x00, 0x01, 0x02
INFO, SINGLE_POLL, MULTI_POLL, STOP_POLL = 0x03, 0x22, 0x27, 0x28
SET_POWER, GET_POWER, ERROR = 0xB6, 0xB7, 0xFF
SET_REGION, GET_REGION = 0x07, 0x08
REGIONS = {"cn": 0x01, "na": 0x02, "eu": 0x03, "cn800": 0x04, "kr": 0x06}
NO_TAG = 0x15
_OVERHEAD = 7
_MAX_PARAMETER = 256
"""Longest parameter of a real frame, bytes: a stray `BB 02` announces more and is refused."""
_MIN_TAG = 5

ERRORS = {
    0x09: "read failed",
    0x10: "write failed",
    0x12: "kill failed",
    0x13: "lock failed",
    0x15: "no tag",
    0x16: "access password wrong",
    0x17: "unknown command",
    0x20: "frequency hopping failed",
}


def encode(command: int, data: bytes = b"", *, kind: int = COMMAND, start: int = 0xBB) -> bytes:
    """A frame, in either direction and either variant."""
    body = bytes((kind, command)) + len(data).to_bytes(2, "big") + data
    return bytes((start,)) + body + bytes((sum(body) & 0xFF, ENDS[start]))


def _measure(buffer: bytearray, offset: int) -> int:
    if len(buffer) > offset + 1 and buffer[offset + 1] > NOTICE:
        return NOT_A_FRAME
    if len(buffer) < offset + 5:
        return UNKNOWN_YET
    length = buffer[offset + 3] << 8 | buffer[offset + 4]
    return length + _OVERHEAD if length <= _MAX_PARAMETER else NOT_A_FRAME


def _verify(frame: bytes) -> bool:
    return frame[-1] == ENDS[frame[0]] and sum(frame[1:-2]) & 0xFF == frame[-2]


RULES = Rules(starts=bytes(ENDS), measure=_measure, verify=_verify)


class Decoder:
    """Bytes of a module to frames (dictionaries). `start` is the variant heard last."""

    def __init__(self) -> None:
        self.framer = Framer(RULES)
        self.start: int | None = None

    def feed(self, data: bytes, at_s: float | None = None) -> list[Frame]:
        frames = self.framer.feed(data, at_s)
        if frames:
            self.start = frames[-1][0]
        return [decode(frame) for frame in frames]

    def flush(self) -> int:
        return self.framer.flush()


def decode(frame: bytes) -> Frame:
    """One verified frame. `type`: tag, no_tag, error, response, notice or command."""
    kind, command, data = frame[1], frame[2], frame[5:-2]
    if kind == NOTICE and command in (SINGLE_POLL, MULTI_POLL) and len(data) >= _MIN_TAG:
        return _tag(data)
    if kind == ANSWER and command == ERROR and data:
        return _failure(data)
    name = {COMMAND: "command", ANSWER: "response", NOTICE: "notice"}[kind]
    said: Frame = {"type": name, "command": command, "data": data.hex()}
    return said | (_setting(command, data) if kind == ANSWER else {})


def _setting(command: int, data: bytes) -> Frame:
    """What the answer to a query says, where it is more than data."""
    if command == INFO and len(data) > 1:
        return {"info": data[0], "text": data[1:].decode("ascii", "replace").strip("\0 ")}
    if command == GET_POWER and len(data) == 2:
        return {"power_dbm": int.from_bytes(data, "big", signed=True) / 100}
    if command == GET_REGION and len(data) == 1:
        return {"region": data[0]}
    return {}


def _tag(data: bytes) -> Frame:
    rssi = data[0] - 256 if data[0] > 127 else data[0]
    pc_and_epc, crc = data[1:-2], int.from_bytes(data[-2:], "big")
    return {
        "type": "tag",
        "rssi_dbm": rssi,
        "pc": data[1:3].hex(),
        "epc": data[3:-2].hex(),
        "tag_crc_ok": tag_crc(pc_and_epc) == crc,
    }


def _failure(data: bytes) -> Frame:
    """Longer error frames continue with length, PC and EPC of the tag."""
    code = data[0]
    frame: Frame = {
        "type": "no_tag" if code == NO_TAG else "error",
        "error": code,
        "meaning": ERRORS.get(code) or _tag_error(code),
    }
    if len(data) >= 4:
        frame |= {"pc": data[2:4].hex(), "epc": data[4 : 2 + data[1]].hex()}
    return frame


def _tag_error(code: int) -> str:
    """The upper digit says what was tried, the lower one is the tag's own code."""
    tried = {0xA: "read", 0xB: "write", 0xC: "lock", 0xD: "kill"}.get(code >> 4)
    if tried is None or code & 0x08:
        return f"error 0x{code:02x}"
    return f"the tag refuses to {tried}: code {code & 0x07}"


def describe_command(frame: bytes) -> Frame:
    """What a frame to the module asks for: `command` and, for people, `meaning`."""
    command, data = frame[2], frame[5:-2]
    meaning = {INFO: "get information", SINGLE_POLL: "single poll", STOP_POLL: "stop multi poll"}
    text = meaning.get(command, "other")
    if command in (SET_REGION, GET_REGION):
        names = {number: name for name, number in REGIONS.items()}
        text = f"set region {names.get(data[0], data[0])}" if data else "get region"
    elif command == MULTI_POLL and len(data) == 3:
        text = f"multi poll {int.from_bytes(data[1:], 'big')} rounds"
    elif command == SET_POWER and len(data) == 2:
        text = f"power {int.from_bytes(data, 'big') / 100:.2f} dBm"
    elif command == GET_POWER:
        text = "get power"
    return {"command": command, "data": data.hex(), "meaning": text}
