"""Utilization: U01 to U14 and their views. Evidence is never mixed, UNKNOWN is never idle.

Berlin's midnights: 29 March 2026 begins at 28 23:00 UTC and, 23 hours long, ends at 29 22:00 UTC.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from questions import NOW, Small, at, hours


def test_v_asset_state_hourly(small: Small) -> None:
    a = small.a
    a.use("P-1", "IN_USE", at("30 10:30"), at("30 11:15"))
    a.use("P-1", "CLEANING", at("30 11:15"), at("30 11:20"))
    a.use("P-1", "AVAILABLE", at("30 11:20"), None)  # open: to NOW, which ends the hour
    a.use("P-1", "MAINTENANCE", at("30 11:00"), at("30 11:30"), method="telemetry")
    a.use("P-2", "UNKNOWN", at("30 11:00"), None)
    small.b.use("P-1", "IN_USE", at("30 10:00"), at("30 12:00"))
    columns = (
        "hour, asset_id, method, in_use_min, "
        "available_min, cleaning_min, maintenance_min, unknown_min"
    )
    rows = small.view("v_asset_state_hourly", columns)
    names = {a.asset("P-1"): "P-1", a.asset("P-2"): "P-2"}
    assert sorted((row[0].hour, names[row[1]], *row[2:]) for row in rows) == [
        (10, "P-1", "presence", 30, 0, 0, 0, 30),
        (11, "P-1", "presence", 15, 40, 5, 0, 0),
        (11, "P-1", "telemetry", 0, 0, 0, 30, 30),
        (11, "P-2", "presence", 0, 0, 0, 0, 60),
    ]
    # An open session counts to the newest window and no further.
    small.conn.execute("update pipeline.progress set window_end = %s", (at("30 11:40"),))
    row = small.view("v_asset_state_hourly", "hour, available_min, unknown_min",
                     where="method = 'presence' and available_min > 0")  # fmt: skip
    assert [(r[1], r[2]) for r in row] == [(20, 20)]


def test_contradictory_sessions_of_one_method(small: Small) -> None:
    """An asset that walks over to another building is followed in both for a while. 10:00 to 11:00:
    in use 10:10 to 10:30 in north, available 10:00 to 10:40 in south, cleaned 10:25 to 10:35."""
    a = small.a
    a.put("pipeline.progress", building_id=a.ids["building south"], window_end=NOW)
    a.use("P-1", "AVAILABLE", at("30 10:00"), at("30 10:40"), facility="south")
    a.use("P-1", "IN_USE", at("30 10:10"), at("30 10:30"))
    a.use("P-1", "CLEANING", at("30 10:25"), at("30 10:35"))
    a.use("P-1", "UNKNOWN", at("30 10:00"), None)
    columns = "in_use_min, cleaning_min, available_min, unknown_min"
    assert small.view("v_asset_state_hourly", columns, now=at("30 11:00")) == [(20, 5, 15, 20)]
    small.conn.execute("set local app.org_id = ''")
    with small._analyst(a):
        rows = small.conn.execute(
            "select facility_id, in_use_min, cleaning_min, available_min, unknown_min "
            "from reporting.usage_days(%s, %s)",
            (at("30 10:00"), at("30 11:00")),
        ).fetchall()
    # Unknown once, where it was last.
    assert sorted(rows, key=str) == sorted(
        [(a.facility("north"), 20, 5, 0, 0), (a.facility("south"), 0, 0, 15, 20)], key=str
    )


def _week(small: Small) -> None:
    """P-1 in use over midnight of Berlin and through the short night; P-2 likewise, one hour in
    common; motion says otherwise; V-1 has no type and is unknown."""
    a = small.a
    a.use("P-1", "IN_USE", at("28 21:00"), at("29 03:00"), room="icu-1")  # 2 h and 4 h
    a.use("P-1", "AVAILABLE", at("29 03:00"), at("29 22:00"), room="store")  # 19 h
    a.use("P-2", "IN_USE", at("29 02:00"), at("29 03:00"), room="icu-1")
    a.use("P-2", "IN_USE", at("29 03:00"), at("29 05:00"), room="icu-1")  # began as P-1 ended
    a.use("P-2", "AVAILABLE", at("29 02:00"), at("29 12:00"), method="motion")
    a.use("V-1", "UNKNOWN", at("28 23:00"), at("29 22:00"))
    small.b.use("P-1", "IN_USE", at("28 21:00"), at("29 22:00"))


def test_v_utilization_daily_and_u05(small: Small) -> None:
    _week(small)
    columns = (
        "date, device_type, method, assets, "
        "in_use_h, available_h, unknown_h, utilization_pct, peak_concurrent"
    )
    rows = small.view("v_utilization_daily", columns, now=at("29 22:00"))
    assert rows == [
        (date(2026, 3, 28), "pump", "presence", 1, 2, 0, 22, Decimal("100.0"), 1),
        # The short day: 23 h. P-1 4 h used and 19 h free, P-2 3 h used and 20 h unknown.
        (date(2026, 3, 29), "pump", "motion", 1, 0, 10, 13, Decimal("0.0"), 0),
        (date(2026, 3, 29), "pump", "presence", 2, 7, 19, 20, Decimal("26.9"), 2),
        (date(2026, 3, 29), None, "presence", 1, 0, 0, 23, None, 0),
    ]
    # Asked a day later, it is no longer than it was.
    assert small.view(
        "v_utilization_daily", "date, unknown_h", where="device_type is null and assets = 1"
    ) == [(date(2026, 3, 29), 23)]
    days = {"from_": at("28 23:00"), "to": at("29 22:00")}
    assert small.ask("U05", type="pump", **days) == [
        (date(2026, 3, 29), "north", "pump", "motion", 1, 0),
        (date(2026, 3, 29), "north", "pump", "presence", 2, 2),
    ]
    assert small.ask("U05", facility="south", **days) == []


def test_u01_utilization_by_type(small: Small) -> None:
    _week(small)
    days = {"from_": at("28 21:00"), "to": at("29 22:00")}
    assert small.ask("U01", **days) == [
        (date(2026, 3, 1), "north", "pump", "motion", 1, 0, 10, 13, 0, Decimal("56.5")),
        (
            date(2026, 3, 1),
            "north",
            "pump",
            "presence",
            2,
            9,
            19,
            20,
            Decimal("32.1"),
            Decimal("41.7"),
        ),
        (date(2026, 3, 1), "north", None, "presence", 1, 0, 0, 23, None, 100),
    ]
    assert len(small.ask("U01", method="motion", **days)) == 1


def test_u02_rank(small: Small) -> None:
    _week(small)
    days = {"from_": at("28 21:00"), "to": at("29 22:00")}
    assert [(row[0], row[4], row[5], row[7]) for row in small.ask("U02", **days)] == [
        ("P-2", 3, 0, 100), ("P-1", 6, 19, 24),
    ]  # fmt: skip
    assert [row[0] for row in small.ask("U02", least=True, most=1, **days)] == ["P-1"]
    assert [row[0] for row in small.ask("U02", method="motion", **days)] == ["P-2"]


def test_u03_underused(small: Small) -> None:
    """Over two days. P-1: 1 h of 48. P-2: idle, but known for 10 h only. V-1: nobody knows."""
    a = small.a
    start = NOW - hours(48)
    a.change("P-1", currency_code="EUR")
    a.put("registry.asset_metric", asset_id=a.asset("P-1"), computed_at=NOW, current_book_value=900)
    a.use("P-1", "IN_USE", start, start + hours(1))
    a.use("P-1", "AVAILABLE", start + hours(1), None)
    a.use("P-2", "AVAILABLE", start, start + hours(10))
    a.use("V-1", "UNKNOWN", start, None)
    assert small.ask("U03", days=2) == [
        ("P-1", "Infusion pump 1", "pump", "north", 1, 47, 0, Decimal("2.1"), 900, "EUR")
    ]
    assert small.ask("U03", days=2, below_pct=2) == []
    assert small.ask("U03", days=2, method="motion") == []


def _demand(small: Small) -> None:
    """Of 100 hours: 2 in use for 4 h, 1 for 10 h, none for 86 h. A fleet of two, one retired."""
    a = small.a
    start = NOW - hours(100)
    a.make_asset("P-9", status="RETIRED", retired_on="2026-03-01")
    a.use("P-1", "IN_USE", start, start + hours(14))
    a.use("P-2", "IN_USE", start + hours(2), start + hours(6))
    a.use("P-2", "IN_USE", start, start + hours(50), method="motion")


def test_u04_overused_types(small: Small) -> None:
    _demand(small)
    span = {"from_": NOW - hours(100), "to": NOW}
    # 96 % of the time one or none: p95 is 1 of 2.
    assert small.ask("U04", above_pct=40, **span) == [
        ("north", "pump", "motion", 2, 1, 1, 50), ("north", "pump", "presence", 2, 1, 2, 50),
    ]  # fmt: skip
    assert small.ask("U04", above_pct=50, **span) == []
    # Nothing owned: no percentage, and listed.
    small.conn.execute("update registry.asset set deleted_at = now() where tag_number = 'P-2'")
    small.a.change("P-1", facility_id=small.a.facility("south"))
    assert small.ask("U04", **span) == [("north", "pump", "presence", 0, 1, 1, None)]


def test_u06_fleet_size(small: Small) -> None:
    _demand(small)
    span = {"from_": NOW - hours(100), "to": NOW}
    assert small.ask("U06", **span) == [("north", "pump", 2, Decimal("0.18"), 1, 2, 1)]
    assert small.ask("U06", service_level=0.97, **span)[0][4:] == (2, 2, 0)
    assert small.ask("U06", service_level=0.86, **span)[0][4] == 0
    assert small.ask("U06", service_level=0.95, method="motion", **span)[0][4] == 1


def test_u07_heatmap(small: Small) -> None:
    """Sunday the 29th, 00:00 UTC is 01:00 on the wall, 01:00 UTC is 03:00: the clock skips 02."""
    a = small.a
    a.use("P-1", "IN_USE", at("29 00:00"), at("29 01:30"))
    a.use("P-1", "AVAILABLE", at("29 01:30"), at("29 02:00"))
    assert small.ask("U07", from_=at("29 00:00"), to=at("29 02:00")) == [
        (7, 1, 1, 0, 0, 100), (7, 3, Decimal("0.5"), Decimal("0.5"), 0, 50),
    ]  # fmt: skip
    assert small.ask("U07", from_=at("29 00:00"), to=at("29 02:00"), type="bed") == []


def test_u08_idle(small: Small) -> None:
    a = small.a
    a.use("P-1", "AVAILABLE", at("28 00:00"), at("29 06:00"), room="icu-1")  # 30 h
    a.use("P-1", "UNKNOWN", at("29 06:00"), at("30 06:00"), room="icu-1")
    a.use("P-2", "AVAILABLE", at("29 00:00"), at("30 02:00"), room="icu-1")  # 26 h
    a.use("V-1", "AVAILABLE", at("29 00:00"), at("29 23:00"), room="icu-1")
    a.use("V-1", "AVAILABLE", at("01"), at("30"), method="motion")
    assert small.ask("U08", from_=at("20")) == [
        ("north", "icu", "pump", 2, 2, 28, Decimal("29.6"), 30, 56)
    ]
    assert small.ask("U08", from_=at("28 12:00"))[0][3:] == (1, 1, 26, 26, 26, 26)


def test_u09_sessions(small: Small) -> None:
    a = small.a
    a.use("P-1", "IN_USE", at("29 10:00"), at("29 11:00"), room="icu-1")
    a.use("P-2", "IN_USE", at("29 10:00"), at("29 10:20"), room="icu-1")
    a.use("P-1", "IN_USE", at("30 11:00"), None, room="store")
    a.use("P-1", "AVAILABLE", at("29 11:00"), at("30 11:00"))
    a.put(
        "registry.assignment",
        asset_id=a.asset("P-1"),
        kind="OPERATION",
        user_id=a.ids["user kim"],
        during="[2026-03-29 09:00+00,2026-03-29 12:00+00)",
    )
    assert small.ask("U09") == [
        ("north", "icu", "NURSE", "presence", 1, 1, 60, 1),
        ("north", "icu", None, "presence", 1, 1, 20, Decimal("0.33")),
        ("north", "pool", None, "presence", 1, 1, None, 1),
    ]


def test_u10_turnaround(small: Small) -> None:
    """P-1: use to 10:00, corridor, cleaned 10:30 to 10:50, free at 11:00; cleaned again at 11:30.
    P-2: cleaned without a use before. V-1: used and never cleaned."""
    a = small.a
    a.use("P-1", "IN_USE", at("30 08:00"), at("30 10:00"))
    a.use("P-1", "AVAILABLE", at("30 10:10"), at("30 10:30"))
    a.use("P-1", "CLEANING", at("30 10:30"), at("30 10:50"))
    a.use("P-1", "AVAILABLE", at("30 11:00"), at("30 11:30"))
    a.use("P-1", "CLEANING", at("30 11:30"), at("30 11:40"))
    a.use("P-1", "AVAILABLE", at("30 11:40"), None)
    a.use("P-2", "CLEANING", at("30 09:00"), at("30 09:30"))
    a.use("P-2", "AVAILABLE", at("30 09:30"), None)
    a.use("V-1", "IN_USE", at("30 09:00"), at("30 09:30"))
    assert small.ask("U10") == [("north", "pump", 1, 30, 30, 20, 20, 60, 60)]


def test_u11_checkout_overdue(small: Small) -> None:
    a = small.a
    for tag, during, back in [
        ("P-1", "[2026-03-30 06:00+00,)", at("30 10:00")),
        ("P-2", "[2026-03-30 06:00+00,2026-03-30 11:00+00)", at("30 10:00")),  # came back late
        ("V-1", "[2026-03-30 06:00+00,)", None),
    ]:
        a.put("registry.assignment", asset_id=a.asset(tag), kind="CHECKOUT", during=during,
              user_id=a.ids["user kim"], expected_return_at=back)  # fmt: skip
    a.place("P-1", "lobby", NOW)
    rows = small.ask("U11")
    assert [(row[0], row[3], row[5], row[7], row[8]) for row in rows] == [
        ("P-1", "Kim", at("30 06:00"), 2, "lobby")
    ]


def test_u12_rental_vs_idle(small: Small) -> None:
    """Berlin's 26th and 27th: on the 26th P-1 and P-2 are idle all day, on the 27th P-1 is used and
    P-2 unknown. Three rented on both days, one of them dearer: two avoidable on the first day."""
    a = small.a
    for tag in ("P-1", "P-2"):
        a.use(tag, "AVAILABLE", at("25 23:00"), at("26 23:00"))
    a.use("P-1", "IN_USE", at("26 23:00"), at("27 01:00"))
    a.use("P-1", "AVAILABLE", at("27 01:00"), at("27 23:00"))
    a.use("P-2", "UNKNOWN", at("26 23:00"), at("27 23:00"))
    vendor = a.put("registry.vendor", code="r", name="R", type="SERVICE_PROVIDER")
    rental = {
        "facility_id": a.facility(), "device_type_id": a.ids["type pump"], "vendor_id": vendor,
        "currency_code": "EUR",
    }  # fmt: skip
    a.put("finance.rental", **rental, starts_on="2026-03-26", ends_on="2026-03-27", daily_rate=30)
    a.put("finance.rental", **rental, starts_on="2026-03-20", daily_rate=20, quantity=2)
    assert small.ask("U12", from_="2026-03-26", to="2026-03-27") == [
        ("north", "pump", "EUR", 6, 140, 2, 2, 50)
    ]
    assert small.ask("U12", from_="2026-03-27", to="2026-03-27")[0][5:] == (0, 0, 0)


def test_u13_search_proxy(small: Small) -> None:
    a = small.a
    a.visit("P-1", "store", at("30 09:00"), at("30 09:40"))
    a.visit("P-1", "lobby", at("30 09:40"), at("30 09:50"))
    a.visit("P-1", "mri", at("30 09:50"), at("30 10:00"))
    a.use("P-1", "IN_USE", at("30 10:00"), at("30 11:00"))
    a.use("P-2", "IN_USE", at("30 10:00"), at("30 11:00"))
    assert small.ask("U13") == [("north", "pump", 2, 1, 2, 6)]
    assert small.ask("U13", window="15 minutes")[0][3:] == (0, 0, 0)


def test_u14_budget(small: Small) -> None:
    a = small.a
    a.use("P-1", "MAINTENANCE", at("29 00:00"), at("29 01:00"))
    a.use("P-1", "IN_USE", at("29 01:00"), at("29 03:00"))
    a.use("P-1", "CLEANING", at("29 03:00"), at("29 03:30"))
    a.use("P-1", "AVAILABLE", at("29 03:30"), at("29 10:00"))
    assert small.ask("U14", from_=at("28 23:00"), to=at("29 22:00")) == [
        ("north", "pump", "presence", 1, 23, 2, Decimal("6.5"), Decimal("0.5"), 1, 13)
    ]


def _ward(small: Small) -> None:
    a = small.a
    clean = a.ids["model bed"]
    small.conn.execute(
        "update registry.device_model set decontamination_protocol = 'wipe', "
        "decontamination_interval_h = 24 where id = %s",
        (clean,),
    )
    wiped = {"method": "CLEANING", "result": "PASS"}
    for tag, status in [("B-1", "ACTIVE"), ("B-2", "ACTIVE"), ("B-3", "ACTIVE"), ("B-4", "ACTIVE"),
                        ("Q-1", "QUARANTINED"), ("M-1", "IN_MAINTENANCE")]:  # fmt: skip
        a.make_asset(tag, "bed", status=status)
        a.place(tag, "icu-1", NOW)
        a.use(tag, "AVAILABLE", at("30 06:00"), None)
    a.put(
        "maintenance.decontamination", asset_id=a.asset("B-1"), performed_at=at("30 02:00"), **wiped
    )
    a.use("B-2", "IN_USE", at("30 03:00"), at("30 04:00"))  # used since
    a.put(
        "maintenance.decontamination", asset_id=a.asset("B-2"), performed_at=at("30 02:00"), **wiped
    )
    a.put(
        "maintenance.decontamination", asset_id=a.asset("B-3"), performed_at=at("29 02:00"), **wiped
    )
    a.put("maintenance.decontamination", asset_id=a.asset("B-4"), performed_at=at("30 02:00"),
          method="CLEANING", result="FAIL")  # fmt: skip
    a.make_asset("G-1", "bed", status="RETIRED", retired_on="2026-03-01")
    # Pumps need no cleaning. P-1: signals conflict, the strongest wins. P-2: unheard for two hours.
    a.use("P-1", "AVAILABLE", at("30 06:00"), None)
    a.put("registry.assignment", asset_id=a.asset("P-1"), kind="CHECKOUT",
          user_id=a.ids["user kim"], during="[2026-03-30 11:00+00,)")  # fmt: skip
    a.place("P-1", "icu-1", NOW)
    a.use("P-2", "AVAILABLE", at("30 06:00"), None)
    a.place("P-2", "icu-1", NOW - hours(2))


def test_v_asset_availability(small: Small) -> None:
    _ward(small)
    columns = "asset_tag, type, state, state_since, room, is_clean, is_available, blocked_reason"
    six, rest = at("30 06:00"), ("icu-1",)
    assert small.view("v_asset_availability", columns) == [
        ("B-1", "bed", "AVAILABLE", six, *rest, True, True, None),
        ("B-2", "bed", "AVAILABLE", six, *rest, False, False, "not clean"),
        ("B-3", "bed", "AVAILABLE", six, *rest, False, False, "not clean"),  # 34 h ago
        ("B-4", "bed", "AVAILABLE", six, *rest, False, False, "not clean"),
        ("M-1", "bed", "MAINTENANCE", None, *rest, False, False, "maintenance"),
        ("P-1", "pump", "IN_USE", at("30 11:00"), *rest, True, False, "in use"),
        ("P-2", "pump", "UNKNOWN", NOW - hours(2), *rest, True, False, "not seen"),
        ("Q-1", "bed", "AVAILABLE", six, *rest, False, False, "quarantined"),
        ("V-1", None, "UNKNOWN", None, None, True, False, "not seen"),
    ]


def test_v_room_inventory(small: Small) -> None:
    _ward(small)
    assert small.view(
        "v_room_inventory", "room, type, total, available, in_use, in_maintenance, unknown"
    ) == [("icu-1", "bed", 6, 1, 0, 1, 0), ("icu-1", "pump", 2, 0, 1, 0, 1)]
