"""Sensors and what they measured: a daily rhythm, noise, and a rise before a failure; batteries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

from pipeline.seed.assets import tag_id
from pipeline.seed.draw import uid
from pipeline.seed.model import Asset, Facility, World
from pipeline.seed.movement import generator, seconds
from pipeline.seed.writing import Batch, Row
from pipeline.sinks import binary_copy

COLUMNS = (
    ("organization_id", "uuid"), ("asset_id", "uuid"), ("source_id", "uuid"),
    ("quantity", "smallint"), ("ts", "timestamptz"), ("value", "double precision"),
)  # fmt: skip
_STATEMENT = "copy telemetry.sensor_reading ({}) from stdin (format binary)"
BATTERY = 9
"""telemetry.quantity of what tags say of themselves."""
_BATTERY_SHARE = 0.15
_RISE_S = 6 * 86_400
"""How long before a failure its signs begin."""


@dataclass(frozen=True)
class Measured:
    """telemetry.quantity; what is usual, how it swings in a day, its noise, and its rise."""

    code: int
    middle: float
    swing: float
    noise: float
    rise: float


_QUANTITIES = {
    "temperature": Measured(1, 31.0, 2.5, 0.4, 9.0),
    "vibration": Measured(3, 1.2, 0.2, 0.1, 2.4),
    "power": Measured(4, 85.0, 30.0, 4.0, 60.0),
    "current": Measured(5, 0.8, 0.2, 0.05, 0.7),
    "pressure": Measured(7, 102.0, 3.0, 0.8, 14.0),
    "flow": Measured(8, 5_000.0, 900.0, 90.0, 1_800.0),
    "battery_voltage": Measured(10, 11_700.0, 250.0, 40.0, -900.0),
}


@dataclass(frozen=True)
class Sensor:
    id: UUID
    asset: Asset
    code: str
    measured: Measured


def sensors_of(facility: Facility) -> list[Sensor]:
    """Two of three units of the types that have any."""
    return [
        Sensor(uid(asset.tag_number, "sensor", name), asset, name, _QUANTITIES[name])
        for asset in facility.assets
        if asset.retired is None and asset.number % 3
        for name in asset.model.type.sensors
    ]


def batches(world: World) -> Iterator[Batch]:
    facilities = [f for o in world.organizations for f in o.facilities]
    yield "registry.sensor", (_sensor(world, s) for f in facilities for s in sensors_of(f))


def _sensor(world: World, sensor: Sensor) -> Row:
    measured = sensor.measured
    reach = 2 * abs(measured.swing) + 4 * measured.noise
    return {
        "id": sensor.id,
        "organization_id": sensor.asset.organization.id,
        "asset_id": sensor.asset.id,
        "code": sensor.code,
        "quantity": measured.code,
        "low_limit": round(measured.middle - reach, 2),
        "high_limit": round(measured.middle + reach, 2),
        "interval_s": 3600,
        "calibrated_on": world.today - timedelta(days=100 + sensor.asset.number % 300),
    }


def copy_readings(
    connection: psycopg.Connection[Any], world: World, facility: Facility, rows: int
) -> int:
    """The facility's readings: about `rows`, of sensors and of the batteries of its tags."""
    sensors = sensors_of(facility)
    tagged = [a for a in facility.assets if a.tag and a.retired is None]
    statement = _STATEMENT.format(", ".join(name for name, _ in COLUMNS))
    written = 0
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(binary_copy.HEADER)
        for values in _series(world, facility, sensors, tagged, rows):
            for chunk in binary_copy.rows(COLUMNS, values, {}):
                copy.write(chunk)
            written += len(values["ts"])
        copy.write(binary_copy.TRAILER)
    return written


def _series(
    world: World, facility: Facility, sensors: list[Sensor], tagged: list[Asset], rows: int
) -> Iterator[dict[str, Any]]:
    now, days = seconds(world.as_of), world.size.sensor_days
    rng = generator(world, "readings", facility.organization.code, facility.code)
    each = int(rows * (1 - _BATTERY_SHARE) / max(len(sensors), 1))
    step = days * 86_400 / max(each, 1)
    for sensor in sensors:
        ts = now - days * 86_400 + ((np.arange(each) + rng.random()) * step).astype(np.int64)
        value = _values(rng, sensor, ts)
        yield _columns(sensor.asset, sensor.id, sensor.measured.code, ts, np.round(value, 3))
    each = int(rows * _BATTERY_SHARE / max(len(tagged), 1))
    step = days * 86_400 / max(each, 1)
    for asset in tagged:
        ts = now - days * 86_400 + ((np.arange(each) + rng.random()) * step).astype(np.int64)
        u, v = rng.random(2)
        # Half a percent to a percent a week for most; some are nearly empty, some were changed.
        slope = (0.5 + v) / 7 / 86_400 if u > 0.06 else (4 + 6 * v) / 7 / 86_400
        level = 100 * (0.25 + 0.75 * u) - slope * (ts - ts[0]) if len(ts) else np.zeros(0)
        low = np.clip(np.round(level + rng.random(len(ts)) - 0.5), 0, 100)
        yield _columns(asset, tag_id(asset), BATTERY, ts, low)


def _values(rng: np.random.Generator, sensor: Sensor, ts: NDArray[np.int64]) -> NDArray[np.float64]:
    measured = sensor.measured
    offset, phase = rng.random(2) - 0.5
    # The sum of three is near enough to a normal deviate.
    noise = (rng.random((3, len(ts))).sum(axis=0) - 1.5) * 2
    day = np.sin(2 * np.pi * (ts / 86_400 + phase))
    value: NDArray[np.float64] = (
        measured.middle + measured.swing * (day + offset) + measured.noise * noise
    )
    for failed in sensor.asset.failures:
        before = seconds(failed) - ts
        share = np.clip(1 - before / _RISE_S, 0, 1) * (before >= 0)
        value = value + measured.rise * share**2
    return value


def _columns(
    asset: Asset, source: UUID, quantity: int, ts: NDArray[np.int64], value: NDArray[np.float64]
) -> dict[str, Any]:
    n = len(ts)

    def same(id_: UUID) -> NDArray[np.uint8]:
        return np.broadcast_to(np.frombuffer(id_.bytes, dtype=np.uint8), (n, 16))

    return {
        "organization_id": same(asset.organization.id),
        "asset_id": same(asset.id),
        "source_id": same(source),
        "quantity": np.full(n, quantity),
        "ts": binary_copy.timestamps(ts * 1_000_000),
        "value": value,
    }


def last_rise(asset: Asset, at: datetime) -> bool:
    """Does something foretell a failure at this time?"""
    return any(
        timedelta(0) <= failed - at <= timedelta(seconds=_RISE_S) for failed in asset.failures
    )
