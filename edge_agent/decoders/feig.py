"""Feig's ISO host protocol, from a manual only: no device and no capture was at hand.

Standard `LEN ADR CTRL [STATUS] data CRC CRC`, advanced `02 ALEN ALEN ADR CTRL ..`; the length is
that of the whole frame. There is no host's side: support is not claimed before a test with a
reader.
"""

from __future__ import annotations

from edge_agent.decoders import crc16
from edge_agent.decoders.framing import NOT_A_FRAME, UNKNOWN_YET, Rules
from edge_agent.decoders.readings import Frame
from edge_agent.decoders.stream import StreamDecoder

ADVANCED = 0x02
INVENTORY, SOFTWARE_VERSION, RESET = 0xB0, 0x65, 0x63
STATUS = {
    0x00: "ok",
    0x01: "no transponder",
    0x80: "parameter out of range",
    0x81: "command not available",
    0x94: "more data",
}
_MORE, _NO_TAG = 0x94, 0x01
_CONTROLS = frozenset((INVENTORY, SOFTWARE_VERSION, RESET))
_SHORTEST, _LONGEST_ADVANCED = 5, 1024
"""Whole frames, bytes: a reset command; more than a reader's buffer gives at once."""


def encode(
    control: int, data: bytes = b"", *, address: int = 0xFF, advanced: bool = False
) -> bytes:
    """A frame to the reader."""
    size = len(data) + (7 if advanced else 5)
    head = bytes((ADVANCED,)) + size.to_bytes(2, "big") if advanced else bytes((size,))
    body = head + bytes((address, control)) + data
    return body + crc16.reflected(body).to_bytes(2, "little")


def encode_answer(
    control: int, data: bytes = b"", status: int = 0, *, address: int = 0, advanced: bool = False
) -> bytes:
    """A frame from the reader."""
    return encode(control, bytes((status,)) + data, address=address, advanced=advanced)


def _measure(buffer: bytearray, offset: int) -> int:
    advanced = buffer[offset] == ADVANCED
    control = offset + (4 if advanced else 2)
    if len(buffer) <= control:
        return UNKNOWN_YET
    if buffer[control] not in _CONTROLS:
        return NOT_A_FRAME
    if not advanced:
        return buffer[offset]
    size = buffer[offset + 1] << 8 | buffer[offset + 2]
    return size if _SHORTEST + 2 <= size <= _LONGEST_ADVANCED else NOT_A_FRAME


def _verify(frame: bytes) -> bool:
    return crc16.reflected(frame[:-2]) == int.from_bytes(frame[-2:], "little")


RULES = Rules(bytes((ADVANCED, *range(_SHORTEST, 256))), _measure, _verify)
COMMAND_RULES = RULES


class Decoder(StreamDecoder):
    """Bytes of a reader to frames (dictionaries)."""

    def __init__(self) -> None:
        super().__init__(RULES, decode)


def decode(frame: bytes) -> Frame | None:
    """One verified answer. `type`: response, no_tag or error."""
    at = 3 if frame[0] == ADVANCED else 1
    address, control, said = frame[at], frame[at + 1], frame[at + 2 : -2]
    if not said:
        return None
    status = said[0]
    kinds = {0x00: "response", _MORE: "response", _NO_TAG: "no_tag"}
    return {
        "type": kinds.get(status, "error"),
        "address": address,
        "command": control,
        "status": status,
        "meaning": STATUS.get(status, f"status 0x{status:02x}"),
        "data": said[1:].hex(),
    }


def inventory() -> bytes:
    return encode(INVENTORY, b"\x01\x00")


_MEANINGS = {
    INVENTORY: "inventory",
    SOFTWARE_VERSION: "reader software version",
    RESET: "reset",
}


def describe_command(frame: bytes) -> Frame:
    """What a verified frame to the reader asks for: `command` and, for people, `meaning`."""
    at = 3 if frame[0] == ADVANCED else 1
    control, data = frame[at + 1], frame[at + 2 : -2]
    meaning = _MEANINGS.get(control, "other")
    return {"address": frame[at], "command": control, "data": data.hex(), "meaning": meaning}
