"""Rows of compliance: standards, inspections, recalls, incidents, certificates, training."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

from pipeline.seed.assets import lot_of
from pipeline.seed.catalogue import MODELS, TYPES, Model
from pipeline.seed.draw import noon, uid
from pipeline.seed.model import Asset, Organization, World
from pipeline.seed.people import model_id, type_id
from pipeline.seed.upkeep import Occurrence, Upkeep
from pipeline.seed.writing import Batch, Row

_LIMITS = (
    ("EARTH_RESISTANCE", "ANY", "I", "ANY", 300, "mOhm"),
    ("EQUIPMENT_LEAKAGE", "DIRECT", "I", "ANY", 500, "uA"),
    ("EQUIPMENT_LEAKAGE", "DIRECT", "II", "ANY", 100, "uA"),
    ("APPLIED_PART_LEAKAGE", "DIRECT", "ANY", "B", 5000, "uA"),
    ("APPLIED_PART_LEAKAGE", "DIRECT", "ANY", "BF", 5000, "uA"),
    ("APPLIED_PART_LEAKAGE", "DIRECT", "ANY", "CF", 50, "uA"),
)
"""Test, method, protection class, applied part, limit, unit."""
_TEST = "IEC 62353"
_STANDARDS = (
    (_TEST, "2014", "Recurrent test and test after repair", date(2014, 9, 1), None),
    ("EC.02.04.01", "2017", "Medical equipment inventory", date(2017, 1, 1), date(2025, 12, 31)),
    ("EC.02.04.03", "2017", "Medical equipment maintenance", date(2017, 1, 1), date(2025, 12, 31)),
    ("PE", "2026", "Physical environment", date(2026, 1, 1), None),
)


def batches(world: World, upkeep: dict[UUID, Upkeep]) -> Iterator[Batch]:
    organizations = world.organizations
    tests = [
        occurrence
        for one in upkeep.values()
        for occurrence in one.occurrences
        if occurrence.schedule.kind == "INSPECTION" and occurrence.completed_on is not None
    ]
    yield "compliance.standard", (row for o in organizations for row in _standards(o))
    yield "compliance.electrical_limit", (row for o in organizations for row in _limits(o))
    yield "compliance.inspection", (_inspection(world, test) for test in tests)
    yield "compliance.measurement", (row for t in tests for row in _measurements(world, t))
    yield from _recalls(world)
    yield "compliance.incident", (row for o in organizations for row in _incidents(world, o))
    yield "compliance.incident_device", (row for o in organizations for row in _devices(world, o))
    yield "compliance.certificate", (row for o in organizations for row in _certificates(world, o))
    yield "compliance.training_requirement", (r for o in organizations for r in _requirements(o))
    yield "compliance.training", (row for o in organizations for row in _training(world, o))


def _standard(organization: Organization, code: str) -> UUID:
    return uid(organization.code, "standard", code)


def _standards(organization: Organization) -> Iterator[Row]:
    for code, edition, title, first, last in _STANDARDS:
        yield {
            "id": _standard(organization, code),
            "organization_id": organization.id,
            "code": code,
            "edition": edition,
            "title": title,
            "effective_from": first,
            "effective_to": last,
        }


def _limits(organization: Organization) -> Iterator[Row]:
    for test, method, protection, part, limit, unit in _LIMITS:
        yield {
            "id": uid(organization.code, "limit", test, protection, part),
            "organization_id": organization.id,
            "standard_id": _standard(organization, _TEST),
            "test": test,
            "method": method,
            "protection_class": protection,
            "part_type": part,
            "limit_value": limit,
            "unit": unit,
            "verified_on": None,
        }


def _measured(world: World, test: Occurrence) -> list[tuple[str, str, float, str, float]]:
    """Test, method, value, unit, limit: values of an asset creep up with its age."""
    asset = test.schedule.asset
    kind = asset.model.type
    assert test.completed_on is not None
    draw = world.draw("measured", asset.tag_number)
    first = {name: draw.uniform(0.15, 0.45) for name, *_ in _LIMITS}
    drift = draw.choice((0.0, 0.02, 0.02, 0.05, 0.1))
    years = (test.completed_on - asset.in_service).days / 365
    found = []
    for name, method, protection, part, limit, unit in _LIMITS:
        if protection not in ("ANY", kind.insulation) or part not in ("ANY", kind.part):
            continue
        noise = world.draw("noise", test.id, name).gauss(0, 0.03)
        value = max(limit * (first[name] + drift * years + noise), 1.0)
        found.append((name, method, round(value, 1), unit, float(limit)))
    return found


def inspection_id(test: Occurrence) -> UUID:
    return uid(test.id, "inspection")


def _inspection(world: World, test: Occurrence) -> Row:
    asset = test.schedule.asset
    assert test.completed_on is not None
    good = all(value <= limit for _, _, value, _, limit in _measured(world, test))
    return {
        "id": inspection_id(test),
        "organization_id": asset.organization.id,
        "asset_id": asset.id,
        "kind": "ELECTRICAL_SAFETY",
        "standard_id": _standard(asset.organization, _TEST),
        "schedule_id": test.schedule.id,
        "work_order_id": test.order.id if test.order else None,
        "performed_on": test.completed_on,
        "result": "PASS" if good else "FAIL",
        "inspector_id": test.schedule.technician.id,
        "next_due_on": test.completed_on + timedelta(days=test.schedule.interval_days),
        "finding": None if good else "A value is above its limit",
    }


def _measurements(world: World, test: Occurrence) -> Iterator[Row]:
    for name, method, value, unit, limit in _measured(world, test):
        yield {
            "id": uid(test.id, "measurement", name),
            "organization_id": test.schedule.asset.organization.id,
            "inspection_id": inspection_id(test),
            "test": name,
            "method": method,
            "value": value,
            "unit": unit,
            "limit_value": limit,
            "pass": value <= limit,
        }


def _model(kind: str, number: int) -> Model:
    return [model for model in MODELS if model.type.code == kind][number]


def _notices(world: World) -> list[tuple[str, str, int, str, Model, str, bool]]:
    """Number, class, days ago, title, model, how it names them, closed."""
    return [
        ("Z-1204-26", "CLASS_I", 12, "Free flow after a drop", _model("infusion-pump", 0), "lots",
         False),
        ("Z-0871-26", "CLASS_II", 75, "Battery may not charge", _model("ventilator", 1), "serials",
         False),
        ("Z-0310-25", "CLASS_III", 320, "Label fades", _model("patient-monitor", 2), "udi", True),
        ("FSN-2026-014", "CLASS_II", 40, "Alarm volume after an update", _model("syringe-pump", 1),
         "software", False),
        ("Z-0555-26", "CLASS_II", 5, "Electrode connector", _model("defibrillator", 0), "model",
         False),
    ]  # fmt: skip


def recall_id(organization: Organization, number: str) -> UUID:
    return uid(organization.code, "recall", number)


def _recalls(world: World) -> Iterator[Batch]:
    notices = [(o, notice) for o in world.organizations for notice in _notices(world)]
    yield (
        "compliance.recall",
        (
            {
                "id": recall_id(o, number),
                "organization_id": o.id,
                "agency": "FDA" if number.startswith("Z") else "BfArM",
                "number": number,
                "recall_class": severity,
                "title": title,
                "manufacturer": model.maker.name,
                "reason": title,
                "action": "Take out of use and inspect" if severity == "CLASS_I" else "Inspect",
                "published_on": world.today - timedelta(days=ago),
                "received_at": noon(world.today - timedelta(days=ago - 1)),
                "due_on": world.today - timedelta(days=ago - 30),
                "status": "CLOSED" if closed else "IN_PROGRESS" if ago > 30 else "OPEN",
                "closed_at": noon(world.today - timedelta(days=ago - 60)) if closed else None,
            }
            for o, (number, severity, ago, title, model, _, closed) in notices
        ),
    )
    yield (
        "compliance.recall_scope",
        (_scope(o, number, model, how) for o, (number, _, _, _, model, how, _) in notices),
    )
    yield (
        "compliance.recall_asset",
        (
            row
            for o, (number, _, ago, _, model, how, closed) in notices
            for row in _affected(world, o, number, model, how, ago, closed)
        ),
    )


LOTS = ("L2301", "L2512")
"""First and last recalled lot."""


def _scope(organization: Organization, number: str, model: Model, how: str) -> Row:
    row: Row = {
        "id": uid(organization.code, "scope", number),
        "organization_id": organization.id,
        "recall_id": recall_id(organization, number),
        "model_number": model.number,
        "udi_di": None,
        "lot_from": None,
        "lot_to": None,
        "serial_from": None,
        "serial_to": None,
        "software_version": None,
    }
    if how == "lots":
        row |= {"lot_from": LOTS[0], "lot_to": LOTS[1]}
    if how == "serials":
        first, last = _serials(model)
        row |= {"serial_from": first, "serial_to": last}
    if how == "udi":
        row |= {"model_number": None, "udi_di": model.gtin}
    if how == "software":
        row |= {"software_version": "4.1.0"}
    return row


def _serials(model: Model) -> tuple[str, str]:
    return f"{model.number[:3]}20", f"{model.number[:3]}24ZZZZZZ"


def _affected(
    world: World,
    organization: Organization,
    number: str,
    model: Model,
    how: str,
    ago: int,
    closed: bool,
) -> Iterator[Row]:
    """Those that somebody has looked at; the rest stands in no row yet, for matching to find."""
    units = [a for a in organization.assets if a.model is model and a.retired is None]
    for position, asset in enumerate(units):
        draw = world.draw("recalled", number, asset.tag_number)
        if not closed and position % 3 == 2:
            continue
        lot = lot_of(world, asset)
        first, last = _serials(model)
        hit = {
            "lots": lot is not None and LOTS[0] <= lot <= LOTS[1],
            "serials": first <= asset.serial <= last,
        }.get(how, True)
        unknown = how == "lots" and lot is None
        if not hit and not unknown:
            continue
        done = closed or draw.chance(0.4)
        outcome = draw.pick((("CORRECTED", 8), ("REMOVED", 1), ("NOT_FOUND", 1)))
        received = noon(world.today - timedelta(days=ago - 1))
        handled = received + timedelta(days=draw.randint(1, max(ago - 2, 1)))
        yield {
            "id": uid(recall_id(organization, number), asset.tag_number),
            "organization_id": organization.id,
            "recall_id": recall_id(organization, number),
            "asset_id": asset.id,
            "match_basis": "MODEL"
            if unknown
            else {"lots": "LOT", "serials": "SERIAL", "udi": "UDI"}.get(how, "MODEL"),
            "assessment": "NEEDS_INSPECTION" if unknown or how == "software" else "AFFECTED",
            "disposition": outcome if done else draw.choice(("OPEN", "IN_PROGRESS")),
            "located_at": min(received + timedelta(days=1), world.as_of)
            if outcome != "NOT_FOUND"
            else None,
            "disposed_at": min(handled, world.as_of) if done else None,
            "handled_by": asset.facility.staff("TECHNICIAN")[0].id if done else None,
        }


def _happened(world: World, organization: Organization) -> list[tuple[int, Asset, int, str]]:
    """Number, device, days ago, harm."""
    draw = world.draw("incidents", organization.code)
    units = [a for a in organization.assets if a.retired is None]
    harms = ("NONE", "NONE", "MINOR", "NONE", "SERIOUS", "UNKNOWN", "NONE", "DEATH")
    return [
        (number, draw.choice(units), ago, harms[number % len(harms)])
        for number, ago in enumerate((4, 9, 33, 88, 21, 140, 260, 410, 500, 730))
    ]


def _incidents(world: World, organization: Organization) -> Iterator[Row]:
    for number, asset, ago, harm in _happened(world, organization):
        occurred = world.as_of - timedelta(days=ago, hours=5)
        reportable = harm in ("SERIOUS", "DEATH")
        due = (occurred + timedelta(days=14)).date()  # ten work days
        yield {
            "id": uid(organization.code, "incident", number),
            "organization_id": organization.id,
            "facility_id": asset.facility.id,
            "number": f"INC-{occurred:%Y}-{number:03d}",
            "occurred_at": occurred,
            "reported_at": occurred + timedelta(hours=3),
            "harm": harm,
            "description": f"{asset.model.type.name} stopped without an alarm",
            "reportable": reportable,
            "report_due_on": due if reportable else None,
            "report_sent_on": due - timedelta(days=2) if reportable and ago > 30 else None,
            "status": "CLOSED" if ago > 100 else "INVESTIGATING" if ago > 20 else "OPEN",
        }


def _devices(world: World, organization: Organization) -> Iterator[Row]:
    for number, asset, ago, harm in _happened(world, organization):
        start = world.as_of - timedelta(days=ago, hours=2)
        yield {
            "id": uid(organization.code, "incident device", number),
            "organization_id": organization.id,
            "incident_id": uid(organization.code, "incident", number),
            "asset_id": asset.id,
            "quarantined_at": None if harm == "UNKNOWN" else start,
            "released_at": start + timedelta(days=20) if ago > 30 and harm != "UNKNOWN" else None,
        }


def _certificates(world: World, organization: Organization) -> Iterator[Row]:
    def row(name: str, kind: str, issuer: str, issued: date, expires: date | None) -> Row:
        return {
            "id": uid(organization.code, "certificate", kind, name),
            "organization_id": organization.id,
            "kind": kind,
            "number": f"{kind}-{name}"[:100],
            "issuer": issuer,
            "asset_id": None,
            "device_model_id": None,
            "vendor_id": None,
            "user_id": None,
            "facility_id": None,
            "issued_on": issued,
            "expires_on": expires,
        }

    for number, model in enumerate(MODELS):
        issued = world.today - timedelta(days=200 + 31 * number)
        one = row(model.number, "CE", "Notified body 9999", issued, issued + timedelta(days=1825))
        yield one | {"device_model_id": model_id(organization, model)}
    for number, facility in enumerate(organization.facilities):
        issued = world.today - timedelta(days=900 + 60 * number)
        one = row(facility.code, "ACCREDITATION", "Accreditation office", issued,
                  issued + timedelta(days=1095))  # fmt: skip
        yield one | {"facility_id": facility.id}
        one = row(facility.code, "RADIATION", "Radiation authority", issued,
                  issued + timedelta(days=730))  # fmt: skip
        yield one | {"facility_id": facility.id}
    for asset in organization.assets:
        if asset.status == "DISPOSED" and asset.retired and asset.number % 5:
            yield row(asset.tag_number, "DISPOSAL", "Recycling company", asset.retired, None) | {
                "asset_id": asset.id
            }


def _requirements(organization: Organization) -> Iterator[Row]:
    for kind in TYPES:
        if kind.training:
            yield {
                "id": uid(organization.code, "requirement", kind.code),
                "organization_id": organization.id,
                "device_type_id": type_id(organization, kind.code),
                "job": "NURSE" if kind.par else None,
                "valid_days": 730,
            }


def _training(world: World, organization: Organization) -> Iterator[Row]:
    """Of those in whose department a type lives; some lapsed, some never had it."""
    lives: dict[UUID, set[str]] = {}
    for asset in organization.assets:
        if asset.model.type.training:
            lives.setdefault(asset.department.id, set()).add(asset.kind)
    for user in organization.users:
        draw = world.draw("training", organization.code, user.login)
        for kind in sorted(lives.get(user.department.id, ())):
            if draw.chance(0.1):
                continue
            trained = world.today - timedelta(days=draw.randint(5, 900))
            yield {
                "id": uid(organization.code, "training", user.login, kind),
                "organization_id": organization.id,
                "user_id": user.id,
                "device_type_id": type_id(organization, kind),
                "trained_on": trained,
                "valid_until": trained + timedelta(days=730),
                "result": "FAIL" if draw.chance(0.03) else "PASS",
                "trainer": "Clinical education",
            }
