"""Minew sensors, service data FFE1 with first byte A1. Big endian, address reversed at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from edge_agent.decoders.ble_fields import fixed88, mac_reversed, text, u16
from edge_agent.decoders.readings import Frame

SERVICE = 0xFFE1
_MARK, _FIRMWARE_UPDATE, _INFO = 0xA1, 0x07, 0x08
_MAC_BYTES = 6
_VALUES_AT = 3


class _Layout(NamedTuple):
    """`size`: of the whole frame, in bytes."""

    frame: str
    size: int
    values: Callable[[bytes], Frame]


def _climate(data: bytes) -> Frame:
    return {"temperature_c": fixed88(data, 3), "humidity": fixed88(data, 5)}


def _acceleration(data: bytes) -> Frame:
    return {"acc_g": [fixed88(data, at) for at in (3, 5, 7)]}


def _vibration(data: bytes) -> Frame:
    return {"timestamp": int.from_bytes(data[3:7], "big"), "vibration": bool(data[7] & 1)}


def _flag(name: str) -> Callable[[bytes], Frame]:
    return lambda data: {name: bool(data[_VALUES_AT] & 1)}


def _number(name: str) -> Callable[[bytes], Frame]:
    return lambda data: {name: u16(data, _VALUES_AT)}


_FRAMES = {
    0x01: _Layout("temp_humidity", 13, _climate),
    0x02: _Layout("light", 10, _flag("light")),
    0x03: _Layout("acceleration", 15, _acceleration),
    0x05: _Layout("illuminance", 11, _number("lux")),
    0x11: _Layout("pir", 11, lambda data: {"pir": bool(u16(data, _VALUES_AT) & 1)}),
    0x12: _Layout("tvoc", 11, _number("tvoc_ppb")),
    0x13: _Layout("temperature", 11, lambda data: {"temperature_c": fixed88(data, _VALUES_AT)}),
    0x18: _Layout("vibration", 14, _vibration),
    0x20: _Layout("tamper", 10, _flag("tamper")),
    0x21: _Layout("water", 10, _flag("water")),
}


def decode(data: bytes) -> Frame | None:
    if len(data) < 2 or data[0] != _MARK:
        return None
    if data[1] == _FIRMWARE_UPDATE and len(data) == 2 + _MAC_BYTES:  # has no battery byte
        return {"frame": "firmware_update", "mac": mac_reversed(data, 2)}
    if data[1] == _INFO and len(data) >= _VALUES_AT + _MAC_BYTES:
        name = text(data[_VALUES_AT + _MAC_BYTES :])
        address = mac_reversed(data, _VALUES_AT)
        return {"frame": "info", "battery": data[2], "name": name, "mac": address}
    layout = _FRAMES.get(data[1])
    if layout is None or len(data) != layout.size:
        return None
    head: Frame = {"frame": layout.frame, "battery": data[2]}
    return head | layout.values(data) | {"mac": mac_reversed(data, len(data) - _MAC_BYTES)}
