"""Teltonika EYE, company 2202: version, flags, then the values that the flags announce."""

from __future__ import annotations

from edge_agent.decoders.ble_fields import s8, s16, u16
from edge_agent.decoders.readings import Frame

COMPANY = 0x089A
_VERSION = 1
_TEMPERATURE, _HUMIDITY, _MAGNET, _MAGNET_STATE = 1, 2, 4, 8
_MOVEMENT, _ANGLES, _LOW_BATTERY, _VOLTAGE = 0x10, 0x20, 0x40, 0x80
_SIZES = {_TEMPERATURE: 2, _HUMIDITY: 1, _MOVEMENT: 2, _ANGLES: 3, _VOLTAGE: 1}
"""Flag -> bytes that follow for it, in the order of transmission."""


def decode(data: bytes) -> Frame | None:
    if len(data) < 2 or data[0] != _VERSION:
        return None
    flags, at = data[1], 2
    places: dict[int, int] = {}
    for flag, size in _SIZES.items():
        if flags & flag:
            places[flag], at = at, at + size
    if at != len(data):
        return None
    frame: Frame = {"low_battery": bool(flags & _LOW_BATTERY)}
    if flags & _MAGNET:
        frame["magnet"] = bool(flags & _MAGNET_STATE)
    for flag, place in places.items():
        frame |= _value(flag, data, place)
    return frame


def _value(flag: int, data: bytes, at: int) -> Frame:
    if flag == _TEMPERATURE:
        return {"temperature_c": s16(data, at) / 100}
    if flag == _HUMIDITY:
        return {"humidity": data[at]}
    if flag == _MOVEMENT:
        word = u16(data, at)
        return {"moving": bool(word & 0x8000), "movement_count": word & 0x7FFF}
    if flag == _ANGLES:
        return {"pitch": s8(data[at]), "roll": s16(data, at + 1)}
    return {"battery_mv": 2000 + 10 * data[at]}
