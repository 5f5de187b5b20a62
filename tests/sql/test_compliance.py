"""Compliance: views and questions against rows reckoned by hand.

The present is 2026-04-01 12:00 in Berlin.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hospital import Analyst, Hospital, two_hospitals

from pipeline.database import connect

NOW = "2026-04-01 10:00+00"


def D(text: str) -> date:
    return date.fromisoformat(text)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}:00+00:00")


def fill(h: Hospital) -> None:
    h.add("registry.department", "ICU", code="icu", name="ICU")
    for name, job in (("Ann", "NURSE"), ("Bob", "NURSE"), ("Cem", "PHYSICIAN"), ("Dora", "NURSE")):
        h.add("registry.user_account", name, username=name, display_name=name, job=job,
              department_id=h.ids["ICU"], active=name != "Dora")  # fmt: skip
    h.add("registry.user_role", user_id=h.ids["Cem"], role="BIOMEDICAL")
    h.model("P100", maker="Alpha", kind="pump", udi_di="00844588003288", udi_issuer="GS1",
            decontamination_protocol="wipe", decontamination_interval_h=48)  # fmt: skip
    h.model("V9", maker="Beta", kind="vent", category="LIFE_SUPPORT", life_support=True)
    h.model("X1", maker="Gamma", kind="x-ray", category="IMAGING", risk_class="CLASS_III")
    h.add("compliance.standard", "IEC", code="IEC 62353", edition="2014", title="Recurrent test",
          effective_from="2014-09-01")  # fmt: skip
    inventory(h)
    recalls(h)
    inspections(h)
    training(h)
    incidents(h)


def inventory(h: Hospital) -> None:
    for procedure, kind in (("PM", "PM"), ("PM2", "PM"), ("EST", "INSPECTION")):
        h.add("maintenance.procedure", procedure, code=procedure, name=procedure, kind=kind,
              interval_days=180)  # fmt: skip
    good = {"criticality": "LOW", "department_id": h.ids["ICU"]}
    h.asset("P-1", "P100", in_service_on="2024-01-01", lot_number="L9", udi_check_ok=True, **good)
    h.asset("P-2", "P100", in_service_on="2024-01-01", lot_number="L12", udi_check_ok=False, **good)
    h.asset("P-3", "P100", in_service_on="2025-05-01", lot_number="", **good)  # no lot
    h.asset("P-4", "P100", in_service_on="2024-01-01", lot_number="L20", udi_check_ok=True, **good)
    h.asset("V-1", "V9", category="LIFE_SUPPORT", in_service_on="2024-01-01", udi_di="B123",
            udi_problem="too short", **good)  # fmt: skip
    h.asset("X-1", "X1", category="IMAGING", in_service_on="2024-01-01", udi_di="X5", **good)
    h.asset("O-1", serial_number="")  # no model, no criticality, no department, no serial
    h.asset("O-2", "P100", status="RETIRED", retired_on="2025-01-01")
    aem = {"strategy": "AEM", "aem_assessor_id": h.ids["Cem"], "aem_assessed_on": "2025-06-01",
           "aem_rationale": "quiet history", "aem_review_due_on": "2026-06-01"}  # fmt: skip
    for tag, procedure, days, more in [
        ("P-1", "PM", 365, aem),
        ("P-3", "PM", 365, {**aem, "aem_review_due_on": "2026-03-31"}),  # new then, review over
        ("P-1", "PM2", 90, {}),
        ("P-2", "PM", 180, {}),
        ("V-1", "PM", 90, {}),
    ]:
        h.add("maintenance.schedule", f"{tag} {procedure}", asset_id=h.ids[tag],
              procedure_id=h.ids[procedure], interval_days=days, starts_on="2025-01-01",
              **more)  # fmt: skip
    for due_on, grace, outcome, done in [
        ("2025-10-01", "2025-10-31", "COMPLETED", "2025-10-15"),
        ("2026-01-01", "2026-01-31", "COMPLETED", "2026-02-01"),
        ("2026-02-01", "2026-02-28", "NOT_LOCATED", None),
        ("2026-03-01", "2026-03-31", "OPEN", None),
        ("2026-03-20", "2026-04-20", "OPEN", None),
        ("2026-03-25", "2026-04-20", "CANCELLED", None),
    ]:
        h.add("maintenance.occurrence", asset_id=h.ids["V-1"], schedule_id=h.ids["V-1 PM"],
              due_on=due_on, grace_until=grace, outcome=outcome, completed_on=done)  # fmt: skip


def recalls(h: Hospital) -> None:
    for number, severity, maker, received, more in [
        # lots L9 to L12 of the pump: L9 and L12 as people count, not L20; without a lot, look
        ("Z-1", "CLASS_I", "ALPHA", "2026-03-01 10:00+00", {"due_on": "2026-03-31"}),
        ("Z-2", "CLASS_II", "Beta", "2026-03-20 10:00+00", {}),
        ("Z-3", "CLASS_I", "Nobody", "2026-03-20 10:00+00", {}),
        ("Z-4", "CLASS_II", "Alpha", "2026-01-01 10:00+00",
         {"status": "CLOSED", "closed_at": "2026-02-01 10:00+00", "due_on": "2026-01-15"}),
    ]:  # fmt: skip
        h.add("compliance.recall", number, agency="FDA", number=number, recall_class=severity,
              title=f"About {number}", manufacturer=maker, published_on="2026-01-01",
              received_at=received, **more)  # fmt: skip
    for number, scope in [
        ("Z-1", {"model_number": "p100", "lot_from": "L9", "lot_to": "L12"}),
        ("Z-2", {"model_number": "V9"}),
        ("Z-3", {"model_number": "P100"}),
        ("Z-4", {"model_number": "P100"}),
    ]:
        h.add("compliance.recall_scope", recall_id=h.ids[number], **scope)
    for number, tag, assessment, disposition, done in [
        ("Z-1", "P-2", "AFFECTED", "CORRECTED", "2026-03-03 22:00+00"),
        ("Z-2", "V-1", "NOT_AFFECTED", "NOT_AFFECTED", "2026-03-21 10:00+00"),
        ("Z-4", "P-1", "AFFECTED", "CORRECTED", "2026-01-11 10:00+00"),
        ("Z-4", "P-2", "AFFECTED", "REMOVED", "2026-01-31 10:00+00"),
        ("Z-4", "P-4", "AFFECTED", "OPEN", None),
    ]:
        h.add("compliance.recall_asset", recall_id=h.ids[number], asset_id=h.ids[tag],
              match_basis="LOT", assessment=assessment, disposition=disposition,
              disposed_at=done)  # fmt: skip
    h.place("P-1", "north-ward", "2026-04-01 09:00+00")


def inspections(h: Hospital) -> None:
    h.add("maintenance.schedule", asset_id=h.ids["X-1"], kind="INSPECTION",
          procedure_id=h.ids["EST"], interval_days=365, starts_on="2026-04-10")  # fmt: skip
    h.add("maintenance.schedule", asset_id=h.ids["V-1"], kind="INSPECTION",
          procedure_id=h.ids["EST"], interval_days=365, starts_on="2025-01-10")  # fmt: skip
    for tag, day, result, earth, leakage in [
        ("V-1", "2024-02-01", "PASS", 100, [80, 50]),
        ("V-1", "2025-02-01", "PASS", 150, [120, 60]),
        ("P-1", "2026-01-01", "FAIL", 350, [30]),
    ]:
        inspection = h.add(
            "compliance.inspection", asset_id=h.ids[tag], kind="ELECTRICAL_SAFETY",
            standard_id=h.ids["IEC"], performed_on=day, result=result,
            next_due_on="2027-01-01" if tag == "P-1" else None,
        )  # fmt: skip
        values = [("EARTH_RESISTANCE", None, earth, "mOhm", 300)]
        values += [
            ("EQUIPMENT_LEAKAGE", f"part {number}", value, "uA", 500 - 400 * number)
            for number, value in enumerate(leakage)
        ]
        for test, part, value, unit, limit in values:
            passed = {"pass": value <= limit}
            h.add("compliance.measurement", inspection_id=inspection, test=test, part=part,
                  value=value, unit=unit, limit_value=limit, **passed)  # fmt: skip


def training(h: Hospital) -> None:
    for kind, model, job, days in [
        ("pump", None, "NURSE", 365), ("vent", "V9", None, None),
        ("x-ray", None, "PHYSICIAN", None),
    ]:  # fmt: skip
        h.add("compliance.training_requirement", device_type_id=h.ids[kind],
              device_model_id=h.ids[model] if model else None, job=job,
              valid_days=days)  # fmt: skip
    for person, kind, model, day, until, result in [
        ("Ann", "pump", None, "2025-06-01", None, "PASS"),  # a year by the requirement
        ("Ann", "pump", None, "2025-12-01", "2026-04-15", "PASS"),  # newer, and ends earlier
        ("Bob", "pump", "P100", "2026-01-01", None, "PASS"),  # one model is not the type
        ("Bob", "vent", None, "2024-01-01", "2026-03-15", "PASS"),
        ("Cem", "x-ray", None, "2026-01-01", None, "FAIL"),
        ("Ann", "x-ray", None, "2026-01-01", None, "PASS"),  # nobody asks for it
    ]:  # fmt: skip
        h.add("compliance.training", user_id=h.ids[person], device_type_id=h.ids[kind],
              device_model_id=h.ids[model] if model else None, trained_on=day, valid_until=until,
              result=result)  # fmt: skip
    for person, tag, during in [
        ("Bob", "V-1", "[2026-03-10 08:00+00, 2026-03-10 09:00+00)"),  # valid then
        ("Bob", "V-1", "[2026-03-20 08:00+00, 2026-03-20 09:00+00)"),  # no more
        ("Bob", "P-1", "[2026-03-20 08:00+00, 2026-03-20 09:00+00)"),
        ("Bob", "P-2", "[2026-03-21 08:00+00, 2026-03-21 09:00+00)"),
        ("Ann", "P-1", "[2026-03-21 08:00+00, 2026-03-21 09:00+00)"),
    ]:
        h.add("registry.assignment", asset_id=h.ids[tag], kind="OPERATION",
              user_id=h.ids[person], during=during)  # fmt: skip


def incidents(h: Hospital) -> None:
    for number, day, more in [
        ("I-1", "2026-03-01", {"reportable": True, "report_due_on": "2026-03-13"}),
        ("I-2", "2026-03-02", {"reportable": True, "report_due_on": "2026-03-16",
                               "report_sent_on": "2026-03-16"}),
        ("I-3", "2026-03-03", {}),
    ]:  # fmt: skip
        h.add("compliance.incident", number, facility_id=h.ids["north"], number=number,
              occurred_at=f"{day} 10:00+00", reported_at=f"{day} 11:00+00", harm="SERIOUS",
              description="it stopped", **more)  # fmt: skip
    for number, tag, held, released in [
        ("I-1", "V-1", "2026-03-01 12:00+00", None),
        ("I-2", "P-1", "2026-03-02 12:00+00", "2026-03-05 12:00+00"),
        ("I-3", "P-2", None, None),
    ]:
        h.add("compliance.incident_device", incident_id=h.ids[number], asset_id=h.ids[tag],
              quarantined_at=held, released_at=released)  # fmt: skip
    for kind, number, issued, expires, holder in [
        ("ISO", "ISO-1", "2023-04-01", "2026-04-30", {"facility_id": h.ids["north"]}),
        ("RADIATION", "R-1", "2020-01-01", "2025-12-31", {"asset_id": h.ids["X-1"]}),
        ("RADIATION", "R-2", "2025-12-01", "2030-12-31", {"asset_id": h.ids["X-1"]}),  # renewed
        ("LICENCE", "L-1", "2020-01-01", "2026-03-01", {"user_id": h.ids["Cem"]}),
        ("CE", "CE-1", "2020-01-01", None, {"device_model_id": h.ids["P100"]}),
    ]:
        h.add("compliance.certificate", kind=kind, number=number, issuer="TUV", issued_on=issued,
              expires_on=expires, **holder)  # fmt: skip
    for tag, when, result in [
        ("P-1", "2026-04-01 06:00+00", "PASS"),
        ("P-2", "2026-04-01 06:00+00", "PASS"),
        ("P-2", "2026-04-01 09:00+00", "FAIL"),  # failed: not clean
        ("P-3", "2026-03-29 10:00+00", "PASS"),  # 72 h ago
    ]:
        h.add("maintenance.decontamination", asset_id=h.ids[tag], performed_at=when,
              method="CLEANING", result=result)  # fmt: skip
    h.used("P-1", "IN_USE", "2026-04-01 05:00+00", "2026-04-01 06:00+00")  # clean since
    h.used("P-2", "IN_USE", "2026-04-01 07:00+00", "2026-04-01 08:00+00")
    for tag, data, wipe, certificate, approved, method in [
        ("D-1", True, None, None, "Cem", "SCRAPPED"),
        ("D-2", True, "W-2", "D-2", "Cem", "SOLD"),
        ("D-3", False, None, None, None, "LOST"),
        ("D-4", True, None, "D-4", "Cem", "SOLD"),  # wiped, by a certificate of its own
    ]:
        h.asset(tag, "X1", category="IMAGING", status="DISPOSED")
        h.add("finance.disposal", asset_id=h.ids[tag], disposed_on="2026-02-01", method=method,
              holds_data=data, data_wipe_certificate=wipe, disposal_certificate=certificate,
              approved_by=h.ids[approved] if approved else None,
              currency_code="EUR")  # fmt: skip
    h.add("compliance.certificate", kind="DATA_WIPE", number="W-4", issuer="IT",
          issued_on="2026-02-01", asset_id=h.ids["D-4"])  # fmt: skip
    h.asset("D-5", "X1", category="IMAGING", status="DISPOSED")


@pytest.fixture(scope="module")
def analyst(server: Any) -> Iterator[Analyst]:
    with two_hospitals(server, fill) as (url, hospital), connect(url) as connection:
        yield Analyst(connection, hospital.id, NOW)


TAG = "(select tag_number from registry.asset where id = asset_id)"


@pytest.mark.parametrize(
    ("number", "low", "high", "expected"),
    [
        ("L9", "L9", "L12", True),
        ("L10", "L9", "L12", True),  # as people count, not as text sorts
        ("l-012", "L9", "L12", True),
        ("L13", "L9", "L12", False),
        ("L8", "L9", "L12", False),
        ("L9", "L9", None, True),
        ("L10", "L9", None, False),
        ("", "L9", "L12", None),  # not recorded
        (None, "L9", "L12", None),
        ("SN00123", "00100", "00200", None),  # another form: somebody must look
        ("00123", "00100", "00200", True),
        ("SN123", "123", None, None),
        ("999", "123", None, False),
        ("A1B2", "A1B1", "A1B9", True),
        (None, None, None, True),  # the recall does not ask
    ],
)
def test_numbers_within_a_recall(
    analyst: Analyst, number: str | None, low: str | None, high: str | None, expected: bool | None
) -> None:
    values = ", ".join("null" if text is None else f"'{text}'" for text in (number, low, high))
    assert analyst.select(f"select reporting.in_number_range({values})") == [(expected,)]


RECALL = f"number, {TAG}, recall_class, severity_rank, match_basis, assessment, disposition"


def test_view_v_recall_exposure(analyst: Analyst) -> None:
    columns = f"{RECALL}, located_room, days_open, due_on, recorded"
    due, first = D("2026-03-31"), ("CLASS_I", 1, "LOT")
    assert analyst.view("v_recall_exposure", columns) == [
        # without a lot it is not unaffected; nor is one that is retired but still here
        ("Z-1", "O-2", *first, "NEEDS_INSPECTION", "OPEN", None, 31, due, False),
        # L9: nobody has taken it up yet
        ("Z-1", "P-1", *first, "AFFECTED", "OPEN", "Ward", 31, due, False),
        ("Z-1", "P-2", *first, "AFFECTED", "CORRECTED", None, 2, due, True),
        ("Z-1", "P-3", *first, "NEEDS_INSPECTION", "OPEN", None, 31, due, False),
    ]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("udi_di = '00844588003288', model_number = null", ("UDI", "AFFECTED")),
        ("serial_from = 'S-P-1', model_number = 'P100'", ("SERIAL", "AFFECTED")),
        ("manufactured_from = '2024-01-01', model_number = 'P100'", ("DATE", "NEEDS_INSPECTION")),
        ("software_version = '2.1', model_number = 'P100'", ("MODEL", "NEEDS_INSPECTION")),
        ("serial_from = 'S-P-7', serial_to = 'S-P-9', model_number = 'P100'", None),
        ("model_number = 'P200'", None),
    ],
)
def test_each_thing_a_recall_may_name(
    analyst: Analyst, scope: str, expected: tuple[str, str] | None
) -> None:
    """What it says of P-1, whose date of manufacture and software are not recorded."""
    with analyst.conn.transaction(force_rollback=True):
        analyst.conn.execute(
            f"update compliance.recall_scope set lot_from = null, lot_to = null, {scope} "
            "where recall_id in (select id from compliance.recall where number = 'Z-1')".encode()
        )
        rows = analyst.view(
            "v_recall_exposure", "match_basis, assessment", f"number = 'Z-1' and {TAG} = 'P-1'"
        )
    assert rows == ([expected] if expected else [])


def test_view_v_safety_inspection_status(analyst: Analyst) -> None:
    columns = (
        f"{TAG}, standard, last_test, result, earth_mohm, leakage_ua, limit_ua, due_on, status"
    )
    assert analyst.view("v_safety_inspection_status", columns) == [
        ("P-1", "IEC 62353 2014", D("2026-01-01"), "FAIL", 350, 30, 500, D("2027-01-01"), "FAILED"),
        # the limit of the highest leakage; due a year after the last
        ("V-1", "IEC 62353 2014", D("2025-02-01"), "PASS", 150, 120, 500, D("2026-02-01"),
         "OVERDUE"),
        ("X-1", None, None, None, None, None, None, D("2026-04-10"), "NEVER"),
    ]  # fmt: skip


def test_view_v_training_compliance(analyst: Analyst) -> None:
    columns = (
        "(select display_name from registry.user_account where id = user_id), device_type, "
        "device_model, required, last_trained, valid_until, status"
    )
    rows = analyst.view("v_training_compliance", columns)
    assert rows == [
        # the older training is valid longer
        ("Ann", "Pump", None, True, D("2025-06-01"), D("2026-06-01"), "VALID"),
        ("Ann", "X-Ray", None, False, D("2026-01-01"), None, "VALID"),
        # a training on one model does not cover the type
        ("Bob", "Pump", "P100", False, D("2026-01-01"), None, "VALID"),
        ("Bob", "Pump", None, True, None, None, "MISSING"),
        # one on the type covers the model
        ("Bob", "Vent", "V9", True, D("2024-01-01"), D("2026-03-15"), "EXPIRED"),
        ("Bob", "Vent", None, False, D("2024-01-01"), D("2026-03-15"), "EXPIRED"),
        ("Cem", "X-Ray", None, True, None, None, "MISSING"),  # failed it
    ]


def test_view_v_udi_quality(analyst: Analyst) -> None:
    columns = f"{TAG}, issuer, udi_di, check_ok, lot, serial, problem"
    where = f"{TAG} ~ '^[OPVX]'"
    di = ("GS1", "00844588003288")
    assert analyst.view("v_udi_quality", columns, where) == [
        ("O-1", None, None, None, None, "", "missing"),
        ("O-2", *di, None, None, "S-O-2", "not checked"),
        ("P-1", *di, True, "L9", "S-P-1", None),
        ("P-2", *di, False, "L12", "S-P-2", "check character wrong"),
        ("P-3", *di, None, "", "S-P-3", "not checked"),
        ("P-4", *di, True, "L20", "S-P-4", None),
        ("V-1", None, "B123", None, None, "S-V-1", "too short"),
        ("X-1", None, "X5", None, None, "S-X-1", "issuer unknown"),
    ]


def test_c01_inventory_completeness(analyst: Analyst) -> None:
    columns = "asset_tag device_class high_risk strategy schedules interval_days missing"
    assert analyst.query("C01", columns) == [
        ("V-1", "CLASS_II", True, "OEM", 1, 90, []),
        ("X-1", "CLASS_III", True, "NONE", 0, None, ["strategy"]),
        ("O-1", None, False, "NONE", 0, None,
         ["model", "serial", "criticality", "device_class", "department", "strategy"]),
        ("P-1", "CLASS_II", False, "MIXED", 2, 90, []),
        ("P-2", "CLASS_II", False, "OEM", 1, 180, []),
        ("P-3", "CLASS_II", False, "AEM", 1, 365, []),
        ("P-4", "CLASS_II", False, "NONE", 0, None, ["strategy"]),
    ]  # fmt: skip


def test_c02_high_risk_pm_100(analyst: Analyst) -> None:
    assert analyst.query("C02") == [
        ("V-1", "Device V-1", "LIFE_SUPPORT", "north", "ICU", 5, 1, 1, 1, 0, 1, 1, 20)
    ]
    # Only the one in October: all done.
    assert analyst.query("C02", **{"from": "2025-10-01", "to": "2025-10-31"}) == []


def test_c03_aem_register(analyst: Analyst) -> None:
    columns = "asset_tag procedure interval_days oem_interval_days assessor review_due_on problems"
    assert analyst.query("C03", columns) == [
        ("P-3", "PM", 365, 180, "Cem", D("2026-03-31"), ["NO_HISTORY", "REVIEW_OVERDUE"]),
        ("P-1", "PM", 365, 180, "Cem", D("2026-06-01"), []),
    ]


def test_c03_flags_what_must_not_be_there(analyst: Analyst) -> None:
    """The triggers refuse it; data from before them, or from elsewhere, are still found."""
    with analyst.conn.transaction(force_rollback=True):
        analyst.conn.execute("alter table registry.asset disable trigger refuse_aem")
        analyst.conn.execute("alter table registry.device_type disable trigger refuse_aem")
        analyst.conn.execute(
            "update registry.asset set category = 'IMAGING' where tag_number = 'P-1'"
        )
        analyst.conn.execute("update registry.device_type set is_laser = true where code = 'pump'")
        assert analyst.query("C03", "asset_tag problems") == [
            ("P-3", ["LASER", "NO_HISTORY", "REVIEW_OVERDUE"]),
            ("P-1", ["IMAGING", "LASER"]),
        ]


def test_c04_safety_test_due(analyst: Analyst) -> None:
    columns = "status asset_tag due_on days_to_due last_test standard room"
    iec = "IEC 62353 2014"
    assert analyst.query("C04", columns) == [
        ("FAILED", "P-1", D("2027-01-01"), 275, D("2026-01-01"), iec, "Ward"),
        ("NEVER", "X-1", D("2026-04-10"), 9, None, None, None),
        ("OVERDUE", "V-1", D("2026-02-01"), -59, D("2025-02-01"), iec, None),
    ]


def test_c05_safety_test_trend(analyst: Analyst) -> None:
    columns = "test part performed_on value limit_value pct_of_limit first_value change_pct pass"
    first, second = D("2024-02-01"), D("2025-02-01")
    assert analyst.query("C05", columns, tag="V-1") == [
        ("EARTH_RESISTANCE", None, first, 100, 300, Decimal("33.3"), 100, 0, True),
        ("EARTH_RESISTANCE", None, second, 150, 300, 50, 100, 50, True),
        ("EQUIPMENT_LEAKAGE", "part 0", first, 80, 500, 16, 80, 0, True),
        ("EQUIPMENT_LEAKAGE", "part 0", second, 120, 500, 24, 80, 50, True),
        ("EQUIPMENT_LEAKAGE", "part 1", first, 50, 100, 50, 50, 0, True),
        ("EQUIPMENT_LEAKAGE", "part 1", second, 60, 100, 60, 50, 20, True),
    ]


def test_c06_recalls_open(analyst: Analyst) -> None:
    columns = (
        "severity_rank recall_class number days_open is_overdue affected needs_inspection located "
        "done not_found"
    )
    assert analyst.query("C06", columns) == [
        (1, "CLASS_I", "Z-1", 31, True, 2, 2, 1, 1, 0),
        (1, "CLASS_I", "Z-3", 12, False, 0, 0, 0, 0, 0),
        (2, "CLASS_II", "Z-2", 12, False, 0, 0, 0, 0, 0),  # found not to be affected
    ]


def test_c07_recall_affected_assets(analyst: Analyst) -> None:
    columns = "number asset_tag lot match_basis assessment disposition recorded located_room"
    expected = [
        ("Z-1", "P-1", "L9", "LOT", "AFFECTED", "OPEN", False, "Ward"),
        ("Z-1", "P-2", "L12", "LOT", "AFFECTED", "CORRECTED", True, None),
        ("Z-1", "O-2", None, "LOT", "NEEDS_INSPECTION", "OPEN", False, None),
        ("Z-1", "P-3", "", "LOT", "NEEDS_INSPECTION", "OPEN", False, None),
    ]
    assert analyst.query("C07", columns) == expected
    assert analyst.query("C07", columns, recall="z-1") == expected
    assert analyst.query("C07", recall="Z-2") == []


def test_c08_recall_response_time(analyst: Analyst) -> None:
    assert analyst.query("C08") == [
        # 2.5 days; Z-3 concerns nothing
        ("CLASS_I", 2, 1, 1, 0, Decimal("2.5"), Decimal("2.5"), Decimal("2.5"), 100),
        # 10 and 30 days, and 1 for the one of Z-2; one of Z-4 is open and past its date
        ("CLASS_II", 2, 4, 3, 1, 10, 26, 30, Decimal("33.3")),
    ]


def test_c09_udi_quality(analyst: Analyst) -> None:
    given = (
        "issuer assets sound missing check_failed malformed not_checked issuer_unknown sound_pct"
    )
    assert analyst.query("C09", given) == [
        ("GS1", 4, 2, 0, 1, 0, 1, 0, 50),
        (None, 3, 0, 1, 0, 1, 0, 1, 0),
    ]


def test_c10_certificate_expiry(analyst: Analyst) -> None:
    columns = "kind number holder_kind holder expires_on days_left"
    assert analyst.query("C10", columns) == [
        ("LICENCE", "L-1", "person", "Cem", D("2026-03-01"), -31),
        ("ISO", "ISO-1", "facility", "North", D("2026-04-30"), 29),
    ]
    # Before the licence was renewed it was about to expire.
    assert analyst.query("C10", "number", as_of="2025-11-30 12:00+00") == [("R-1",)]


def test_c11_operator_competence_gaps(analyst: Analyst) -> None:
    columns = (
        "operator device_type device_model status last_trained valid_until uses devices last_use"
    )
    assert analyst.query("C11", columns) == [
        ("Bob", "Pump", None, "MISSING", None, None, 2, 2, at("03-21T08:00")),
        ("Bob", "Vent", "V9", "EXPIRED", D("2024-01-01"), D("2026-03-15"), 1, 1, at("03-20T08:00")),
    ]


def test_c12_incident_devices(analyst: Analyst) -> None:
    columns = "number asset_tag quarantine reportable report_days_left report_state"
    assert analyst.query("C12", columns) == [
        ("I-3", "P-2", "NONE", False, None, "NONE"),
        ("I-2", "P-1", "RELEASED", True, None, "SENT"),
        ("I-1", "V-1", "HELD", True, -19, "OVERDUE"),
    ]


def _as(analyst: Analyst, statement: str, user: str = "Cem") -> None:
    """Changes as the application does, on behalf of a user; the trail is written at once."""
    conn = analyst.conn
    conn.execute("set constraints all immediate")
    conn.execute(
        "select set_config('app.org_id', %s, true), set_config('app.user_id', (select id::text "
        "from registry.user_account where display_name = %s and organization_id = %s), true)",
        (str(analyst.organization), user, analyst.organization),
    )
    conn.execute("set local role biotrakr_app")
    conn.execute("select set_config('app.reason', 'spring cleaning', true)")
    conn.execute(statement.encode())
    conn.execute("reset role")
    conn.execute("select set_config('app.user_id', '', true)")


def test_c13_audit_trail_asset(analyst: Analyst) -> None:
    with analyst.conn.transaction(force_rollback=True):
        _as(
            analyst,
            "update registry.asset set name = 'Old pump', criticality = 'HIGH' "
            "where tag_number = 'P-1'",
        )
        columns = "action version field before after person role reason"
        rows = analyst.query("C13", columns, as_of="2036-01-01", tag="P-1")
        cem = ("Cem", "biotrakr_app", "spring cleaning")
        assert rows[:2] == [
            ("UPDATE", 2, "criticality", "LOW", "HIGH", *cem),
            ("UPDATE", 2, "name", "Device P-1", "Old pump", *cem),
        ]
        assert [row[:3] for row in rows[2:]] == [("INSERT", 1, None)]
        changed = analyst.query(
            "A14", "asset_tag version fields people is_deleted", since="-infinity"
        )
        assert changed[0] == ("P-1", 2, ["criticality", "name"], ["Cem", "postgres"], False)


def test_c14_audit_privileged_access(analyst: Analyst) -> None:
    """Every insert of the fixture was a superuser's; the export is a user's."""
    with analyst.conn.transaction(force_rollback=True):
        _as(analyst, "select audit.note('EXPORT', 'registry.asset', 'for finance')")
        given = {"from": "-infinity", "to": "infinity", "day_starts_h": 0, "day_ends_h": 0}
        columns = "reasons action relation person reason"
        rows = analyst.query("C14", columns, **given)
        assert rows[0] == (
            ["EXPORT", "OUT_OF_HOURS"], "EXPORT", "registry.asset", "Cem", "for finance",
        )  # fmt: skip
        assert {tuple(row[0]) for row in rows[1:]} == {("BYPASS_ROLE",)}
        (entries,) = analyst.select("select count(*) from audit.log")
        assert len(rows) == entries[0]


def test_c15_audit_gaps(analyst: Analyst) -> None:
    today = datetime.now(UTC).date()
    given = {"from": today, "to": today}
    (count,) = analyst.select("select count(*) || ' entries' from audit.log")
    unreviewed = ("UNREVIEWED_DAY", str(today), count[0])
    assert analyst.query("C15", **given) == [unreviewed]
    with analyst.conn.transaction(force_rollback=True):
        analyst.conn.execute("alter table finance.benefit no force row level security")
        analyst.conn.execute("alter table finance.rental disable trigger audit")
        analyst.conn.execute("alter table audit.log disable trigger append_only")
        analyst.conn.execute(
            "delete from audit.log where sequence = 3 and organization_id = %s",
            (analyst.organization,),
        )
        analyst.conn.execute(
            "insert into audit.review (organization_id, from_at, until_at, finding, "
            "head_sequence, head_hash) values (%s, %s, %s, 'nothing', 2, sha256(''))",
            (analyst.organization, f"{today} 00:00+00", "2100-01-01"),
        )
        rows = analyst.query("C15", **given)
    assert [row[:2] for row in rows] == [
        ("ANCHOR_BROKEN", "2"),
        ("NO_AUDIT_TRIGGER", "finance.rental"),
        ("NO_ROW_SECURITY", "finance.benefit"),
        ("SEQUENCE_GAP", "4"),
    ]


def test_c16_decontamination_overdue(analyst: Analyst) -> None:
    columns = "asset_tag reason last_used_at last_decontaminated_at hours_overdue protocol"
    assert analyst.query("C16", columns) == [
        ("P-3", "TOO_OLD", None, at("03-29T10:00"), 24, "wipe"),
        ("P-2", "USED_SINCE", at("04-01T08:00"), at("04-01T06:00"), 2, "wipe"),
        ("P-4", "NEVER", None, None, None, "wipe"),
    ]
    # While it is in use it is nobody's fault.
    rows = analyst.query("C16", "asset_tag", as_of="2026-04-01 07:30+00")
    assert ("P-2",) not in rows


def test_c17_disposal_evidence(analyst: Analyst) -> None:
    columns = "asset_tag method missing approved_by"
    assert analyst.query("C17", columns) == [
        ("D-5", None, ["DISPOSAL_RECORD"], None),
        ("D-1", "SCRAPPED", ["DATA_WIPE_CERTIFICATE", "DISPOSAL_CERTIFICATE"], "Cem"),
        ("D-3", "LOST", ["APPROVAL"], None),
    ]
