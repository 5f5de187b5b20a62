"""Standard characteristics that older beacons put into service data."""

from __future__ import annotations

from edge_agent.decoders.ble_fields import s16le, u16le
from edge_agent.decoders.readings import Frame

TEMPERATURE, HUMIDITY, BATTERY = 0x2A6E, 0x2A6F, 0x180F
_NO_TEMPERATURE = -0x8000
_NO_HUMIDITY = 0xFFFF


def decode_temperature(data: bytes) -> Frame | None:
    if len(data) != 2:
        return None
    hundredths = s16le(data, 0)
    return {"temperature_c": None if hundredths == _NO_TEMPERATURE else hundredths / 100}


def decode_humidity(data: bytes) -> Frame | None:
    """One byte of percent (ELA), or two of 0.01 % as the standard has it."""
    if len(data) == 1:
        return {"humidity": data[0]}
    if len(data) != 2:
        return None
    hundredths = u16le(data, 0)
    return {"humidity": None if hundredths == _NO_HUMIDITY else hundredths / 100}


def decode_battery(data: bytes) -> Frame | None:
    return {"battery": data[0]} if len(data) == 1 and data[0] <= 100 else None
