"""RuuviTag, company 1177: data formats 3, 5 and 6. Big endian."""

from __future__ import annotations

import math

from edge_agent.decoders.ble_fields import mac, s16, scaled, u16, unless
from edge_agent.decoders.readings import Frame

COMPANY = 0x0499
_NO_S16, _NO_U16, _NO_U8, _NO_9_BITS = -0x8000, 0xFFFF, 0xFF, 511
_PRESSURE_OFFSET_PA = 50_000


def decode(data: bytes) -> Frame | None:
    formats = {(3, 14): _format_3, (5, 24): _format_5, (6, 20): _format_6}
    decoder = formats.get((data[0], len(data))) if data else None
    return decoder(data) if decoder else None


def _format_3(data: bytes) -> Frame:
    degrees = (data[2] & 0x7F) + data[3] / 100  # sign and magnitude
    return {
        "format": 3,
        "humidity": data[1] * 0.5,
        "temperature_c": -degrees if data[2] & 0x80 else degrees,
        "pressure_pa": u16(data, 4) + _PRESSURE_OFFSET_PA,
        "acc_mg": [s16(data, at) for at in (6, 8, 10)],
        "battery_mv": u16(data, 12),
    }


def _climate(data: bytes) -> Frame:
    """Temperature, humidity and pressure, alike in formats 5 and 6."""
    pressure = unless(_NO_U16, u16(data, 5))
    return {
        "format": data[0],
        "temperature_c": scaled(s16(data, 1), _NO_S16, 0.005),
        "humidity": scaled(u16(data, 3), _NO_U16, 0.0025),
        "pressure_pa": None if pressure is None else pressure + _PRESSURE_OFFSET_PA,
    }


def _format_5(data: bytes) -> Frame:
    power = u16(data, 13)
    battery, level = unless(2047, power >> 5), unless(31, power & 31)
    return _climate(data) | {
        "acc_mg": [unless(_NO_S16, s16(data, at)) for at in (7, 9, 11)],
        "battery_mv": None if battery is None else battery + 1600,
        "tx_power_dbm": None if level is None else level * 2 - 40,
        "movement_counter": unless(_NO_U8, data[15]),
        "sequence": unless(_NO_U16, u16(data, 16)),
        "mac": unless("f" * 12, mac(data, 18)),
    }


def _format_6(data: bytes) -> Frame:
    flags = data[16]
    return _climate(data) | {
        "pm2_5": scaled(u16(data, 7), _NO_U16, 0.1),
        "co2": unless(_NO_U16, u16(data, 9)),
        "voc": unless(_NO_9_BITS, data[11] << 1 | flags >> 6 & 1),
        "nox": unless(_NO_9_BITS, data[12] << 1 | flags >> 7),
        "luminosity_lx": _lux(data[13]),
        "sequence": data[15],
        "mac_tail": data[17:20].hex(),
    }


def _lux(code: int) -> float | None:
    """Logarithmic from 0 to 65535 lux in 254 steps."""
    return None if code == _NO_U8 else round(math.exp(code * math.log(65536) / 254) - 1, 2)
