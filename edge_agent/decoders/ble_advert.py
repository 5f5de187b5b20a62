"""One advertisement as bleak gives it, and how to cut one out of raw radio bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_agent.decoders.ble_fields import service_uuid

_SERVICE_16, _SERVICE_32, _SERVICE_128, _MANUFACTURER = 0x16, 0x20, 0x21, 0xFF
_UUID_BYTES = {_SERVICE_16: 2, _SERVICE_32: 4, _SERVICE_128: 16}


@dataclass(frozen=True, slots=True)
class Advert:
    """`manufacturer_data` by company number and `service_data` by 128-bit UUID in lower case.

    BlueZ keeps old entries: the two may mix several packets of one device. `key` is the device's
    own for encrypted formats, 16 bytes.
    """

    manufacturer_data: Mapping[int, bytes] = field(default_factory=dict)
    service_data: Mapping[str, bytes] = field(default_factory=dict)
    address: str | None = None
    key: bytes | None = None


def parse_raw(
    data: bytes, *, address: str | None = None, key: bytes | None = None
) -> Advert | None:
    """Structures of length, type, value. None when the lengths do not fit the whole."""
    company: dict[int, bytes] = {}
    service: dict[str, bytes] = {}
    at = 0
    while at < len(data) and data[at]:  # a zero length ends early: the rest is padding
        end = at + 1 + data[at]
        if end > len(data):
            return None
        kind, value = data[at + 1], data[at + 2 : end]
        if kind == _MANUFACTURER and len(value) >= 2:
            company[int.from_bytes(value[:2], "little")] = value[2:]
        elif (size := _UUID_BYTES.get(kind)) and len(value) >= size:
            service[_uuid(value[:size])] = value[size:]
        at = end
    return Advert(company, service, address, key)


def _uuid(octets: bytes) -> str:
    digits = octets[::-1].hex()
    if len(octets) == 16:
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return f"{digits:>08}" + service_uuid(0)[8:]
