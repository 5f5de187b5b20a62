"""BTHome version 2: what each object id means. Ids carry no length, so the table is the grammar."""

from __future__ import annotations

from typing import NamedTuple


class Numeric(NamedTuple):
    """`size` in bytes; the value is raw * factor in the unit of the name or of BTHome."""

    name: str
    size: int
    factor: float = 1
    signed: bool = False


NUMBERS = {
    0x00: Numeric("packet_id", 1),
    0x01: Numeric("battery", 1),
    0x02: Numeric("temperature", 2, 0.01, True),
    0x03: Numeric("humidity", 2, 0.01),
    0x04: Numeric("pressure", 3, 0.01),
    0x05: Numeric("illuminance", 3, 0.01),
    0x06: Numeric("mass_kg", 2, 0.01),
    0x07: Numeric("mass_lb", 2, 0.01),
    0x08: Numeric("dew_point", 2, 0.01, True),
    0x09: Numeric("count", 1),
    0x0A: Numeric("energy", 3, 0.001),
    0x0B: Numeric("power", 3, 0.01),
    0x0C: Numeric("voltage", 2, 0.001),
    0x0D: Numeric("pm2_5", 2),
    0x0E: Numeric("pm10", 2),
    0x12: Numeric("co2", 2),
    0x13: Numeric("tvoc", 2),
    0x14: Numeric("moisture", 2, 0.01),
    0x2E: Numeric("humidity", 1),
    0x2F: Numeric("moisture", 1),
    0x3D: Numeric("count", 2),
    0x3E: Numeric("count", 4),
    0x3F: Numeric("rotation", 2, 0.1, True),
    0x40: Numeric("distance_mm", 2),
    0x41: Numeric("distance_m", 2, 0.1),
    0x42: Numeric("duration", 3, 0.001),
    0x43: Numeric("current", 2, 0.001),
    0x44: Numeric("speed", 2, 0.01),
    0x45: Numeric("temperature", 2, 0.1, True),
    0x46: Numeric("uv_index", 1, 0.1),
    0x47: Numeric("volume", 2, 0.1),
    0x48: Numeric("volume_ml", 2),
    0x49: Numeric("volume_flow_rate", 2, 0.001),
    0x4A: Numeric("voltage", 2, 0.1),
    0x4B: Numeric("gas", 3, 0.001),
    0x4C: Numeric("gas", 4, 0.001),
    0x4D: Numeric("energy", 4, 0.001),
    0x4E: Numeric("volume", 4, 0.001),
    0x4F: Numeric("water", 4, 0.001),
    0x50: Numeric("timestamp", 4),
    0x51: Numeric("acceleration", 2, 0.001),
    0x52: Numeric("gyroscope", 2, 0.001),
    0x55: Numeric("volume_storage", 4, 0.001),
    0x56: Numeric("conductivity", 2),
    0x57: Numeric("temperature", 1, 1, True),
    0x58: Numeric("temperature", 1, 0.35, True),
    0x59: Numeric("count", 1, 1, True),
    0x5A: Numeric("count", 2, 1, True),
    0x5B: Numeric("count", 4, 1, True),
    0x5C: Numeric("power", 4, 0.01, True),
    0x5D: Numeric("current", 2, 0.001, True),
    0x5E: Numeric("direction", 2, 0.01),
    0x5F: Numeric("precipitation", 2, 0.1),
    0x60: Numeric("channel", 1),
    0x61: Numeric("rotational_speed_rpm", 2),
    0x62: Numeric("speed", 4, 1e-6, True),
    0x63: Numeric("acceleration", 4, 1e-6, True),
    0x64: Numeric("light_level", 1),
    0x65: Numeric("settings_revision", 1),
    0xF0: Numeric("device_type", 2),
}

BOOLEANS = {  # power, gas and moisture are numbers too: the type of the value tells
    0x0F: "generic",
    0x10: "power",
    0x11: "opening",
    0x15: "battery_low",
    0x16: "charging",
    0x17: "carbon_monoxide",
    0x18: "cold",
    0x19: "connectivity",
    0x1A: "door",
    0x1B: "garage_door",
    0x1C: "gas",
    0x1D: "heat",
    0x1E: "light",
    0x1F: "lock",
    0x20: "moisture",
    0x21: "motion",
    0x22: "moving",
    0x23: "occupancy",
    0x24: "plug",
    0x25: "presence",
    0x26: "problem",
    0x27: "running",
    0x28: "safety",
    0x29: "smoke",
    0x2A: "sound",
    0x2B: "tamper",
    0x2C: "vibration",
    0x2D: "window",
}

BUTTON, COMMAND, DIMMER, TEXT, RAW = 0x3A, 0x3B, 0x3C, 0x53, 0x54
FIRMWARE_4, FIRMWARE_3 = 0xF1, 0xF2
SIZES = {BUTTON: 1, DIMMER: 2, FIRMWARE_4: 4, FIRMWARE_3: 3}
"""Bytes of the special objects; the other three begin with a length byte."""

BUTTON_EVENTS = {
    0x00: "none",
    0x01: "press",
    0x02: "double_press",
    0x03: "triple_press",
    0x04: "long_press",
    0x05: "long_double_press",
    0x06: "long_triple_press",
    0x80: "hold_press",
    0x81: "released",
}

COMMANDS = {0: "off", 1: "on", 2: "toggle", 3: "step_up", 4: "step_down"}
DIRECTIONS = {0: "none", 1: "left", 2: "right"}
