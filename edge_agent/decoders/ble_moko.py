"""MOKO: proximity beacon P1 (company 2658) and BeaconX Pro (service data FEAB). Big endian."""

from __future__ import annotations

from edge_agent.decoders.ble_fields import mac, s16, u16
from edge_agent.decoders.readings import Frame

P1_COMPANY = 0x0A62
SERVICE = 0xFEAB
_P1_MIN_SIZE = 18
_CLIMATE, _ACCELERATION = 0x70, 0x60
_CLIMATE_SIZE = 16
_ACCELERATION_SIZE = 21
_ACCELERATION_MIN_SIZE = 14


def decode_p1(data: bytes) -> Frame | None:
    """Its second byte counts the rest, which tells it from an iBeacon that starts alike."""
    if len(data) < _P1_MIN_SIZE or data[0] != 0x02 or data[1] != len(data) - 2:
        return None
    return {
        "contact_open": bool(data[2] & 0x08),
        "moving": bool(data[2] & 0x01),
        "mac": mac(data, 4),
        "battery_mv": u16(data, 16),
    }


def decode_beaconx(data: bytes) -> Frame | None:
    if len(data) == _CLIMATE_SIZE and data[0] == _CLIMATE:
        return {
            "frame": "th",
            "temperature_c": s16(data, 3) / 10,
            "humidity": u16(data, 5) / 10,
            "battery_mv": u16(data, 7),
            "mac": mac(data, 10),
        }
    if len(data) >= _ACCELERATION_MIN_SIZE and data[0] == _ACCELERATION:
        # The longer form has two more bytes in front; only the length tells it (not confirmed).
        shift = 2 if len(data) >= _ACCELERATION_SIZE + 2 else 0
        return {
            "frame": "acc",
            "acc_raw": [s16(data, 6 + shift + axis) for axis in (0, 2, 4)],
            "battery_mv": u16(data, 12 + shift),
        }
    return None
