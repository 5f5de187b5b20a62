"""Maintenance: views and questions against rows reckoned by hand.

The present is 2026-04-01 12:00 in Berlin, three days after the clocks went forward.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hospital import Analyst, Hospital, two_hospitals
from scipy.stats import chi2

from pipeline.database import connect

NOW = "2026-04-01 10:00+00"
# Midnight in Berlin of the day on which the devices of the reliability figures went into service.
START = datetime(2025, 12, 31, 23, tzinfo=UTC)


def D(text: str) -> date:
    return date.fromisoformat(text)


def after(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def fill(h: Hospital) -> None:
    h.facility("south", "America/New_York")
    h.model("P100", maker="Alpha", kind="pump")
    h.model("V9", maker="Beta", kind="vent", category="LIFE_SUPPORT", life_support=True)
    h.model("R1", maker="Alpha", kind="reliable")
    h.model("Z1", maker="Alpha", kind="reliable")
    h.model("C7", maker="Beta", kind="meter", requires_calibration=True)
    h.add("registry.alert_policy", name="usual", is_default=True, pm_days_before=10)
    h.add("registry.department", "ICU", code="icu", name="ICU", facility_id=h.ids["north"])
    for name, hours in (("Tom", 10), ("Eve", 20)):
        h.add("registry.user_account", name, username=name, display_name=name, job="TECHNICIAN",
              weekly_capacity_h=hours)  # fmt: skip
    h.add("registry.vendor", "Serv", code="serv", name="Serv Co", type="SERVICE_PROVIDER")
    h.add("registry.contract", "C-1", vendor_id=h.ids["Serv"], number="C-1", kind="AMC",
          starts_on="2026-01-01", ends_on="2026-12-31", annual_cost=1000, currency_code="EUR",
          service_level="FOUR_HOURS")  # fmt: skip
    preventive(h)
    work(h)
    reliability(h)
    calibration(h)


def preventive(h: Hospital) -> None:
    h.add("maintenance.procedure", "PMP", code="PMP", name="Pump check", kind="PM",
          interval_days=180, estimated_hours=1.5)  # fmt: skip
    h.add("maintenance.procedure", "PMV", code="PMV", name="Vent check", kind="PM",
          interval_days=90, grace_days=5, estimated_hours=2)  # fmt: skip
    aem = {"strategy": "AEM", "aem_assessor_id": h.ids["Eve"], "aem_assessed_on": "2025-06-01",
           "aem_rationale": "quiet history", "aem_review_due_on": "2026-06-01"}  # fmt: skip
    for tag, model, starts_on, asset, plan, occurrences in [
        # done on the last day of the month: still on time
        ("P-1", "P100", "2026-01-15", {}, {}, [("2026-01-15", "2026-01-31", "2026-01-31"),
                                              ("2026-07-14", "2026-07-31", "OPEN")]),
        ("P-2", "P100", "2026-02-10", {}, {}, [("2026-02-10", "2026-02-28", "NOT_LOCATED")]),
        ("P-3", "P100", "2026-03-20", {}, {}, [("2026-03-20", "2026-03-31", "OPEN")]),
        ("P-4", "P100", "2026-03-30", {}, {}, [("2026-03-30", "2026-04-05", "OPEN")]),
        ("P-5", "P100", "2026-04-08", {}, {}, []),
        ("P-6", "P100", "2025-06-01", {}, {}, [("2025-06-01", "2025-06-30", "MISSED")]),
        ("P-7", "P100", "2026-03-01", {}, {}, [("2026-03-01", "2026-03-31", "CANCELLED")]),
        ("P-8", "P100", "2026-03-05", {"deleted_at": "2026-03-10"}, {},
         [("2026-03-05", "2026-03-31", "OPEN")]),
        # a day late; then in use
        ("V-1", "V9", "2026-02-01", {}, {}, [("2026-02-01", "2026-02-06", "2026-02-07"),
                                            ("2026-03-25", "2026-03-30", "IN_USE")]),
        # retired on the day on which it was due: it still had to be done; later no more
        ("V-2", "V9", "2026-01-31", {"retired_on": "2026-01-31", "status": "RETIRED"}, {},
         [("2026-01-31", "2026-02-05", "MISSED"), ("2026-02-15", "2026-02-20", "OPEN")]),
        ("V-3", "V9", "2026-01-10", {}, aem, [("2026-01-10", "2026-01-15", "2026-01-10"),
                                             ("2026-04-10", "2026-04-15", "OPEN")]),
    ]:  # fmt: skip
        pump = model == "P100"
        h.asset(tag, model, category="THERAPEUTIC" if pump else "LIFE_SUPPORT",
                in_service_on="2025-01-01", **asset)  # fmt: skip
        schedule = h.add(
            "maintenance.schedule", f"{tag} plan", asset_id=h.ids[tag], starts_on=starts_on,
            procedure_id=h.ids["PMP" if pump else "PMV"], interval_days=180 if pump else 90,
            technician_id=h.ids["Tom" if pump else "Eve"], **plan,
        )  # fmt: skip
        for due_on, grace_until, what in occurrences:
            done = what[0] == "2"
            h.add("maintenance.occurrence", asset_id=h.ids[tag], schedule_id=schedule,
                  due_on=due_on, grace_until=grace_until,
                  outcome="COMPLETED" if done else what,
                  completed_on=what if done else None)  # fmt: skip
    h.place("P-2", "north-store", "2026-04-01 09:50+00")
    h.place("P-3", "north-ward", "2026-04-01 09:59+00")
    h.place("P-4", "north-ward", "2026-03-31 09:59+00")  # not seen since yesterday
    h.place("V-1", "north-ward", "2026-04-01 09:59+00")
    h.used("P-2", "AVAILABLE", "2026-04-01 06:00+00", None)
    h.used("P-3", "AVAILABLE", "2026-04-01 06:00+00", None)
    h.used("V-1", "IN_USE", "2026-04-01 06:00+00", None)


def order(h: Hospital, number: str, tag: str, reported_at: Any, **values: Any) -> None:
    plain = {"type": "CORRECTIVE_MAINTENANCE", "title": number, "status": "ASSIGNED"}
    if "completed_at" in values:
        plain["status"] = "COMPLETED"
    h.add("maintenance.work_order", number, number=number, asset_id=h.ids[tag],
          reported_at=reported_at, **{**plain, **values})  # fmt: skip


def work(h: Hospital) -> None:
    order(h, "WO-1", "P-1", "2026-03-31 08:00+00", priority="HIGH", technician_id=h.ids["Tom"],
          response_due_at="2026-03-31 12:00+00", responded_at="2026-03-31 11:00+00",
          resolution_due_at="2026-04-01 08:00+00", estimated_cost=120, currency_code="EUR",
          estimated_hours=3, scheduled_for="2026-04-02")  # fmt: skip
    order(h, "WO-2", "V-1", "2026-03-25 07:00+00", type="PREVENTIVE_MAINTENANCE",
          technician_id=h.ids["Eve"], estimated_hours=2, schedule_id=h.ids["V-1 plan"])  # fmt: skip
    serv = {"vendor_id": h.ids["Serv"], "contract_id": h.ids["C-1"]}
    # 1 March 00:30 in Berlin: of March, although it is February in Greenwich
    order(h, "WO-3", "P-2", "2026-02-28 23:30+00", **serv,
          response_due_at="2026-03-01 03:30+00", responded_at="2026-03-01 05:00+00",
          resolution_due_at="2026-03-01 23:30+00", restored_at="2026-03-01 20:00+00",
          completed_at="2026-03-01 20:00+00", labor_cost=0, vendor_cost=80,
          currency_code="EUR")  # fmt: skip
    order(h, "WO-4", "P-3", "2026-03-31 21:00+00", **serv,
          response_due_at="2026-04-01 08:00+00")  # fmt: skip
    order(h, "WO-5", "P-3", "2026-03-31 22:30+00", **serv,  # 1 April in Berlin
          response_due_at="2026-04-01 08:00+00")  # fmt: skip
    order(h, "WO-6", "P-4", "2026-03-01 09:00+00", status="CANCELLED")
    # failures around the maintenance of P-1 on 31 January: one before, one on that day
    for number, day in (("WO-7", "2026-01-20"), ("WO-8", "2026-01-31")):
        order(h, number, "P-1", f"{day} 09:00+00", failed_at=f"{day} 08:00+00",
              restored_at=f"{day} 12:00+00", completed_at=f"{day} 12:00+00",
              failure_confirmed=True, outcome="REPAIRED")  # fmt: skip
    for part, stock, reorder in (("B-1", 6, 2), ("F-1", 1, 2)):
        h.add("maintenance.spare_part", part, part_number=part, name=f"Part {part}", unit_cost=4,
              currency_code="EUR", lead_time_days=30)  # fmt: skip
        h.add("maintenance.part_stock", spare_part_id=h.ids[part], facility_id=h.ids["north"],
              quantity=stock, reorder_point=reorder)  # fmt: skip
    for quantity, day, cost, currency in [
        (10, "2026-03-01", 4, "EUR"), (2, "2025-12-01", 5, "USD"), (5, "2025-01-01", 4, "EUR"),
    ]:  # fmt: skip
        h.add("maintenance.work_order_part", work_order_id=h.ids["WO-3"],
              spare_part_id=h.ids["B-1"], quantity=quantity, used_on=day, unit_cost=cost,
              currency_code=currency, facility_id=h.ids["north"])  # fmt: skip
    # New York: January and March there, February and April in Greenwich
    h.asset("S-1", "P100", facility_id=h.ids["south"])
    order(h, "SO-1", "S-1", "2026-01-31 23:30-05", completed_at="2026-03-05 12:00-05")
    order(h, "SO-2", "S-1", "2026-02-10 12:00-05", completed_at="2026-02-20 12:00-05")
    order(h, "SO-3", "S-1", "2026-02-11 12:00-05", status="CANCELLED")
    order(h, "SO-4", "S-1", "2026-03-31 23:30-04")


def reliability(h: Hospital) -> None:
    """Up 15 + 30 + 60 + 20 h, four failures; down 20 + 5 + 20 h, and down since."""
    for tag, model in (("R-1", "R1"), ("R-2", "R1"), ("Z-1", "Z1"), ("Z-2", "Z1")):
        h.asset(tag, model, in_service_on="2026-01-01")
    h.add("registry.asset_metric", asset_id=h.ids["R-2"], computed_at=after(1),
          total_usage_hours=1000)  # fmt: skip
    failure = {"failure_confirmed": True, "outcome": "REPAIRED", "technician_id": h.ids["Tom"]}
    for number, failed, restored, hours, category in [
        ("R-1a", 15, 35, 2, "ELECTRICAL"), ("R-1b", 65, 70, 1, "ELECTRICAL"),
        ("R-1c", 130, 150, 3, "MECHANICAL"),
    ]:  # fmt: skip
        order(h, number, "R-1", after(failed), failed_at=after(failed), labor_hours=hours,
              restored_at=after(restored), completed_at=after(restored),
              failure_category=category, **failure)  # fmt: skip
    order(h, "R-1d", "R-1", after(170), failed_at=after(170), failure_confirmed=True,
          failure_category="ELECTRICAL")  # fmt: skip
    # What is no failure: not found, a user's error, a cancelled one, maintenance, not confirmed.
    order(h, "R-1e", "R-1", after(100), failed_at=after(100), failure_confirmed=True,
          outcome="NO_FAULT_FOUND", completed_at=after(101), labor_hours=0.5)  # fmt: skip
    order(h, "R-1f", "R-1", after(102), failed_at=after(102), failure_confirmed=True,
          failure_category="USER_ERROR", outcome="DONE", completed_at=after(103),
          labor_hours=0.25, department_id=h.ids["ICU"])  # fmt: skip
    order(h, "R-1g", "R-1", after(104), failed_at=after(104), failure_confirmed=True,
          status="CANCELLED")  # fmt: skip
    order(h, "R-1h", "R-1", after(105), type="PREVENTIVE_MAINTENANCE", failure_confirmed=True,
          completed_at=after(106))  # fmt: skip


def calibration(h: Hospital) -> None:
    h.add("maintenance.procedure", "CAL", code="CAL", name="Calibrate", kind="CALIBRATION",
          interval_days=365)  # fmt: skip
    for tag, done in [
        ("C-1", [("2025-03-01", "PASS", "2025-06-01"), ("2025-03-20", "PASS", "2025-06-01")]),
        ("C-2", [("2025-06-01", "PASS", "2025-05-01")]),  # the standard had run out
        ("C-3", [("2025-04-15", "PASS", None)]),
        ("C-4", [("2025-12-01", "FAIL", "2026-06-01")]),
        ("C-5", []),
        ("C-6", [("2025-12-01", "CONDITIONAL", "2026-06-01")]),
    ]:
        h.asset(tag, "C7", category="DIAGNOSTIC")
        schedule = h.add("maintenance.schedule", asset_id=h.ids[tag], kind="CALIBRATION",
                         procedure_id=h.ids["CAL"], interval_days=365,
                         starts_on="2025-01-01")  # fmt: skip
        for number, (day, result, reference_until) in enumerate(done):
            h.add("maintenance.calibration", asset_id=h.ids[tag], schedule_id=schedule,
                  performed_on=day, result=result, reference_standard=f"N-{number}",
                  reference_due_on=reference_until,
                  certificate_number=f"{tag}/{number}")  # fmt: skip
    h.asset("C-7", "C7", category="DIAGNOSTIC")  # its model asks for it, nobody has planned it
    h.asset("C-8", "C7", category="DIAGNOSTIC", status="RETIRED", retired_on="2026-01-01")


@pytest.fixture(scope="module")
def analyst(server: Any) -> Iterator[Analyst]:
    with two_hospitals(server, fill) as (url, hospital), connect(url) as connection:
        yield Analyst(connection, hospital.id, NOW)


PLAN = "procedure, strategy, interval_days, last_done, due_on, grace_until, days_to_due, pm_status"


def test_view_v_pm_schedule(analyst: Analyst) -> None:
    tag = "(select tag_number from registry.asset where id = asset_id)"
    pump = ("Pump check", "OEM", 180)
    assert analyst.view("v_pm_schedule", f"{tag}, {PLAN}, high_risk, room") == [
        ("P-1", *pump, D("2026-01-31"), D("2026-07-14"), D("2026-07-31"), 104, "COMPLIANT",
         False, None),
        ("P-2", *pump, None, D("2026-02-10"), D("2026-02-28"), -50, "OVERDUE", False, "Store"),
        ("P-3", *pump, None, D("2026-03-20"), D("2026-03-31"), -12, "OVERDUE", False, "Ward"),
        ("P-4", *pump, None, D("2026-03-30"), D("2026-04-05"), -2, "GRACE", False, "Ward"),
        # Never done: it is due when it starts, with grace to the end of that month.
        ("P-5", *pump, None, D("2026-04-08"), D("2026-04-30"), 7, "DUE", False, None),
        ("P-6", *pump, None, D("2025-06-01"), D("2025-06-30"), -304, "CRITICAL", False, None),
        # Cancelled is not made up for: one interval later.
        ("P-7", *pump, None, D("2026-08-28"), D("2026-08-31"), 149, "COMPLIANT", False, None),
        # In use is no completion; overdue and sustaining life is critical.
        ("V-1", "Vent check", "OEM", 90, D("2026-02-07"), D("2026-03-25"), D("2026-03-30"), -7,
         "CRITICAL", True, "Ward"),
        ("V-3", "Vent check", "AEM", 90, D("2026-01-10"), D("2026-04-10"), D("2026-04-15"), 9,
         "DUE", True, None),
    ]  # fmt: skip


def test_the_day_is_the_facilitys(analyst: Analyst) -> None:
    """P-3 has grace until 31 March; in Berlin that is over at 22:00 UTC, for it is summer time."""
    where = "asset_id = (select id from registry.asset where tag_number = 'P-3')"
    for moment, status in [("21:59:59", "GRACE"), ("22:00:00", "OVERDUE")]:
        rows = analyst.view("v_pm_schedule", "pm_status", where, as_of=f"2026-03-31 {moment}+00")
        assert rows == [(status,)]


def test_a_later_completion_does_not_count_before_it(analyst: Analyst) -> None:
    where = "asset_id = (select id from registry.asset where tag_number = 'P-1')"
    assert analyst.view(
        "v_pm_schedule", "last_done, due_on, pm_status", where, as_of="2026-01-30 12:00+00"
    ) == [(None, D("2026-01-15"), "GRACE")]


MONTH = (
    "month, facility, risk_group, strategy, scheduled, completed, on_time, not_located, in_use, "
    "other_missed, pending, completion_pct, on_time_pct"
)


def test_view_v_pm_compliance_monthly(analyst: Analyst) -> None:
    assert analyst.view("v_pm_compliance_monthly", MONTH) == [
        (D("2025-06-01"), "north", "OTHER", "OEM", 1, 0, 0, 0, 0, 1, 0, 0, None),
        (D("2026-01-01"), "north", "HIGH_RISK", "AEM", 1, 1, 1, 0, 0, 0, 0, 100, 100),
        # due on the day of its retirement, and missed; what came due later is nobody's fault
        (D("2026-01-01"), "north", "HIGH_RISK", "OEM", 1, 0, 0, 0, 0, 1, 0, 0, None),
        (D("2026-01-01"), "north", "OTHER", "OEM", 1, 1, 1, 0, 0, 0, 0, 100, 100),
        (D("2026-02-01"), "north", "HIGH_RISK", "OEM", 1, 1, 0, 0, 0, 0, 0, 0, 0),
        (D("2026-02-01"), "north", "OTHER", "OEM", 1, 0, 0, 1, 0, 0, 0, 0, None),
        (D("2026-03-01"), "north", "HIGH_RISK", "OEM", 1, 0, 0, 0, 1, 0, 0, 0, None),
        # one open beyond its grace, one within
        (D("2026-03-01"), "north", "OTHER", "OEM", 2, 0, 0, 0, 0, 1, 1, 0, None),
    ]


def test_the_grace_of_a_month_ends_by_the_facilitys_clock(analyst: Analyst) -> None:
    """P-3 has until 31 March: within its grace until 22:00 UTC, missed from then on."""
    where = "month = '2026-03-01' and risk_group = 'OTHER'"
    for moment, figures in [("21:59:59", (0, 2)), ("22:00:00", (1, 1))]:
        assert analyst.view(
            "v_pm_compliance_monthly", "other_missed, pending", where,
            as_of=f"2026-03-31 {moment}+00",
        ) == [figures]  # fmt: skip


def test_view_v_work_orders_open(analyst: Analyst) -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-{text}:00+00:00")

    columns = (
        "number, asset, type, status, priority, opened_at, age_h, sla_due_at, sla_breached, "
        "technician, vendor, est_cost, currency"
    )
    repair, medium = ("CORRECTIVE_MAINTENANCE", "ASSIGNED"), "MEDIUM"
    assert analyst.view("v_work_orders_open", columns, "number like 'WO%'") == [
        ("WO-1", "P-1", *repair, "HIGH", at("03-31T08:00"), 26, at("04-01T08:00"), True, "Tom",
         None, 120, "EUR"),
        ("WO-2", "V-1", "PREVENTIVE_MAINTENANCE", "ASSIGNED", medium, at("03-25T07:00"), 171,
         None, None, "Eve", None, None, None),
        ("WO-4", "P-3", *repair, medium, at("03-31T21:00"), 13, at("04-01T08:00"), True, None,
         "Serv Co", None, None),
        ("WO-5", "P-3", *repair, medium, at("03-31T22:30"), Decimal("11.5"), at("04-01T08:00"),
         True, None, "Serv Co", None, None),
    ]  # fmt: skip
    # The promise of WO-1 was kept until it ran out; the response had come in time.
    assert analyst.view(
        "v_work_orders_open", "number, sla_breached", "number = 'WO-1'", as_of="2026-04-01 07:59+00"
    ) == [("WO-1", False)]
    assert analyst.view(
        "v_work_orders_open", "number", "number like 'WO%'", as_of="2026-03-01 12:00+00"
    ) == [("WO-3",)]


RELIABILITY = (
    "model, assets, exposure_h, time_basis, failures, mtbf_h, mtbf_lower95_h, mttr_restore_h, "
    "mttr_repair_h, availability, availability_inherent"
)


def test_view_v_reliability_by_model(analyst: Analyst) -> None:
    as_of = after(180).isoformat()
    lower = {
        failures: round(Decimal(2 * hours / chi2.ppf(0.95, 2 * failures + 2)), 2)
        for failures, hours in ((4, 125), (0, 1000))
    }
    lower_2 = round(Decimal(2 * 360 / chi2.ppf(0.95, 2)), 2)
    rows = analyst.view("v_reliability_by_model", RELIABILITY, "model in ('R1', 'Z1')", as_of=as_of)
    assert rows == [
        ("R1", 1, 125, "IN_SERVICE", 4, Decimal("31.25"), lower[4], 15, 2,
         round(Decimal(125) / 180, 6), round(Decimal("31.25") / Decimal("46.25"), 6)),
        # never failed: no mean, a lower bound of T / 3.0
        ("R1", 1, 1000, "METERED", 0, None, lower[0], None, None, 1, None),
        ("Z1", 2, 360, "IN_SERVICE", 0, None, lower_2, None, None, 1, None),
    ]  # fmt: skip
    # Before the third was restored: two restorations, and it is down for ten hours.
    assert analyst.view(
        "v_reliability_by_model", RELIABILITY, "model = 'R1' and time_basis = 'IN_SERVICE'",
        as_of=after(140).isoformat(),
    )[0][:4] == ("R1", 1, 105, "IN_SERVICE")  # fmt: skip


def test_failures_are_confirmed_ones_only(analyst: Analyst) -> None:
    columns = "number, failed_at, restored_at, failure_category, restore_h, repair_h"
    assert analyst.view("failures", columns, "number like 'R-%'") == [
        ("R-1a", after(15), after(35), "ELECTRICAL", 20, 2),
        ("R-1b", after(65), after(70), "ELECTRICAL", 5, 1),
        ("R-1c", after(130), after(150), "MECHANICAL", 20, 3),
        ("R-1d", after(170), None, "ELECTRICAL", None, None),
    ]


@pytest.mark.parametrize("failures", [0, 1, 3, 50, 5000])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_the_lower_bound_is_that_of_chi_square(
    analyst: Analyst, failures: int, confidence: float
) -> None:
    ((bound,),) = analyst.select(
        f"select reporting.mtbf_lower_bound(1000, {failures}, {confidence})"
    )
    assert bound == pytest.approx(2000 / chi2.ppf(confidence, 2 * failures + 2), rel=1e-9)


def test_without_exposure_there_is_no_bound(analyst: Analyst) -> None:
    assert analyst.select(
        "select reporting.mtbf_lower_bound(0, 0), reporting.mtbf_lower_bound(null, 0), "
        "reporting.mtbf(100, 0), reporting.mtbf(125, 4), "
        "reporting.inherent_availability(90, 10)"
    ) == [(None, None, None, 31.25, 0.9)]


def test_view_v_calibration_status(analyst: Analyst) -> None:
    tag = "(select tag_number from registry.asset where id = asset_id)"
    columns = f"{tag}, last_done, due_on, standard_used, result, status, traceable"
    assert analyst.view("v_calibration_status", columns) == [
        ("C-1", D("2025-03-20"), D("2026-03-20"), "N-1", "PASS", "OVERDUE", True),
        ("C-2", D("2025-06-01"), D("2026-06-01"), "N-0", "PASS", "NOT_TRACEABLE", False),
        ("C-3", D("2025-04-15"), D("2026-04-15"), "N-0", "PASS", "DUE", None),
        ("C-4", D("2025-12-01"), D("2026-12-01"), "N-0", "FAIL", "FAILED", True),
        ("C-5", None, D("2025-01-01"), None, None, "NEVER", None),
        ("C-6", D("2025-12-01"), D("2026-12-01"), "N-0", "CONDITIONAL", "CURRENT", True),
        ("C-7", None, None, None, None, "NEVER", None),
    ]


def test_the_views_are_their_twins_now(analyst: Analyst) -> None:
    for view in (
        "v_pm_schedule", "v_pm_compliance_monthly", "v_work_orders_open", "v_maintenance_cost",
        "v_reliability_by_model", "v_calibration_status", "v_safety_inspection_status",
        "v_recall_exposure", "v_training_compliance", "v_tco", "v_replacement_candidates",
    ):  # fmt: skip
        assert analyst.select(
            f"select * from reporting.{view} except all select * from reporting.f_{view}(now())"
        ) == []  # fmt: skip


def test_m01_pm_due_calendar(analyst: Analyst) -> None:
    columns = "week technician due_on asset_tag procedure strategy pm_status estimated_hours"
    assert analyst.query("M01", columns) == [
        (D("2026-04-06"), "Eve", D("2026-04-10"), "V-3", "Vent check", "AEM", "DUE", 2),
        (D("2026-04-06"), "Tom", D("2026-04-08"), "P-5", "Pump check", "OEM", "DUE",
         Decimal("1.5")),
    ]  # fmt: skip
    assert analyst.query("M01", facility="south") == []


def test_m02_pm_overdue(analyst: Analyst) -> None:
    assert analyst.query("M02", "asset_tag days_overdue pm_status high_risk facility room") == [
        ("V-1", 7, "CRITICAL", True, "north", "Ward"),
        ("P-6", 304, "CRITICAL", False, "north", None),
        ("P-2", 50, "OVERDUE", False, "north", "Store"),
        ("P-3", 12, "OVERDUE", False, "north", "Ward"),
    ]


def test_m03_pm_due_and_locatable(analyst: Analyst) -> None:
    """V-1 is in use and P-4 was not seen for a day."""
    columns = "facility building floor room asset_tag due_on pm_status state"
    here = ("north", "main", "Ground")
    assert analyst.query("M03", columns) == [
        (*here, "Store", "P-2", D("2026-02-10"), "OVERDUE", "AVAILABLE"),
        (*here, "Ward", "P-3", D("2026-03-20"), "OVERDUE", "AVAILABLE"),
    ]


def test_m04_pm_completion_rate(analyst: Analyst) -> None:
    given = {"from": "2025-12-15", "to": "2026-03-31"}
    assert analyst.query("M04", **given) == [
        # nothing was due: no percentage
        (D("2025-12-01"), "HIGH_RISK", 0, 0, 0, 0, 0, 0, 0, None),
        (D("2025-12-01"), "OTHER", 0, 0, 0, 0, 0, 0, 0, None),
        (D("2026-01-01"), "HIGH_RISK", 2, 1, 1, 0, 0, 1, 0, 50),
        (D("2026-01-01"), "OTHER", 1, 1, 1, 0, 0, 0, 0, 100),
        (D("2026-02-01"), "HIGH_RISK", 1, 1, 0, 0, 0, 0, 0, 0),
        (D("2026-02-01"), "OTHER", 1, 0, 0, 1, 0, 0, 0, 0),
        (D("2026-03-01"), "HIGH_RISK", 1, 0, 0, 0, 1, 0, 0, 0),
        (D("2026-03-01"), "OTHER", 2, 0, 0, 0, 0, 1, 1, 0),
    ]


def test_m05_pm_missed_reasons(analyst: Analyst) -> None:
    assert analyst.query("M05") == [
        ("north", "MISSED", 2, 1, 2, 40),
        ("north", "IN_USE", 1, 1, 1, 20),
        ("north", "NOT_LOCATED", 1, 0, 1, 20),
        ("north", "OPEN", 1, 0, 1, 20),
    ]


def test_m06_calibration_due(analyst: Analyst) -> None:
    columns = "status asset_tag due_on days_to_due result standard_used certificate_number"
    assert analyst.query("M06", columns) == [
        ("FAILED", "C-4", D("2026-12-01"), 244, "FAIL", "N-0", "C-4/0"),
        ("NOT_TRACEABLE", "C-2", D("2026-06-01"), 61, "PASS", "N-0", "C-2/0"),
        ("NEVER", "C-5", D("2025-01-01"), -455, None, None, None),
        ("NEVER", "C-7", None, None, None, None, None),
        ("OVERDUE", "C-1", D("2026-03-20"), -12, "PASS", "N-1", "C-1/1"),
        ("DUE", "C-3", D("2026-04-15"), 14, "PASS", "N-0", "C-3/0"),
    ]


def test_m07_open_work_orders(analyst: Analyst) -> None:
    rows = analyst.query(
        "M07", "priority number age_h sla_remaining_h sla_breached", facility="north"
    )
    assert rows == [
        ("HIGH", "WO-1", 26, -2, True),
        ("MEDIUM", "WO-4", 13, -2, True),
        ("MEDIUM", "WO-5", Decimal("11.5"), -2, True),
        ("MEDIUM", "R-1d", 2001, None, None),
        ("MEDIUM", "WO-2", 171, None, None),
    ]
    assert [row[1] for row in analyst.query("M07", facility="south")] == ["SO-4"]


def test_m08_wo_sla_breaches(analyst: Analyst) -> None:
    """March in Berlin and in New York: WO-3 is in, WO-5 out; R-1 is January's."""
    assert analyst.query("M08", **{"from": "2026-03-01", "to": "2026-03-31"}) == [
        # WO-3 answered 1.5 h late but solved in time, WO-4 not answered for 2 h
        ("Serv Co", "FOUR_HOURS", 2, 2, 2, 1, 0, 100, 2),
        # our own: WO-1 (resolution 2 h late), WO-2 and SO-4 (nothing promised)
        (None, None, 3, 1, 0, 1, 1, 100, 2),
    ]


def test_m09_wo_backlog_trend(analyst: Analyst) -> None:
    given = {"from": "2026-01-15", "to": "2026-03-31", "facility": "south"}
    assert analyst.query("M09", **given) == [
        (D("2026-01-01"), "south", 1, 0, 1),
        (D("2026-02-01"), "south", 1, 1, 1),
        (D("2026-03-01"), "south", 1, 1, 1),
    ]


def test_m10_technician_workload(analyst: Analyst) -> None:
    assert analyst.query("M10") == [
        # the maintenance of V-1 is counted as its work order
        (D("2026-03-30"), "Eve", 0, 0, 1, 2, 2, 20, 10, 0),
        (D("2026-03-30"), "Tom", 4, 6, 1, 3, 9, 10, 90, 0),
        (D("2026-03-30"), None, 0, 0, 4, 0, 0, None, None, 4),
        (D("2026-04-06"), "Eve", 1, 2, 0, 0, 2, 20, 10, 0),
        (D("2026-04-06"), "Tom", 1, Decimal("1.5"), 0, 0, Decimal("1.5"), 10, 15, 0),
    ]


def test_m11_repair_history(analyst: Analyst) -> None:
    columns = "number status vendor vendor_cost currency parts parts_cost downtime_h"
    assert analyst.query("M11", columns, tag="p-2") == [
        ("WO-3", "COMPLETED", "Serv Co", 80, "EUR", "10 x B-1, 5 x B-1, 2 x B-1",
         "60.00 EUR, 10.00 USD", None),
    ]  # fmt: skip
    assert analyst.query("M11", "number downtime_h labor_hours", tag="R-1")[:2] == [
        ("R-1d", None, 0),
        ("R-1c", 20, 3),
    ]


def test_m12_repeat_repairs(analyst: Analyst) -> None:
    columns = "asset_tag failure_category first_number again_number days_between technician"
    assert analyst.query("M12", columns) == [
        ("R-1", "ELECTRICAL", "R-1a", "R-1b", Decimal("1.3"), "Tom"),  # 30 h
        ("R-1", "ELECTRICAL", "R-1b", "R-1d", Decimal("4.2"), "Tom"),  # 100 h
    ]
    assert analyst.query("M12", columns, days=2) == [
        ("R-1", "ELECTRICAL", "R-1a", "R-1b", Decimal("1.3"), "Tom")
    ]


def test_m13_mtbf_by_model(analyst: Analyst) -> None:
    columns = "manufacturer model device_type time_basis exposure_h failures mtbf_h"
    rows = analyst.query("M13", columns, as_of=after(180).isoformat())
    assert [row for row in rows if row[1] in ("R1", "Z1")] == [
        ("Alpha", "R1", "Reliable", "IN_SERVICE", 125, 4, Decimal("31.25")),
        ("Alpha", "Z1", "Reliable", "IN_SERVICE", 360, 0, None),
        ("Alpha", "R1", "Reliable", "METERED", 1000, 0, None),
    ]


def test_m14_mttr_by_category(analyst: Analyst) -> None:
    given = {"from": "2026-01-01", "to": "2026-01-10"}
    assert analyst.query("M14", **given) == [
        ("THERAPEUTIC", 4, 3, 15, 20, 20, 3, 2, 2, Decimal("2.8"))
    ]


def test_m15_parts_usage_and_stock(analyst: Analyst) -> None:
    assert analyst.query("M15") == [
        ("north", "B-1", "Part B-1", 6, 2, 12, Decimal("2.03"), 90, D("2026-06-30"), 30, False, 4,
         "EUR"),
        ("north", "F-1", "Part F-1", 1, 2, 0, 0, None, None, 30, True, 4, "EUR"),
    ]  # fmt: skip


def test_m16_could_not_duplicate(analyst: Analyst) -> None:
    given = {"from": "2026-01-01", "to": "2026-01-10"}
    columns = (
        "model department reported not_duplicated user_error cnd_pct user_error_pct hours_lost"
    )
    assert analyst.query("M16", columns, **given) == [
        ("R1", "ICU", 1, 0, 1, 0, 100, Decimal("0.25")),
        ("R1", None, 4, 1, 0, 25, 0, Decimal("0.5")),
    ]


def test_m17_pm_effectiveness(analyst: Analyst) -> None:
    """One pump completion with 30 days on both sides, a failure before it and one on its day."""
    third = Decimal("33.333")
    assert analyst.query("M17", days=30) == [
        ("PMP Pump check", "OEM", 1, 1, 1, 0, third, 0, 0),
        ("PMV Vent check", "AEM", 1, 1, 0, 0, 0, 0, None),
        ("PMV Vent check", "OEM", 1, 1, 0, 0, 0, 0, None),
    ]
    # With 60 days the days after it are not over yet, nor those of V-1.
    assert analyst.query("M17", "procedure strategy completions", days=60) == [
        ("PMV Vent check", "AEM", 1)
    ]
