"""Rows of maintenance: procedures, schedules, work orders, parts, calibrations, decontamination."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from pipeline.seed.catalogue import MAKERS, TYPES
from pipeline.seed.draw import uid
from pipeline.seed.finance import contract_of
from pipeline.seed.model import Asset, Facility, Organization, World
from pipeline.seed.people import maker_id, type_id
from pipeline.seed.upkeep import Occurrence, Order, Schedule, Upkeep
from pipeline.seed.writing import Batch, Row

RESPONSE_H = {"CRITICAL": (2, 24), "HIGH": (8, 72), "MEDIUM": (24, 168), "LOW": (72, 336)}
"""Priority -> hours until somebody comes, hours until it works."""
PARTS_PER_MAKER = 8


def batches(world: World, upkeep: dict[UUID, Upkeep]) -> Iterator[Batch]:
    organizations, all_upkeep = world.organizations, upkeep.values()
    orders = [order for one in all_upkeep for order in one.orders]
    numbers = _numbers(orders)
    yield "maintenance.procedure", (row for o in organizations for row in _procedures(o))
    yield "maintenance.schedule", (_schedule(world, s) for one in all_upkeep for s in one.schedules)
    yield "maintenance.spare_part", (row for o in organizations for row in _parts(o))
    yield (
        "maintenance.part_stock",
        (row for o in organizations for f in o.facilities for row in _stock(world, f)),
    )
    yield "maintenance.work_order", (_order(order, numbers[order.id]) for order in orders)
    yield "maintenance.occurrence", (_occurrence(o) for one in all_upkeep for o in one.occurrences)
    yield "maintenance.labor", (row for order in orders for row in _labor(order))
    yield "maintenance.work_order_part", (row for order in orders for row in _used(world, order))
    yield (
        "maintenance.calibration",
        (row for one in all_upkeep for o in one.occurrences for row in _calibration(world, o)),
    )


def procedure_id(organization: Organization, kind: str, type_code: str) -> UUID:
    return uid(organization.code, "procedure", kind, type_code)


def _procedures(organization: Organization) -> Iterator[Row]:
    names = {"PM": "Preventive maintenance", "CALIBRATION": "Calibration",
             "INSPECTION": "Electrical safety test"}  # fmt: skip
    for kind in TYPES:
        days = {"PM": kind.pm_days, "CALIBRATION": kind.calibration_days, "INSPECTION": 365}
        for name, title in names.items():
            if not days[name]:
                continue
            yield {
                "id": procedure_id(organization, name, kind.code),
                "organization_id": organization.id,
                "code": f"{name}-{kind.code}",
                "name": f"{title}, {kind.name.lower()}",
                "kind": name,
                "device_type_id": type_id(organization, kind.code),
                "interval_days": days[name],
                "grace_days": None,
                "estimated_hours": 1.5 if kind.cost > 20_000 else 0.8,
                "document_url": f"https://docs.{organization.group.domain}/{name}-{kind.code}.pdf",
                "tasks": Jsonb(["Visual check", "Function test", "Alarms"]),
            }


def _schedule(world: World, schedule: Schedule) -> Row:
    asset, own = schedule.asset, schedule.strategy == "AEM"
    assessed = max(world.began.date(), asset.in_service)
    engineer = asset.facility.staff("TECHNICIAN")[0]
    return {
        "id": schedule.id,
        "organization_id": asset.organization.id,
        "asset_id": asset.id,
        "procedure_id": procedure_id(asset.organization, schedule.kind, asset.kind),
        "kind": schedule.kind,
        "strategy": schedule.strategy,
        "interval_days": schedule.interval_days,
        "starts_on": schedule.starts_on,
        "ends_on": schedule.ends_on,
        "technician_id": schedule.technician.id,
        "aem_assessor_id": engineer.id if own else None,
        "aem_assessed_on": assessed if own else None,
        "aem_rationale": "No failure in three years that maintenance would have found"
        if own
        else None,
        # Some reviews are overdue.
        "aem_review_due_on": assessed + timedelta(days=730 if asset.number % 2 else 1460)
        if own
        else None,
    }


def part_id(organization: Organization, maker: str, number: int) -> UUID:
    return uid(organization.code, "part", maker, number)


def _part_cost(number: int) -> float:
    return round(18.5 * (1 + number) ** 2, 2)


def _parts(organization: Organization) -> Iterator[Row]:
    names = ("Battery", "Keypad", "Mains cord", "Pressure sensor", "Display", "Fan", "Main board",
             "Pump unit")  # fmt: skip
    supplier = next(v for v in organization.vendors if v.kind == "PARTS_SUPPLIER")
    for maker in MAKERS:
        for number in range(PARTS_PER_MAKER):
            yield {
                "id": part_id(organization, maker.code, number),
                "organization_id": organization.id,
                "part_number": f"{maker.code[:3].upper()}-P{number:03d}",
                "name": names[number],
                "manufacturer_id": maker_id(organization, maker.code),
                "vendor_id": supplier.id,
                "unit_cost": _part_cost(number),
                "currency_code": organization.group.currency,
                "lead_time_days": 3 + 4 * number,
            }


def _stock(world: World, facility: Facility) -> Iterator[Row]:
    draw = world.draw("stock", facility.organization.code, facility.code)
    for maker in MAKERS:
        for number in range(PARTS_PER_MAKER):
            yield {
                "id": uid(part_id(facility.organization, maker.code, number), facility.id),
                "organization_id": facility.organization.id,
                "spare_part_id": part_id(facility.organization, maker.code, number),
                "facility_id": facility.id,
                "quantity": draw.randint(0, 12 - number),
                "reorder_point": 3,
                "reorder_quantity": 6,
                "counted_at": world.as_of - timedelta(days=draw.randint(1, 90)),
            }


def _numbers(orders: list[Order]) -> dict[UUID, str]:
    """Work orders are numbered as they are reported, in each organization."""
    found: dict[UUID, str] = {}
    counts: dict[UUID, int] = {}
    for order in sorted(orders, key=lambda o: (o.reported, o.id)):
        organization = order.asset.organization
        counts[organization.id] = counts.get(organization.id, 0) + 1
        found[order.id] = f"WO-{order.reported:%Y}-{counts[organization.id]:06d}"
    return found


def _order(order: Order, number: str) -> Row:
    asset = order.asset
    organization = asset.organization
    response, resolution = RESPONSE_H[order.priority]
    repair = order.failed is not None
    contract = contract_of(asset, order.reported.date()) if order.vendor else None
    hours = round(sum(h for _, h in order.labor), 2)
    rate = _rate(organization)
    return {
        "id": order.id,
        "organization_id": organization.id,
        "number": number,
        "asset_id": asset.id,
        "type": order.type,
        "status": order.status,
        "priority": order.priority,
        "title": order.title,
        "schedule_id": order.schedule,
        "requested_by": order.requested_by.id if order.requested_by else None,
        "department_id": asset.department.id,
        "technician_id": order.technician.id if order.technician else None,
        "vendor_id": order.vendor.id if order.vendor else None,
        "contract_id": contract,
        "reported_at": order.reported,
        "failed_at": order.failed,
        "assigned_at": order.assigned,
        "responded_at": order.responded,
        "work_started_at": order.started,
        "restored_at": order.restored,
        "completed_at": order.completed,
        "scheduled_for": order.scheduled_for,
        "response_due_at": order.reported + timedelta(hours=response) if repair else None,
        "resolution_due_at": order.reported + timedelta(hours=resolution) if repair else None,
        "outcome": order.outcome,
        "failure_confirmed": order.confirmed,
        "failure_category": order.category,
        "error_code": f"E{abs(hash_of(order)) % 90 + 10}" if order.confirmed else None,
        "under_warranty": order.under_warranty,
        "estimated_hours": 1.5,
        "estimated_cost": round(1.5 * rate, 2),
        "labor_hours": hours,
        "labor_cost": round(hours * rate, 2),
        "vendor_cost": order.vendor_cost,
        "currency_code": organization.group.currency,
        "resolution": "Replaced the part and tested" if order.parts else None,
        "created_at": order.reported,
        "updated_at": order.completed or order.reported,
    }


def hash_of(order: Order) -> int:
    """A number of the order's own, the same in every run."""
    return order.id.int % 1_000_003


def _rate(organization: Organization) -> int:
    return 62 if organization.group.currency == "USD" else 54


def _occurrence(one: Occurrence) -> Row:
    asset = one.schedule.asset
    return {
        "id": one.id,
        "organization_id": asset.organization.id,
        "asset_id": asset.id,
        "schedule_id": one.schedule.id,
        "due_on": one.due_on,
        "grace_until": one.grace_until,
        "outcome": one.outcome,
        "completed_on": one.completed_on,
        "work_order_id": one.order.id if one.order else None,
    }


def _labor(order: Order) -> Iterator[Row]:
    organization = order.asset.organization
    for number, (day, hours) in enumerate(order.labor):
        yield {
            "id": uid(order.id, "labor", number),
            "organization_id": organization.id,
            "work_order_id": order.id,
            "technician_id": order.technician.id if order.technician else None,
            "worked_on": day,
            "hours": hours,
            "hourly_rate": _rate(organization),
            "currency_code": organization.group.currency,
        }


def _used(world: World, order: Order) -> Iterator[Row]:
    """The same few parts of its maker go into everything; the cheap ones most."""
    asset = order.asset
    for number in range(order.parts):
        part = min(hash_of(order) // (number + 7) % 12, PARTS_PER_MAKER - 1)
        assert order.started is not None
        yield {
            "id": uid(order.id, "part", number),
            "organization_id": asset.organization.id,
            "work_order_id": order.id,
            "spare_part_id": part_id(asset.organization, asset.model.maker.code, part),
            "quantity": 1 + (part == 0),
            "unit_cost": _part_cost(part),
            "currency_code": asset.organization.group.currency,
            "used_on": order.started.date(),
            "facility_id": asset.facility.id,
        }


def _calibration(world: World, one: Occurrence) -> Iterator[Row]:
    if one.schedule.kind != "CALIBRATION" or one.completed_on is None:
        return
    asset = one.schedule.asset
    draw = world.draw("calibration", one.id)
    off = round(draw.gauss(0, 1.4), 2)
    external = draw.chance(0.3)
    lab = next(v for v in asset.organization.vendors if v.code == "calitech")
    yield {
        "id": uid(one.id, "calibration"),
        "organization_id": asset.organization.id,
        "asset_id": asset.id,
        "schedule_id": one.schedule.id,
        "work_order_id": one.order.id if one.order else None,
        "performed_on": one.completed_on,
        "result": "FAIL" if abs(off) > 4 else "CONDITIONAL" if abs(off) > 3 else "PASS",
        "reference_standard": f"REF-{asset.facility.code}-{asset.number % 3 + 1}",
        "reference_due_on": one.completed_on + timedelta(days=draw.randint(-20, 300)),
        "as_found": {"deviation_percent": off},
        "as_left": {"deviation_percent": round(off / 10, 2)},
        "certificate_number": f"CAL-{one.completed_on:%Y}-{asset.number:06d}",
        "technician_id": None if external else one.schedule.technician.id,
        "vendor_id": lab.id if external else None,
        "next_due_on": one.due_on + timedelta(days=one.schedule.interval_days)
        if one.due_on + timedelta(days=one.schedule.interval_days) > one.completed_on
        else one.completed_on + timedelta(days=one.schedule.interval_days),
    }


def cleaning(world: World) -> Iterator[Batch]:
    yield "maintenance.decontamination", (r for a in world.assets for r in _cleaned(world, a))


def _cleaned(world: World, asset: Asset) -> Iterator[Row]:
    """Weekly or so in the last weeks; some are never clean."""
    if not asset.model.type.par or asset.retired is not None or asset.number % 29 == 7:
        return
    draw = world.draw("clean", asset.tag_number)
    at = world.as_of - timedelta(days=21) + timedelta(minutes=draw.randint(0, 5 * 1440))
    number = 0
    while at < world.as_of:
        yield {
            "id": uid(asset.tag_number, "clean", number),
            "organization_id": asset.organization.id,
            "asset_id": asset.id,
            "performed_at": at,
            "method": "DISINFECTION" if number % 4 else "CLEANING",
            "result": "FAIL" if draw.chance(0.01) else "PASS",
            "performed_by": draw.choice(asset.department.users).id,
            "room_id": asset.home.id,
        }
        at += timedelta(minutes=draw.randint(2 * 1440, 9 * 1440))
        number += 1
