"""What a Mercury module says about tags: metadata in the order of its flags, then the tag."""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.decoders.gen2 import tag_crc
from edge_agent.decoders.readings import Frame

GEN2 = 0x05
_HAS_METADATA = 0x10
_MULTI_SELECT = 0x88
_END_OF_SEARCH, _TAG, _STATUS_REPORT = 0, 1, 2
_EMBEDDED_DATA = 0x0080
_EMBEDDED_ERROR = 0x8000
_XPC_FOLLOWS, _SECOND_XPC_FOLLOWS = 0x0200, 0x8000
_TOTAL_BYTES = (1, 4)
"""Size of the number of tags that ends a search: old modules, new ones."""
_TEMPERATURE = 0x0100
"""Flag of the module's temperature in a status report."""


class _TooShort(Exception):
    """The data end before what they announce."""


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        taken = self._data[self.at : self.at + size]
        if len(taken) < size:
            raise _TooShort
        self.at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    @property
    def left(self) -> int:
        return len(self._data) - self.at


def _unsigned(name: str) -> Callable[[bytes], Frame]:
    return lambda data: {name: int.from_bytes(data, "big")}


def _rssi(data: bytes) -> Frame:
    return {"rssi_dbm": int.from_bytes(data, "big", signed=True)}


def _antenna(data: bytes) -> Frame:
    """Four bits each: 16 does not fit and is sent as 0."""
    return {"antenna_tx": data[0] >> 4 or 16, "antenna_rx": data[0] & 0x0F or 16}


def _brand(data: bytes) -> Frame:
    return {"brand_id": data.hex()}


_METADATA: tuple[tuple[int, int, Callable[[bytes], Frame] | None], ...] = (
    (0x0001, 1, _unsigned("read_count")),
    (0x0002, 1, _rssi),
    (0x0004, 1, _antenna),
    (0x0008, 3, _unsigned("frequency_khz")),
    (0x0010, 4, _unsigned("timestamp_ms")),
    (0x0020, 2, _unsigned("phase")),
    (0x0040, 1, _unsigned("protocol")),
    (_EMBEDDED_DATA, 2, None),
    (0x0100, 1, _unsigned("gpio")),
    (0x0200, 1, _unsigned("gen2_q")),
    (0x0400, 1, _unsigned("gen2_link_frequency")),
    (0x0800, 1, _unsigned("gen2_target")),
    (0x1000, 2, _brand),
)
"""Flag, bytes, meaning; in the order of the data. Embedded data have a length of their own."""
_KNOWN_FLAGS = sum(flag for flag, _, _ in _METADATA)


def streamed(data: bytes) -> Frame | None:
    """Data of a successful READ_MULTIPLE answer. None: a record whose EPC is empty."""
    cursor = _Cursor(data)
    try:
        return _streamed(cursor)
    except _TooShort:
        return {"type": "response", "data": data.hex()}


def _streamed(cursor: _Cursor) -> Frame | None:
    option = cursor.number(1)
    multi_select = option & ~_HAS_METADATA == _MULTI_SELECT
    if multi_select:
        cursor.take(1)  # one more byte of options; all else is shifted by it
    frame: Frame = {"option": option, "search_flags": cursor.number(2)}
    if not multi_select and not option & _HAS_METADATA:
        if cursor.left in _TOTAL_BYTES:
            return frame | {"type": "inventory_end", "total": cursor.number(cursor.left)}
        return frame | {"type": "response", "data": cursor.take(cursor.left).hex()}
    flags = cursor.number(2)
    frame["metadata_flags"] = flags
    kind = cursor.number(1)
    if kind == _TAG and not flags & ~_KNOWN_FLAGS:
        return _tag(frame | _metadata(cursor, flags), cursor)
    if kind == _STATUS_REPORT:
        return frame | _status_report(cursor)
    if kind == _END_OF_SEARCH:
        return frame | {"type": "inventory_end"}
    # Metadata of unknown size: whatever follows cannot be told apart, so it is no tag.
    return frame | {"type": "response", "data": cursor.take(cursor.left).hex()}


def _metadata(cursor: _Cursor, flags: int) -> Frame:
    found: Frame = {}
    for flag, size, meaning in _METADATA:
        if not flags & flag:
            continue
        value = cursor.take(size)
        found |= _embedded(value, cursor) if meaning is None else meaning(value)
    return found


def _embedded(length: bytes, cursor: _Cursor) -> Frame:
    bits = int.from_bytes(length, "big")
    if bits & _EMBEDDED_ERROR:
        return {"embedded_data": "", "embedded_error": cursor.number(2)}
    return {"embedded_data": cursor.take((bits + 7) // 8).hex()}


def _tag(frame: Frame, cursor: _Cursor) -> Frame | None:
    record = cursor.take((cursor.number(2) + 7) // 8)
    if frame.get("protocol", GEN2) != GEN2:
        return _other_tag(frame, record)
    start = 2 + _xpc_bytes(record)
    if len(record) <= start + 2:
        return None
    frame |= {"type": "tag", "pc": record[0:2].hex()}
    if start > 2:
        frame["xpc"] = record[2:start].hex()
    crc = record[-2:]
    return frame | {
        "epc": record[start:-2].hex(),
        "tag_crc": crc.hex(),
        "tag_crc_ok": tag_crc(record[:-2]) == int.from_bytes(crc, "big"),
    }


def _xpc_bytes(record: bytes) -> int:
    if not int.from_bytes(record[0:2], "big") & _XPC_FOLLOWS:
        return 0
    return 4 if int.from_bytes(record[2:4], "big") & _SECOND_XPC_FOLLOWS else 2


def _other_tag(frame: Frame, record: bytes) -> Frame | None:
    """Only Gen2 has a PC word, and other protocols have other checksums."""
    if len(record) <= 2:
        return None
    return frame | {"type": "tag", "epc": record[:-2].hex(), "tag_crc": record[-2:].hex()}


def _status_report(cursor: _Cursor) -> Frame:
    """Flag (7 bits a byte, the high bit continues), length, value; again and again."""
    frame: Frame = {"type": "status_report"}
    values: list[Frame] = []
    while cursor.left:
        flag = 0
        while (byte := cursor.number(1)) & 0x80:
            flag = (flag | byte & 0x7F) << 7
        flag |= byte
        value = cursor.take(cursor.number(1))
        values.append({"flag": flag, "value": value.hex()})
        if flag == _TEMPERATURE and len(value) == 1:
            frame["temperature_c"] = int.from_bytes(value, "big", signed=True)
    return frame | {"values": values}


def single(data: bytes) -> Frame | None:
    """Data of a READ_SINGLE answer without metadata: EPC and tag CRC; there is no PC to check."""
    if len(data) <= 2:
        return None
    return {"type": "tag", "epc": data[:-2].hex(), "tag_crc": data[-2:].hex()}
