"""Estimote telemetry (service data FE9A) and nearables (company 349)."""

from __future__ import annotations

from edge_agent.decoders.ble_fields import s8, u16le, u32le
from edge_agent.decoders.readings import Frame

SERVICE = 0xFE9A
NEARABLE_COMPANY = 0x015D
_TELEMETRY, _LAST_VERSION = 2, 2
_SIZE = 20
_SECONDS = (1, 60, 3600, 86_400)
"""By the two unit bits: second, minute, hour, day."""
_DAYS = 3
_NO_PRESSURE, _NO_BATTERY_MV, _NO_BYTE = 0xFFFFFFFF, 0x3FFF, 0xFF


def decode(data: bytes) -> Frame | None:
    if len(data) != _SIZE or data[0] & 0x0F != _TELEMETRY or data[0] >> 4 > _LAST_VERSION:
        return None
    sub_frame = data[9] & 0x03
    if sub_frame > 1:
        return None
    head: Frame = {"version": data[0] >> 4, "id": data[1:9].hex()}
    return head | (_sub_b(data, data[0] >> 4) if sub_frame else _sub_a(data, data[0] >> 4))


def _sub_a(data: bytes, version: int) -> Frame:
    state = data[15]
    frame: Frame = {
        "sub": "A",
        "acc_g": [s8(byte) * 2 / 127 for byte in data[10:13]],
        "prev_motion_s": _age_s(data[13]),
        "cur_motion_s": _age_s(data[14]),
        "moving": state & 3 == 1,
        "gpio": [bool(state & bit) for bit in (0x10, 0x20, 0x40, 0x80)],
    }
    if version == 2:
        pressure = u32le(data, 16)
        frame |= _errors(state >> 2)
        frame["pressure_pa"] = None if pressure == _NO_PRESSURE else pressure / 256
    elif version == 1:
        frame |= _errors(data[16])
    return frame


def _age_s(byte: int) -> int:
    """How long a motion state lasts, s. In days, numbers from 32 on count weeks."""
    number, unit = byte & 0x3F, byte >> 6
    if unit == _DAYS and number >= 32:
        return (number - 32) * 7 * _SECONDS[_DAYS]
    return number * _SECONDS[unit]


def _errors(bits: int) -> Frame:
    return {"firmware_error": bool(bits & 1), "clock_error": bool(bits & 2)}


def _sub_b(data: bytes, version: int) -> Frame:
    field, light = data[10:13], data[13]
    sixteenths = (data[17] & 3) << 10 | data[16] << 2 | data[15] >> 6
    battery_mv = data[18] << 6 | data[17] >> 2
    frame: Frame = {
        "sub": "B",
        "magnetic": None if field == b"\xff\xff\xff" else [s8(byte) / 128 for byte in field],
        "light_lux": None if light == _NO_BYTE else 2 ** (light >> 4) * (light & 15) * 0.72,
        "uptime_s": (data[14] | (data[15] & 15) << 8) * _SECONDS[data[15] >> 4 & 3],
        "temperature_c": _signed12(sixteenths) / 16,
        "battery_mv": None if battery_mv == _NO_BATTERY_MV else battery_mv,
    }
    if version == 0:
        return frame | _errors(data[19])
    return frame | {"battery": None if data[19] == _NO_BYTE else data[19]}


def _signed12(value: int) -> int:
    return value - 4096 if value & 0x800 else value


def decode_nearable(data: bytes) -> Frame | None:
    if len(data) != _SIZE or data[0] != 1:
        return None
    return {
        "id": data[1:9].hex(),
        "hw": data[9],
        "fw": data[10],
        "temperature_c": _signed12(u16le(data, 11) & 0x0FFF) / 16,
        "moving": bool(data[13] & 0x40),
    }
