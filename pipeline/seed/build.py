"""The world itself: hospitals with rooms and people, and the equipment that stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pipeline.registry.ids import make_id
from pipeline.seed.catalogue import MAKERS, MODELS, TYPES, DeviceType
from pipeline.seed.draw import Draw, uid
from pipeline.seed.model import (
    Asset,
    Building,
    Department,
    Facility,
    Floor,
    Organization,
    Room,
    User,
    Vendor,
    World,
)
from pipeline.seed.sizes import Group, Hospital, Size

ROOM_M = 6.0
CORRIDOR_M = 3.0
ROOMS_A_SIDE = 8
FLOOR_HEIGHT_M = 3.6

DEPARTMENTS = (
    # code, name, kind of its rooms, types that live there
    ("ed", "Emergency", "treatment", ("defibrillator", "ecg", "transport-ventilator", "mobile-xray",
                                      "bladder-scanner", "wheelchair", "workstation-on-wheels")),
    ("rad", "Radiology", "treatment", ("mri", "ct", "ultrasound", "mobile-xray")),
    ("lab", "Laboratory", "other", ("analyzer", "centrifuge")),
    ("pool", "Equipment pool", "storage", ("infusion-pump", "syringe-pump", "wheelchair")),
    ("biomed", "Biomedical engineering", "workshop", ()),
    ("cssd", "Sterile processing", "cleaning", ("sterilizer",)),
    ("icu", "Intensive care", "patient", ("ventilator", "patient-monitor", "infusion-pump",
                                          "syringe-pump", "defibrillator", "analyzer", "bed")),
    ("or", "Operating rooms", "treatment", ("anesthesia-machine", "electrosurgical-unit",
                                            "surgical-laser", "patient-monitor", "ultrasound",
                                            "warming-cabinet")),
    ("med", "Medical ward", "patient", ("bed", "infusion-pump", "telemetry-unit", "ecg",
                                        "bladder-scanner", "workstation-on-wheels")),
    ("surg", "Surgical ward", "patient", ("bed", "infusion-pump", "telemetry-unit", "defibrillator",
                                          "workstation-on-wheels", "wheelchair")),
    ("dial", "Dialysis", "patient", ("dialysis", "bed", "infusion-pump")),
    ("neo", "Neonatology", "patient", ("incubator", "syringe-pump", "patient-monitor",
                                       "warming-cabinet")),
)  # fmt: skip

_FIRST = ("Ana", "Ben", "Chiara", "David", "Elif", "Finn", "Grace", "Hugo", "Ines", "Jonas", "Kemi",
          "Lena", "Mateo", "Nora", "Omar", "Petra", "Quinn", "Rosa", "Samir", "Tessa", "Uwe",
          "Vera", "Wei", "Yara", "Zoe")  # fmt: skip
_LAST = ("Albers", "Brandt", "Castro", "Dietrich", "Eriksen", "Fischer", "Garcia", "Hansen",
         "Iqbal", "Jensen", "Keller", "Lopez", "Meyer", "Novak", "Okafor", "Peters", "Quade",
         "Rossi", "Schmidt", "Tran", "Ueda", "Vogel", "Weber", "Young", "Zimmer")  # fmt: skip


def build(size: Size, seed: int, as_of: datetime) -> World:
    world = World(size, seed, as_of)
    for group in size.groups:
        organization = Organization(make_id("organization", group.code), group.code, group.name,
                                    group)  # fmt: skip
        world.organizations.append(organization)
        organization.vendors = list(_vendors(organization))
        for hospital in group.hospitals:
            organization.facilities.append(_facility(world, organization, hospital))
        _equip(world, organization, group)
    return world


def _vendors(organization: Organization) -> Iterator[Vendor]:
    for maker in MAKERS:
        yield Vendor(uid(organization.code, "vendor", maker.code), maker.code, maker.name,
                     "MANUFACTURER", maker.code)  # fmt: skip
    for code, name, kind in (
        ("omnidist", "Omni Distribution", "DISTRIBUTOR"),
        ("fieldserv", "FieldServ Technical Services", "SERVICE_PROVIDER"),
        ("calitech", "CaliTech Metrology", "SERVICE_PROVIDER"),
        ("partshub", "PartsHub", "PARTS_SUPPLIER"),
    ):
        yield Vendor(uid(organization.code, "vendor", code), code, name, kind, None)


def _facility(world: World, organization: Organization, hospital: Hospital) -> Facility:
    place = (organization.code, hospital.code)
    facility = Facility(make_id("facility", *place), hospital.code, hospital.name, hospital,
                        organization)  # fmt: skip
    floors = hospital.buildings * hospital.floors
    count = min(len(DEPARTMENTS), max(8, 2 * floors))
    for i, (code, name, _, _) in enumerate(DEPARTMENTS[:count]):
        facility.departments.append(
            Department(uid(*place, "department", code), code, name, f"{4000 + 10 * i}", facility)
        )
    for b in range(hospital.buildings):
        code = "main" if b == 0 else f"wing-{b}"
        building = Building(make_id("building", *place, code), code,
                            "Main building" if b == 0 else f"Wing {b}", facility)  # fmt: skip
        facility.buildings.append(building)
        for level in range(hospital.floors):
            _floor(building, level, b * hospital.floors + level, floors)
    _people(world, facility)
    return facility


def _floor(building: Building, level: int, index: int, floors: int) -> None:
    """A corridor with rooms on both sides; the departments are dealt out over all floors."""
    facility = building.facility
    path = (facility.organization.code, facility.code, building.code)
    floor = Floor(make_id("floor", *path, f"f{level}"), f"f{level}", level, level * FLOOR_HEIGHT_M,
                  building)  # fmt: skip
    building.floors.append(floor)
    here = [d for i, d in enumerate(facility.departments) if i % floors == index]
    here = here or [facility.departments[index % len(facility.departments)]]

    def add(code: str, name: str, kind: str, department: Department,
            box: tuple[float, float, float, float]) -> None:  # fmt: skip
        restricted = department.code in ("or", "rad") and kind == "treatment"
        beds = 2 if kind == "patient" else 0
        room_code = f"{floor.code}-{code}"
        floor.rooms.append(
            Room(
                make_id("room", *path, room_code),
                room_code,
                name,
                kind,
                restricted,
                beds,
                *box,
                floor,
                department,
            )
        )

    length = ROOMS_A_SIDE * ROOM_M
    add("corridor", f"Corridor {level}", "corridor", here[0],
        (0.0, ROOM_M, length, ROOM_M + CORRIDOR_M))  # fmt: skip
    for number in range(2 * ROOMS_A_SIDE):
        side, along = divmod(number, ROOMS_A_SIDE)
        department = here[number * len(here) // (2 * ROOMS_A_SIDE)]
        kind = next(kind for code, _, kind, _ in DEPARTMENTS if code == department.code)
        within = number % max(2 * ROOMS_A_SIDE // len(here), 1)
        # Each department has a store; wards a room for cleaning and an office too.
        kind = {0: "storage", 1: "cleaning" if kind == "patient" else kind,
                2: "office"}.get(within, kind)  # fmt: skip
        if department.code == "biomed" and within != 0:
            kind = "workshop"
        bottom = 0.0 if side == 0 else ROOM_M + CORRIDOR_M
        box = (along * ROOM_M, bottom, (along + 1) * ROOM_M, bottom + ROOM_M)
        name = f"{department.name} {level}{number + 1:02d}"
        add(f"r{number + 1:02d}", name, kind, department, box)


def _people(world: World, facility: Facility) -> None:
    draw = world.draw("people", facility.organization.code, facility.code)
    number = 0

    def hire(department: Department, role: str) -> None:
        nonlocal number
        number += 1
        first, last = draw.choice(_FIRST), draw.choice(_LAST)
        login = f"{first}.{last}.{facility.code}.{number}".lower()
        user = User(uid(facility.organization.code, "user", login), f"{first} {last}", login, role,
                    facility, department)  # fmt: skip
        department.users.append(user)
        facility.users.append(user)

    for department in facility.departments:
        hire(department, "MANAGER")
        technical = department.code == "biomed"
        for _ in range(5 if technical else 4):
            hire(department, "TECHNICIAN" if technical else "NURSE")


def _equip(world: World, organization: Organization, group: Group) -> None:
    draw = world.draw("equipment", organization.code)
    shares = sum(h.share for h in group.hospitals)
    number = 0
    for facility in organization.facilities:
        count = round(group.assets * facility.hospital.share / shares)
        for kind, units in _fleet(facility, count):
            for _ in range(units):
                number += 1
                facility.assets.append(_asset(world, draw, facility, kind, number))


def _fleet(facility: Facility, count: int) -> Iterator[tuple[DeviceType, int]]:
    """Of each type its share, at least one, of what the facility's departments use."""
    present = {department.code for department in facility.departments}
    lived = {kind for code, _, _, kinds in DEPARTMENTS if code in present for kind in kinds}
    kinds = [kind for kind in TYPES if kind.code in lived]
    total = sum(kind.share for kind in kinds)
    left = count
    for kind in kinds[1:]:
        units = max(round(count * kind.share / total), 1)
        left -= units
        yield kind, units
    yield kinds[0], max(left, 1)


def _asset(world: World, draw: Draw, facility: Facility, kind: DeviceType, number: int) -> Asset:
    organization = facility.organization
    model = draw.choice([model for model in MODELS if model.type is kind])
    homes = [code for code, _, _, kinds in DEPARTMENTS if kind.code in kinds]
    department = draw.choice([d for d in facility.departments if d.code in homes])
    rooms = [r for r in facility.rooms if r.department is department and r.kind != "corridor"]
    # Most are younger than their planned life, some are kept beyond it.
    age_days = int(draw.triangular(30, kind.life_years * 365 * 1.3, kind.life_years * 160))
    bought = world.today - timedelta(days=age_days)
    in_service = bought + timedelta(days=draw.randint(5, 60))
    in_service = min(in_service, world.today - timedelta(days=1))
    status = draw.pick((("IN_SERVICE", 60), ("ACTIVE", 30), ("IN_MAINTENANCE", 4),
                        ("QUARANTINED", 1), ("CONDEMNED", 1), ("RETIRED", 2),
                        ("DISPOSED", 2)))  # fmt: skip
    retired = None
    if status in ("RETIRED", "DISPOSED", "CONDEMNED"):
        first = max(in_service + timedelta(days=1), world.began.date())
        retired = first + timedelta(days=draw.randint(0, max((world.today - first).days - 1, 0)))
    tag_number = f"{organization.code[:3].upper()}-{number:06d}"
    return Asset(
        id=make_id("asset", organization.code, tag_number),
        number=number,
        tag_number=tag_number,
        serial=f"{model.number[:3]}{bought.year % 100:02d}{number:06d}",
        lot=f"L{bought:%y%m}",
        model=model,
        facility=facility,
        department=department,
        home=draw.choice(rooms),
        custodian=department.users[0],
        status=status,
        bought=bought,
        in_service=in_service,
        retired=retired,
        cost=draw.money(kind.cost * model.factor, 0.06),
        tag=f"ble:{0xC0FFEE:06x}{number:06x}" if kind.mobile and draw.chance(0.95) else None,
    )
