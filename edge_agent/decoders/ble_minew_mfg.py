"""Minew, company 1593: Connect V3 (CA ..), S3, S4 and the energy-harvesting switch (51)."""

from __future__ import annotations

from edge_agent.decoders.ble_fields import fixed88, mac_reversed, s8, text, u16, u16le
from edge_agent.decoders.readings import Frame

COMPANY = 0x0639
_V3_SIZE = 24
_MSE_MIN_SIZE = 7
_MSE_FULL_LEVEL = 4095
_TAIL = 4
"""Bytes at the end of a combination frame that are not blocks."""


def decode(data: bytes) -> Frame | None:
    if len(data) < 2:
        return None
    if data[0] == 0x51:
        return _switch(data) if len(data) >= _MSE_MIN_SIZE else None
    kind = bytes(data[:2])
    if kind == b"\xca\x03":
        return _combination(data) if len(data) >= 2 + _TAIL else None
    size, decoder = _FRAMES.get(kind, (0, None))
    return decoder(data) if decoder and len(data) == size else None


def _v3_info(data: bytes) -> Frame:
    version = u16(data, 9)
    return {
        "frame": "v3_info",
        "mac": mac_reversed(data, 2),
        "battery": data[8],
        "firmware": f"{version >> 13 & 3}.{version >> 7 & 63}.{version & 127}",
    }


def _v3_climate(data: bytes) -> Frame:
    frame: Frame = {
        "frame": "v3_temp_humidity",
        "temperature_c": fixed88(data, 5),
        "humidity": None if data[3] & 2 else fixed88(data, 7),
        "name": text(data[9:17]),
    }
    return frame | ({"marked": data[17] == 1} if data[2] > 0 else {})


def _v3_temperature(data: bytes) -> Frame:
    if data[2] & 0x80:
        return {"frame": "v3_temperature", "encrypted": True}
    return {
        "frame": "v3_temperature",
        "product": u16(data, 3),
        "mac": mac_reversed(data, 6),
        "battery_mv": u16(data, 12),
        "temperature_c": fixed88(data, 14),
        "tx_power": s8(data[17]),
    }


def _v3_distance(data: bytes) -> Frame:
    flags = data[6]
    return {
        "frame": "v3_tof",
        "cycle": data[3],
        "distance_mm": u16le(data, 4),
        "low_battery": bool(flags & 8),
        "occupied": bool(flags & 4),
        "moving": bool(flags & 2),
        "tamper": bool(flags & 1),
    }


def _combination(data: bytes) -> Frame:
    """Blocks of known size one after the other; the first unknown one ends them."""
    frame: Frame = {"frame": "v3_combination"}
    blocks, at = data[: len(data) - _TAIL], 2
    while at < len(blocks):
        kind, rest = blocks[at], len(blocks) - at - 1
        if kind == 0x03 and rest >= 6:
            frame["acc_g"] = [fixed88(blocks, at + 1 + axis) for axis in (0, 2, 4)]
            at += 7
        elif kind == 0x21 and rest >= 1:
            frame["battery"] = blocks[at + 1]
            at += 2
        elif kind == 0x22 and rest >= 1:
            frame["triggered"] = blocks[at + 1] > 0
            at += 2
        else:
            break
    return frame


def _s3_climate(data: bytes) -> Frame:
    return {
        "frame": "s3_temp_humidity",
        "battery": data[2],
        "temperature_c": fixed88(data, 3),
        "humidity": fixed88(data, 5),
        "mac": mac_reversed(data, 7),
    }


def _s4_door(data: bytes) -> Frame:
    return {
        "frame": "s4_door",
        "battery": data[2],
        "door_open": data[3] > 0,
        "tamper": data[4] > 0,
        "triggered": data[5] > 0,
        "mac": mac_reversed(data, 7),
    }


def _switch(data: bytes) -> Frame:
    flags, level = data[4], u16le(data, 5)
    return {
        "frame": "mse",
        "model": data[1],
        "tx_count": data[2],
        "battery": data[3],
        "contact_open": bool(flags & 1),
        "moving": bool(flags & 2),
        "buttons": [bool(flags & 0x20), bool(flags & 0x40)],
        "level": level,
        "level_percent": round(100 * level / _MSE_FULL_LEVEL, 2),
    }


_FRAMES = {
    b"\xca\x00": (_V3_SIZE, _v3_info),
    b"\xca\x05": (_V3_SIZE, _v3_climate),
    b"\xca\x1b": (_V3_SIZE, _v3_temperature),
    b"\xca\x1e": (_V3_SIZE, _v3_distance),
    b"\xa3\x03": (16, _s3_climate),
    b"\xa4\x01": (15, _s4_door),
}
"""First two bytes -> size in bytes, decoder."""
