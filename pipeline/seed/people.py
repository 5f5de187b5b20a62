"""Rows of departments, users, roles and vendors; of makers, device types and models."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from pipeline.seed.catalogue import MAKERS, MODELS, TYPES, DeviceType, Model
from pipeline.seed.draw import uid
from pipeline.seed.model import Department, Organization, Vendor, World
from pipeline.seed.writing import Batch, Row

_ROLES = {"MANAGER": "NURSE_MANAGER", "TECHNICIAN": "BIOMEDICAL", "NURSE": "VIEWER"}
LASERS = {"surgical-laser"}


def service_user(organization: Organization) -> UUID:
    """Who entered everything."""
    return uid(organization.code, "user", "registry.import")


def batches(world: World) -> Iterator[Batch]:
    yield (
        "registry.department",
        (_department(d) for o in world.organizations for d in o.departments),
    )
    yield "registry.user_account", (row for o in world.organizations for row in _users(o))
    yield "registry.user_role", (row for o in world.organizations for row in _roles(o))
    yield "registry.vendor", (_vendor(o, v) for o in world.organizations for v in o.vendors)


def models(world: World) -> Iterator[Batch]:
    organizations = world.organizations
    yield (
        "registry.manufacturer",
        (
            {
                "id": maker_id(o, maker.code),
                "organization_id": o.id,
                "name": maker.name,
                "country": maker.country,
                "fda_registration_number": f"30{number:08d}",
                "iso_certification": "ISO 13485:2016",
                "vendor_id": o.vendor_of(maker.code).id,
            }
            for o in organizations
            for number, maker in enumerate(MAKERS, 1_000)
        ),
    )
    yield (
        "registry.device_type",
        (_type(o, i, t) for o in organizations for i, t in enumerate(TYPES)),
    )
    yield (
        "registry.device_model",
        (_model(world, o, i, model) for o in organizations for i, model in enumerate(MODELS)),
    )


def maker_id(organization: Organization, code: str) -> UUID:
    return uid(organization.code, "maker", code)


def type_id(organization: Organization, code: str) -> UUID:
    return uid(organization.code, "type", code)


def model_id(organization: Organization, model: Model) -> UUID:
    return uid(organization.code, "model", model.number)


def department_code(department: Department) -> str:
    """Codes are the organization's."""
    return f"{department.facility.code}.{department.code}"


def _department(department: Department) -> Row:
    return {
        "id": department.id,
        "organization_id": department.facility.organization.id,
        "facility_id": department.facility.id,
        "code": department_code(department),
        "name": department.name,
        "cost_center": department.cost_center,
    }


def _users(organization: Organization) -> Iterator[Row]:
    currency = organization.group.currency

    def row(id_: UUID, username: str, name: str, job: str) -> Row:
        return {
            "id": id_,
            "organization_id": organization.id,
            "username": username,
            "display_name": name,
            "email": f"{username}@{organization.group.domain}",
            "department_id": None,
            "job": job,
            "weekly_capacity_h": None,
            "hourly_rate": None,
            "hourly_rate_currency": None,
        }

    yield row(service_user(organization), "registry.import", "Registry import", "SERVICE")
    for user in organization.users:
        person = row(user.id, user.login, user.name, user.role)
        person["department_id"] = user.department.id
        if user.role == "TECHNICIAN":
            person |= {"weekly_capacity_h": 28, "hourly_rate": 62 if currency == "USD" else 54,
                       "hourly_rate_currency": currency}  # fmt: skip
        yield person


def _roles(organization: Organization) -> Iterator[Row]:
    def row(login: str, user: UUID, role: str, facility: UUID | None) -> Row:
        return {
            "id": uid(organization.code, "role", login, role),
            "organization_id": organization.id,
            "user_id": user,
            "role": role,
            "facility_id": facility,
        }

    yield row("registry.import", service_user(organization), "ADMINISTRATOR", None)
    for user in organization.users:
        yield row(user.login, user.id, _ROLES[user.role], user.facility.id)
    # Finance and compliance look after all facilities.
    for user, role in zip(organization.users, ("FINANCE", "COMPLIANCE"), strict=False):
        yield row(user.login, user.id, role, None)


def _vendor(organization: Organization, vendor: Vendor) -> Row:
    return {
        "id": vendor.id,
        "organization_id": organization.id,
        "code": vendor.code,
        "name": vendor.name,
        "type": vendor.kind,
        "email": f"service@{vendor.code}.example",
        "website": f"https://{vendor.code}.example/",
    }


def _type(organization: Organization, number: int, kind: DeviceType) -> Row:
    return {
        "id": type_id(organization, kind.code),
        "organization_id": organization.id,
        "code": kind.code,
        "name": kind.name,
        "category": kind.category,
        "is_laser": kind.code in LASERS,
        "is_life_support": kind.category == "LIFE_SUPPORT" or kind.criticality == "CRITICAL",
        # Invented, in the right form: the real term lists are licensed.
        "gmdn_code": f"{90_000 + 7 * number}",
        "emdn_code": f"Z9{number // 10}{number % 10:02d}{number:02d}"[: 1 + 6],
        "default_useful_life_years": kind.life_years,
        "cost_fn_to_fp": {"CRITICAL": 40, "HIGH": 20, "MEDIUM": 10, "LOW": 4}[kind.criticality],
    }


def _model(world: World, organization: Organization, number: int, model: Model) -> Row:
    kind = model.type
    cheap = model.factor < 1
    return {
        "id": model_id(organization, model),
        "organization_id": organization.id,
        "manufacturer_id": maker_id(organization, model.maker.code),
        "device_type_id": type_id(organization, kind.code),
        "model_number": model.number,
        "name": model.name,
        "risk_class": kind.risk,
        "udi_issuer": "GS1",
        "udi_di": model.gtin,
        "fda_510k_number": None if kind.risk == "CLASS_I" else f"K{110_000 + 731 * number:06d}",
        "ce_mark_certificate": f"CE {600_000 + number}",
        "specifications": specifications(model),
        "power_requirements": "230 V, 50 Hz" if number % 2 else "100-240 V, 50/60 Hz",
        "weight_kg": kind.weight_kg,
        "requires_calibration": kind.calibration_days > 0,
        "requires_operator_certification": kind.training,
        "waste_handling": "BIOHAZARD" if kind.category == "LABORATORY" else "STANDARD",
        "decontamination_protocol": "Wipe down between patients",
        "decontamination_interval_h": 168 if kind.par else None,
        "manual_url": f"https://{model.maker.code}.example/manuals/{model.number}.pdf",
        "service_manual_url": f"https://{model.maker.code}.example/service/{model.number}.pdf",
        "end_of_support_on": world.today + timedelta(days=30 * (number % 24) - 90)
        if cheap
        else None,
        "list_price": round(kind.cost * model.factor * 1.1, 2),
        "list_price_currency": organization.group.currency,
    }


def specifications(model: Model) -> dict[str, object]:
    kind = model.type
    found: dict[str, object] = {"alarm": kind.criticality != "LOW", "insulation": kind.insulation}
    if kind.par or kind.mobile:
        found["battery_h"] = round(2 + 3 * model.factor, 1)
    if kind.subcategory == "Infusion":
        found |= {"flow_ml_h": {"min": 0.1, "max": 1200 if "pump, v" in kind.name else 200},
                  "drug_library": model.factor >= 1}  # fmt: skip
    if kind.code == "mri":
        found["field_t"] = 1.5
    return found
