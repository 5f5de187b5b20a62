"""Rows of custody: who answers for it, who has taken it, who runs it; transfers; other systems."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.types.range import TimestamptzRange

from pipeline.seed.draw import noon, uid
from pipeline.seed.model import Asset, Organization, World
from pipeline.seed.writing import Batch, Row

_SYSTEMS = (
    ("cmms", "CMMS", "Maintenance system", ("status", "next_pm")),
    ("ehr", "EHR", "Patient record", ()),
    ("erp", "ERP", "Finance", ("purchase_cost",)),
    ("fhir", "FHIR", "FHIR server", ()),
)


def batches(world: World) -> Iterator[Batch]:
    organizations, assets = world.organizations, world.assets
    yield "registry.assignment", (row for a in assets for row in _assignments(world, a))
    yield "registry.transfer", (row for o in organizations for row in _transfers(world, o))
    yield "registry.external_system", (row for o in organizations for row in _systems(o))
    yield "registry.external_sync", (row for a in assets for row in _synced(world, a))


def _assignments(world: World, asset: Asset) -> Iterator[Row]:
    def row(kind: str, number: int, first: Any, last: Any, user: UUID | None) -> Row:
        return {
            "id": uid(asset.tag_number, kind, number),
            "organization_id": asset.organization.id,
            "asset_id": asset.id,
            "kind": kind,
            "user_id": user,
            "department_id": asset.department.id,
            "during": TimestamptzRange(first, last),
            "expected_return_at": None,
        }

    draw = world.draw("custody", asset.tag_number)
    begin = noon(asset.in_service)
    end = noon(asset.retired) if asset.retired else None
    if end is not None and end <= begin:
        return
    handed_over = begin + timedelta(days=200)
    if asset.number % 6 == 0 and handed_over < (end or world.as_of):
        former = asset.department.users[-1]
        yield row("CUSTODY", 0, begin, handed_over, former.id)
        begin = handed_over
    yield row("CUSTODY", 1, begin, end, asset.custodian.id)
    if asset.retired is None and asset.number % 40 == 11:
        operator = draw.choice(asset.department.users)
        yield row("OPERATION", 0, world.as_of - timedelta(hours=3), None, operator.id)
    if not asset.model.type.checkout or asset.retired is not None:
        return
    at, number = max(begin, world.as_of - timedelta(days=180)), 0
    while True:
        at += timedelta(minutes=draw.randint(600, 8 * 1440))
        back = at + timedelta(minutes=draw.randint(60, 2 * 1440))
        if at >= world.as_of:
            return
        out = row("CHECKOUT", number, at, back if back <= world.as_of else None,
                  draw.choice(asset.department.users).id)  # fmt: skip
        yield out | {"expected_return_at": at + timedelta(hours=12)}
        if back > world.as_of:
            return
        at, number = back, number + 1


def _transfers(world: World, organization: Organization) -> Iterator[Row]:
    """What came from another facility, and what is on its way."""
    draw = world.draw("transfers", organization.code)
    facilities = organization.facilities
    if len(facilities) < 2:
        return
    units = [a for a in organization.assets if a.retired is None and a.number % 12 == 5]
    for number, asset in enumerate(units):
        other = draw.choice([f for f in facilities if f is not asset.facility])
        status = ("RECEIVED", "RECEIVED", "RECEIVED", "IN_TRANSIT", "REQUESTED", "APPROVED",
                  "REFUSED", "RECEIVED")[number % 8]  # fmt: skip
        there = status == "RECEIVED"
        asked = world.as_of - timedelta(days=draw.randint(30, 700) if there else draw.randint(1, 9))
        approved = asked + timedelta(hours=20)
        shipped = asked + timedelta(days=2)
        went = status in ("RECEIVED", "IN_TRANSIT")
        yield {
            "id": uid(asset.tag_number, "transfer"),
            "organization_id": organization.id,
            "asset_id": asset.id,
            "from_facility_id": other.id if there else asset.facility.id,
            "to_facility_id": asset.facility.id if there else other.id,
            "from_department_id": None if there else asset.department.id,
            "to_department_id": asset.department.id if there else other.departments[0].id,
            "status": status,
            "requested_at": asked,
            "requested_by": asset.custodian.id,
            "approved_at": min(approved, world.as_of) if went or status == "APPROVED" else None,
            "approved_by": other.users[0].id if went or status == "APPROVED" else None,
            "shipped_at": min(shipped, world.as_of) if went else None,
            "received_at": shipped + timedelta(days=1) if there else None,
            "received_by": asset.custodian.id if there else None,
            "reason": "Needed there",
        }


def _system(organization: Organization, code: str) -> UUID:
    return uid(organization.code, "system", code)


def _systems(organization: Organization) -> Iterator[Row]:
    for code, kind, name, owned in _SYSTEMS:
        yield {
            "id": _system(organization, code),
            "organization_id": organization.id,
            "code": code,
            "kind": kind,
            "name": name,
            "base_url": f"https://{code}.{organization.group.domain}/",
            "owned_fields": list(owned),
            "credential_name": f"{organization.code}/{code}",
        }


def _synced(world: World, asset: Asset) -> Iterator[Row]:
    draw = world.draw("sync", asset.tag_number)
    for code, *_ in _SYSTEMS:
        if not draw.chance(0.7):
            continue
        status = draw.pick((("SYNCED", 90), ("PENDING", 6), ("FAILED", 4)))
        attempt = world.as_of - timedelta(minutes=draw.randint(5, 3_000))
        yield {
            "id": uid(asset.tag_number, "sync", code),
            "organization_id": asset.organization.id,
            "system_id": _system(asset.organization, code),
            "asset_id": asset.id,
            "external_id": f"{code.upper()}-{asset.number:06d}",
            "status": status,
            "last_synced_at": attempt if status == "SYNCED" else None,
            "last_attempt_at": attempt,
            "attempts": 1 if status == "SYNCED" else draw.randint(1, 9),
            "error": "the other system did not answer" if status == "FAILED" else None,
        }
