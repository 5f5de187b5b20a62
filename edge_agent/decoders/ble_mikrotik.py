"""MikroTik TG-BT5, company 2383. Little endian."""

from __future__ import annotations

from edge_agent.decoders.ble_fields import s16le, u16le, u32le
from edge_agent.decoders.readings import Frame

COMPANY = 0x094F
_SIZE = 18
_NO_TEMPERATURE = -0x8000


def decode(data: bytes) -> Frame | None:
    if len(data) != _SIZE:
        return None
    acceleration = [s16le(data, at) for at in (4, 6, 8)]
    temperature = s16le(data, 10)
    measured = temperature != _NO_TEMPERATURE
    return {
        "version": data[0],
        "user_data": data[1],
        "salt": u16le(data, 2),
        "acc_raw": acceleration,
        "acc_g": [raw / 256 for raw in acceleration],
        "temperature_raw": temperature if measured else None,
        "temperature_c": temperature / 256 if measured else None,
        "uptime_s": u32le(data, 12),
        "flags": data[16],
        "battery": data[17],
    }
