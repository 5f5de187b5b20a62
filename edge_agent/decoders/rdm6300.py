"""RDM6300 and ID-12/ID-20 readers of 125 kHz cards: `02`, ten hex digits, two of checksum, `03`.

ID-12 and ID-20 put `0D 0A` before the end. Receive only. While a card is held its frame comes again
every 60 to 100 ms: the agent merges these, not the decoder.
"""

from __future__ import annotations

from functools import reduce
from operator import xor

from edge_agent.decoders.framing import NOT_A_FRAME, UNKNOWN_YET, Rules
from edge_agent.decoders.readings import Frame
from edge_agent.decoders.stream import StreamDecoder

START, END = 0x02, 0x03
_CR_LF = b"\r\n"
_DIGITS = 12
_HEX = frozenset(b"0123456789ABCDEFabcdef")


def encode(card: bytes, *, line_end: bool = False) -> bytes:
    """A frame of the reader for five bytes of card number; `line_end`: as ID-12 sends it."""
    text = (card + bytes((reduce(xor, card),))).hex().upper().encode()
    return bytes((START,)) + text + (_CR_LF if line_end else b"") + bytes((END,))


def _measure(buffer: bytearray, offset: int) -> int:
    first = offset + 1
    # Whatever is there already must be digits: a stray 02 is given up at once.
    if not _HEX.issuperset(buffer[first : first + _DIGITS]):
        return NOT_A_FRAME
    after = first + _DIGITS
    if len(buffer) <= after:
        return UNKNOWN_YET
    if buffer[after] == END:
        return _DIGITS + 2
    return _DIGITS + 4 if buffer[after] == _CR_LF[0] else NOT_A_FRAME


def _verify(frame: bytes) -> bool:
    digits = frame[1 : 1 + _DIGITS]
    return frame[1 + _DIGITS : -1] in (b"", _CR_LF) and frame[-1] == END and _checks(digits)


def _checks(digits: bytes) -> bool:
    return reduce(xor, bytes.fromhex(digits.decode("ascii"))) == 0


# 14 bytes take 15 ms at 9600 Bd.
RULES = Rules(starts=bytes((START,)), measure=_measure, verify=_verify)


class Decoder(StreamDecoder):
    """Bytes of a reader to frames (dictionaries)."""

    def __init__(self) -> None:
        super().__init__(RULES, decode)


def decode(frame: bytes) -> Frame:
    """One verified frame: the card with the numbers that are printed on such cards."""
    card = bytes.fromhex(frame[1:11].decode("ascii"))
    number = int.from_bytes(card[1:5], "big")
    return {
        "type": "tag",
        "id_hex": card.hex().upper(),
        "version": card[0],
        "card_number": number,
        "printed10": f"{number:010d}",
        "facility_code": card[2],
        "card_code16": int.from_bytes(card[3:5], "big"),
    }
