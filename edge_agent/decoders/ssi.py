"""Zebra / Motorola SSI, scan engines: `LEN OPCODE SOURCE STATUS data SUM SUM`. Frames only.

There is no start byte: a frame is where a length, a known opcode, the source and the sum agree. The
host's side, which has to acknowledge every scan, is ssi_host.
"""

from __future__ import annotations

from edge_agent.decoders.framing import NOT_A_FRAME, UNKNOWN_YET, Rules
from edge_agent.decoders.lines import decode_text
from edge_agent.decoders.readings import Frame
from edge_agent.decoders.stream import StreamDecoder

DECODER, HOST = 0x00, 0x04
_SOURCES = {DECODER: "decoder", HOST: "host"}
PARAMETER_SEND, PARAMETER_REQUEST, ACK, NAK = 0xC6, 0xC7, 0xD0, 0xD1
START_SESSION, STOP_SESSION, BEEP, LED_ON, LED_OFF = 0xE4, 0xE5, 0xE6, 0xE7, 0xE8
SCAN_ENABLE, SCAN_DISABLE, DECODE_DATA, EVENT = 0xE9, 0xEA, 0xF3, 0xF6
_NAMES = {
    PARAMETER_SEND: "parameter_send",
    PARAMETER_REQUEST: "parameter_request",
    ACK: "ack",
    NAK: "nak",
    START_SESSION: "start_session",
    STOP_SESSION: "stop_session",
    BEEP: "beep",
    LED_ON: "led_on",
    LED_OFF: "led_off",
    SCAN_ENABLE: "scan_enable",
    SCAN_DISABLE: "scan_disable",
    DECODE_DATA: "decode_data",
    EVENT: "event",
}
NAK_REASONS = {1: "checksum wrong", 2: "not possible now", 6: "denied", 10: "cancelled"}
CODE_TYPES = {
    0x01: "code-39",
    0x03: "code-128",
    0x0B: "ean-13",
    0x0F: "gs1-128",
    0x1B: "datamatrix",
    0x1C: "qr",
    0x30: "gs1-databar",
}
AIM = {
    0x01: b"]A0",
    0x03: b"]C0",
    0x0B: b"]E0",
    0x0F: b"]C1",
    0x1B: b"]d1",
    0x1C: b"]Q1",
    0x30: b"]e0",
}
"""Code type -> AIM symbology identifier, which says the same on other lines."""
RETRANSMISSION, CONTINUED, PERMANENT = 0x01, 0x02, 0x08
"""Bits of STATUS: sent again; another frame of the same message follows; keep the change."""
_HEAD = 4


def encode(opcode: int, data: bytes = b"", *, source: int = HOST, status: int = 0) -> bytes:
    """A frame, in either direction."""
    body = bytes((_HEAD + len(data), opcode, source, status)) + data
    return body + (-sum(body) & 0xFFFF).to_bytes(2, "big")


def _measure(source: int, buffer: bytearray, offset: int) -> int:
    known = len(buffer) - offset
    if known > 1 and buffer[offset + 1] not in _NAMES:
        return NOT_A_FRAME
    if known > 2 and buffer[offset + 2] != source:
        return NOT_A_FRAME
    return buffer[offset] + 2 if known > 2 else UNKNOWN_YET


def _measure_answer(buffer: bytearray, offset: int) -> int:
    return _measure(DECODER, buffer, offset)


def _measure_command(buffer: bytearray, offset: int) -> int:
    return _measure(HOST, buffer, offset)


def _verify(frame: bytes) -> bool:
    return (sum(frame[:-2]) + int.from_bytes(frame[-2:], "big")) & 0xFFFF == 0


_LENGTHS = bytes(range(_HEAD, 256))
RULES = Rules(_LENGTHS, _measure_answer, _verify)
COMMAND_RULES = Rules(_LENGTHS, _measure_command, _verify)


class Decoder(StreamDecoder):
    """Bytes of a scanner to frames (dictionaries)."""

    def __init__(self) -> None:
        super().__init__(RULES, decode)


def decode(frame: bytes) -> Frame:
    """One verified frame: `type` is the opcode's name; `data` is text in decode_data, else hex."""
    opcode, status, data = frame[1], frame[3], frame[_HEAD:-2]
    head: Frame = {
        "type": _NAMES[opcode],
        "opcode": opcode,
        "source": _SOURCES[frame[2]],
        "status": status,
        "retransmission": bool(status & RETRANSMISSION),
        "continued": bool(status & CONTINUED),
    }
    if opcode == DECODE_DATA and data:
        return head | _scan(data)
    if opcode == NAK and data:
        head["reason"] = data[0]
        head["meaning"] = NAK_REASONS.get(data[0], f"reason {data[0]}")
    return head | {"data": data.hex()}


def _scan(data: bytes) -> Frame:
    code_type, characters = data[0], data[1:]
    return {
        "code_type": code_type,
        "symbology": CODE_TYPES.get(code_type, f"0x{code_type:02x}"),
        "data": decode_text(characters),
        "raw": characters.hex(),
    }


def ack() -> bytes:
    return encode(ACK)


def nak(reason: int) -> bytes:
    return encode(NAK, bytes((reason,)))


_MEANINGS = {
    PARAMETER_SEND: "parameter send",
    PARAMETER_REQUEST: "parameter request",
    ACK: "ACK from host",
    NAK: "NAK from host",
    START_SESSION: "start session",
    STOP_SESSION: "stop session",
    BEEP: "beep",
    LED_ON: "LED on",
    LED_OFF: "LED off",
    SCAN_ENABLE: "scan enable",
    SCAN_DISABLE: "scan disable",
}


def describe_command(frame: bytes) -> Frame:
    """What a verified frame to the scanner asks for: `opcode` and, for people, `meaning`."""
    opcode, data = frame[1], frame[_HEAD:-2]
    return {"opcode": opcode, "data": data.hex(), "meaning": _MEANINGS.get(opcode, "other")}
