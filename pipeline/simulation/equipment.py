"""Kinds of medical equipment, who makes them (all names invented), and where they spend a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Habit:
    """Share of the stays in rooms of `kind`, and their mean length in minutes at pace 1."""

    kind: str
    share: float
    minutes: float


@dataclass(frozen=True)
class EquipmentType:
    """`share` of the fleet; `tag_height_m` above the floor it stands on."""

    prefix: str
    name: str
    category: str
    models: tuple[tuple[str, str], ...]
    share: float
    tag_height_m: float
    habits: tuple[Habit, ...]
    haunts: tuple[str, ...] = ()
    """Restricted rooms where it belongs."""


def _habits(**minutes: tuple[float, float]) -> tuple[Habit, ...]:
    return tuple(Habit(kind, share, mean) for kind, (share, mean) in minutes.items())


EQUIPMENT: tuple[EquipmentType, ...] = (
    EquipmentType(
        "INF", "Infusion pump", "THERAPEUTIC",
        (("Velaris", "FlowSure 3"), ("Norrholm", "IP-210")), 0.26, 1.2,
        _habits(patient=(0.62, 70), storage=(0.14, 45), cleaning=(0.14, 20), treatment=(0.1, 40)),
        ("pharmacy",),
    ),
    EquipmentType(
        "SYR", "Syringe pump", "THERAPEUTIC", (("Velaris", "MicroDose S"),), 0.10, 1.2,
        _habits(patient=(0.65, 60), storage=(0.15, 45), cleaning=(0.1, 20), treatment=(0.1, 40)),
        ("pharmacy",),
    ),
    EquipmentType(
        "WCH", "Wheelchair", "SUPPORT_EQUIPMENT", (("Rollwell", "Transit 20"),), 0.15, 0.7,
        _habits(patient=(0.5, 25), other=(0.2, 20), treatment=(0.15, 25), storage=(0.15, 40)),
    ),
    EquipmentType(
        "MON", "Patient monitor", "PATIENT_MONITORING",
        (("Cardinova", "ViewPoint 8"), ("Asterion", "PM-40")), 0.14, 1.3,
        _habits(patient=(0.7, 110), storage=(0.1, 45), treatment=(0.1, 40), cleaning=(0.1, 15)),
    ),
    EquipmentType(
        "BED", "Hospital bed", "SUPPORT_EQUIPMENT", (("Lindqvist", "CareBed 500"),), 0.12, 0.6,
        _habits(patient=(0.85, 200), cleaning=(0.1, 30), treatment=(0.05, 40)),
    ),
    EquipmentType(
        "VEN", "Ventilator", "LIFE_SUPPORT", (("Pneumera", "Breva 2"),), 0.07, 1.1,
        _habits(patient=(0.6, 160), storage=(0.15, 60), cleaning=(0.1, 30), workshop=(0.15, 90)),
        ("ot-1",),
    ),
    EquipmentType(
        "DEF", "Defibrillator", "LIFE_SUPPORT", (("Cardinova", "Restart D"),), 0.04, 1.1,
        _habits(office=(0.6, 240), patient=(0.3, 20), workshop=(0.1, 60)),
        ("ot-1",),
    ),
    EquipmentType(
        "ULS", "Ultrasound scanner", "DIAGNOSTIC", (("Asterion", "Sono E"),), 0.04, 1.2,
        _habits(patient=(0.45, 25), treatment=(0.3, 45), storage=(0.25, 60)),
    ),
    EquipmentType(
        "ANE", "Anaesthesia machine", "ANESTHESIA", (("Pneumera", "Calma 7"),), 0.02, 1.3,
        _habits(treatment=(0.85, 200), workshop=(0.15, 120)), ("ot-1",),
    ),
    EquipmentType(
        "COW", "Computer on wheels", "IT_MEDICAL", (("Bytewell", "Nomad 15"),), 0.04, 1.1,
        _habits(patient=(0.6, 15), office=(0.3, 45), corridor=(0.1, 15)),
    ),
    EquipmentType(
        "IMG", "MR coil cart", "IMAGING", (("Magnara", "CoilCart"),), 0.02, 0.9,
        _habits(treatment=(0.8, 90), storage=(0.2, 60)), ("mri",),
    ),
)  # fmt: skip

FORBIDDEN: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "mri": (
        "Ferromagnetic equipment in the MRI room", "CRITICAL",
        ("THERAPEUTIC", "SUPPORT_EQUIPMENT", "PATIENT_MONITORING", "LIFE_SUPPORT", "DIAGNOSTIC",
         "ANESTHESIA", "IT_MEDICAL"),
    ),
    "pharmacy": (
        "Patient equipment in the pharmacy", "WARNING",
        ("SUPPORT_EQUIPMENT", "PATIENT_MONITORING", "LIFE_SUPPORT"),
    ),
    "ot-1": ("Unclean equipment in theatre", "ERROR", ("SUPPORT_EQUIPMENT", "IT_MEDICAL")),
}  # fmt: skip
"""Restricted room -> title, severity and the categories that may not enter it."""


def draw_fleet(rng: np.random.Generator, count: int) -> list[EquipmentType]:
    """`count` types in proportion to their shares (largest remainder), in seeded order."""
    shares = np.array([kind.share for kind in EQUIPMENT])
    exact = shares / shares.sum() * count
    numbers = np.floor(exact).astype(int)
    short = count - int(numbers.sum())
    numbers[np.argsort(numbers - exact, kind="stable")[:short]] += 1
    fleet = [kind for kind, number in zip(EQUIPMENT, numbers, strict=True) for _ in range(number)]
    return [fleet[i] for i in rng.permutation(count)]


def is_forbidden(category: str, room: str) -> bool:
    return room in FORBIDDEN and category in FORBIDDEN[room][2]
