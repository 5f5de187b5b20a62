"""Kontakt.io, service data FE6A: telemetry (03) and location (05).

The telemetry field ids are those of the public description; others are skipped by their length.
"""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.decoders.ble_fields import printable, s8, u16le, u32le
from edge_agent.decoders.readings import Frame

SERVICE = 0xFE6A
_TELEMETRY, _LOCATION = 0x03, 0x05
_LOCATION_HEAD = 5


def _system(value: bytes) -> Frame:
    return {"utc": u32le(value, 0), "battery": value[4]}


def _motion(value: bytes) -> Frame:
    return {
        "sensitivity": value[0],
        "acc_raw": [s8(byte) for byte in value[1:4]],
        "double_tap_s": u16le(value, 4),
        "movement_s": u16le(value, 6),
    }


def _climate(value: bytes) -> Frame:
    return {"light": value[0], "temperature_c": s8(value[1])}


_FIELDS: dict[int, tuple[int, Callable[[bytes], Frame]]] = {
    0x01: (5, _system),
    0x02: (8, _motion),
    0x05: (2, _climate),
    0x0D: (2, lambda value: {"button_s": u16le(value, 0)}),
}
"""Field id -> bytes needed, decoder."""


def decode(data: bytes) -> Frame | None:
    if data[:1] == bytes((_TELEMETRY,)):
        return _telemetry(data)
    if data[:1] == bytes((_LOCATION,)) and printable(data[_LOCATION_HEAD:]):
        return _location(data)
    return None


def _telemetry(data: bytes) -> Frame | None:
    frame: Frame = {"frame": "telemetry"}
    at = 1
    while at < len(data):
        size = data[at]  # counts id and value
        if size == 0 or at + 1 + size > len(data):
            return None
        value = data[at + 2 : at + 1 + size]
        needed, decoder = _FIELDS.get(data[at + 1], (0, None))
        if decoder and len(value) >= needed:
            frame |= decoder(value)
        at += 1 + size
    return frame if len(data) > 1 else None


def _location(data: bytes) -> Frame:
    return {
        "frame": "location",
        "tx_power": s8(data[1]),
        "channel": data[2],
        "model": data[3],
        "moving": bool(data[4] & 1),
        "unique_id": data[_LOCATION_HEAD:].decode("ascii"),
    }
