"""Alerts: X01 to X10 and the view behind them, against rows worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from questions import NOW, Small, at, hours, minutes


def _open(small: Small) -> None:
    """P-1: CRITICAL, nobody on it, escalates after 2 h. P-2: acknowledged. V-1: resolved."""
    a = small.a
    own = a.put("registry.alert_policy", name="own", escalation_enabled=True, escalation_delay_h=2)
    a.put("registry.alert_policy", name="default", is_default=True, geofence_enabled=True)
    a.change("P-1", alert_policy_id=own, custodian_id=a.ids["user kim"],
             department_id=a.ids["department icu"])  # fmt: skip
    a.place("P-1", "store", NOW)
    a.alert("P-1", "no-pumps", at("30 09:00"))
    a.alert("P-2", "no-pumps", at("30 08:00"), acked=at("30 08:05"), severity="WARNING")
    a.alert("V-1", "no-pumps", at("30 08:00"), at("30 10:00"))


def test_v_alerts_open_x01_x03(small: Small) -> None:
    _open(small)
    a = small.a
    columns = "asset, type, severity, room, raised_at, age_min, ack_by, escalation_due, escalated"
    assert small.view("v_alerts_open", columns) == [
        ("P-1", "forbidden-zone", "CRITICAL", "store", at("30 09:00"), 180, None, at("30 11:00"),
         False),
        ("P-2", "forbidden-zone", "WARNING", None, at("30 08:00"), 240, "Joy", None, False),
    ]  # fmt: skip
    # As it stood at 08:03: nobody had acknowledged, P-1's had not begun, V-1's was open.
    assert small.view("v_alerts_open", "asset, ack_by", now=at("30 08:03")) == [
        ("P-2", None), ("V-1", None),
    ]  # fmt: skip
    rows = small.ask("X01")
    assert [(row[0], row[3], row[7], row[8], row[9]) for row in rows] == [
        ("CRITICAL", "P-1", "Kim", "ICU", None), ("WARNING", "P-2", None, None, "Joy"),
    ]  # fmt: skip
    assert [row[3] for row in small.ask("X01", severity="WARNING")] == ["P-2"]

    assert [(row[3], row[6], row[7]) for row in small.ask("X03")] == [("P-1", at("30 11:00"), 60)]
    assert small.ask("X03", as_of=at("30 10:59")) == []
    (found,) = small.conn.execute(
        "select id from tracking.alert where asset_id = %s", (a.asset("P-1"),)
    ).fetchone() or (None,)
    a.put("tracking.alert_event", alert_id=found, revision=2, state="escalated", at=at("30 11:00"),
          reason="x", payload={})  # fmt: skip
    assert small.ask("X03") == []
    assert small.view("v_alerts_open", "asset, escalated")[0] == ("P-1", True)


def test_x02_ack_time(small: Small) -> None:
    a = small.a
    a.alert("P-1", "no-pumps", at("29 10:00"), at("29 12:00"), at("29 10:10"))
    a.alert("P-1", "no-pumps", at("29 13:00"), at("29 13:30"), at("29 13:20"))
    a.alert("P-2", "no-pumps", at("29 10:00"))  # nobody
    a.alert("P-2", "no-pumps", at("29 11:00"), at("29 11:01"), at("29 11:01"), late=True)
    assert small.ask("X02") == [("forbidden-zone", "CRITICAL", 3, 2, 2, 15, 19, 75, 111)]
    assert small.ask("X02", to=at("29 10:00")) == []


def test_x04_noise(small: Small) -> None:
    a = small.a
    a.alert("P-1", "no-pumps", at("29 10:00"), at("29 10:10"))
    a.alert("P-1", "no-pumps", at("29 11:00"), at("29 11:30"), at("29 11:05"))
    a.alert("P-1", "no-pumps", at("29 12:00"))
    a.alert("P-2", "no-pumps", at("29 12:00"))
    assert small.ask("X04") == [
        ("forbidden-zone", "no-pumps", "north", "P-1", 3, 2, 1, 50, 20),
        ("forbidden-zone", "no-pumps", "north", "P-2", 1, 0, 0, None, None),
    ]


def _rule(small: Small, kind: str, **values: Any) -> None:
    row = {"facility_id": small.a.facility(), "code": kind, "type": kind, "severity": "INFO"}
    small.a.put("registry.rule", **{**row, **values})


def test_x05_pm_candidates(small: Small) -> None:
    """P-1 is due in 10 days and tells 14 before; P-2 in 10 too, but its policy says 7."""
    a = small.a
    week = a.put("registry.alert_policy", name="week", pm_days_before=7)
    a.change("P-2", alert_policy_id=week)
    procedure = a.put(
        "maintenance.procedure", code="PM", name="Yearly", kind="PM", interval_days=365
    )
    for tag in ("P-1", "P-2"):
        plan = a.put("maintenance.schedule", asset_id=a.asset(tag), procedure_id=procedure,
                     interval_days=365, starts_on="2026-04-09")  # fmt: skip
        a.put("maintenance.occurrence", asset_id=a.asset(tag), schedule_id=plan,
              due_on="2026-04-09", grace_until="2026-04-30")  # fmt: skip
    rows = small.ask("X05")
    assert [(row[0], row[3], row[4], row[5], row[7], row[8]) for row in rows] == [
        ("P-1", "Yearly", date(2026, 4, 9), 10, 14, None)
    ]
    _rule(small, "pm-due", categories=None) if False else _rule(small, "pm-due")
    assert small.ask("X05")[0][8] == "pm-due"
    assert [row[0] for row in small.ask("X05", as_of=at("30 12:00") + hours(96))] == ["P-1", "P-2"]


def test_x06_idle_candidates(small: Small) -> None:
    """Five days allowed. P-1 was used six days ago, P-2 yesterday, V-1 is idle and missing."""
    a = small.a
    a.put("registry.alert_policy", name="default", is_default=True, idle_days=5)
    a.use("P-1", "IN_USE", at("24 10:00"), at("24 12:00"), method="telemetry")
    a.use("P-1", "AVAILABLE", at("24 12:00"), None)
    a.use("P-2", "IN_USE", at("29 10:00"), at("29 12:00"))
    a.use("V-1", "IN_USE", at("10"), at("11"))
    a.place("P-1", "store", NOW)
    a.place("P-2", "store", NOW)
    a.place("V-1", "store", NOW - hours(200))
    rows = small.ask("X06")
    assert [(row[0], row[3], row[4], row[5], row[6]) for row in rows] == [
        ("P-1", 6, 5, at("24 12:00"), "store")
    ]
    assert small.ask("X06", as_of=at("29 11:00")) == []


def test_x08_battery(small: Small) -> None:
    a = small.a
    small.conn.execute("update registry.tag_assignment set during = '[2026-03-01,)'")
    for tag, asset, values in [("ble:b1", "P-1", (50, 12)), ("ble:a2", "P-2", (12, 80))]:
        for n, value in enumerate(values):
            a.reading(a.tag(tag), asset, 9, NOW - hours(10 - n), value)
    small.b.reading(small.b.tag("ble:b1"), "P-1", 9, NOW, 1)
    a.place("P-1", "store", NOW)
    assert small.ask("X08") == [
        ("ble:b1", "P-1", "Infusion pump 1", "north", "store", 12.0, NOW - hours(9), NOW, None)
    ]
    assert small.ask("X08", below_pct=12) == []
    _rule(small, "battery", enabled=False)
    assert small.ask("X08")[0][8] is None


def test_x09_flapping(small: Small) -> None:
    """Four from 21:30 UTC of the 29th; at 22:00 it is midnight in Berlin, summer time."""
    for n in range(4):
        opened = at("29 21:30") + n * minutes(9)
        small.a.alert("P-1", "no-pumps", opened, opened + minutes(3))
    small.a.alert("P-1", "no-pumps", at("29 22:10"))
    assert small.ask("X09", times=3) == [
        (date(2026, 3, 29), "north", "no-pumps", "forbidden-zone", "P-1", 4, 4, 3)
    ]
    assert small.ask("X09", times=4) == []
    assert len(small.ask("X09", times=0)) == 2


def test_x10_coverage(small: Small) -> None:
    """no-pumps covers THERAPEUTIC, nothing-leaves everything of north."""
    a = small.a
    a.make_asset("S-1", facility_id=a.facility("south"), category="SURGICAL")
    a.put("registry.alert_policy", name="default", is_default=True, geofence_enabled=False)
    assert small.ask("X10") == [("south", "SURGICAL", "S-1", "Asset S-1", None, False)]
    small.conn.execute("update registry.rule set enabled = false where code = 'nothing-leaves'")
    assert [row[2] for row in small.ask("X10")] == ["V-1", "S-1"]
    assert [row[2] for row in small.ask("X10", type="pm-due")] == ["V-1", "P-1", "P-2", "S-1"]
    assert Decimal(len(small.ask("X10", facility="south"))) == 1
