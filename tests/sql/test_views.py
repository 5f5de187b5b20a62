"""Every view of reporting against rows written out by hand, read as an analyst."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.database.connect import Connection
from pipeline.registry.ids import make_id

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def read(conn: Connection, become: Any, acme: Any) -> Any:
    """`read(view, columns, where)`: rows of acme as an analyst, ordered by the first columns."""

    def rows(view: str, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        query = f"select {columns} from reporting.{view} where {where} order by {columns}"
        with become(conn, "biotrakr_analyst", acme.id):
            return conn.execute(query.encode()).fetchall()

    return rows


def _now(conn: Connection) -> datetime:
    row = conn.execute("select now()").fetchone()
    assert row is not None
    return row[0]


def test_every_view_is_tested_somewhere(conn: Connection) -> None:
    """`def test_view_NAME` or `def test_NAME` (and what follows) in a file under tests/sql."""
    views = conn.execute(
        "select relname::text from pg_class "
        "where relnamespace = 'reporting'::regnamespace and relkind = 'v'"
    ).fetchall()
    texts = [path.read_text() for path in Path(__file__).parent.rglob("test_*.py")]
    tests = set(re.findall(r"^def test_(?:view_)?(\w+)", "\n".join(texts), re.MULTILINE))
    untested = {name for (name,) in views if not any(test.startswith(name) for test in tests)}
    assert untested == set()


def test_view_current_location(conn: Connection, acme: Any, read: Any) -> None:
    columns = (
        "tag_number, name, category, facility_code, facility_name, building_code, building_name, "
        "floor_code, floor_name, room_code, room_name, x_m, y_m, z_m, accuracy_m, room_confidence, "
        "method, reason, last_seen_at, moving"
    )
    pump = (
        "P-1", "Infusion pump 1", "THERAPEUTIC", "north", "North Hospital", "main", "Main building",
        "f0", "Ground floor", "mri", "MRI", 4.0, 7.0, pytest.approx(1.2), 2.5, pytest.approx(0.9),
        "solve", "room_changed", NOON - timedelta(seconds=1), True,
    )  # fmt: skip
    assert read("current_location", columns) == [pump]

    # Outside every room, by a code that this version does not know: still there.
    conn.execute(
        "update tracking.asset_location_current set room_id = null, floor_id = null, method = 99 "
        "where asset_id = %s",
        (acme.asset(),),
    )
    assert read("current_location", "tag_number, floor_code, room_code, method, reason") == [
        ("P-1", None, None, None, "room_changed")
    ]
    conn.execute("update registry.asset set deleted_at = now() where id = %s", (acme.asset(),))
    assert read("current_location", "tag_number") == []


def test_view_location_history(acme: Any, read: Any) -> None:
    columns = (
        "ts, asset_id, building_id, floor_id, room_id, room_code, room_name, x_m, y_m, z_m, "
        "accuracy_m, cov_xx, cov_xy, cov_yy, room_confidence, method, reason, receivers, reads, "
        "moving"
    )
    rest = (
        acme.asset(), acme.building, acme.floor, acme.room, "mri", "MRI", 4.0, 7.0,
        pytest.approx(1.2), 2.5, 1.0, 0.25, 2.0, pytest.approx(0.9), "solve", "room_changed", 3,
        12, True,
    )  # fmt: skip
    assert read("location_history", columns) == [
        (NOON, *rest),
        (NOON + timedelta(seconds=5), *rest),
    ]
    assert read("location_history", "ts", "ts > '2026-03-02 12:00:01+00'") == [
        (NOON + timedelta(seconds=5),)
    ]


def _summary(conn: Connection, acme: Any) -> None:
    """A third position: two hours later, standing still, outside every room, without an error."""
    conn.execute(
        "insert into telemetry.location_history (organization_id, asset_id, building_id, ts, "
        "method, reason, receivers, reads, moving) values (%s, %s, %s, %s, 2, 2, 1, 5, false)",
        (acme.id, acme.asset(), acme.building, NOON + timedelta(hours=2)),
    )


def test_view_receiver_calibration(conn: Connection, acme: Any, read: Any) -> None:
    conn.execute(
        "insert into pipeline.calibration (receiver_id, version, source, accepted, reason, p0_dbm, "
        "path_loss_exponent, sigma_db, previous_p0_dbm, previous_path_loss_exponent, "
        "previous_sigma_db, reads, on_bound) "
        "select id, 1, 'survey', true, 'better', -57, 2, 4, -59, 2.2, 5, 100, false "
        "from registry.receiver"
    )
    receivers = conn.execute(
        "select name, -57.0, -59.0 from registry.receiver where organization_id = %s order by name",
        (acme.id,),
    ).fetchall()
    everything = conn.execute("select count(*) from pipeline.calibration").fetchone()
    found = read("receiver_calibration", "receiver_name, p0_dbm, previous_p0_dbm")
    assert sorted(found) == [(name, float(p0), float(old)) for name, p0, old in receivers]
    assert everything is not None
    assert 0 < len(found) < everything[0]


SUMMARY = "positions, moving_positions, reads, mean_accuracy_m, first_at, last_at"


def test_view_location_hourly(conn: Connection, acme: Any, read: Any) -> None:
    _summary(conn, acme)
    later = NOON + timedelta(hours=2)
    assert read("location_hourly", f"hour, room_code, room_name, {SUMMARY}") == [
        (NOON, "mri", "MRI", 2, 2, 24, 2.5, NOON, NOON + timedelta(seconds=5)),
        (later, None, None, 1, 0, 5, None, later, later),
    ]


def test_view_location_daily(conn: Connection, acme: Any, read: Any) -> None:
    _summary(conn, acme)
    day, later = NOON.replace(hour=0), NOON + timedelta(hours=2)
    assert read("location_daily", f"day, room_code, room_name, {SUMMARY}") == [
        (day, "mri", "MRI", 2, 2, 24, 2.5, NOON, NOON + timedelta(seconds=5)),
        (day, None, None, 1, 0, 5, None, later, later),
    ]


def test_view_inside_now(conn: Connection, acme: Any, read: Any) -> None:
    for table in ("room_visit", "zone_visit"):  # one that is over
        conn.execute(
            f"insert into tracking.{table} select gen_random_uuid(), organization_id, facility_id, "
            f"asset_id, {table.removesuffix('_visit')}_id, '2026-03-01', '2026-03-02', false, 'a', "
            f"'b', 1, '[]', '2026-03-02' from tracking.{table} "
            "where organization_id = %s".encode(),
            (acme.id,),
        )
    since = _now(conn) - NOON
    columns = (
        "place_kind, visit_id, place_id, place_code, place_name, floor_code, building_code, "
        "tag_number, name, category, since, inside_for, initial, confidence"
    )
    pump = ("f0", "main", "P-1", "Infusion pump 1", "THERAPEUTIC", NOON, since)
    assert read("inside_now", columns) == [
        ("room", acme.event("room"), acme.room, "mri", "MRI", *pump, True, pytest.approx(0.9)),
        (
            "zone", acme.event("zone"), acme.zone, "no-metal", "Magnet", *pump, False,
            pytest.approx(0.8),
        ),
    ]  # fmt: skip


VISIT = "tag_number, asset_name, category, building_code, floor_code"
TIMES = "entered_at, left_at, duration, initial, entry_reason, exit_reason, confidence, contenders"


def test_view_room_visits(conn: Connection, acme: Any, read: Any) -> None:
    first = acme.event("earlier")
    conn.execute(
        "insert into tracking.room_visit values (%s, %s, %s, %s, %s, %s, %s, false, 'margin', "
        "'timeout', 0.5, %s, %s)",
        (
            first, acme.id, acme.facility, acme.asset(), acme.room_of("lobby"),
            NOON - timedelta(minutes=10), NOON, '[{"room": "mri", "score": -3.5}]', NOON,
        ),
    )  # fmt: skip
    pump = ("P-1", "Infusion pump 1", "THERAPEUTIC", "main", "f0")
    assert read("room_visits", f"room_code, room_name, visit_id, {VISIT}, {TIMES}") == [
        (
            "lobby", "Lobby", first, *pump, NOON - timedelta(minutes=10), NOON,
            timedelta(minutes=10), False, "margin", "timeout", 0.5,
            [{"room": "mri", "score": -3.5}],
        ),
        (
            "mri", "MRI", acme.event("room"), *pump, NOON, None, None, True, "first_sight", None,
            pytest.approx(0.9), [],
        ),
    ]  # fmt: skip


def test_view_zone_visits(acme: Any, read: Any) -> None:
    pump = ("P-1", "Infusion pump 1", "THERAPEUTIC", "main", "f0")
    assert read("zone_visits", f"zone_code, zone_name, visit_id, {VISIT}, {TIMES}") == [
        (
            "no-metal", "Magnet", acme.event("zone"), *pump, NOON, None, None, False, "dwell",
            None, pytest.approx(0.8), [],
        )
    ]  # fmt: skip


def _resolved(conn: Connection, acme: Any) -> None:
    """The alert of the other pump: opened, acknowledged, resolved; and never located."""
    alert = (acme.event("second"), acme.id, acme.facility, acme.asset("P-2"), acme.rule, acme.zone)
    conn.execute(
        "insert into tracking.alert values (%s, %s, %s, %s, %s, %s, 'forbidden-zone', 'CRITICAL', "
        "'resolved', 2, %s, %s, 'Nurse Joy', %s, true, 'left')",
        (*alert, NOON, NOON + timedelta(minutes=1), NOON + timedelta(minutes=5)),
    )
    for revision, (state, minutes) in enumerate([("open", 0), ("resolved", 5)], start=1):
        conn.execute(
            "insert into tracking.alert_event values (%s, %s, %s, %s, %s, 'left', '{}', '{}')",
            (alert[0], revision, acme.id, state, NOON + timedelta(minutes=minutes)),
        )


def test_view_open_alerts(conn: Connection, acme: Any, read: Any) -> None:
    _resolved(conn, acme)
    columns = (
        "alert_id, facility_code, type, severity, state, revision, rule_code, tag_number, "
        "asset_name, category, zone_code, zone_name, building_code, floor_code, room_code, "
        "room_name, opened_at, age, acknowledged_at, acknowledged_by, late, reason"
    )
    assert read("open_alerts", columns) == [
        (
            acme.event("alert"), "north", "forbidden-zone", "CRITICAL", "open", 1, "no-pumps",
            "P-1", "Infusion pump 1", "THERAPEUTIC", "no-metal", "Magnet", "main", "f0", "mri",
            "MRI", NOON, _now(conn) - NOON, None, None, False, "entered",
        )
    ]  # fmt: skip
    # Somebody is on it: it is still open.
    conn.execute(
        "update tracking.alert set state = 'acknowledged', acknowledged_at = now(), "
        "acknowledged_by = 'me' where organization_id = %s and state = 'open'",
        (acme.id,),
    )
    conn.execute("delete from tracking.asset_location_current")
    assert read("open_alerts", "state, acknowledged_by, room_code") == [
        ("acknowledged", "me", None)
    ]


def test_view_alert_history(conn: Connection, acme: Any, read: Any) -> None:
    _resolved(conn, acme)
    columns = (
        "tag_number, revision, alert_id, state, at, type, severity, rule_code, asset_name, "
        "zone_code, opened_at, after_opening, late, reason, evidence"
    )
    kind = ("forbidden-zone", "CRITICAL", "no-pumps")
    second, end = acme.event("second"), NOON + timedelta(minutes=5)
    assert read("alert_history", columns) == [
        (
            "P-1", 1, acme.event("alert"), "open", NOON, *kind, "Infusion pump 1", "no-metal",
            NOON, timedelta(0), False, "entered", {"zone": "x"},
        ),
        (
            "P-2", 1, second, "open", NOON, *kind, "Infusion pump 2", "no-metal", NOON,
            timedelta(0), True, "left", {},
        ),
        (
            "P-2", 2, second, "resolved", end, *kind, "Infusion pump 2", "no-metal", NOON,
            timedelta(minutes=5), True, "left", {},
        ),
    ]  # fmt: skip


def _session(
    conn: Connection, acme: Any, tag: str, state: str, method: str, start: str, end: str | None
) -> None:
    conn.execute(
        "insert into tracking.usage_session values (gen_random_uuid(), %s, %s, %s, null, %s, %s, "
        "%s, %s, null)",
        (acme.id, acme.facility, acme.asset(tag), state, method, start, end),
    )


SECONDS = "maintenance_s, in_use_s, cleaning_s, available_s, unknown_s"


def test_view_utilization_daily(conn: Connection, acme: Any, read: Any) -> None:
    """The facility's clock is Europe/Berlin, UTC+1 until 2026-03-29 01:00 UTC, then UTC+2."""
    for state, method, start, end in [
        # Over midnight in Berlin (23:00 UTC): two days.
        ("IN_USE", "presence", "2026-03-02 22:00+00", "2026-03-03 01:00+00"),
        ("AVAILABLE", "presence", "2026-03-03 01:00+00", "2026-03-03 05:00+00"),
        ("UNKNOWN", "presence", "2026-03-03 05:00+00", "2026-03-03 15:00+00"),
        ("MAINTENANCE", "presence", "2026-03-03 15:00+00", "2026-03-03 15:10+00"),
        ("CLEANING", "presence", "2026-03-03 15:10+00", "2026-03-03 15:30+00"),
        # Other evidence for the same time is a row of its own.
        ("AVAILABLE", "motion", "2026-03-03 00:00+00", "2026-03-03 02:00+00"),
        # Only unknown: no ratio. The day on which the clocks go forward has 23 hours.
        ("UNKNOWN", "presence", "2026-03-28 23:00+00", "2026-03-29 22:00+00"),
        # Began and ended at once, at midnight: no day at all.
        ("IN_USE", "checkout", "2026-03-04 23:00+00", "2026-03-04 23:00+00"),
    ]:
        _session(conn, acme, "P-2", state, method, start, end)
    columns = (
        f"day, method, tag_number, asset_name, category, facility_code, {SECONDS}, utilization"
    )
    pump = ("P-2", "Infusion pump 2", "THERAPEUTIC", "north")
    ratio = pytest.approx(Decimal(2 / 6), rel=Decimal("1e-9"))
    assert read("utilization_daily", columns, "tag_number = 'P-2'") == [
        (date(2026, 3, 2), "presence", *pump, 0, 3600, 0, 0, 0, 1),
        (date(2026, 3, 3), "motion", *pump, 0, 0, 0, 7200, 0, 0),
        (date(2026, 3, 3), "presence", *pump, 600, 7200, 1200, 14400, 36000, ratio),
        (date(2026, 3, 29), "presence", *pump, 0, 0, 0, 0, 82800, None),
    ]


def test_days_west_of_greenwich(conn: Connection, become: Any, globex: Any) -> None:
    """02:00 UTC is still the day before in New York."""
    _session(
        conn, globex, "P-1", "IN_USE", "motion", "2026-03-03 02:00+00", "2026-03-03 06:00+00"
    )  # fmt: skip
    with become(conn, "biotrakr_analyst", globex.id):
        rows = conn.execute(
            "select day, in_use_s from reporting.utilization_daily where method = 'motion' "
            "order by day"
        ).fetchall()
    assert rows == [(date(2026, 3, 2), 3 * 3600), (date(2026, 3, 3), 3600)]


def test_an_open_session_counts_to_the_newest_window_and_no_further(
    conn: Connection, acme: Any, read: Any
) -> None:
    """The wall clock is months past noon of that day; the dataflow has written until 13:00."""
    columns = f"day, tag_number, {SECONDS}"
    assert read("utilization_daily", columns) == [(date(2026, 3, 2), "P-1", 0, 3600, 0, 0, 0)]
    conn.execute("delete from pipeline.progress")
    assert read("utilization_daily", columns) == []


def test_view_gateway_health(conn: Connection, acme: Any, read: Any) -> None:
    conn.execute(
        "insert into pipeline.gateway_progress values (%s, 'deadbeef', 1, %s)",
        (acme.gateway, NOON + timedelta(minutes=2)),
    )
    columns = (
        "gateway_code, gateway_id, facility_code, building_code, enabled, state, status_at, "
        "version, clock_synchronised, spool_batches, dropped_reads, reads_until"
    )
    other = make_id("gateway", "acme", "north", "gw-2")
    assert read("gateway_health", columns) == [
        (
            "gw-1", acme.gateway, "north", "main", True, "online", NOON, "0.1.0", True, 3, 2,
            NOON + timedelta(minutes=2),
        ),
        ("gw-2", other, "north", "main", True, *[None] * 7),
    ]  # fmt: skip
    assert read("gateway_health", "payload ->> 'version'", "state = 'online'") == [("0.1.0",)]


def test_view_sensor_reading(acme: Any, read: Any) -> None:
    columns = "asset_id, sensor_code, quantity, unit, ts, value, low_limit"
    assert read("sensor_reading", columns) == [
        (acme.asset(), "t1", "temperature", "Cel", NOON, 21.5, None)
    ]


@pytest.fixture
def two_more_readings(conn: Connection, acme: Any) -> None:
    conn.execute(
        "insert into telemetry.sensor_reading select organization_id, asset_id, source_id, "
        "quantity, ts + n * interval '40 minutes', value + n from telemetry.sensor_reading "
        "cross join (values (1), (2)) as more (n) where organization_id = %s",
        (acme.id,),
    )


def test_view_sensor_hourly(read: Any, two_more_readings: None) -> None:
    columns = "hour, readings, mean, deviation, value_min, value_max, first_at, last_at"
    assert read("sensor_hourly", columns) == [
        (NOON, 2, 22.0, 0.5, 21.5, 22.5, NOON, NOON + timedelta(minutes=40)),
        (
            NOON + timedelta(hours=1), 1, 23.5, 0.0, 23.5, 23.5, NOON + timedelta(minutes=80),
            NOON + timedelta(minutes=80),
        ),
    ]  # fmt: skip


def test_view_sensor_daily(read: Any, two_more_readings: None) -> None:
    columns = "day, readings, mean, deviation, value_min, value_max"
    assert read("sensor_daily", columns) == [
        (
            NOON - timedelta(hours=12), 3, pytest.approx(22.5), pytest.approx((2 / 3) ** 0.5),
            21.5, 23.5,
        )
    ]  # fmt: skip


def test_view_usage_log(acme: Any, read: Any) -> None:
    columns = "asset_id, ts, running, hours_total, cycles_total"
    assert read("usage_log", columns) == [(acme.asset(), NOON, True, 12.0, 3)]


@pytest.fixture
def one_more_report(conn: Connection, acme: Any) -> None:
    conn.execute(
        "insert into telemetry.usage_log values (%s, %s, %s, false, 12.75, 5)",
        (acme.id, acme.asset(), NOON + timedelta(minutes=50)),
    )


USED = "reports, running_reports, hours_run, hours_max, cycles_run, cycles_max"


def test_view_usage_hourly(read: Any, one_more_report: None) -> None:
    assert read("usage_hourly", f"hour, {USED}") == [(NOON, 2, 1, 0.75, 12.75, 2, 5)]


def test_view_usage_daily(read: Any, one_more_report: None) -> None:
    midnight = NOON - timedelta(hours=12)
    assert read("usage_daily", f"day, {USED}") == [(midnight, 2, 1, 0.75, 12.75, 2, 5)]


def test_view_prediction_score(acme: Any, read: Any) -> None:
    columns = "asset_id, model_name, model_version, horizon_h, ts, p_failure, factors"
    assert read("prediction_score", columns) == [(acme.asset(), "weibull", "1", 720, NOON, 0.1, [])]


@pytest.mark.parametrize(
    "view",
    ["sensor_reading", "sensor_hourly", "sensor_daily", "usage_log", "usage_hourly",
     "usage_daily", "prediction_score"],
)  # fmt: skip
def test_what_is_measured_of_a_deleted_asset_is_hidden(
    conn: Connection, acme: Any, read: Any, view: str
) -> None:
    assert len(read(view, "asset_id")) == 1
    conn.execute("update registry.asset set deleted_at = now() where id = %s", (acme.asset(),))
    assert read(view, "asset_id") == []
