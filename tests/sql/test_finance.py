"""Money: views and questions against figures reckoned by hand.

The present is 2026-04-01 12:00 in Berlin. Two currencies throughout: nothing is added across them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hospital import Analyst, Hospital, two_hospitals

from pipeline.database import connect

NOW = "2026-04-01 10:00+00"


def D(text: str) -> date:
    return date.fromisoformat(text)


def M(text: str) -> Decimal:
    return Decimal(text)


def fill(h: Hospital) -> None:
    h.facility("south", "America/New_York")
    h.conn.execute(
        "update registry.facility set fiscal_year_start_month = 10 where id = %s",
        (h.ids["south"],),
    )
    h.model("P100", maker="Alpha", kind="pump")
    h.model("V9", maker="Beta", kind="vent", category="LIFE_SUPPORT",
            end_of_support_on="2025-12-31")  # fmt: skip
    h.add("registry.device_type", "scale", code="scale", name="Scale", category="OTHER",
          default_useful_life_years=3)  # fmt: skip
    h.model("S3", maker="Beta", kind="scale")
    for code, center in (("ICU", "4711"), ("OR", "4712")):
        h.add("registry.department", code, code=code, name=code, cost_center=center)
    h.add("registry.vendor", "Serv", code="serv", name="Serv Co", type="SERVICE_PROVIDER")
    h.add("registry.funding_source", "Grant", name="Grant 7", kind="GRANT", grant_number="G-7",
          restriction="research only", restricted_until="2030-12-31")  # fmt: skip
    h.add("registry.funding_source", "Donation", name="Lions", kind="DONATION")
    h.add("finance.book", "STAT", code="STAT", name="Statutory", is_primary=True,
          currency_code="EUR")  # fmt: skip
    h.add("finance.book", "TAX", code="TAX", name="Tax", currency_code="EUR")
    assets(h)
    contracts(h)
    work(h)
    others(h)


def assets(h: Hospital) -> None:
    icu, theatre = {"department_id": h.ids["ICU"]}, {"department_id": h.ids["OR"]}
    h.asset("A-1", "P100", purchased_on="2024-04-01", in_service_on="2024-04-01",
            purchase_cost=12000, currency_code="EUR", funding_source_id=h.ids["Grant"],
            **icu)  # fmt: skip
    h.asset("A-2", "V9", category="LIFE_SUPPORT", purchased_on="2020-01-01",
            in_service_on="2020-01-01", purchase_cost=30000, currency_code="USD",
            replacement_cost=40000, downtime_cost_per_hour=50, **theatre)  # fmt: skip
    h.asset("A-3", **icu)
    h.asset("A-4", **icu)
    h.asset("A-5", status="DISPOSED", purchased_on="2024-01-01", in_service_on="2024-01-01",
            purchase_cost=2400, currency_code="EUR", funding_source_id=h.ids["Donation"],
            **theatre)  # fmt: skip
    h.asset("A-6")
    h.asset("A-7")
    h.asset("A-8", purchased_on="2025-01-01", purchase_cost=600, currency_code="EUR",
            replacement_cost=700, **icu)  # fmt: skip
    h.asset("A-9", deleted_at="2026-01-01", purchase_cost=9999, currency_code="EUR")
    h.asset("A-10", "P100")
    h.asset("S-1", "S3", facility_id=h.ids["south"], in_service_on="2023-11-15")
    for tag, book, method, cost, salvage, life, start, more in [
        ("A-1", "STAT", "STRAIGHT_LINE", 12000, 0, 5, "2024-04-01", {}),
        ("A-1", "TAX", "DOUBLE_DECLINING", 12000, 0, 5, "2024-04-01", {"convention": "HALF_YEAR"}),
        ("A-2", "STAT", "SUM_OF_YEARS_DIGITS", 27000, 2000, 5, "2020-01-01", {}),
        ("A-3", "STAT", "UNITS_OF_PRODUCTION", 1000, 100, 5, "2025-05-01", {"total_units": 900}),
        ("A-4", "STAT", "STRAIGHT_LINE", 5000, 0, 5, None, {}),
        ("A-5", "STAT", "STRAIGHT_LINE", 2400, 0, 4, "2024-01-01", {}),
        # without a salvage value there is no fixed rate: 2 / 4 of the book value
        ("A-6", "STAT", "DECLINING_BALANCE", 1000, 0, 4, "2026-01-01", {}),
        ("A-8", "STAT", "STRAIGHT_LINE", 600, 0, 5, "2025-01-01", {}),
        ("A-9", "STAT", "STRAIGHT_LINE", 9999, 0, 5, "2025-01-01", {}),
    ]:
        h.add("finance.depreciation", asset_id=h.ids[tag], book_id=h.ids[book], method=method,
              cost=cost, salvage=salvage, life_years=life, in_service_on=start,
              **more)  # fmt: skip
    for month, units in (("2025-06", "100.5"), ("2026-01", "200"), ("2026-03", "50"),
                         ("2026-04", "999")):  # fmt: skip
        h.add("finance.production", asset_id=h.ids["A-3"], month=f"{month}-01", units=units)
    h.add("finance.disposal", asset_id=h.ids["A-5"], disposed_on="2026-02-10", method="SOLD",
          proceeds=300, currency_code="EUR")  # fmt: skip
    h.add("finance.disposal", asset_id=h.ids["A-7"], disposed_on="2026-01-05", method="LOST",
          currency_code="EUR")  # fmt: skip


def contracts(h: Hospital) -> None:
    for number, kind, start, end, cost, currency, more, covered in [
        # 1825 for each of two
        ("K-1", "AMC", "2025-01-01", "2025-12-31", 3650, "EUR", {"uptime_percent": "99.9"},
         ["A-1", "A-2"]),
        ("K-2", "WARRANTY", "2025-01-01", "2026-05-01", 0, "EUR", {"covers_parts": True}, ["A-1"]),
        ("K-3", "AMC", "2026-05-02", "2027-05-01", 500, "EUR", {}, ["A-1"]),
        ("K-4", "WARRANTY", "2025-04-02", "2026-04-01", 0, "USD", {}, ["A-2"]),
    ]:  # fmt: skip
        h.add("registry.contract", number, vendor_id=h.ids["Serv"], number=number, kind=kind,
              starts_on=start, ends_on=end, annual_cost=cost, currency_code=currency,
              **more)  # fmt: skip
        for tag in covered:
            h.add("registry.contract_asset", contract_id=h.ids[number], asset_id=h.ids[tag])


def work(h: Hospital) -> None:
    repaired = {"failure_confirmed": True, "outcome": "REPAIRED", "failure_category": "ELECTRICAL"}
    for number, tag, reported, done, more in [
        ("W-1", "A-1", "2025-02-28 02:00+00", "2025-03-01 00:00+00", {
            "failed_at": "2025-02-28 00:00+00", "restored_at": "2025-03-01 00:00+00",
            "responded_at": "2025-02-28 03:00+00", "response_due_at": "2025-02-28 02:30+00",
            "labor_cost": 200, "vendor_cost": 50, "currency_code": "EUR", "labor_hours": 4,
            "downtime_hours": 10, "vendor_id": h.ids["Serv"], "contract_id": h.ids["K-1"],
            **repaired}),
        # again within thirty days
        ("W-5", "A-1", "2025-03-10 00:00+00", "2025-03-10 01:00+00", {
            "failed_at": "2025-03-10 00:00+00", "restored_at": "2025-03-10 01:00+00",
            **repaired}),
        ("W-2", "A-2", "2026-01-10 08:00+00", "2026-01-10 18:00+00", {
            "failed_at": "2026-01-10 08:00+00", "restored_at": "2026-01-10 18:00+00",
            "labor_cost": 100, "currency_code": "USD", **repaired}),
        # half past midnight of New Year's Day in Berlin
        ("W-3", "A-1", "2025-12-01 08:00+00", "2025-12-31 23:30+00", {
            "type": "PREVENTIVE_MAINTENANCE", "labor_cost": 10, "currency_code": "EUR"}),
        ("W-4", "A-1", "2025-04-01 08:00+00", "2025-04-02 08:00+00", {
            "outcome": "USER_ERROR"}),
        ("W-6", "A-1", "2025-04-01 08:00+00", None, {
            "status": "CANCELLED", "labor_cost": 777, "currency_code": "EUR"}),
    ]:  # fmt: skip
        h.add("maintenance.work_order", number, number=number, asset_id=h.ids[tag], title=number,
              reported_at=reported, completed_at=done,
              **{"type": "CORRECTIVE_MAINTENANCE", "status": "COMPLETED", **more})  # fmt: skip
    h.add("maintenance.spare_part", "B-1", part_number="B-1", name="Battery")
    for quantity, cost, currency in ((2, 30, "EUR"), (1, 20, "USD")):
        h.add("maintenance.work_order_part", work_order_id=h.ids["W-1"],
              spare_part_id=h.ids["B-1"], quantity=quantity, unit_cost=cost,
              currency_code=currency, used_on="2025-03-01")  # fmt: skip


def others(h: Hospital) -> None:
    for tag, kind, amount, currency, day in [
        ("A-1", "INSTALLATION", 500, "EUR", "2024-04-01"),
        ("A-1", "UPGRADE", 1000, "EUR", "2025-01-01"),
        ("A-1", "TRAINING", 100, "USD", "2024-05-01"),
        ("A-1", "CONSUMABLES", 40, "EUR", "2026-01-01"),
        ("A-1", "CONSUMABLES", 4000, "EUR", "2026-05-01"),  # not yet
        ("A-2", "DOWNTIME", 25, "USD", "2026-01-10"),
        ("A-5", "DISPOSAL", 30, "EUR", "2026-02-10"),
    ]:
        h.add("finance.cost_event", asset_id=h.ids[tag], kind=kind, amount=amount,
              currency_code=currency, occurred_on=day)  # fmt: skip
    h.add("finance.benefit", asset_id=h.ids["A-2"], kind="REVENUE", amount=50000,
          currency_code="USD", period_start="2020-01-01", period_end="2025-12-31")  # fmt: skip
    tag = h.add("registry.tag", name="ble:a8")
    h.add("registry.tag_assignment", tag_id=tag, asset_id=h.ids["A-8"], during="[2025-01-01,)")
    h.place("A-8", "north-ward", "2025-12-01 00:00+00")
    h.add("registry.threshold", name="replace_failures_12m", value=1, unit="failures")
    model = h.add("prediction.model", name="risk", model_version="1", algorithm="weibull",
                  horizon_h=2160, status="active")  # fmt: skip
    h.add("prediction.risk_current", asset_id=h.ids["A-1"], model_id=model, horizon_h=2160,
          scored_at="2026-03-31", as_of="2026-03-30", p_failure=0.7)  # fmt: skip
    h.add("finance.rental", facility_id=h.ids["north"], device_type_id=h.ids["pump"],
          vendor_id=h.ids["Serv"], quantity=2, starts_on="2026-03-01", ends_on="2026-03-03",
          daily_rate=30, currency_code="EUR")  # fmt: skip
    # 1 March: one idle all day, one used for an hour. 2 March: free for 11 hours only.
    h.used("A-1", "AVAILABLE", "2026-02-28 23:00+00", "2026-03-01 23:00+00")
    h.used("A-10", "AVAILABLE", "2026-02-28 23:00+00", "2026-03-01 12:00+00")
    h.used("A-10", "IN_USE", "2026-03-01 12:00+00", "2026-03-01 13:00+00")
    h.used("A-1", "AVAILABLE", "2026-03-02 06:00+00", "2026-03-02 17:00+00")


@pytest.fixture(scope="module")
def analyst(server: Any) -> Iterator[Analyst]:
    with two_hospitals(server, fill) as (url, hospital), connect(url) as connection:
        yield Analyst(connection, hospital.id, NOW)


TAG = "(select tag_number from registry.asset where id = asset_id)"
BOOK = f"{TAG}, book, method, period_expense, accumulated, book_value, fully_depreciated"


def test_view_v_depreciation(analyst: Analyst) -> None:
    assert analyst.view("v_depreciation", BOOK) == [
        ("A-1", "STAT", "STRAIGHT_LINE", 2400, 4800, 7200, False),  # 24 months of 200
        # half of 4800, 3840, and three months of 2304
        ("A-1", "TAX", "DOUBLE_DECLINING", 2304, 6816, 5184, False),
        ("A-2", "STAT", "SUM_OF_YEARS_DIGITS", 0, 25000, 2000, True),
        # 100.5 of last year, 250 of this one; April is not over
        ("A-3", "STAT", "UNITS_OF_PRODUCTION", 250, M("350.50"), M("649.50"), False),
        ("A-4", "STAT", "STRAIGHT_LINE", 0, 0, 5000, False),
        ("A-5", "STAT", "STRAIGHT_LINE", 50, 1250, 1150, False),  # 25 months until its disposal
        ("A-6", "STAT", "DECLINING_BALANCE", 500, M("125.01"), M("874.99"), False),
        ("A-8", "STAT", "STRAIGHT_LINE", 120, 150, 450, False),
    ]
    # The view has the primary book only.
    rows = analyst.select(
        f"select {TAG}, book, currency, cost, salvage, life, in_service_on, disposed_on "
        f"from reporting.v_depreciation where {TAG} in ('A-1', 'A-5') order by 1"
    )
    assert rows == [
        ("A-1", "STAT", "EUR", 12000, 0, 5, D("2024-04-01"), None),
        ("A-5", "STAT", "EUR", 2400, 0, 4, D("2024-01-01"), D("2026-02-10")),
    ]


def test_the_books_day_is_the_facilitys(analyst: Analyst) -> None:
    """March is charged when it is over in Berlin, at 22:00 UTC of its last day."""
    for moment, accumulated in [
        ("2026-03-30 21:59+00", 4600), ("2026-03-31 21:59+00", 4800), ("2026-03-30 22:00+00", 4800),
    ]:  # fmt: skip
        rows = analyst.view(
            "v_depreciation", "accumulated", f"is_primary and {TAG} = 'A-1'", as_of=moment
        )
        assert rows == [(accumulated,)]


def test_view_v_maintenance_cost(analyst: Analyst) -> None:
    columns = (
        f"{TAG}, year, currency, labor, parts, vendor, contract_share, total, wo_count, facility_id"
    )
    rows = [row[:-1] for row in analyst.view("v_maintenance_cost", columns)]
    assert rows == [
        ("A-1", 2025, "EUR", 200, 60, 50, 1825, 2135, 1),
        ("A-1", 2025, "USD", 0, 20, 0, 0, 20, 0),
        ("A-1", 2026, "EUR", 10, 0, 0, 0, 10, 1),
        ("A-2", 2025, "EUR", 0, 0, 0, 1825, 1825, 0),
        ("A-2", 2026, "USD", 100, 0, 0, 0, 100, 1),
    ]


YEARS_1 = M("730") / M("365.25")  # 2024-04-01 .. 2026-04-01
YEARS_2 = M("2282") / M("365.25")  # 2020-01-01 .. 2026-04-01


def test_view_v_tco(analyst: Analyst) -> None:
    columns = (
        f"{TAG}, currency, acquisition, installation, contracts, labor, parts, calibration, "
        "training, disposal, consumables, downtime_cost, tco_ex_downtime, tco, years, "
        "tco_per_year, downtime_h"
    )
    assert analyst.view("v_tco", columns, f"{TAG} in ('A-1', 'A-2', 'A-5')") == [
        # 11 hours down have no price: with downtime, nothing can be said
        ("A-1", "EUR", 13000, 500, 1825, 260, 60, 0, 0, 0, 40, None, 15685, None,
         round(YEARS_1, 4), None, 11),
        ("A-1", "USD", 0, 0, 0, 0, 20, 0, 100, 0, 0, 0, 120, 120, round(YEARS_1, 4),
         round(120 / YEARS_1, 2), 11),
        ("A-2", "EUR", 0, 0, 1825, 0, 0, 0, 0, 0, 0, 0, 1825, 1825, round(YEARS_2, 4),
         round(1825 / YEARS_2, 2), 10),
        ("A-2", "USD", 30000, 0, 0, 100, 0, 0, 0, 0, 0, 525, 30100, 30625, round(YEARS_2, 4),
         round(30625 / YEARS_2, 2), 10),
        # sold for 300, which cost 30
        ("A-5", "EUR", 2400, 0, 0, 0, 0, 0, 0, -270, 0, 0, 2130, 2130,
         round(M("771") / M("365.25"), 4), round(2130 * M("365.25") / 771, 2), None),
    ]  # fmt: skip


def test_view_v_replacement_candidates(analyst: Analyst) -> None:
    columns = (
        f"{TAG}, age_y, life_y, cm_cost_12m, cm_ratio, failures_12m, p_failure_90d, "
        "end_of_support, score, reasons, replacement_cost, currency"
    )
    assert analyst.view("v_replacement_candidates", columns) == [
        ("A-1", 2, 5, 0, 0, 0, M("0.7"), None, 10, ["PREDICTED_FAILURE"], 12000, "EUR"),
        ("A-2", M("6.25"), 5, 100, M("0.0025"), 1, None, D("2025-12-31"), 65,
         ["PAST_LIFE", "END_OF_SUPPORT", "FAILURES"], 40000, "USD"),
    ]  # fmt: skip
    # A limit of the device type wins over the organization's.
    with analyst.conn.transaction(force_rollback=True):
        analyst.conn.execute(
            "insert into registry.threshold (organization_id, name, device_type_id, value, unit) "
            "select organization_id, 'replace_failures_12m', id, 2, 'failures' "
            "from registry.device_type where code = 'vent'"
        )
        assert analyst.view("v_replacement_candidates", "reasons", f"{TAG} = 'A-2'") == [
            (["PAST_LIFE", "END_OF_SUPPORT"],)
        ]


def test_f01_depreciation_schedule(analyst: Analyst) -> None:
    columns = "period starts_on ends_on expense accumulated book_value"
    assert analyst.query("F01", columns, tag="a-1") == [
        (1, D("2024-04-01"), D("2024-12-31"), 1800, 1800, 10200),
        (2, D("2025-01-01"), D("2025-12-31"), 2400, 4200, 7800),
        (3, D("2026-01-01"), D("2026-12-31"), 2400, 6600, 5400),
        (4, D("2027-01-01"), D("2027-12-31"), 2400, 9000, 3000),
        (5, D("2028-01-01"), D("2028-12-31"), 2400, 11400, 600),
        (6, D("2029-01-01"), D("2029-03-31"), 600, 12000, 0),
    ]
    rows = analyst.query("F01", "expense", tag="A-1", book="TAX")
    assert [float(row[0]) for row in rows] == [2400, 3840, 2304, 1382.4, 1382.4, 691.2]
    assert analyst.query("F01", "period ends_on expense book_value", tag="A-5") == [
        (1, D("2024-12-31"), 600, 1800),
        (2, D("2025-12-31"), 600, 1200),
        (3, D("2026-01-31"), 50, 1150),
    ]
    assert analyst.query("F01", "period expense book_value", tag="A-3") == [
        (1, M("100.50"), M("899.50")),
        (2, M("799.50"), 100),  # with all of April: nothing is left
    ]
    assert analyst.query("F01", tag="A-4") == []
    assert analyst.query("F01", tag="A-9") == []


def test_f02_book_value_as_of(analyst: Analyst) -> None:
    assert analyst.query("F02") == [
        ("EUR", "LIFE_SUPPORT", 1, 27000, 25000, 2000, 1, 0),
        ("EUR", "THERAPEUTIC", 5, 19600, M("5425.51"), M("14174.49"), 0, 1),
    ]
    assert analyst.query("F02", book="TAX") == [("EUR", "THERAPEUTIC", 1, 12000, 6816, 5184, 0, 0)]
    # The day before it was sold A-5 is still there.
    assert analyst.query("F02", "category assets", as_of="2026-02-09 12:00+00")[1] == (
        "THERAPEUTIC", 6,
    )  # fmt: skip


def test_f03_depreciation_month_run(analyst: Analyst) -> None:
    march = D("2026-03-01")
    assert analyst.query("F03", month="2026-03-15") == [
        # 200 + 50 + 10
        (march, "STAT", "EUR", "4711", "ICU", 3, 260, M("5300.50"), M("8299.50")),
        (march, "STAT", "EUR", None, None, 1, M("41.67"), M("125.01"), M("874.99")),
    ]
    assert analyst.query("F03", "department assets expense", month="2026-01-01") == [
        ("ICU", 3, 410),
        ("OR", 1, 50),
        (None, 1, M("41.67")),
    ]
    assert analyst.query("F03", "book expense accumulated", month="2026-03-01", book="TAX") == [
        ("TAX", 192, 6816)
    ]


def test_twelve_month_runs_are_a_year_of_the_schedule(analyst: Analyst) -> None:
    runs = [
        analyst.query("F03", "department expense", month=f"2026-{month:02}-01")
        for month in range(1, 13)
    ]
    other = sum(expense for run in runs for department, expense in run if department is None)
    assert other == 500


def test_f04_tco_by_asset(analyst: Analyst) -> None:
    columns = "asset_tag currency tco_ex_downtime tco benefit roi_pct"
    assert analyst.query("F04", columns, tag="A-2") == [
        ("A-2", "EUR", 1825, 1825, None, None),
        ("A-2", "USD", 30100, 30625, 50000, M("63.27")),
    ]
    assert [row[:2] for row in analyst.query("F04", columns)] == [
        ("A-1", "EUR"), ("A-5", "EUR"), ("A-2", "EUR"), ("A-8", "EUR"), ("A-7", "EUR"),
        ("A-2", "USD"), ("A-1", "USD"),
    ]  # fmt: skip


def test_f05_tco_by_model_per_year(analyst: Analyst) -> None:
    columns = (
        "device_type model currency assets acquisition_per_year service_per_year "
        "downtime_per_year tco_per_year downtime_unknown"
    )
    y1, y2 = round(YEARS_1, 4), round(YEARS_2, 4)
    rows = analyst.query("F05", columns)
    assert [row for row in rows if row[0]] == [
        ("Pump", "P100", "EUR", 1, round(13500 / y1, 2), round(2185 / y1, 2), 0,
         round(15685 / y1, 2), 1),
        ("Pump", "P100", "USD", 1, 0, round(20 / y1, 2), 0, round(120 / y1, 2), 0),
        ("Vent", "V9", "EUR", 1, 0, round(1825 / y2, 2), 0, round(1825 / y2, 2), 0),
        ("Vent", "V9", "USD", 1, round(30000 / y2, 2), round(100 / y2, 2), round(525 / y2, 2),
         round(30625 / y2, 2), 0),
    ]  # fmt: skip


def test_f06_cosr_by_category(analyst: Analyst) -> None:
    assert analyst.query("F06") == [
        (2025, "LIFE_SUPPORT", "EUR", 0, 0, 0, None, 1825),
        (2025, "LIFE_SUPPORT", "USD", 1, 30000, 0, 0, 0),
        (2025, "THERAPEUTIC", "EUR", 3, 15000, 2135, M("14.23"), 0),
        (2025, "THERAPEUTIC", "USD", 0, 0, 0, None, 20),
    ]
    # Not here yet, or gone: in 2024 without A-8, in 2020 only A-2.
    assert analyst.query("F06", "category currency assets", year=2024) == [
        ("LIFE_SUPPORT", "USD", 1), ("THERAPEUTIC", "EUR", 2),
    ]  # fmt: skip


def test_f07_repair_vs_replace(analyst: Analyst) -> None:
    columns = "asset_tag age_y life_y cm_cost replacement_cost currency cm_pct reasons"
    old = ("A-2", M("6.25"), 5, 100, 40000, "USD", M("0.3"), ["PAST_LIFE", "END_OF_SUPPORT"])
    assert analyst.query("F07", columns) == [old]
    # 310 of 12000; the dollar of parts is not in it
    assert analyst.query("F07", columns, share="0.02") == [
        old, ("A-1", 2, 5, 310, 12000, "EUR", M("2.6"), ["REPAIR_COST"]),
    ]  # fmt: skip


def test_f08_replacement_forecast(analyst: Analyst) -> None:
    assert analyst.query("F08", inflation_pct=10) == [
        (2026, "north", "LIFE_SUPPORT", "USD", 1, 40000, 0, 1),
        # due in November 2026, in a fiscal year from October: that of 2027
        (2027, "south", "THERAPEUTIC", None, 1, None, 1, 0),
        (2029, "north", "THERAPEUTIC", "EUR", 1, 15972, 0, 0),  # 12000 x 1.1 x 1.1 x 1.1
        (2030, "north", "THERAPEUTIC", "EUR", 1, M("1024.87"), 0, 0),  # 700 x 1.1 ^ 4
    ]
    assert [row[0] for row in analyst.query("F08", years=1)] == [2026]


def test_f09_warranty_expiring(analyst: Analyst) -> None:
    columns = "ends_on days_left kind contract asset_tag annual_cost currency other_cover"
    assert analyst.query("F09", columns) == [
        (D("2026-04-01"), 0, "WARRANTY", "K-4", "A-2", 0, "USD", False),
        (D("2026-05-01"), 30, "WARRANTY", "K-2", "A-1", 0, "EUR", True),
    ]
    assert analyst.query("F09", columns, as_of="2025-12-01 12:00+00")[0] == (
        D("2025-12-31"), 30, "AMC", "K-1", "A-1", 1825, "EUR", True,
    )  # fmt: skip


def test_f10_warranty_recovery(analyst: Analyst) -> None:
    columns = "number asset_tag failed_on kind contract labor parts currency"
    first = ("W-1", "A-1", D("2025-02-28"))
    assert analyst.query("F10", columns, **{"from": "2025-01-01"}) == [
        ("W-2", "A-2", D("2026-01-10"), "WARRANTY", "K-4", 100, 0, "USD"),
        (*first, "AMC", "K-1", 250, 0, "EUR"),
        (*first, "WARRANTY", "K-2", 250, 60, "EUR"),
        (*first, "WARRANTY", "K-2", 0, 20, "USD"),
    ]


def test_f11_contract_value(analyst: Analyst) -> None:
    uptime = round(100 * (1 - M(25) / (2 * 8760)), 3)
    assert analyst.query("F11", **{"from": "2025-01-01", "to": "2025-12-31"}) == [
        ("K-1", "AMC", "Serv Co", "EUR", 2, 3650, 1, 4, 50, M("99.9"), uptime, False)
    ]
    # A quarter: 90 of 365 days.
    assert analyst.query("F11", "cost", **{"from": "2025-01-01", "to": "2025-03-31"}) == [(900,)]


def test_f12_vendor_scorecard(analyst: Analyst) -> None:
    given = {"from": "2025-01-01", "to": "2025-12-31"}
    assert analyst.query("F12", **given) == [
        ("Serv Co", "SERVICE_PROVIDER", 1, 1, 100, 24, 0, 100, 50, "EUR")
    ]


def test_f13_loss_shrinkage(analyst: Analyst) -> None:
    assert analyst.query("F13") == [
        ("north", "THERAPEUTIC", "LOST", None, 1, 0, 1, None),
        ("north", "THERAPEUTIC", "NOT_SEEN", "EUR", 1, 450, 0, 700),
    ]
    assert [row[2] for row in analyst.query("F13", days=150)] == ["LOST"]


def test_f14_rental_spend(analyst: Analyst) -> None:
    assert analyst.query("F14") == [
        ("north", "Pump", "Serv Co", "EUR", 6, 180, 2, 1, 30, 1),
    ]


def test_f15_funding_source_register(analyst: Analyst) -> None:
    columns = (
        "funding_source kind restriction restricted_until is_restricted asset_tag status "
        "purchase_cost currency book_value book_currency"
    )
    assert analyst.query("F15", columns) == [
        ("Grant 7", "GRANT", "research only", D("2030-12-31"), True, "A-1", "ACTIVE", 12000, "EUR",
         7200, "EUR"),
        ("Lions", "DONATION", None, None, False, "A-5", "DISPOSED", 2400, "EUR", 1150, "EUR"),
    ]  # fmt: skip
    assert analyst.query("F15", "is_restricted", as_of="2031-01-01 12:00+00")[0] == (False,)


def test_a09_assets_by_department_cost(analyst: Analyst) -> None:
    columns = (
        "facility department cost_center category currency assets purchase_cost cost_unknown "
        "book_value book_value_unknown"
    )
    assert analyst.query("A09", columns) == [
        ("north", "ICU", "4711", "THERAPEUTIC", "EUR", 2, 12600, 0, 7650, 0),
        # bought without a recorded price: the books' euros are not the asset's currency
        ("north", "ICU", "4711", "THERAPEUTIC", None, 2, None, 2, None, 2),
        ("north", "OR", "4712", "LIFE_SUPPORT", "USD", 1, 30000, 0, None, 1),
        ("north", None, None, "THERAPEUTIC", None, 3, None, 3, None, 3),
        ("south", None, None, "THERAPEUTIC", None, 1, None, 1, None, 1),
    ]
