"""Rows of the running system: alerts and their transitions, gateways, ingest, reviews, metrics."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np

from pipeline.seed.draw import noon, uid
from pipeline.seed.model import Asset, Building, Facility, Organization, World
from pipeline.seed.movement import Stays, seconds
from pipeline.seed.places import gateway_of, restricted_rooms, rule_of, zone_of
from pipeline.seed.tracks import at
from pipeline.seed.writing import Batch, Row

_FORBIDDEN = ("SUPPORT_EQUIPMENT", "THERAPEUTIC")
_TENDED = (("pm-due", "pm-due", "WARNING"), ("battery-low", "battery", "INFO"),
           ("not-seen", "not-seen", "ERROR"), ("idle", "idle", "INFO"))  # fmt: skip
"""Code, type and severity of rules."""
WINDOWS = 96
"""Windows that the dataflow's book holds of each building, a quarter of an hour apart."""


def batches(world: World) -> Iterator[Batch]:
    """What needs no stays."""
    organizations = world.organizations
    facilities = [f for o in organizations for f in o.facilities]
    buildings = [b for f in facilities for b in f.buildings]
    yield "registry.asset_metric", (_metric(world, a) for a in world.assets if a.retired is None)
    yield "audit.review", (row for o in organizations for row in _reviews(world, o))
    yield "pipeline.gateway_status", (row for b in buildings for row in _gateways(world, b))
    yield "pipeline.progress", ({"building_id": b.id, "window_end": world.as_of} for b in buildings)
    yield "pipeline.window_commit", (row for b in buildings for row in _windows(world, b))
    yield "pipeline.unknown_tag", (row for f in facilities for row in _unknown(world, f))
    yield "pipeline.dead_letter", (row for f in facilities for row in _refused(world, f))


def alerts(world: World, facility: Facility, stays: Stays) -> tuple[list[Row], list[Row]]:
    """Alerts and their transitions."""
    found = [*_entered(world, facility, stays), *_tended(world, facility)]
    return found, [event for row in found for event in _events(facility.organization, row)]


def _alert(
    world: World, facility: Facility, key: tuple[object, ...], asset: Asset, rule: str, type_: str,
    severity: str, opened: datetime,
) -> Row:  # fmt: skip
    """It runs its course: noticed after a while, over after a longer one, or still open."""
    draw = world.draw("alert", *key)
    noticed = opened + draw.hours(0.3) if draw.chance(0.7) else None
    over = opened + draw.hours(4) if draw.chance(0.9) else None
    if noticed is not None and (noticed > world.as_of or (over is not None and noticed > over)):
        noticed = None
    if over is not None and over > world.as_of:
        over = None
    escalated = noticed is None and over is None and draw.chance(0.5)
    state = (
        "resolved" if over else "acknowledged" if noticed else "escalated" if escalated else "open"
    )
    return {
        "id": uid(facility.id, "alert", *key),
        "organization_id": facility.organization.id,
        "facility_id": facility.id,
        "asset_id": asset.id,
        "rule_id": rule_of(facility, rule),
        "zone_id": None,
        "type": type_,
        "severity": severity,
        "state": state,
        "revision": 1 + sum((noticed is not None, over is not None, state == "escalated")),
        "opened_at": opened,
        "acknowledged_at": noticed,
        "acknowledged_by": draw.choice(asset.department.users).login if noticed else None,
        "resolved_at": over,
        "late": False,
        "reason": type_.replace("-", " "),
    }


def _entered(world: World, facility: Facility, stays: Stays) -> Iterator[Row]:
    rooms = {room.id for room in restricted_rooms(facility)}
    inside = np.array([room.id in rooms for room in stays.rooms], dtype=bool)
    forbidden = np.array(
        [asset.model.type.category in _FORBIDDEN for asset in stays.assets], dtype=bool
    )
    since = seconds(world.as_of) - world.size.visit_days * 86_400
    if not len(stays.assets):
        return
    hits = inside[stays.room] & forbidden[stays.asset] & (stays.start > since)
    for number in np.flatnonzero(hits).tolist():
        asset, room = stays.assets[stays.asset[number]], stays.rooms[stays.room[number]]
        row = _alert(world, facility, ("zone", number), asset, f"no-entry-{room.code}",
                     "forbidden-zone", "CRITICAL", at(int(stays.start[number]) + 5))  # fmt: skip
        yield row | {"zone_id": zone_of(room)}


def _tended(world: World, facility: Facility) -> Iterator[Row]:
    """The other rules, over the last year; some assets raise one again and again."""
    for code, type_, severity in _TENDED:
        draw = world.draw("alerts", facility.organization.code, facility.code, code)
        units = [a for a in facility.assets if a.retired is None]
        for number in range(max(len(units) // 4, 2)):
            asset = units[0] if number % 9 == 0 else draw.choice(units)
            opened = draw.between(world.as_of - timedelta(days=365), world.as_of)
            yield _alert(world, facility, (code, number), asset, code, type_, severity, opened)


def _events(organization: Organization, alert: Row) -> Iterator[Row]:
    course: list[tuple[str, datetime, str]] = [("open", alert["opened_at"], alert["reason"])]
    if alert["acknowledged_at"]:
        course.append(("acknowledged", alert["acknowledged_at"], "seen"))
    if alert["state"] == "escalated":
        course.append(("escalated", alert["opened_at"] + timedelta(minutes=10), "nobody answered"))
    if alert["resolved_at"]:
        course.append(("resolved", alert["resolved_at"], "over"))
    for revision, (state, when, reason) in enumerate(course, 1):
        yield {
            "alert_id": alert["id"],
            "revision": revision,
            "organization_id": organization.id,
            "state": state,
            "at": when,
            "reason": reason,
            "evidence": {"type": alert["type"]},
            "payload": {},
        }


def _metric(world: World, asset: Asset) -> Row:
    in_service = (world.today - asset.in_service).days
    hours = round(in_service * asset.model.type.use * 0.8, 2)
    return {
        "id": uid(asset.tag_number, "metric"),
        "organization_id": asset.organization.id,
        "asset_id": asset.id,
        "computed_at": world.as_of - timedelta(hours=8),
        "total_usage_hours": hours,
        "failure_count": len(asset.failures),
        "last_failure_on": asset.failures[-1].date() if asset.failures else None,
    }


def _reviews(world: World, organization: Organization) -> Iterator[Row]:
    """Monthly, with one that was forgotten."""
    compliance = organization.users[1]
    for month in range(12, 0, -1):
        if month == 5:
            continue
        until = world.as_of - timedelta(days=30 * (month - 1) + 3)
        yield {
            "id": uid(organization.code, "review", month),
            "organization_id": organization.id,
            "reviewed_at": until + timedelta(hours=4),
            "reviewer_id": compliance.id,
            "from_at": until - timedelta(days=30),
            "until_at": until,
            "finding": "Nothing unusual",
        }


def _gateways(world: World, building: Building) -> Iterator[Row]:
    for floor in building.floors:
        gateway = gateway_of(floor)
        draw = world.draw("gateway", gateway)
        away = draw.chance(0.08)
        yield {
            "gateway_id": gateway,
            "organization_id": building.facility.organization.id,
            "state": "offline" if away else "online",
            "at": world.as_of - timedelta(seconds=draw.randint(5, 60) * (600 if away else 1)),
            "payload": {
                "version": "0.1.0",
                "clock": {"synchronised": not draw.chance(0.03)},
                "spool": {"batches": draw.randint(0, 9), "dropped_reads": 0},
            },
        }


def _windows(world: World, building: Building) -> Iterator[Row]:
    draw = world.draw("windows", building.id)
    for number in range(WINDOWS):
        end = world.as_of - timedelta(minutes=15 * number)
        reads = draw.randint(800, 2_400)
        yield {
            "building_id": building.id,
            "window_end": end,
            "window_start": end - timedelta(seconds=5),
            "reads": reads,
            "positions": reads // 12,
            "late": draw.pick(((0, 90), (draw.randint(1, 40), 10))),
            "duplicates": draw.pick(((0, 80), (draw.randint(1, 9), 20))),
            "committed_at": end + timedelta(milliseconds=draw.randint(700, 4_200)),
        }


def _unknown(world: World, facility: Facility) -> Iterator[Row]:
    draw = world.draw("unknown", facility.organization.code, facility.code)
    for number in range(4):
        yield {
            "facility_id": facility.id,
            "tag": f"ble:dead{number:08x}",
            "organization_id": facility.organization.id,
            "building_id": facility.buildings[0].id,
            "first_seen_at": world.as_of - timedelta(days=draw.randint(2, 60)),
            "last_seen_at": world.as_of - timedelta(minutes=draw.randint(1, 900)),
            "reads": draw.randint(3, 90_000),
        }


def _refused(world: World, facility: Facility) -> Iterator[Row]:
    organization: UUID = facility.organization.id
    for number, reason in enumerate(("not-decodable", "wrong-gateway")):
        payload = f"{organization}/{number}".encode()
        code = f"{facility.organization.code}/{facility.code}"
        yield {
            "topic": f"biotrakr/v1/{code}/gateways/gw-main-f0/reads",
            "reason": reason,
            "sha256": hashlib.sha256(payload).digest(),
            "detail": "an invented message",
            "payload": payload,
            "bytes": len(payload),
            "times": 1 + number,
            "first_at": noon(world.today - timedelta(days=9)),
            "last_at": noon(world.today - timedelta(days=2)),
        }
