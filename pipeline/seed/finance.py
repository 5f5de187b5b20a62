"""Rows of money: contracts, depreciation, costs, benefits, rentals, disposals, exchange rates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

from pipeline.seed.catalogue import MAKERS
from pipeline.seed.draw import uid
from pipeline.seed.model import Asset, Organization, World
from pipeline.seed.people import type_id
from pipeline.seed.writing import Batch, Row

_METHODS = (("STRAIGHT_LINE", 60), ("DOUBLE_DECLINING", 15), ("SUM_OF_YEARS_DIGITS", 10),
            ("DECLINING_BALANCE", 10), ("UNITS_OF_PRODUCTION", 5))  # fmt: skip
WARRANTY_DAYS = 730


def contracts(world: World) -> Iterator[Batch]:
    """Before work orders, which name them."""
    organizations = world.organizations
    yield "registry.contract", (row for o in organizations for row in _contracts(world, o))
    yield "registry.contract_asset", (row for a in world.assets for row in _covered(world, a))


def batches(world: World) -> Iterator[Batch]:
    """After work orders: costs name them."""
    organizations, assets = world.organizations, world.assets
    yield "finance.book", (row for o in organizations for row in _books(o))
    yield "finance.depreciation", (row for a in assets for row in _depreciation(world, a))
    yield "finance.production", (row for a in assets for row in _production(world, a))
    yield "finance.cost_event", (row for a in assets for row in _costs(world, a))
    yield "finance.benefit", (row for a in assets for row in _benefits(world, a))
    yield "finance.rental", (row for o in organizations for row in _rentals(world, o))
    yield "finance.disposal", (row for a in assets for row in _disposal(a))
    yield "finance.exchange_rate", (row for o in organizations for row in _rates(world, o))


def _covers(asset: Asset) -> str | None:
    """Dear equipment is under a service contract of its maker."""
    if asset.model.type.cost < 9_000 or asset.number % 4 == 1:
        return None
    return "CMC" if asset.model.type.cost > 50_000 else "AMC"


def _years(world_began: date, world_today: date) -> range:
    return range(world_began.year - 1, world_today.year + 1)


def contract_id(organization: Organization, maker: str, kind: str, year: int) -> UUID:
    return uid(organization.code, "contract", maker, kind, year)


def contract_of(asset: Asset, day: date) -> UUID | None:
    """The service contract that covers it on a day."""
    kind = _covers(asset)
    if kind is None or day < asset.bought + timedelta(days=WARRANTY_DAYS):
        return None
    year = day.year if day.month >= 7 else day.year - 1
    return contract_id(asset.organization, asset.model.maker.code, kind, year)


def _contracts(world: World, organization: Organization) -> Iterator[Row]:
    for maker in MAKERS:
        for kind in ("AMC", "CMC"):
            for year in _years(world.began.date(), world.today):
                full = kind == "CMC"
                yield {
                    "id": contract_id(organization, maker.code, kind, year),
                    "organization_id": organization.id,
                    "vendor_id": organization.vendor_of(maker.code).id,
                    "number": f"{kind}-{maker.code[:3].upper()}-{year}",
                    "kind": kind,
                    "starts_on": date(year, 7, 1),
                    "ends_on": date(year + 1, 6, 30),
                    "annual_cost": 0,
                    "currency_code": organization.group.currency,
                    "service_level": "EIGHT_HOURS" if full else "NEXT_DAY",
                    "response_h": 8 if full else 24,
                    "resolution_h": 48 if full else 120,
                    "covers_parts": full,
                    "covers_labor": True,
                    "uptime_percent": 97 if full else None,
                    "terms": None,
                }
        yield _warranty(organization, maker.code, world)


def _warranty(organization: Organization, maker: str, world: World) -> Row:
    """One frame contract a maker: each asset's dates stand at the asset."""
    return {
        "id": uid(organization.code, "warranty", maker),
        "organization_id": organization.id,
        "vendor_id": organization.vendor_of(maker).id,
        "number": f"WTY-{maker[:3].upper()}",
        "kind": "WARRANTY",
        "starts_on": date(world.today.year - 25, 1, 1),
        "ends_on": date(world.today.year + 5, 12, 31),
        "annual_cost": 0,
        "currency_code": organization.group.currency,
        "service_level": "BEST_EFFORT",
        "response_h": None,
        "resolution_h": None,
        "covers_parts": True,
        "covers_labor": True,
        "uptime_percent": None,
        "terms": "Two years from delivery; wear excepted.",
    }


def _covered(world: World, asset: Asset) -> Iterator[Row]:
    organization, maker = asset.organization, asset.model.maker.code

    def row(contract: UUID, first: date, last: date, cost: float | None) -> Row:
        return {
            "id": uid(contract, asset.tag_number),
            "organization_id": organization.id,
            "contract_id": contract,
            "asset_id": asset.id,
            "starts_on": first,
            "ends_on": last,
            "annual_cost": cost,
        }

    end = asset.bought + timedelta(days=WARRANTY_DAYS)
    yield row(uid(organization.code, "warranty", maker), asset.bought, end, 0)
    kind = _covers(asset)
    if kind is None:
        return
    share = 0.08 if kind == "CMC" else 0.045
    for year in _years(world.began.date(), world.today):
        first, last = max(date(year, 7, 1), end), date(year + 1, 6, 30)
        if first < last and (asset.retired is None or asset.retired > first):
            yield row(contract_id(organization, maker, kind, year), first, last,
                      round(asset.cost * share, 2))  # fmt: skip


def _books(organization: Organization) -> Iterator[Row]:
    for code, name, primary in (("statutory", "Statutory books", True), ("tax", "Tax", False)):
        yield {
            "id": _book(organization, code),
            "organization_id": organization.id,
            "code": code,
            "name": name,
            "is_primary": primary,
            "currency_code": organization.group.currency,
        }


def _book(organization: Organization, code: str) -> UUID:
    return uid(organization.code, "book", code)


def _method(world: World, asset: Asset) -> str:
    return world.draw("method", asset.tag_number).pick(_METHODS)


def _depreciation(world: World, asset: Asset) -> Iterator[Row]:
    kind = asset.model.type
    disposed = asset.retired if asset.status == "DISPOSED" else None
    for book in ("statutory", "tax"):
        method = _method(world, asset) if book == "statutory" else "DOUBLE_DECLINING"
        units = method == "UNITS_OF_PRODUCTION"
        yield {
            "id": uid(asset.tag_number, "depreciation", book),
            "organization_id": asset.organization.id,
            "asset_id": asset.id,
            "book_id": _book(asset.organization, book),
            "method": method,
            "cost": asset.cost,
            "salvage": round(asset.cost * 0.05, 2) if book == "statutory" else 0,
            "life_years": kind.life_years if book == "statutory" else 5,
            "in_service_on": asset.in_service,
            "convention": "FULL_MONTH" if book == "statutory" else "HALF_YEAR",
            "factor": 2,
            "switch_to_straight_line": True,
            "total_units": round(kind.use * 365 * kind.life_years, 2) if units else None,
            "unit_name": "h" if units else None,
            "disposed_on": disposed,
            "proceeds": _proceeds(asset) if disposed else None,
        }


def _proceeds(asset: Asset) -> float:
    return round(asset.cost * 0.04, 2) if asset.number % 2 else 0


def _production(world: World, asset: Asset) -> Iterator[Row]:
    if _method(world, asset) != "UNITS_OF_PRODUCTION":
        return
    draw = world.draw("production", asset.tag_number)
    month = max(asset.in_service, world.began.date()).replace(day=1)
    last = min(asset.retired or world.today, world.today).replace(day=1)
    while month < last:
        yield {
            "id": uid(asset.tag_number, "production", month),
            "organization_id": asset.organization.id,
            "asset_id": asset.id,
            "month": month,
            "units": round(asset.model.type.use * 30 * draw.uniform(0.7, 1.3), 2),
        }
        month = (month + timedelta(days=32)).replace(day=1)


def _costs(world: World, asset: Asset) -> Iterator[Row]:
    draw = world.draw("costs", asset.tag_number)
    kind, currency = asset.model.type, asset.organization.group.currency
    events: list[tuple[str, date, float]] = []
    if kind.cost > 20_000:
        events.append(("INSTALLATION", asset.in_service, draw.money(kind.cost * 0.03)))
        events.append(("TRAINING", asset.in_service, draw.money(900)))
    for year in range(max(asset.in_service, world.began.date()).year + 1, world.today.year + 1):
        if kind.cost > 50_000:
            events.append(("ENERGY", date(year, 1, 31), draw.money(kind.cost * 0.01)))
        if kind.par and draw.chance(0.4):
            events.append(("CONSUMABLES", date(year, 3, 15), draw.money(120)))
    if asset.status == "DISPOSED" and asset.retired:
        events.append(("DISPOSAL", asset.retired, draw.money(80)))
        if _proceeds(asset):
            events.append(("RESALE", asset.retired, _proceeds(asset)))
    last = asset.retired or world.today
    for number, (name, day, amount) in enumerate(events):
        if day <= last:
            yield {
                "id": uid(asset.tag_number, "cost", number),
                "organization_id": asset.organization.id,
                "asset_id": asset.id,
                "kind": name,
                "amount": amount,
                "currency_code": currency,
                "occurred_on": day,
                "description": None,
            }


def _benefits(world: World, asset: Asset) -> Iterator[Row]:
    if asset.model.type.cost < 50_000:
        return
    draw = world.draw("benefit", asset.tag_number)
    for year in range(world.began.year, world.today.year):
        if asset.in_service.year < year and (asset.retired is None or asset.retired.year > year):
            yield {
                "id": uid(asset.tag_number, "benefit", year),
                "organization_id": asset.organization.id,
                "asset_id": asset.id,
                "kind": "REVENUE",
                "amount": draw.money(asset.cost * 0.3),
                "currency_code": asset.organization.group.currency,
                "period_start": date(year, 1, 1),
                "period_end": date(year, 12, 31),
            }


def _rentals(world: World, organization: Organization) -> Iterator[Row]:
    draw = world.draw("rentals", organization.code)
    vendor = next(v for v in organization.vendors if v.kind == "DISTRIBUTOR")
    for facility in organization.facilities:
        for number in range(6):
            first = world.today - timedelta(days=draw.randint(3, 600))
            last = first + timedelta(days=draw.randint(3, 60))
            yield {
                "id": uid(facility.id, "rental", number),
                "organization_id": organization.id,
                "facility_id": facility.id,
                "device_type_id": type_id(
                    organization, draw.choice(("infusion-pump", "bed", "ventilator"))
                ),
                "vendor_id": vendor.id,
                "department_id": draw.choice(facility.departments).id,
                "quantity": draw.randint(1, 6),
                "starts_on": first,
                "ends_on": last if last < world.today and number else None,
                "daily_rate": draw.money(38),
                "currency_code": organization.group.currency,
            }


def _disposal(asset: Asset) -> Iterator[Row]:
    """Some papers are missing."""
    if asset.status != "DISPOSED" or asset.retired is None:
        return
    holds = asset.model.type.category in ("IMAGING", "IT_MEDICAL", "PATIENT_MONITORING")
    paper = f"{asset.retired:%Y}-{asset.number:06d}"
    yield {
        "id": uid(asset.tag_number, "disposal"),
        "organization_id": asset.organization.id,
        "asset_id": asset.id,
        "disposed_on": asset.retired,
        "method": "SOLD" if _proceeds(asset) else "SCRAPPED",
        "proceeds": _proceeds(asset),
        "currency_code": asset.organization.group.currency,
        "holds_data": holds,
        "data_wipe_certificate": f"DW-{paper}" if holds and asset.number % 3 else None,
        "disposal_certificate": f"DC-{paper}" if asset.number % 5 else None,
        "approved_by": asset.custodian.id,
    }


def _rates(world: World, organization: Organization) -> Iterator[Row]:
    rates = {"USD": (("EUR", 1.08),), "EUR": (("CHF", 1.04), ("USD", 0.92))}
    target = organization.group.currency
    for source, rate in rates[target]:
        for year in range(world.began.year, world.today.year + 1):
            yield {
                "id": uid(organization.code, "rate", source, year),
                "organization_id": organization.id,
                "from_currency": source,
                "to_currency": target,
                "valid_from": date(year, 1, 1),
                "rate": round(rate + 0.01 * (year - world.began.year), 4),
            }
