"""KKM and BlueCharm sensor frame, service data FEAA with first byte 21. Big endian."""

from __future__ import annotations

from edge_agent.decoders.ble_fields import fixed88, s16, u16
from edge_agent.decoders.readings import Frame

SERVICE = 0xFEAA
_HEAD = b"\x21\x01"
_BATTERY, _TEMPERATURE, _HUMIDITY, _ACCELERATION = 1, 2, 4, 8
_SIZES = {_BATTERY: 2, _TEMPERATURE: 2, _HUMIDITY: 2, _ACCELERATION: 6}
_KNOWN = 0x0F


def decode(data: bytes) -> Frame | None:
    if len(data) < 3 or data[:2] != _HEAD:
        return None
    mask = data[2]
    end = 3 + sum(size for bit, size in _SIZES.items() if mask & bit)
    # Later models set higher bits of the mask: their values follow the four that are known.
    if len(data) < end or (len(data) > end and not mask & ~_KNOWN):
        return None
    frame: Frame = {"frame": "sensor"}
    at = 3
    for bit, size in _SIZES.items():
        if mask & bit:
            frame |= _value(bit, data, at)
            at += size
    return frame


def _value(bit: int, data: bytes, at: int) -> Frame:
    if bit == _BATTERY:
        return {"battery_mv": u16(data, at)}
    if bit == _TEMPERATURE:
        return {"temperature_c": fixed88(data, at)}
    if bit == _HUMIDITY:
        return {"humidity": fixed88(data, at)}
    return {"acc_mg": [s16(data, at + axis) for axis in (0, 2, 4)]}
