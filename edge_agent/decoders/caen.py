"""CAEN easy2read, from a manual only: a header of ten bytes and attribute blocks.

There is no checksum: a frame is believed when version, vendor and every length in it agree. There
is no host's side: support is not claimed before a test with a reader.
"""

from __future__ import annotations

from edge_agent.decoders.framing import NOT_A_FRAME, UNKNOWN_YET, Rules
from edge_agent.decoders.readings import Frame
from edge_agent.decoders.stream import StreamDecoder

_DIRECTIONS = {b"\x80\x01": "command", b"\x00\x01": "response"}
_VENDOR = (21336).to_bytes(4, "big")
_HEADER_BYTES, _BLOCK_HEADER_BYTES = 10, 6
_LONGEST = 4096
COMMAND, RESULT, ID_LENGTH, TIMESTAMP, ID, ID_TYPE, READ_POINT = 1, 2, 0x0F, 0x10, 0x11, 0x12, 0x22
RESULTS = {0: "ok", 102: "unknown command", 200: "bad parameter", 202: "tag not present"}

Block = tuple[int, bytes]


def encode(message_id: int, blocks: list[Block], *, direction: str = "command") -> bytes:
    """A frame, in either direction, of (type, value) blocks."""
    body = b"".join(
        b"\0\0"
        + (len(value) + _BLOCK_HEADER_BYTES).to_bytes(2, "big")
        + kind.to_bytes(2, "big")
        + value
        for kind, value in blocks
    )
    start = next(key for key, name in _DIRECTIONS.items() if name == direction)
    size = (_HEADER_BYTES + len(body)).to_bytes(2, "big")
    return start + message_id.to_bytes(2, "big") + _VENDOR + size + body


def _measure(buffer: bytearray, offset: int) -> int:
    head = bytes(buffer[offset : offset + _HEADER_BYTES])
    if not any(start.startswith(head[:2]) for start in _DIRECTIONS):
        return NOT_A_FRAME
    if not _VENDOR.startswith(head[4:8]):
        return NOT_A_FRAME
    if len(head) < _HEADER_BYTES:
        return UNKNOWN_YET
    size = int.from_bytes(head[8:10], "big")
    return size if _HEADER_BYTES < size <= _LONGEST else NOT_A_FRAME


def _blocks(frame: bytes) -> list[Block] | None:
    """The (type, value) blocks; None: their lengths do not add up."""
    blocks: list[Block] = []
    at = _HEADER_BYTES
    while at < len(frame):
        size = int.from_bytes(frame[at + 2 : at + 4], "big")
        if frame[at : at + 2] != b"\0\0" or size < _BLOCK_HEADER_BYTES or at + size > len(frame):
            return None
        kind = int.from_bytes(frame[at + 4 : at + 6], "big")
        blocks.append((kind, frame[at + _BLOCK_HEADER_BYTES : at + size]))
        at += size
    return blocks


def _verify(frame: bytes) -> bool:
    return _blocks(frame) is not None


RULES = Rules(starts=b"\x00\x80", measure=_measure, verify=_verify)
COMMAND_RULES = RULES


class Decoder(StreamDecoder):
    """Bytes of a reader to frames (dictionaries)."""

    def __init__(self) -> None:
        super().__init__(RULES, decode)


def decode(frame: bytes) -> Frame:
    """One verified frame, in either direction; `avps` are the blocks as they came."""
    blocks = _blocks(frame) or []
    said: Frame = {
        "type": _DIRECTIONS[frame[0:2]],
        "direction": _DIRECTIONS[frame[0:2]],
        "message_id": int.from_bytes(frame[2:4], "big"),
        "avps": [{"type": kind, "value": value.hex()} for kind, value in blocks],
        "tags": [value.hex() for kind, value in blocks if kind == ID],
    }
    for kind, value in blocks:
        if kind == COMMAND:
            said["command"] = int.from_bytes(value, "big")
        elif kind == RESULT:
            result = int.from_bytes(value, "big")
            said |= {"result": result, "meaning": RESULTS.get(result, f"result {result}")}
    return said


describe_command = decode
