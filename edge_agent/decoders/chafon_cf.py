"""Chafon's current protocol: `CF ADR CMD CMD LEN data CRC CRC`, the same on serial lines and TCP.

In answers the first data byte is a status. Frames only; the host's side is chafon_cf_host.
"""

from __future__ import annotations

from edge_agent.decoders import crc16
from edge_agent.decoders.framing import NOT_A_FRAME, UNKNOWN_YET, Rules
from edge_agent.decoders.readings import Frame
from edge_agent.decoders.stream import StreamDecoder

HEADER = 0xCF
ANY_ADDRESS = 0xFF
TCP_PORT = 2022
START, STOP, READ_TAG, SET_MASK = 0x0001, 0x0002, 0x0003, 0x0007
SET_SELECT, GET_SELECT, SET_QUERY, GET_QUERY = 0x0010, 0x0011, 0x0012, 0x0013
INITIALISE, FACTORY_RESET, SET_POWER, RF_PROTOCOL = 0x0050, 0x0052, 0x0053, 0x0059
NETWORK, REMOTE_SERVER, DEVICE_INFO = 0x005F, 0x0064, 0x0070
SET_PARAMETERS, GET_PARAMETERS, GATE = 0x0071, 0x0072, 0x0082

OK, ROUND_END = 0x00, 0x12
STATUS = {
    0x00: "ok",
    0x01: "bad parameter",
    0x02: "internal error",
    0x12: "round finished or no tag",
    0x14: "tag timeout",
    0x15: "demodulation error",
    0x16: "authentication failed",
    0x17: "wrong password",
    0xFF: "no more data",
}
_FAILURES = (0x01, 0x02, 0x14, 0x15, 0x16, 0x17)
DIRECTIONS = {0x00: "none", 0x10: "in", 0x20: "out", 0x50: "eas_alarm", 0x51: "no_alarm"}
_OVERHEAD = 7
_TAG_HEAD = 5
_GATE_BYTES = 38


def encode(command: int, data: bytes = b"", address: int = ANY_ADDRESS) -> bytes:
    """A frame, in either direction."""
    body = bytes((HEADER, address)) + command.to_bytes(2, "big") + bytes((len(data),)) + data
    return body + crc16.reflected(body).to_bytes(2, "big")


def _measure(buffer: bytearray, offset: int) -> int:
    # The command's upper byte is 0 throughout the family: a cheap way out of a false header.
    if len(buffer) > offset + 2 and buffer[offset + 2]:
        return NOT_A_FRAME
    return buffer[offset + 4] + _OVERHEAD if len(buffer) > offset + 4 else UNKNOWN_YET


def _verify(frame: bytes) -> bool:
    return crc16.reflected(frame[:-2]) == int.from_bytes(frame[-2:], "big")


RULES = Rules(starts=bytes((HEADER,)), measure=_measure, verify=_verify)
COMMAND_RULES = RULES


class Decoder(StreamDecoder):
    """Bytes of a reader to frames (dictionaries)."""

    def __init__(self) -> None:
        super().__init__(RULES, decode)


def decode(frame: bytes) -> Frame | None:
    """One verified answer; each has `address` and `command`.

    `type`: tag, inventory_round_end, gate, error or response. None: a tag with an empty EPC.
    """
    command, data = int.from_bytes(frame[2:4], "big"), frame[5:-2]
    head: Frame = {"address": frame[1], "command": command}
    if command == GATE and len(data) in (_GATE_BYTES, _GATE_BYTES + 1):
        return head | _gate(data[-_GATE_BYTES:])
    if not data:
        return head | {"type": "response", "data": ""}
    head["status"] = status = data[0]
    if command == START and status == OK and len(data) > _TAG_HEAD:
        said = _tag(data[1:])
        return None if said is None else head | said
    if command == START and status in (ROUND_END, 0xFF):
        return head | {"type": "inventory_round_end"}
    if status in _FAILURES:
        return head | {"type": "error", "error": status, "meaning": STATUS[status]}
    return head | {"type": "response", "data": data[1:].hex()}


def _tag(data: bytes) -> Frame | None:
    epc = data[_TAG_HEAD : _TAG_HEAD + data[4]]
    if len(epc) < data[4]:
        return {"type": "response", "data": data.hex()}
    if not epc:
        return None
    return {
        "type": "tag",
        # Tenths of dBm; the manual says dBm, but no known frame makes sense that way.
        "rssi_dbm": int.from_bytes(data[0:2], "big", signed=True) / 10,
        "antenna": data[2],
        "channel": data[3],
        "epc": epc.hex(),
    }


def _gate(data: bytes) -> Frame:
    """Sent unasked when somebody passes (from the manual: no capture is known)."""
    return {
        "type": "gate",
        "option": data[0],
        "direction": DIRECTIONS.get(data[1], f"0x{data[1]:02x}"),
        "customer_data": data[2:34].hex(),
        "time_ms": int.from_bytes(data[34:38], "big"),
    }


def start(*, seconds: int = 0) -> bytes:
    """Inventory for that long; 0: until stopped. Exactly 5 data bytes, or a reader stays silent."""
    return encode(START, b"\x00" + seconds.to_bytes(4, "big"))


def start_rounds(rounds: int) -> bytes:
    return encode(START, b"\x01" + rounds.to_bytes(4, "big"))


def stop() -> bytes:
    return encode(STOP)


def device_info() -> bytes:
    return encode(DEVICE_INFO)


def set_power(power_dbm: float) -> bytes:
    return encode(SET_POWER, bytes((round(power_dbm), 0)))


_MEANINGS = {
    STOP: "stop inventory",
    READ_TAG: "read tag memory",
    SET_MASK: "set mask",
    SET_SELECT: "set select",
    GET_SELECT: "get select",
    SET_QUERY: "set query",
    GET_QUERY: "get query",
    INITIALISE: "initialise",
    FACTORY_RESET: "factory reset",
    RF_PROTOCOL: "RF protocol",
    NETWORK: "network",
    REMOTE_SERVER: "remote server",
    DEVICE_INFO: "device information",
    SET_PARAMETERS: "set all parameters",
    GET_PARAMETERS: "get all parameters",
    0x0074: "I/O",
    0x0077: "relay 1",
    0x0078: "relay 2",
    0x0079: "RSSI filter",
    0x0080: "set GPIO",
    0x0081: "get GPIO",
    GATE: "gate state",
    0x0083: "gate parameters or battery",
    0x0084: "EAS mask",
    0x0088: "output mode",
    0x0089: "trigger key",
    0x008E: "read mode",
}


def describe_command(frame: bytes) -> Frame:
    """What a verified frame to the reader asks for: `command` and, for people, `meaning`."""
    command, data = int.from_bytes(frame[2:4], "big"), frame[5:-2]
    meaning = _MEANINGS.get(command, "other")
    if command == START:
        meaning = _start_meaning(data)
    elif command == SET_POWER and data:
        meaning = f"power {data[0]} dBm"
    return {"address": frame[1], "command": command, "data": data.hex(), "meaning": meaning}


def _start_meaning(data: bytes) -> str:
    if len(data) != 5:
        size = f"{len(data)} data bytes instead of 5"
        return f"malformed start ({size}): the real reader stayed silent"
    value = int.from_bytes(data[1:], "big")
    if data[0] == 1:
        return f"start inventory, {value} round" + ("" if value == 1 else "s")
    return f"start inventory, {value} s" if value else "start inventory, continuous"
