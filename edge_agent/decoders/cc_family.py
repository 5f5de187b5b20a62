"""The `CC FF FF` family: `CC FF FF CID1 RTN LEN info CHK`. Only framing and checksum are known.

Who makes these readers is uncertain, so nothing in the frame is called a tag.
"""

from __future__ import annotations

from edge_agent.decoders.framing import NOT_A_FRAME, UNKNOWN_YET, Rules
from edge_agent.decoders.readings import Frame
from edge_agent.decoders.stream import StreamDecoder

_START = b"\xcc\xff\xff"
_OVERHEAD = 7
_LENGTH_AT = 5


def encode_answer(cid1: int, rtn: int, info: bytes = b"") -> bytes:
    """A frame from the reader."""
    body = _START + bytes((cid1, rtn, len(info))) + info
    return body + bytes((-sum(body) & 0xFF,))


def _measure(buffer: bytearray, offset: int) -> int:
    if not _START.startswith(buffer[offset : offset + len(_START)]):
        return NOT_A_FRAME
    if len(buffer) <= offset + _LENGTH_AT:
        return UNKNOWN_YET
    return buffer[offset + _LENGTH_AT] + _OVERHEAD


def _verify(frame: bytes) -> bool:
    return sum(frame) & 0xFF == 0


RULES = Rules(starts=_START[:1], measure=_measure, verify=_verify)


class Decoder(StreamDecoder):
    """Bytes of a reader to frames (dictionaries)."""

    def __init__(self) -> None:
        super().__init__(RULES, decode)


def decode(frame: bytes) -> Frame:
    """One verified frame."""
    return {
        "type": "response",
        "cid1": frame[3],
        "rtn": frame[4],
        "info": frame[_LENGTH_AT + 1 : -1].hex(),
    }
