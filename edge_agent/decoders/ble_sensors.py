"""What beacons measure: frames to typed readings, a quantity with its unit in the name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from edge_agent.decoders.ble_advert import Advert
from edge_agent.decoders.readings import Frame, SensorReading, Value
from edge_agent.decoders.registry_ble import decode_all

_NUMBERS: dict[str, tuple[str, float]] = {
    "temperature_c": ("temperature_c", 1),
    "humidity": ("humidity_percent", 1),
    "pressure_pa": ("pressure_pa", 1),
    "battery": ("battery_percent", 1),
    "battery_mv": ("battery_mv", 1),
    "lux": ("illuminance_lx", 1),
    "light_lux": ("illuminance_lx", 1),
    "luminosity_lx": ("illuminance_lx", 1),
    "illuminance_lx": ("illuminance_lx", 1),
    "light": ("light_percent", 1),
    "co2": ("co2_ppm", 1),
    "pm2_5": ("pm2_5_ug_m3", 1),
    "tvoc_ppb": ("tvoc_ppb", 1),
    "voc": ("voc_index", 1),
    "nox": ("nox_index", 1),
    "distance_mm": ("distance_mm", 1),
    "moisture": ("moisture_percent", 1),
    "conductivity": ("conductivity_us_cm", 1),
    "pitch": ("pitch_deg", 1),
    "roll": ("roll_deg", 1),
    "movement_count": ("movement_count", 1),
    "movement_counter": ("movement_count", 1),
    "count": ("count", 1),
    "movement_s": ("since_movement_s", 1),
    "button_s": ("since_button_s", 1),
}
"""Key of a frame -> quantity, factor."""

_FLAGS = {
    "moving": "motion",
    "pir": "motion",
    "vibration": "vibration",
    "low_battery": "low_battery",
    "magnet": "magnet",
    "contact_open": "contact_open",
    "door_open": "contact_open",
    "occupied": "occupied",
    "tamper": "tamper",
    "triggered": "triggered",
    "water": "water",
    "light": "light",
    "input": "input",
    "button": "button",
    "plugged_in": "external_power",
}

_AXES = {"acc_g": 1.0, "acc_mg": 0.001}
"""Key of three accelerations -> factor to g."""

_BTHOME_NUMBERS: dict[str, tuple[str, float]] = {
    "temperature": ("temperature_c", 1),
    "humidity": ("humidity_percent", 1),
    "pressure": ("pressure_pa", 100),
    "battery": ("battery_percent", 1),
    "illuminance": ("illuminance_lx", 1),
    "power": ("power_w", 1),
    "energy": ("energy_kwh", 1),
    "voltage": ("voltage_v", 1),
    "current": ("current_a", 1),
    "co2": ("co2_ppm", 1),
    "tvoc": ("tvoc_ug_m3", 1),
    "pm2_5": ("pm2_5_ug_m3", 1),
    "pm10": ("pm10_ug_m3", 1),
    "dew_point": ("dew_point_c", 1),
    "moisture": ("moisture_percent", 1),
    "distance_mm": ("distance_mm", 1),
    "distance_m": ("distance_mm", 1000),
    "rotation": ("rotation_deg", 1),
    "acceleration": ("acceleration_m_s2", 1),
    "gyroscope": ("angular_speed_deg_s", 1),
    "rotational_speed_rpm": ("rotational_speed_rpm", 1),
    "speed": ("speed_m_s", 1),
    "mass_kg": ("mass_kg", 1),
    "mass_lb": ("mass_kg", 0.45359237),
    "count": ("count", 1),
    "duration": ("duration_s", 1),
    "volume_flow_rate": ("volume_flow_m3_h", 1),
    "light_level": ("light_level", 1),
    "uv_index": ("uv_index", 1),
    "direction": ("direction_deg", 1),
    "precipitation": ("precipitation_mm", 1),
    "gas": ("gas_m3", 1),
    "water": ("volume_l", 1),
    "volume": ("volume_l", 1),
    "volume_ml": ("volume_l", 0.001),
    "volume_storage": ("volume_l", 1),
    "conductivity": ("conductivity_us_cm", 1),
}
_BTHOME_FLAGS = {
    "motion": "motion",
    "moving": "motion",
    "vibration": "vibration",
    "battery_low": "low_battery",
    "opening": "contact_open",
    "door": "contact_open",
    "window": "contact_open",
    "garage_door": "contact_open",
    "occupancy": "occupied",
    "presence": "occupied",
    "tamper": "tamper",
    "moisture": "water",
    "power": "external_power",
    "plug": "external_power",
    "charging": "charging",
    "light": "light",
    "smoke": "smoke",
    "sound": "sound",
    "problem": "problem",
    "running": "running",
    "heat": "heat",
    "cold": "cold",
    "safety": "safety",
    "carbon_monoxide": "carbon_monoxide",
    "gas": "gas",
    "connectivity": "connectivity",
    "lock": "unlocked",
    "generic": "generic",
}
_NO_EVENT = "none"
_NO_BATTERY = ("battery_mv", 0)  # Eddystone: runs on something else


def readings(tag: str, advert: Advert) -> list[SensorReading]:
    """What the parts of `advert` measure; of a frame with an `error`, what came before it."""
    return measured(tag, (found.frame for found in decode_all(advert) if found.frame is not None))


def measured(tag: str, frames: Iterable[Frame]) -> list[SensorReading]:
    """What frames of one tag say, in their order."""
    counted: dict[str, int] = {}
    result = []
    for frame in frames:
        for quantity, value in _quantities(frame):
            index = counted.get(quantity, 0)
            counted[quantity] = index + 1
            result.append(SensorReading(tag, quantity, value, index))
    return result


def _quantities(frame: Frame) -> Iterator[tuple[str, Value]]:
    for key, value in frame.items():
        if isinstance(value, bool):
            if key in _FLAGS:
                yield _FLAGS[key], value
        elif isinstance(value, int | float):
            if key in _NUMBERS and (key, value) != _NO_BATTERY:
                quantity, factor = _NUMBERS[key]
                yield quantity, _times(value, factor)
        elif isinstance(value, list):
            yield from _lists(key, value)


def _lists(key: str, values: list[Any]) -> Iterator[tuple[str, Value]]:
    if key == "values":
        for name, value in values:
            yield from _bthome(name, value)
    elif key == "buttons":
        yield from (("button", pressed) for pressed in values)
    elif key in _AXES:
        for axis, value in zip("xyz", values, strict=True):
            if value is not None:
                yield f"acceleration_{axis}_g", _times(value, _AXES[key])


def _bthome(name: str, value: object) -> Iterator[tuple[str, Value]]:
    if isinstance(value, bool):
        if name in _BTHOME_FLAGS:
            yield _BTHOME_FLAGS[name], value
    elif isinstance(value, int | float):
        if name in _BTHOME_NUMBERS:
            quantity, factor = _BTHOME_NUMBERS[name]
            yield quantity, _times(value, factor)
    elif name == "button" and isinstance(value, str) and value != _NO_EVENT:
        yield "button", value


def _times(value: float, factor: float) -> float:
    return round(value * factor, 6)
