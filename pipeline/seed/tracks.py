"""Rows that follow from stays: positions, visits, states of use, all built as arrays.

Positions go in by binary COPY, a week at a time: the database fills one chunk after another.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from pipeline.seed.draw import uid
from pipeline.seed.model import Facility, World
from pipeline.seed.movement import SILENCE_S, Stays, generator, seconds
from pipeline.seed.places import exit_zone_of, zone_of
from pipeline.seed.writing import Batch, Row
from pipeline.sinks import binary_copy
from pipeline.sinks.location_rows import COLUMNS

_STATES = {"patient": "IN_USE", "treatment": "IN_USE", "cleaning": "CLEANING",
           "workshop": "MAINTENANCE"}  # fmt: skip
"""Kind of room -> what presence there means; elsewhere it is free."""
TELEMETRY_TYPES = ("infusion-pump", "syringe-pump", "ventilator", "patient-monitor", "dialysis")
"""They say themselves whether they run."""
_WEEK_S = 7 * 86_400
_WINDOW_S = 5


def batches(world: World, facility: Facility, stays: Stays) -> Iterator[Batch]:
    """Visits and states since the size's `visit_days`."""
    since = seconds(world.as_of) - world.size.visit_days * 86_400
    shown = np.flatnonzero(stays.end > since)
    yield "tracking.room_visit", _visits(facility, stays, shown)
    yield "tracking.zone_visit", _zone_visits(facility, stays, shown)
    yield "tracking.usage_session", _sessions(world, facility, stays, shown)
    yield "telemetry.usage_log", _usage(world, facility, stays, shown)


def at(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _rows(stays: Stays, which: NDArray[np.int64]) -> Iterator[tuple[int, int, int, int, int, bool]]:
    """Number, asset, room, start, end, open."""
    columns = (stays.asset, stays.room, stays.start, stays.end, stays.open)
    yield from zip(which.tolist(), *(c[which].tolist() for c in columns), strict=True)


def _visits(facility: Facility, stays: Stays, shown: NDArray[np.int64]) -> Iterator[Row]:
    organization = facility.organization
    for number, asset, room, start, end, open_ in _rows(stays, shown):
        place = stays.rooms[room]
        yield {
            "id": visit_id(facility, "visit", number),
            "organization_id": organization.id,
            "facility_id": place.floor.building.facility.id,
            "asset_id": stays.assets[asset].id,
            "room_id": place.id,
            "building_id": place.floor.building.id,
            "entered_at": at(start),
            "left_at": None if open_ else at(end),
            "initial": False,
            "entry_reason": "room_changed",
            "exit_reason": None if open_ else "timeout" if stays.silent[number] else "room_changed",
            "confidence": 0.9,
            "window_end": at(start + _WINDOW_S),
        }


def visit_id(facility: Facility, kind: str, number: int) -> UUID:
    return uid(facility.id, kind, number)


def _zone_visits(facility: Facility, stays: Stays, shown: NDArray[np.int64]) -> Iterator[Row]:
    """Of the rooms with a fence; and past the entrance, for what left the building."""
    organization = facility.organization

    def row(number: int, kind: str, asset: int, zone: Any, start: int, end: int | None) -> Row:
        return {
            "id": visit_id(facility, kind, number),
            "organization_id": organization.id,
            "facility_id": facility.id,
            "asset_id": stays.assets[asset].id,
            "zone_id": zone,
            "entered_at": at(start),
            "left_at": None if end is None else at(end),
            "initial": False,
            "entry_reason": "dwell",
            "exit_reason": None if end is None else "exit",
            "confidence": 0.85,
            "window_end": at(start + _WINDOW_S),
        }

    for number, asset, room, start, end, open_ in _rows(stays, shown):
        place = stays.rooms[room]
        if place.floor.building.facility is not facility:
            continue
        if place.restricted:
            yield row(number, "zone", asset, zone_of(place), start, None if open_ else end)
        # What fell silent for good has gone out, as often as not.
        if stays.last[number] and not open_ and number % 2:
            door = exit_zone_of(place.floor.building)
            yield row(number, "exit", asset, door, end + 20, end + 60)


def _sessions(
    world: World, facility: Facility, stays: Stays, shown: NDArray[np.int64]
) -> Iterator[Row]:
    organization = facility.organization
    rng = generator(world, "sessions", organization.code, facility.code)
    chances = rng.random((len(stays.start), 2))

    def row(key: str, number: int, asset: int, room: int | None, state: str, method: str,
            span: tuple[int, int | None]) -> Row:  # fmt: skip
        where = None if room is None else stays.rooms[room]
        return {
            "id": visit_id(facility, key, number),
            "organization_id": organization.id,
            "facility_id": where.floor.building.facility.id if where else facility.id,
            "asset_id": stays.assets[asset].id,
            "room_id": where.id if where else None,
            "state": state,
            "method": method,
            "started_at": at(span[0]),
            "ended_at": None if span[1] is None else at(span[1]),
            "end_reason": None if span[1] is None else "left",
        }

    for number, asset, room, start, end, open_ in _rows(stays, shown):
        place, kind = stays.rooms[room], stays.assets[asset].kind
        state = _STATES.get(place.kind, "AVAILABLE")
        last = None if open_ else end
        yield row("presence", number, asset, room, state, "presence", (start, last))
        if stays.silent[number] and not stays.last[number]:
            silence = (end, end + SILENCE_S)
            yield row("silence", number, asset, None, "UNKNOWN", "presence", silence)
        if kind in TELEMETRY_TYPES and state == "IN_USE":
            # Not all the time in a patient's room is use: presence counts too much.
            run = _running(start, end, *chances[number].tolist())
            if run is not None:
                yield row("telemetry", number, asset, room, "IN_USE", "telemetry", run)
        if kind in ("wheelchair", "workstation-on-wheels") and chances[number, 0] < 0.5:
            span = (start, start + min(600, end - start))
            yield row("motion", number, asset, room, "IN_USE", "motion", span)


def _running(start: int, end: int, u: float, v: float) -> tuple[int, int] | None:
    """The part of a stay in which a device ran; None: it did not."""
    if u < 0.15 or end - start < 900:
        return None
    first = start + int((end - start) * 0.3 * v)
    return first, first + int((end - first) * (0.3 + 0.6 * u))


def _usage(
    world: World, facility: Facility, stays: Stays, shown: NDArray[np.int64]
) -> Iterator[Row]:
    """Two reports a run, with the counter of hours."""
    rng = generator(world, "sessions", facility.organization.code, facility.code)
    chances = rng.random((len(stays.start), 2))
    hours = [
        round((world.today - a.in_service).days * a.model.type.use * 0.8, 2) for a in stays.assets
    ]
    for number, asset, room, start, end, _ in _rows(stays, shown):
        unit = stays.assets[asset]
        place = stays.rooms[room]
        if unit.kind not in TELEMETRY_TYPES or _STATES.get(place.kind) != "IN_USE":
            continue
        run = _running(start, end, *chances[number].tolist())
        if run is None:
            continue
        for second, running in ((run[0], True), (run[1], False)):
            if not running:
                hours[asset] += (run[1] - run[0]) / 3600
            yield {
                "organization_id": unit.organization.id,
                "asset_id": unit.id,
                "ts": at(second),
                "running": running,
                "hours_total": round(hours[asset], 3),
                "cycles_total": None,
            }


def copy_positions(
    connection: psycopg.Connection[Any], world: World, facility: Facility, stays: Stays, rows: int
) -> int:
    """The facility's part of the location history: about `rows`, evenly in time."""
    if not stays.assets or not rows:
        return 0
    rng = generator(world, "positions", facility.organization.code, facility.code)
    each = max(rows // len(stays.assets), 1)
    days = world.size.location_days
    now = seconds(world.as_of)
    step = days * 86_400 / each
    phase = rng.random(len(stays.assets)) * step
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in COLUMNS)
    statement = sql.SQL("copy telemetry.location_history ({}) from stdin (format binary)").format(
        names
    )
    written = 0
    lookup = _Lookup(stays)
    for first in range(now - days * 86_400, now, _WEEK_S):
        last = min(first + _WEEK_S, now)
        # The sample times of every asset that lie in this week.
        from_start = np.ceil((first - (now - days * 86_400) - phase) / step).astype(np.int64)
        to_end = np.ceil((last - (now - days * 86_400) - phase) / step).astype(np.int64)
        count = np.maximum(np.minimum(to_end, each) - np.maximum(from_start, 0), 0)
        owner = np.repeat(np.arange(len(stays.assets)), count)
        offset = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        k = np.repeat(np.maximum(from_start, 0), count) + offset
        ts = now - days * 86_400 + phase[owner] + k * step
        ts = (ts // _WINDOW_S * _WINDOW_S).astype(np.int64)
        values = lookup.positions(owner, ts, rng)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(binary_copy.HEADER)
            for chunk in binary_copy.rows(COLUMNS, values, {}):
                copy.write(chunk)
            copy.write(binary_copy.TRAILER)
        written += len(values["ts"])
    return written


class _Lookup:
    """Where an asset was at a time, as columns of a position."""

    def __init__(self, stays: Stays) -> None:
        self._stays = stays
        self._keys = (stays.asset << 40) + stays.start
        self._ids = {
            "asset_id": _uuids(a.id for a in stays.assets),
            "room_id": _uuids(room.id for room in stays.rooms),
            "floor_id": _uuids(room.floor.id for room in stays.rooms),
            "building_id": _uuids(room.floor.building.id for room in stays.rooms),
        }
        self._organization = stays.rooms[0].floor.building.facility.organization.id.bytes
        self._box = np.array([[r.left, r.bottom, r.right, r.top] for r in stays.rooms])
        self._z = np.array([room.floor.elevation_m + 1.0 for room in stays.rooms])

    def positions(
        self, owner: NDArray[np.int64], ts: NDArray[np.int64], rng: np.random.Generator
    ) -> dict[str, Any]:
        """Only where it was heard: not before its first stay, nor in a silence."""
        stays = self._stays
        found = np.searchsorted(self._keys, (owner << 40) + ts, side="right") - 1
        known = (found >= 0) & (stays.asset[found] == owner)
        walking = ts >= stays.end[found]
        known &= ~(walking & (stays.silent | stays.last)[found] & (ts > stays.end[found] + 10))
        owner, ts, found, walking = owner[known], ts[known], found[known], walking[known]
        room = stays.room[found]
        n = len(ts)
        # A place of its own in each stay, with the error of a fix around it.
        spot = (found * 2_654_435_761 % 1_000_003 / 1_000_003, found * 40_503 % 65_537 / 65_537)
        noise = (rng.random((n, 4)) - 0.5).astype(np.float32)
        box = self._box[room]
        accuracy = 1.2 + 3.0 * np.abs(noise[:, 2])
        error = (noise[:, :2].T * accuracy).astype(np.float64)
        x = box[:, 0] + 0.5 + (box[:, 2] - box[:, 0] - 1.0) * spot[0] + error[0]
        y = box[:, 1] + 0.5 + (box[:, 3] - box[:, 1] - 1.0) * spot[1] + error[1]
        variance = (accuracy / 2.146) ** 2
        organization = np.frombuffer(self._organization, dtype=np.uint8)
        return {
            "organization_id": np.broadcast_to(organization, (n, 16)),
            "asset_id": self._ids["asset_id"][owner],
            "building_id": self._ids["building_id"][room],
            "ts": binary_copy.timestamps(ts * 1_000_000),
            "floor_id": self._ids["floor_id"][room],
            "room_id": self._ids["room_id"][room],
            "x_m": np.clip(x, box[:, 0], box[:, 2]),
            "y_m": np.clip(y, box[:, 1], box[:, 3]),
            "z_m": self._z[room],
            "accuracy_m": accuracy,
            "cov_xx": variance,
            "cov_xy": variance * 0.1,
            "cov_yy": variance,
            "room_confidence": 0.98 - 0.3 * np.abs(noise[:, 3]),
            "method": np.where(walking | (noise[:, 3] > 0.3), 1, 2),
            "reason": np.where(walking, 3, 2),
            "receivers": 3 + (found % 5),
            "reads": 8 + (found % 40),
            "moving": walking,
        }


def _uuids(ids: Any) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(id_.bytes for id_ in ids), dtype=np.uint8).reshape(-1, 16)


def current(world: World, facility: Facility, stays: Stays) -> Iterator[Row]:
    """Where each was when it was heard last."""
    lookup = _Lookup(stays)
    rng = generator(world, "current", facility.organization.code, facility.code)
    last = np.flatnonzero(stays.last)
    ts = np.minimum(stays.end[last], seconds(world.as_of))
    ts = np.maximum(ts // _WINDOW_S * _WINDOW_S, stays.start[last])
    values = lookup.positions(stays.asset[last], ts, rng)
    numbers = ("x_m", "y_m", "z_m", "accuracy_m", "cov_xx", "cov_xy", "cov_yy", "room_confidence")
    for i, number in enumerate(last.tolist()):
        asset, room = stays.assets[stays.asset[number]], stays.rooms[stays.room[number]]
        yield {
            "asset_id": asset.id,
            "organization_id": facility.organization.id,
            "facility_id": room.floor.building.facility.id,
            "building_id": room.floor.building.id,
            "ts": at(int(ts[i])),
            "floor_id": room.floor.id,
            "room_id": room.id,
            **{name: round(float(values[name][i]), 3) for name in numbers},
            "method": int(values["method"][i]),
            "reason": int(values["reason"][i]),
            "receivers": int(values["receivers"][i]),
            "reads": int(values["reads"][i]),
            "moving": bool(values["moving"][i]),
            "last_seen_at": at(int(ts[i])) - timedelta(seconds=1),
        }
