"""Rows of assets and what hangs on them: identifiers, families, pictures, tags, PAR levels, limits.

Some are wrong in the ways real ones are: a missing or mistyped UDI, one entered twice, one deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from psycopg.types.range import TimestamptzRange

from pipeline.exchange.udi import WRONG_CHECK
from pipeline.registry.ids import make_id
from pipeline.seed.draw import Draw, noon, uid
from pipeline.seed.model import Asset, Facility, Organization, World
from pipeline.seed.people import model_id, service_user, type_id
from pipeline.seed.writing import Batch, Row

_FUNDS = (
    ("Operating budget", "OPERATING", None, None, 30),
    ("Capital plan", "CAPITAL", None, None, 60),
    ("Rural health grant", "GRANT", "RHG-2023-0417", "Outpatient services only", 6),
    ("Friends of the hospital", "DONATION", None, "Children's ward", 4),
)
THRESHOLDS = (
    ("utilization_low_percent", 20, "%"),
    ("utilization_high_percent", 80, "%"),
    ("missing_after_h", 72, "h"),
    ("stale_after_s", 3600, "s"),
    ("risk_high", 0.3, "probability"),
    ("repair_cost_ratio_percent", 50, "%"),
    ("battery_low_percent", 15, "%"),
    ("pm_grace_days", 30, "d"),
)


def batches(world: World) -> Iterator[Batch]:
    organizations = world.organizations
    yield "registry.alert_policy", (row for o in organizations for row in _policies(o))
    yield "registry.funding_source", (row for o in organizations for row in _funds(o))
    yield "registry.asset", (_asset(world, a) for a in world.assets)
    yield "registry.asset_identifier", (r for a in world.assets for r in _identifiers(world, a))
    yield "registry.asset_relation", (r for o in organizations for r in _families(world, o))
    yield "registry.media", (row for a in world.assets for row in _media(world, a))
    yield (
        "registry.threshold",
        (
            {
                "id": uid(o.code, "threshold", name),
                "organization_id": o.id,
                "name": name,
                "value": value,
                "unit": unit,
            }
            for o in organizations
            for name, value, unit in THRESHOLDS
        ),
    )
    yield "registry.par_level", (row for o in organizations for row in _par_levels(world, o))
    yield "registry.tag", (_tag(a) for a in world.assets if a.tag)
    yield "registry.tag_assignment", (row for a in world.assets for row in _worn(world, a))


def policy_id(organization: Organization, name: str) -> UUID:
    return uid(organization.code, "policy", name)


def _policies(organization: Organization) -> Iterator[Row]:
    for name, default, days, idle, escalation in (
        ("Standard", True, 14, None, None),
        ("Life support", False, 30, None, 4),
        ("Pool equipment", False, 14, 30, None),
    ):
        yield {
            "id": policy_id(organization, name),
            "organization_id": organization.id,
            "name": name,
            "is_default": default,
            "pm_days_before": days,
            "idle_days": idle,
            "recipients": Jsonb([f"biomed@{organization.group.domain}"]),
            "escalation_enabled": escalation is not None,
            "escalation_delay_h": escalation,
        }


def _fund_id(organization: Organization, name: str) -> UUID:
    return uid(organization.code, "fund", name)


def _funds(organization: Organization) -> Iterator[Row]:
    for name, kind, grant, restriction, _ in _FUNDS:
        yield {
            "id": _fund_id(organization, name),
            "organization_id": organization.id,
            "name": name,
            "kind": kind,
            "grant_number": grant,
            "restriction": restriction,
        }


def _asset(world: World, asset: Asset) -> Row:
    draw, organization = _draw(world, asset), asset.organization
    kind, model = asset.model.type, asset.model
    twin = _twin(world, asset)
    currency = organization.group.currency
    foreign = draw.chance(0.02)
    deleted = asset.number % 97 == 50
    row: Row = {
        "id": asset.id,
        "organization_id": organization.id,
        "facility_id": asset.facility.id,
        "tag_number": asset.tag_number,
        "name": f"{kind.name.split(',')[0]} {model.name.split()[0]}",
        "manufacturer": model.maker.name,
        "model": model.number,
        "serial_number": (twin or asset).serial,
        "category": kind.category,
        "status": asset.status,
        "complete": True,
        "device_model_id": model_id(organization, model),
        "criticality": kind.criticality,
        "vendor_id": organization.vendor_of(model.maker.code).id
        if draw.chance(0.7)
        else next(v.id for v in organization.vendors if v.kind == "DISTRIBUTOR"),
        "purchase_order_number": f"PO-{asset.bought:%Y}-{asset.number // 4:05d}",
        "invoice_number": f"INV-{asset.number // 4:06d}",
        "purchased_on": asset.bought,
        "installed_on": asset.in_service - timedelta(days=1),
        "in_service_on": asset.in_service,
        "purchase_cost": asset.cost,
        "currency_code": {"USD": "EUR", "EUR": "CHF"}[currency] if foreign else currency,
        "funding_source_id": _fund_id(
            organization, draw.pick([(name, weight) for name, _, _, _, weight in _FUNDS])
        ),
        "replacement_cost": round(asset.cost * 1.18, 2),
        "residual_value": round(asset.cost * 0.05, 2),
        "downtime_cost_per_hour": {"CRITICAL": 220, "HIGH": 90, "MEDIUM": 25, "LOW": 5}[
            kind.criticality
        ],
        "ownership": draw.pick((("OWNED", 94), ("LEASED", 3), ("RENTED", 2), ("LOANED", 1))),
        "specifications": {"colour": draw.choice(("white", "blue", "grey"))},
        "software_version": draw.pick((("4.2.1", 6), ("4.1.0", 3), ("3.9.7", 1)))
        if kind.category not in ("SUPPORT_EQUIPMENT", "OTHER")
        else None,
        "operating_system": "Embedded Linux" if kind.category == "IMAGING" else None,
        "mac_address": f"02:00:5e:{asset.number >> 16 & 255:02x}:{asset.number >> 8 & 255:02x}:"
        f"{asset.number & 255:02x}"
        if kind.cost > 5_000
        else None,
        "ip_address": f"10.{asset.number >> 16 & 255}.{asset.number >> 8 & 255}."
        f"{asset.number & 255}"
        if kind.cost > 5_000
        else None,
        "department_id": asset.department.id,
        "custodian_id": asset.custodian.id,
        "home_room_id": asset.home.id,
        "requires_checkout": kind.checkout,
        "alert_policy_id": policy_id(
            organization, "Life support" if kind.criticality == "CRITICAL" else "Pool equipment"
        )
        if kind.criticality == "CRITICAL" or kind.par
        else None,
        "retired_on": asset.retired,
        "notes": "Bought second-hand; service history before that is not known."
        if draw.chance(0.02)
        else None,
        "created_at": noon(asset.bought),
        "updated_at": noon(asset.in_service),
        "deleted_at": world.as_of - timedelta(days=20) if deleted else None,
        "deleted_by": service_user(organization) if deleted else None,
        "deleted_reason": "Entered twice" if deleted else None,
    }
    return row | _udi(asset, draw)


def _udi(asset: Asset, draw: Draw) -> Row:
    di, made = asset.model.gtin, asset.bought - timedelta(days=90)
    production = f"(11){made:%y%m%d}(10){asset.lot}(21){asset.serial}"
    row: Row = {
        "udi_issuer": "GS1",
        "udi_di": di,
        "udi_pi": production,
        "udi_carrier": f"(01){di}{production}",
        "udi_check_ok": True,
        "udi_problem": None,
        "lot_number": asset.lot,
        "manufactured_on": made,
    }
    kind = draw.pick((("good", 955), ("typo", 15), ("missing", 20), ("no lot", 30)))
    if kind == "typo":
        wrong = di[:-1] + str((int(di[-1]) + 1) % 10)
        row |= {"udi_di": wrong, "udi_carrier": f"(01){wrong}{production}", "udi_check_ok": False,
                "udi_problem": WRONG_CHECK}  # fmt: skip
    if kind == "missing":
        row |= dict.fromkeys(row, None) | {"complete": False}
    if kind == "no lot":
        row |= {"lot_number": None, "udi_pi": f"(21){asset.serial}",
                "udi_carrier": f"(01){di}(21){asset.serial}"}  # fmt: skip
    return row


def lot_of(world: World, asset: Asset) -> str | None:
    """As it stands in the registry; recalls ask for it."""
    found: Any = _asset(world, asset)["lot_number"]
    return None if found is None else str(found)


def _draw(world: World, asset: Asset) -> Draw:
    return world.draw("asset", asset.tag_number)


def _twin(world: World, asset: Asset) -> Asset | None:
    """The unit of the same model that this one was mistaken for when it was entered."""
    if asset.number % 131 != 17:
        return None
    return next(
        (a for a in asset.facility.assets if a.model is asset.model and a is not asset), None
    )


def _identifiers(world: World, asset: Asset) -> Iterator[Row]:
    organization = asset.organization
    values = [("QR", f"https://{organization.group.domain}/a/{asset.tag_number}")]
    if asset.number % 10 == 3:
        values.append(("FORMER_TAG", f"OLD-{asset.number:05d}"))
    for scheme, value in values:
        yield {
            "id": uid(asset.tag_number, "identifier", scheme),
            "organization_id": organization.id,
            "asset_id": asset.id,
            "scheme": scheme,
            "value": value,
        }


def _families(world: World, organization: Organization) -> Iterator[Row]:
    """Monitors belong to anaesthesia workstations; ventilators have what they cannot do without."""
    for facility in organization.facilities:
        by_kind: dict[str, list[Asset]] = {}
        for asset in facility.assets:
            by_kind.setdefault(asset.kind, []).append(asset)
        pairs = [
            ("anesthesia-machine", "patient-monitor", "CHILD", True),
            ("ventilator", "infusion-pump", "ACCESSORY", False),
            ("workstation-on-wheels", "telemetry-unit", "ACCESSORY", True),
        ]
        for parent, child, kind, mandatory in pairs:
            couples = zip(by_kind.get(parent, []), by_kind.get(child, []), strict=False)
            for one, other in couples:
                since = max(one.in_service, other.in_service)
                yield {
                    "id": uid(one.tag_number, kind, other.tag_number),
                    "organization_id": organization.id,
                    "asset_id": one.id,
                    "other_id": other.id,
                    "kind": kind,
                    "mandatory": mandatory,
                    "since": noon(since),
                }


def _media(world: World, asset: Asset) -> Iterator[Row]:
    base = f"https://media.{asset.organization.group.domain}/{asset.tag_number}"
    kinds = [("PHOTO", "front.jpg")] if asset.number % 2 else []
    if asset.number % 15 == 4:
        kinds.append(("DAMAGE_PHOTO", "damage.jpg"))
    if asset.status == "DISPOSED" and asset.number % 3:
        kinds.append(("CERTIFICATE", "disposal.pdf"))
    for kind, name in kinds:
        yield {
            "id": uid(asset.tag_number, "media", kind),
            "organization_id": asset.organization.id,
            "asset_id": asset.id,
            "kind": kind,
            "url": f"{base}/{name}",
            "title": kind.capitalize().replace("_", " "),
            "taken_at": noon(asset.in_service),
        }


def _par_levels(world: World, organization: Organization) -> Iterator[Row]:
    for facility in organization.facilities:
        fleet: dict[str, int] = {}
        for asset in facility.assets:
            if asset.model.type.par:
                fleet[asset.kind] = fleet.get(asset.kind, 0) + 1
        stores = stores_of(facility)
        for kind, units in fleet.items():
            for store in stores[:3]:
                least = max(units // (6 * len(stores)), 1)
                yield {
                    "id": uid(store.id, "par", kind),
                    "organization_id": organization.id,
                    "facility_id": facility.id,
                    "room_id": store.id,
                    "device_type_id": type_id(organization, kind),
                    "par_min": least,
                    "par_max": 4 * least,
                }


def stores_of(facility: Facility) -> list[Any]:
    """A store of each department that has one."""
    seen: dict[str, Any] = {}
    for room in facility.rooms_of("storage"):
        seen.setdefault(room.department.code, room)
    return list(seen.values())


def tag_id(asset: Asset) -> UUID:
    return make_id("tag", asset.organization.code, str(asset.tag))


def _tag(asset: Asset) -> Row:
    return {"id": tag_id(asset), "organization_id": asset.organization.id, "name": asset.tag}


def tagged_since(world: World, asset: Asset) -> datetime:
    return max(noon(asset.in_service), world.began)


def _worn(world: World, asset: Asset) -> Iterator[Row]:
    """From the beginning, or since its battery was changed for the last time, on this asset."""
    if not asset.tag:
        return
    until = noon(asset.retired) if asset.retired else None
    since = tagged_since(world, asset)
    if until is not None and until <= since:
        return
    yield {
        "id": uid(asset.tag_number, "worn"),
        "organization_id": asset.organization.id,
        "tag_id": tag_id(asset),
        "asset_id": asset.id,
        "during": TimestamptzRange(since, until),
    }
