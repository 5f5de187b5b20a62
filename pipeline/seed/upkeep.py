"""The maintenance history of one asset: failures and repairs, planned work, what came of it.

A failure follows the last repair after a time that its type and model decide; some reports turn out
to be none. Planned work comes due at fixed intervals, and not all of it is done.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from pipeline.seed.draw import Draw, noon, uid
from pipeline.seed.model import Asset, User, Vendor, World
from pipeline.seed.people import LASERS

AHEAD = timedelta(days=60)
"""Planned work is booked this long before it is due."""
CATEGORIES = (("ELECTRICAL", 22), ("MECHANICAL", 26), ("SOFTWARE", 12), ("SENSOR", 16),
              ("CALIBRATION", 8), ("PNEUMATIC", 5), ("HYDRAULIC", 2), ("UNKNOWN", 9))  # fmt: skip
_OUTCOMES = (("COMPLETED", 885), ("NOT_LOCATED", 38), ("IN_USE", 30), ("MISSED", 24),
             ("VENDOR", 8), ("PARTS", 7), ("CANCELLED", 8))  # fmt: skip


@dataclass
class Order:
    """A work order; times are None as long as they have not come."""

    id: UUID
    asset: Asset
    type: str
    priority: str
    title: str
    reported: datetime
    status: str = "PENDING"
    schedule: UUID | None = None
    technician: User | None = None
    vendor: Vendor | None = None
    requested_by: User | None = None
    failed: datetime | None = None
    assigned: datetime | None = None
    responded: datetime | None = None
    started: datetime | None = None
    restored: datetime | None = None
    completed: datetime | None = None
    scheduled_for: date | None = None
    outcome: str | None = None
    confirmed: bool | None = None
    category: str | None = None
    labor: list[tuple[date, float]] = field(default_factory=list)
    parts: int = 0
    vendor_cost: float = 0.0
    under_warranty: bool = False


@dataclass
class Schedule:
    id: UUID
    asset: Asset
    kind: str
    strategy: str
    interval_days: int
    starts_on: date
    ends_on: date | None
    technician: User


@dataclass
class Occurrence:
    id: UUID
    schedule: Schedule
    due_on: date
    grace_until: date
    outcome: str
    completed_on: date | None
    order: Order | None


@dataclass
class Upkeep:
    orders: list[Order] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    occurrences: list[Occurrence] = field(default_factory=list)


def upkeep_of(world: World, asset: Asset) -> Upkeep:
    """Everything since the history began; fills `asset.failures`."""
    draw = world.draw("upkeep", asset.tag_number)
    found = Upkeep()
    _failures(world, asset, draw, found)
    if asset.status == "IN_MAINTENANCE":
        found.orders.append(_under_repair(world, asset, len(found.orders)))
    for kind, interval in _plan(asset):
        _planned(world, asset, draw, kind, interval, found)
    return found


def _plan(asset: Asset) -> list[tuple[str, int]]:
    kind = asset.model.type
    inspected = 365 if kind.insulation != "NONE" and kind.category != "IT_MEDICAL" else 0
    plan = [("PM", kind.pm_days), ("CALIBRATION", kind.calibration_days), ("INSPECTION", inspected)]
    return [(name, days) for name, days in plan if days]


def _failures(world: World, asset: Asset, draw: Draw, found: Upkeep) -> None:
    asset.failures.clear()
    first = max(noon(asset.in_service), world.began)
    last = noon(asset.retired) if asset.retired else world.as_of
    days = asset.model.type.mtbf_days * asset.model.quality
    at, category = first, ""
    while True:
        again = bool(category) and draw.chance(0.12)
        wait = draw.uniform(2, 25) if again else draw.expovariate(1 / days)
        at += timedelta(seconds=round(wait * 86_400))
        if at >= last:
            return
        category = category if again else draw.pick(CATEGORIES)
        order = _repair(world, asset, draw, at, category, len(found.orders))
        found.orders.append(order)
        if order.confirmed:
            asset.failures.append(at)
        else:
            category = ""
        at = order.restored or order.completed or last


def _repair(
    world: World, asset: Asset, draw: Draw, at: datetime, category: str, number: int
) -> Order:
    kind = asset.model.type
    urgent = kind.criticality == "CRITICAL" and draw.chance(0.5)
    order = Order(
        uid(asset.tag_number, "repair", number),
        asset,
        "EMERGENCY_REPAIR" if urgent else "CORRECTIVE_MAINTENANCE",
        kind.criticality,
        f"{kind.name.split(',')[0]}: {category.lower()} fault",
        reported=at + timedelta(minutes=draw.randint(2, 240)),
        requested_by=draw.choice(asset.department.users),
        failed=at,
        under_warranty=(at.date() - asset.bought).days < 730,
    )
    outcome = draw.pick((("REPAIRED", 66), ("REPLACED", 6), ("NO_FAULT_FOUND", 16),
                         ("USER_ERROR", 12)))  # fmt: skip
    order.confirmed = outcome in ("REPAIRED", "REPLACED")
    order.category = category if order.confirmed else None
    order.outcome = outcome
    if outcome == "USER_ERROR":
        order.category = "USER_ERROR"
    _assign(draw, order, external=draw.chance(0.25))
    hurry = 0.3 if urgent else 1.0
    order.assigned = order.reported + draw.hours(2 * hurry)
    order.responded = order.assigned + draw.hours(4 * hurry)
    order.started = order.responded + draw.hours(1)
    hands_on = draw.hours(1.2 if order.confirmed else 0.5)
    waiting = draw.hours(60) if order.confirmed and draw.chance(0.3) else timedelta(0)
    order.restored = order.started + hands_on + waiting
    order.completed = order.restored + draw.hours(3)
    order.labor = _hours(draw, order, hands_on)
    if order.confirmed:
        order.parts = draw.pick(((0, 45), (1, 40), (2, 15)))
    return _cut_off(world, draw, order)


def _under_repair(world: World, asset: Asset, number: int) -> Order:
    """What is in maintenance now has an order that is not done."""
    draw = world.draw("under repair", asset.tag_number)
    failed = world.as_of - timedelta(minutes=draw.randint(300, 20 * 1440))
    order = _repair(world, asset, draw, failed, draw.pick(CATEGORIES), number)
    order.restored = order.completed = None
    return _cut_off(world, draw, order)


def _assign(draw: Draw, order: Order, *, external: bool) -> None:
    facility = order.asset.facility
    order.technician = draw.choice(facility.staff("TECHNICIAN"))
    if external:
        maker = facility.organization.vendor_of(order.asset.model.maker.code)
        service = next(v for v in facility.organization.vendors if v.code == "fieldserv")
        order.vendor = draw.choice((maker, service))
        order.vendor_cost = 0.0 if order.under_warranty else draw.money(480, 0.4)


def _hours(draw: Draw, order: Order, hands_on: timedelta) -> list[tuple[date, float]]:
    assert order.started is not None
    hours = max(round(hands_on.total_seconds() / 3600, 2), 0.1)
    if hours > 6:
        return [
            (order.started.date(), 6.0),
            (order.started.date() + timedelta(days=1), min(round(hours - 6, 2), 12.0)),
        ]
    return [(order.started.date(), hours)]


def _cut_off(world: World, draw: Draw, order: Order) -> Order:
    """What has not happened yet is not there."""
    now = world.as_of
    for name in ("assigned", "responded", "started", "restored", "completed"):
        if (at := getattr(order, name)) is not None and at > now:
            setattr(order, name, None)
    if order.completed is not None:
        order.status = "COMPLETED"
        return order
    order.outcome = order.confirmed = order.category = None
    order.parts, order.vendor_cost = 0, 0.0
    order.labor = [(day, h) for day, h in order.labor if order.started and day <= now.date()]
    if order.started is not None:
        order.status = draw.pick((("IN_PROGRESS", 5), ("AWAITING_PARTS", 3), ("ON_HOLD", 1)))
    elif order.assigned is not None:
        order.status = "ASSIGNED"
    else:
        order.technician = None
    order.reported = min(order.reported, now)
    return order


def _planned(
    world: World, asset: Asset, draw: Draw, kind: str, interval: int, found: Upkeep
) -> None:
    type_ = asset.model.type
    eligible = type_.category not in ("IMAGING", "LIFE_SUPPORT") and type_.code not in LASERS
    own = kind == "PM" and eligible and asset.number % 9 == 4
    if own:
        interval = interval * 3 // 2
    schedule = Schedule(
        uid(asset.tag_number, "schedule", kind), asset, kind, "AEM" if own else "OEM", interval,
        asset.in_service + timedelta(days=interval), asset.retired,
        draw.choice(asset.facility.staff("TECHNICIAN")),
    )  # fmt: skip
    if schedule.ends_on is not None and schedule.ends_on < schedule.starts_on:
        return
    found.schedules.append(schedule)
    due = schedule.starts_on
    while due < world.began.date():
        due += timedelta(days=interval)
    end = min(asset.retired or date.max, world.today + AHEAD)
    while due <= end:
        found.occurrences.append(_occurrence(world, draw, schedule, due, found))
        due += timedelta(days=interval)


def _occurrence(
    world: World, draw: Draw, schedule: Schedule, due: date, found: Upkeep
) -> Occurrence:
    last_day = calendar.monthrange(due.year, due.month)[1]
    one = Occurrence(uid(schedule.id, due), schedule, due, due.replace(day=last_day), "OPEN", None,
                     None)  # fmt: skip
    outcome = draw.pick(_OUTCOMES)
    late = draw.chance(0.07)
    if late:
        done = one.grace_until + timedelta(days=draw.randint(1, 45))
    else:
        early = timedelta(days=draw.randint(0, 20))
        done = min(due - timedelta(days=10) + early, one.grace_until)
    if outcome == "COMPLETED" and done <= world.today:
        one.outcome, one.completed_on = outcome, done
        one.order = _work(world, draw, schedule, due, done)
    elif outcome != "COMPLETED" and one.grace_until < world.today:
        one.outcome = outcome
        if outcome in ("NOT_LOCATED", "IN_USE"):
            one.order = _work(world, draw, schedule, due, one.grace_until, outcome)
    elif due - timedelta(days=14) <= world.today:
        one.order = _work(world, draw, schedule, due, None)
    if one.order is not None:
        found.orders.append(one.order)
    return one


def _work(
    world: World,
    draw: Draw,
    schedule: Schedule,
    due: date,
    done: date | None,
    outcome: str = "DONE",
) -> Order:
    type_ = {"PM": "PREVENTIVE_MAINTENANCE", "CALIBRATION": "CALIBRATION",
             "INSPECTION": "INSPECTION"}[schedule.kind]  # fmt: skip
    asset = schedule.asset
    order = Order(
        uid(schedule.id, due, "order"), asset, type_,
        "HIGH" if asset.model.type.criticality in ("CRITICAL", "HIGH") else "LOW",
        f"{schedule.kind.capitalize() if schedule.kind != 'PM' else 'PM'}: "
        f"{asset.model.type.name.split(',')[0]}",
        reported=noon(min(due, done or due) - timedelta(days=14)),
        schedule=schedule.id, technician=schedule.technician, scheduled_for=due,
    )  # fmt: skip
    order.reported = min(order.reported, world.as_of)
    if done is None:
        order.status = draw.pick((("PENDING", 3), ("ASSIGNED", 4), ("ON_HOLD", 1)))
        return order
    order.assigned = order.reported + timedelta(hours=1)
    if outcome == "DONE":
        hours = draw.hours(1.0)
        order.started = noon(done) - timedelta(hours=3)
        order.responded = order.started
        order.completed = min(order.started + hours, world.as_of)
        order.labor = [(done, max(round(min(hours.total_seconds() / 3600, 12), 2), 0.1))]
    else:
        order.completed = min(noon(done), world.as_of)
    order.status, order.outcome = "COMPLETED", outcome
    return order
