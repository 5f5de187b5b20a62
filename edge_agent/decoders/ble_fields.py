"""Numbers and addresses in advertisement payloads. Callers have checked the length."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")
_BASE_UUID = "0000{:04x}-0000-1000-8000-00805f9b34fb"


def service_uuid(short: int) -> str:
    """A 16-bit service number as the 128-bit text that bleak uses."""
    return _BASE_UUID.format(short)


def s8(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def u16(data: bytes, at: int) -> int:
    """Big endian, like `s16`; the twins for little endian end in `le`."""
    return int.from_bytes(data[at : at + 2], "big")


def s16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big", signed=True)


def u16le(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def s16le(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little", signed=True)


def u32le(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def fixed88(data: bytes, at: int) -> float:
    """Signed 8.8 fixed point, big endian."""
    return s16(data, at) / 256


def mac(data: bytes, at: int) -> str:
    """Six bytes in printed order, as 12 hexadecimal digits."""
    return data[at : at + 6].hex()


def mac_reversed(data: bytes, at: int) -> str:
    """Six bytes in transmission order, as 12 hexadecimal digits in printed order."""
    return data[at : at + 6][::-1].hex()


def unless(none: T, value: T) -> T | None:
    """None when `value` is the format's mark for "not measured"."""
    return None if value == none else value


def scaled(raw: int, none: int, factor: float, offset: float = 0.0) -> float | None:
    """`raw * factor + offset`, or None for the mark; rounded: binary fractions add only noise."""
    return None if raw == none else round(raw * factor + offset, 6)


def text(data: bytes) -> str:
    """UTF-8 as far as it goes, without padding."""
    return data.decode("utf-8", "replace").strip("\0")


def printable(data: bytes) -> bool:
    """Whether all bytes are visible ASCII; foreign frames rarely are."""
    return bool(data) and all(0x20 < byte < 0x7F for byte in data)
