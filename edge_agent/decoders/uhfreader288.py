"""The newer layout of the UHFReader18 family (288, 86, RRU9883): antenna and level in every tag."""

from __future__ import annotations

from edge_agent.decoders import uhfreader18
from edge_agent.decoders.readings import Frame
from edge_agent.decoders.stream import StreamDecoder
from edge_agent.decoders.uhfreader18 import (
    ACTIVE,
    ANY_ADDRESS,
    HEARTBEAT,
    INVENTORY,
    NO_TAG,
    RULES,
    SINGLE_INVENTORY,
    STATISTICS,
    WITH_TAGS,
    decode_common,
    encode,
)

describe_command = uhfreader18.describe_command
READER_TYPES = frozenset((0x0C, 0x0F, 0x10, 0x16, 0x20))
"""288M, 86, 86, RRU9883M, 288MP: the types of READER_INFO that speak this layout."""
OLD_READER_TYPES = frozenset((0x03, 0x08, 0x09))
"""RU5102, RU5102, UHFReader18: those that speak the layout of uhfreader18."""
_EPC_AND_TID = 0x80
_TID_BYTES = 12
_STATISTICS_BYTES, _HEARTBEAT_BYTES = 7, 16


class Decoder(StreamDecoder):
    """Bytes of a reader to frames (dictionaries)."""

    def __init__(self) -> None:
        super().__init__(RULES, decode)


def decode(frame: bytes) -> Frame | None:
    """One verified answer. `type`: inventory, tag, heartbeat, statistics, reader_info, error or
    response. Levels are raw: larger is stronger, the unit is not documented."""
    command, status, data = frame[2], frame[3], frame[4:-2]
    head: Frame = {"address": frame[1], "command": command, "status": status}
    if command == ACTIVE:
        said = _active(status, data)
        return None if said is None else head | said
    if command in (INVENTORY, SINGLE_INVENTORY) and (said := _inventory(status, data)):
        return head | said
    return head | decode_common(command, status, data)


def _inventory(status: int, data: bytes) -> Frame | None:
    if status == NO_TAG:
        return {"type": "inventory", "tags": []}
    if status == STATISTICS and len(data) == _STATISTICS_BYTES:
        return {
            "type": "statistics",
            "antenna": antenna_number(data[0]),
            "read_rate": int.from_bytes(data[1:3], "big"),
            "total": int.from_bytes(data[3:7], "big"),
        }
    if status not in WITH_TAGS:
        return None
    if not data:
        return {"type": "inventory", "tags": []}
    tags = _tags(data)
    if tags is None:
        return None
    return {"type": "inventory", "antenna": antenna_number(data[0]), "tags": tags}


def antenna_number(mask: int) -> int | None:
    """01, 02, 04, 08 .. are antennas 1, 2, 3, 4 ..; what has not one bit is a number by itself."""
    if mask and mask & (mask - 1) == 0:
        return mask.bit_length()
    return mask or None


def _tags(data: bytes) -> list[Frame] | None:
    """After the antenna: number of tags, then length, EPC and level of each; None: another
    layout."""
    tags: list[Frame] = []
    at = 2
    while at < len(data):
        end = at + 1 + (data[at] & ~_EPC_AND_TID)
        if end >= len(data):
            return None
        tags.append(_identity(data[at], data[at + 1 : end]) | {"rssi_raw": data[end]})
        at = end + 1
    return tags if len(data) >= 2 and len(tags) == data[1] else None


def _identity(length: int, data: bytes) -> Frame:
    """Readers that add the TID add 96 bits of it behind the EPC."""
    if not length & _EPC_AND_TID:
        return {"epc": data.hex()}
    if len(data) <= _TID_BYTES:
        return {"epc": data.hex(), "epc_and_tid": data.hex()}
    epc, tid = data[:-_TID_BYTES], data[-_TID_BYTES:]
    return {"epc": epc.hex(), "tid": tid.hex(), "epc_and_tid": data.hex()}


def _active(status: int, data: bytes) -> Frame | None:
    """Frames sent unasked (from the manual: no capture is known)."""
    if status == HEARTBEAT and len(data) == _HEARTBEAT_BYTES:
        return {
            "type": "heartbeat",
            "packet_no": int.from_bytes(data[0:4], "big"),
            "antenna_states": data[4:12].hex(),
            "total": int.from_bytes(data[12:16], "big"),
        }
    if status == 0 and len(data) >= 3 and len(data) == 3 + (data[1] & ~_EPC_AND_TID):
        if len(data) == 3:
            return None
        tag = _identity(data[1], data[2:-1])
        antenna = antenna_number(data[0])
        return {"type": "tag", "antenna": antenna, **tag, "rssi_raw": data[-1]}
    return decode_common(ACTIVE, status, data)


def inventory(
    antenna: int | None = None,
    *,
    q: int = 4,
    session: int = 0,
    target: int = 0,
    scan_time_ms: int = 1000,
    address: int = ANY_ADDRESS,
) -> bytes:
    """One round on `antenna` (from 1), without a mask; None: the command of a single antenna."""
    mask = b"\x01\x00\x00\x00"  # the EPC's memory area, from bit 0, nothing to compare
    port = 0x80 + (antenna - 1 if antenna is not None else 0)
    data = bytes((q, session)) + mask + bytes((target, port, round(scan_time_ms / 100)))
    return encode(INVENTORY, data, address)
