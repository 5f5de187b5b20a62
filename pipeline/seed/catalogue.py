"""What the invented group owns: device types, their models and makers. All names are invented."""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.decoders import gs1


@dataclass(frozen=True)
class DeviceType:
    """`share`: of the fleet, relative. `mtbf_days`: of a unit in service. `use`: hours a day.

    `pm_days`, `calibration_days`: 0 for none. `insulation`, `part`: class and applied part of the
    electrical safety test. `life_years`: planned. `mobile`: wears a tag and wanders. `par`: kept in
    stock on the wards.
    """

    code: str
    name: str
    category: str
    subcategory: str
    share: float
    cost: int
    life_years: int
    pm_days: int
    mtbf_days: int
    use: float
    risk: str = "CLASS_II"
    criticality: str = "MEDIUM"
    calibration_days: int = 0
    insulation: str = "I"
    part: str = "BF"
    weight_kg: float = 10.0
    mobile: bool = True
    par: bool = False
    checkout: bool = False
    training: bool = False
    sensors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Maker:
    code: str
    name: str
    country: str


@dataclass(frozen=True)
class Model:
    """`number` is the maker's; `factor`: price against the type's; `quality`: MTBF against it."""

    type: DeviceType
    maker: Maker
    name: str
    number: str
    factor: float
    quality: float
    gtin: str


TYPES: tuple[DeviceType, ...] = (
    DeviceType("infusion-pump", "Infusion pump, volumetric", "THERAPEUTIC", "Infusion", 24, 2_400,
               8, 365, 900, 9.0, calibration_days=365, weight_kg=2.1, par=True, criticality="HIGH",
               training=True, sensors=("battery_voltage", "current")),
    DeviceType("syringe-pump", "Syringe pump", "THERAPEUTIC", "Infusion", 12, 1_900, 8, 365, 1_000,
               8.0, calibration_days=365, weight_kg=1.8, par=True, criticality="HIGH"),
    DeviceType("patient-monitor", "Patient monitor", "PATIENT_MONITORING", "Vital signs", 14, 8_500,
               8, 365, 1_300, 14.0, weight_kg=5.5, criticality="HIGH",
               sensors=("temperature", "power")),
    DeviceType("telemetry-unit", "Telemetry transmitter", "PATIENT_MONITORING", "Telemetry", 6,
               1_500, 6, 365, 1_100, 12.0, weight_kg=0.3, par=True),
    DeviceType("ventilator", "Ventilator, intensive care", "LIFE_SUPPORT", "Ventilation", 4, 32_000,
               10, 180, 700, 11.0, risk="CLASS_III", criticality="CRITICAL", calibration_days=365,
               part="BF", weight_kg=48.0, training=True, sensors=("pressure", "temperature")),
    DeviceType("transport-ventilator", "Ventilator, transport", "LIFE_SUPPORT", "Ventilation", 2,
               14_000, 8, 180, 800, 3.0, risk="CLASS_III", criticality="CRITICAL", weight_kg=6.0,
               calibration_days=365, checkout=True, training=True),
    DeviceType("defibrillator", "Defibrillator", "LIFE_SUPPORT", "Resuscitation", 4, 9_000, 8, 180,
               1_600, 0.4, risk="CLASS_III", criticality="CRITICAL", part="CF", weight_kg=6.4,
               training=True),
    DeviceType("anesthesia-machine", "Anaesthesia workstation", "ANESTHESIA", "Anaesthesia", 1.5,
               58_000, 10, 180, 600, 7.0, risk="CLASS_III", criticality="CRITICAL",
               calibration_days=365, weight_kg=140.0, mobile=False, training=True,
               sensors=("pressure", "flow")),
    DeviceType("electrosurgical-unit", "Electrosurgical unit", "SURGICAL", "Electrosurgery", 2,
               17_000, 10, 365, 900, 4.0, criticality="HIGH", part="CF", weight_kg=9.0,
               calibration_days=365, mobile=False, training=True),
    DeviceType("surgical-laser", "Surgical laser", "SURGICAL", "Laser", 0.6, 62_000, 8, 180, 500,
               2.0, criticality="HIGH", weight_kg=60.0, mobile=False, training=True),
    DeviceType("ultrasound", "Ultrasound scanner", "IMAGING", "Ultrasound", 3, 74_000, 7, 365, 500,
               5.0, criticality="MEDIUM", weight_kg=78.0, checkout=True, training=True,
               sensors=("temperature",)),
    DeviceType("mobile-xray", "X-ray unit, mobile", "IMAGING", "Radiography", 1, 118_000, 10, 180,
               400, 4.0, criticality="HIGH", weight_kg=420.0, training=True),
    DeviceType("mri", "MRI scanner, 1.5 T", "IMAGING", "Magnetic resonance", 0.15, 1_350_000, 12,
               90, 160, 11.0, criticality="HIGH", weight_kg=5_200.0, mobile=False, training=True,
               sensors=("temperature", "pressure", "power")),
    DeviceType("ct", "CT scanner", "IMAGING", "Computed tomography", 0.25, 890_000, 10, 90, 150,
               10.0, criticality="HIGH", weight_kg=2_100.0, mobile=False, training=True,
               sensors=("temperature", "vibration", "power")),
    DeviceType("ecg", "Electrocardiograph", "DIAGNOSTIC", "Cardiology", 3, 4_200, 8, 365, 1_200,
               2.5, part="CF", weight_kg=5.0),
    DeviceType("bladder-scanner", "Bladder scanner", "DIAGNOSTIC", "Urology", 1.5, 9_800, 7, 365,
               900, 1.5, calibration_days=365, weight_kg=2.7, checkout=True),
    DeviceType("dialysis", "Haemodialysis machine", "THERAPEUTIC", "Dialysis", 1.5, 21_000, 9, 180,
               350, 9.0, criticality="HIGH", weight_kg=85.0, calibration_days=180, training=True,
               sensors=("temperature", "pressure")),
    DeviceType("incubator", "Infant incubator", "THERAPEUTIC", "Neonatal", 1.2, 19_000, 10, 180,
               800, 15.0, criticality="CRITICAL", weight_kg=82.0, calibration_days=365),
    DeviceType("analyzer", "Blood gas analyser", "LABORATORY", "Point of care", 1, 28_000, 7, 180,
               300, 14.0, criticality="HIGH", weight_kg=18.0, calibration_days=90, mobile=False,
               insulation="I", part="NONE", sensors=("temperature",)),
    DeviceType("centrifuge", "Centrifuge", "LABORATORY", "Preparation", 1, 7_400, 10, 365, 900, 6.0,
               weight_kg=32.0, mobile=False, part="NONE", criticality="LOW",
               sensors=("vibration", "temperature")),
    DeviceType("sterilizer", "Steam steriliser", "STERILIZATION", "Steam", 0.5, 82_000, 15, 90, 220,
               10.0, criticality="HIGH", weight_kg=900.0, mobile=False, part="NONE",
               calibration_days=365, sensors=("temperature", "pressure", "vibration")),
    DeviceType("bed", "Hospital bed, electric", "SUPPORT_EQUIPMENT", "Beds", 8, 6_800, 12, 365,
               1_500, 18.0, risk="CLASS_I", criticality="LOW", weight_kg=145.0, part="B"),
    DeviceType("wheelchair", "Wheelchair", "SUPPORT_EQUIPMENT", "Patient transport", 4, 450, 8, 0,
               2_500, 3.0, risk="CLASS_I", criticality="LOW", weight_kg=17.0, insulation="NONE",
               part="NONE", par=True),
    DeviceType("workstation-on-wheels", "Workstation on wheels", "IT_MEDICAL", "Computing", 3,
               3_600, 5, 365, 800, 10.0, risk="CLASS_I", criticality="LOW", weight_kg=41.0,
               part="NONE"),
    DeviceType("warming-cabinet", "Warming cabinet", "OTHER", "Ward equipment", 0.8, 5_200, 12, 365,
               1_600, 20.0, risk="CLASS_I", criticality="LOW", weight_kg=90.0, mobile=False,
               part="NONE", sensors=("temperature",)),
)  # fmt: skip

MAKERS: tuple[Maker, ...] = (
    Maker("halden", "Halden Medical", "NO"),
    Maker("corvida", "Corvida Healthcare", "US"),
    Maker("brightwell", "Brightwell Imaging", "US"),
    Maker("steinbrueck", "Steinbrück Medizintechnik", "DE"),
    Maker("aoyama", "Aoyama Medical Systems", "JP"),
    Maker("lumenta", "Lumenta Surgical", "US"),
    Maker("nordlys", "Nordlys Monitoring", "DK"),
    Maker("veridian", "Veridian Life Support", "US"),
    Maker("castellan", "Castellan Care", "IT"),
    Maker("pulsara", "Pulsara Devices", "FR"),
)

_SERIES = ("Arc", "Nova", "Vita", "Sola", "Terra", "Aero", "Ion", "Luma", "Pico", "Omni")


def _models() -> tuple[Model, ...]:
    """Two or three models of each type, the later ones dearer and sturdier.

    GTINs begin with 9506000, which GS1 keeps for examples.
    """
    found: list[Model] = []
    for i, kind in enumerate(TYPES):
        for j in range(3 if kind.share >= 3 else 2):
            maker = MAKERS[(3 * i + 4 * j) % len(MAKERS)]
            digits = f"09506000{len(found) + 101:05d}"
            found.append(
                Model(
                    kind,
                    maker,
                    f"{_SERIES[(i + 3 * j) % len(_SERIES)]} {kind.name.split(',')[0]}",
                    f"{maker.code[:3].upper()}-{200 + 10 * i + j}",
                    factor=(0.85, 1.0, 1.25)[j],
                    quality=(0.7, 1.0, 1.4)[j],
                    gtin=next(digits + d for d in "0123456789" if gs1.check_digit_ok(digits + d)),
                )
            )
    return tuple(found)


MODELS = _models()
