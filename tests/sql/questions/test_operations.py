"""Operations: O01 to O15 and the books behind them, against rows worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from questions import NOW, Org, Small, at, hours, minutes


def test_o01_scorecard(small: Small) -> None:
    a = small.a
    small.conn.execute("update registry.tag_assignment set during = '[2026-03-01,)'")
    a.place("P-1", "store", NOW - hours(1))
    a.place("P-2", "store", NOW - hours(30))
    a.use("P-1", "IN_USE", at("29 10:00"), at("29 16:00"))
    a.use("P-1", "AVAILABLE", at("29 16:00"), at("30 10:00"))
    a.use("P-2", "IN_USE", at("29 10:00"), at("30 10:00"), method="motion")
    a.alert("P-1", "no-pumps", at("30 08:00"))
    model = a.put("prediction.model", name="m", model_version="1", algorithm="x", horizon_h=720,
                  status="active")  # fmt: skip
    for tag, p in (("P-1", 0.25), ("P-2", 0.5)):
        a.put("prediction.risk_current", asset_id=a.asset(tag), model_id=model, horizon_h=720,
              scored_at=NOW, as_of=NOW, p_failure=p)  # fmt: skip
    procedure = a.put("maintenance.procedure", code="PM", name="PM", kind="PM", interval_days=30)
    plan = a.put("maintenance.schedule", asset_id=a.asset("P-1"), procedure_id=procedure,
                 interval_days=30, starts_on="2026-01-10")  # fmt: skip
    for day, outcome in (("2026-02-10", "COMPLETED"), ("2026-02-20", "MISSED"),
                         ("2026-01-10", "MISSED")):  # fmt: skip
        a.put("maintenance.occurrence", asset_id=a.asset("P-1"), schedule_id=plan, due_on=day,
              grace_until=day, outcome=outcome,
              completed_on=day if outcome == "COMPLETED" else None)  # fmt: skip
    recall = a.put("compliance.recall", agency="FDA", number="Z", title="x", manufacturer="Maker",
                   published_on="2026-03-01")  # fmt: skip
    a.put("compliance.recall_asset", recall_id=recall, asset_id=a.asset("P-1"), match_basis="MODEL",
          assessment="AFFECTED")  # fmt: skip
    north, south = small.ask("O01")
    assert north == (
        "north", "North Hospital", 3, 2, 50, date(2026, 2, 1), 50, 25, 1, 1, Decimal("0.75")
    )  # fmt: skip
    assert south == ("south", "South", 0, 0, None, date(2026, 2, 1), None, None, 0, 0, None)


def test_o02_battery_forecast(small: Small) -> None:
    """ble:b1 falls 2 % a day from 30 %, told an hour ago: 15 days. ble:a2 was changed."""
    a = small.a
    small.conn.execute("update registry.tag_assignment set during = '[2026-03-01,)'")
    for n in range(6):
        a.reading(a.tag("ble:b1"), "P-1", 9, NOW - hours(1) - (5 - n) * hours(24), 40 - 2 * n)
        a.reading(a.tag("ble:a2"), "P-2", 9, NOW - (5 - n) * hours(24), (10, 9, 8, 100, 99, 98)[n])
    for n in range(4):  # too few
        a.reading(a.tag("ble:a9"), "P-2", 9, NOW - (5 - n) * hours(24), 40 - 2 * n)
    rows = small.ask("O02")
    assert [(row[0], row[1], row[3], row[5], row[6], row[7]) for row in rows] == [
        ("ble:b1", "P-1", 30.0, -2, 15, 6)
    ]
    assert small.ask("O02", within_days=14) == []


def _status(org: Org, code: str, readers: list[dict[str, Any]], state: str = "online") -> None:
    from pipeline.registry.ids import make_id

    org.conn.execute(
        "insert into pipeline.gateway_status values (%s, %s, %s, %s, %s)",
        (make_id("gateway", org.code, "north", code), org.id, state, at("30 11:59"),
         _json({"started_at": "2026-03-30T09:59:00Z", "readers": readers})),
    )  # fmt: skip


def _json(value: Any) -> Any:
    from psycopg.types.json import Jsonb

    return Jsonb(value)


def test_o03_reader_health(small: Small) -> None:
    ok = {"kind": "ble", "state": "running", "reads": 1200, "restarts": 0}
    _status(small.a, "gw-1", [
        {**ok, "name": "hci0", "last_heard_at": "2026-03-30T11:58:00Z"},
        {**ok, "name": "hci1", "last_heard_at": "2026-03-30T11:40:00Z"},
        {**ok, "name": "door", "state": "failed", "error": "no such port"},
    ])  # fmt: skip
    _status(small.b, "gw-1", [{**ok, "name": "theirs"}])
    rows = small.ask("O03")
    assert [(row[2], row[5], row[9], row[11], row[12]) for row in rows] == [
        ("gw-1", "door", 10, "failed", "no such port"),
        ("gw-1", "hci1", 10, "silent", None),
        ("gw-2", None, None, "never reported", None),
        ("gw-1", "hci0", 10, None, None),
    ]


def test_o04_read_gaps(small: Small) -> None:
    """P-1: a hole of 10 minutes that began in icu-1; P-2 one of 3 in the lobby."""
    a = small.a
    for minute in (0, 1, 2, 12, 13):
        a.position("P-1", at("30 08:00") + minutes(minute), "icu-1")
    for minute in (0, 3, 4):
        a.position("P-2", at("30 08:00") + minutes(minute), "lobby")
    rows = small.ask("O04")
    assert [row[3:] for row in rows] == [
        ("lobby", 1, 1, 180, 180, Decimal("15.000")),  # in 4 minutes
        ("icu-1", 1, 1, 600, 600, Decimal("4.615")),  # in 13
    ]
    assert [row[3] for row in small.ask("O04", gap="5 minutes")] == ["icu-1"]


def _window(org: Org, end: Any, lag_s: float, **values: Any) -> None:
    row = {"reads": 10, "positions": 1, "late": 0, "duplicates": 0, "revision": 0, **values}
    org.put("pipeline.window_commit", building_id=org.building(), window_start=end - minutes(1),
            window_end=end, committed_at=end + timedelta(seconds=lag_s), **row)  # fmt: skip


def test_ingest_windows_o05_o07(small: Small) -> None:
    for n in range(100):
        _window(small.a, at("30 08:00") + n * timedelta(seconds=5), n + 1)
    _window(small.a, at("30 09:00"), 4, duplicates=3)
    _window(small.a, at("30 09:01"), 9000, revision=7)
    _window(small.b, at("30 09:00"), 500)
    assert small.ask("O05") == [
        (at("30 08:00"), "north", "main", 100, 1000, Decimal("50.50"), Decimal("95.05"),
         Decimal("99.01"), 100),
        (at("30 09:00"), "north", "main", 1, 10, 4, 4, 4, 4),
    ]  # fmt: skip
    assert small.ask("O07") == [("north", "main", 101, 1, 3, 1010, Decimal("29.70"))]
    assert small.ask("O05", facility="south") == []


def test_ingest_rejects_o06(small: Small) -> None:
    for n, (org, reason, times, hour) in enumerate([
        ("acme", "not-msgpack", 3, 8), ("acme", "not-msgpack", 1, 9), ("acme", "too-old", 1, 9),
        ("globex", "not-msgpack", 9, 9),
    ]):  # fmt: skip
        small.a.put("pipeline.dead_letter", topic=f"biotrakr/v1/{org}/north/gateways/gw-1/reads",
                    reason=reason, sha256=bytes([n]) * 32, detail=f"d{n}", payload=b"x", bytes=1,
                    times=times, first_at=at("30 01:00"), last_at=at(f"30 {hour}:00"))  # fmt: skip
    topic = "biotrakr/v1/acme/north/gateways/gw-1/reads"
    assert small.ask("O06") == [
        ("not-msgpack", topic, "north", 2, 4, at("30 09:00"), "d1"),
        ("too-old", topic, "north", 1, 1, at("30 09:00"), "d2"),
    ]


def test_late_batches_o08(small: Small) -> None:
    """Late batches of gw-1: one revised (08:10 to 10:05: three hours), one given up, one waits,
    and one that is late by seconds only."""
    from pipeline.registry.ids import make_id

    a = small.a
    row = small.conn.execute(
        "insert into pipeline.revision (building_id, from_at, until_at, cause, batches, reads, "
        "windows, positions_removed, positions_written, room_visits_changed, zone_visits_changed, "
        "sessions_changed, late_alerts) values (%s, %s, %s, 'late',1,1,1,1,1,1,1,1,1) returning id",
        (a.building(), at("30 08:10"), at("30 10:05")),
    ).fetchone()
    assert row is not None
    for n, (first, settled, revision) in enumerate([
        (at("30 08:10"), NOW, row[0]), (at("30 09:00"), NOW, None), (at("30 10:00"), None, None),
        (at("30 11:00") - timedelta(seconds=5), None, None),
    ]):  # fmt: skip
        a.put("pipeline.late_batch", gateway_id=make_id("gateway", "acme", "north", "gw-1"),
              boot="b", sequence=n, building_id=a.building(), late_reads=5, payload=b"",
              recorded_at=at("30 11:00"), first_at=first, last_at=first, settled_at=settled,
              revision=revision)  # fmt: skip
    assert small.ask("O08") == [("north", "main", "gw-1", 3, 15, Decimal("2.83"), 1, 1, 1, 3)]
    assert small.ask("O08", later_than="3 hours") == []


def test_unknown_tags_o09(small: Small) -> None:
    for org, tag, seen, reads in [
        (small.a, "ble:zz", at("30 08:00"), 5), (small.a, "ble:b1", at("30 08:00"), 9),
        (small.a, "ble:old", at("20 08:00"), 99), (small.b, "ble:xx", at("30 08:00"), 7),
    ]:  # fmt: skip
        org.put(
            "pipeline.unknown_tag",
            facility_id=org.facility(),
            tag=tag,
            building_id=org.building(),
            first_seen_at=at("01"),
            last_seen_at=seen,
            reads=reads,
        )
    assert [(row[0], row[5], row[6]) for row in small.ask("O09")] == [
        ("ble:b1", 9, True), ("ble:zz", 5, False),
    ]  # fmt: skip


def test_o10_never_seen(small: Small) -> None:
    """P-1 got its tag on the 20th and was last seen on the 10th, by another; P-2 is seen."""
    small.conn.execute("update registry.tag_assignment set during = '[2026-03-20 12:00+00,)'")
    small.a.place("P-1", "store", at("10"))
    small.a.place("P-2", "store", NOW)
    assert small.ask("O10") == [
        ("P-1", "Infusion pump 1", "north", "ble:b1", at("20 12:00"), 10, at("10"))
    ]


def _operator(small: Small, code: str, columns: str = "*", **given: Any) -> Any:
    """As biotrakr_backup, which looks across organizations."""
    from pipeline.database.catalogue import find_query, read_catalogue
    from pipeline.database.query import resolve

    query = find_query(read_catalogue(), code)
    assert query.operator
    texts = {name.rstrip("_"): str(value) for name, value in given.items()}
    with small.conn.transaction(force_rollback=True):
        small.conn.execute("set local role biotrakr_backup")
        values = resolve(small.conn, query, texts, NOW.isoformat())
        return small.conn.execute(
            f"select {columns} from ({query.body}) as answer".encode(), values
        ).fetchall()


def test_v_hypertable_health_o11_o12(small: Small) -> None:
    small.a.position("P-1", at("02"), "icu-1")
    small.a.position("P-1", NOW + timedelta(days=4000), "icu-1")
    rows = _operator(small, "O11", "hypertable, chunks, oldest, future_chunks")
    found = {row[0]: row[1:] for row in rows}
    assert found["telemetry.location_history"] == (2, at("02") - timedelta(days=4), 1)
    assert found["telemetry.usage_log"] == (0, None, 0)

    overdue = {row[0]: row[1] for row in _operator(small, "O12", "relation, overdue")}
    assert set(overdue.values()) == {False}
    assert "telemetry.location_history" in overdue
    small.conn.execute("update ops.retention_policy set summary = null, keep = '7 days'")
    overdue = {row[0]: row[1] for row in _operator(small, "O12", "relation, overdue")}
    assert [relation for relation, late in overdue.items() if late] == [
        "telemetry.location_history"
    ]
    # Ten days and a chunk of seven: not yet.
    again = _operator(small, "O12", "relation, overdue", as_of=at("13"))
    assert not any(late for _, late in again)


def test_o13_sync(small: Small) -> None:
    a = small.a
    system = a.put("registry.external_system", code="cmms", kind="CMMS", name="CMMS")
    a.put("registry.external_system", code="erp", kind="ERP", name="ERP")
    for tag, status, synced, error in [
        ("P-1", "SYNCED", at("30 11:00"), None), ("P-2", "FAILED", at("20"), "timeout"),
        ("V-1", "NOT_CONFIGURED", None, None),
    ]:  # fmt: skip
        a.put("registry.external_sync", system_id=system, asset_id=a.asset(tag), external_id=tag,
              status=status, last_synced_at=synced, last_attempt_at=NOW, error=error)  # fmt: skip
    assert small.ask("O13") == [
        ("cmms", "CMMS", 2, 1, 0, 1, 1, at("20"), at("30 11:00"), "timeout"),
        ("erp", "ERP", 0, 0, 0, 0, 0, None, None, None),
    ]


def test_o14_growth(small: Small) -> None:
    for n in range(3):
        small.a.position("P-1", at("29") + minutes(n), "icu-1")
    small.b.position("P-1", at("29"), "ward")
    rows = _operator(small, "O14", "organization, facilities, assets, positions, share_pct",
                     from_=at("29"), to=at("30"))  # fmt: skip
    assert rows == [("acme", 2, 3, 3, 75), ("globex", 2, 2, 1, 25)]


def test_o15_freshness(small: Small) -> None:
    small.a.position("P-1", NOW - hours(2), "icu-1")
    small.a.position("P-1", NOW + hours(2), "icu-1")  # a clock that is ahead
    small.a.place("P-1", "icu-1", NOW - hours(1))
    rows = {row[0]: row[1:4] for row in small.ask("O15")}
    assert rows["positions"] == (NOW - hours(2), 2, None)
    assert rows["current places"] == (NOW - hours(1), 1, 1)
    assert rows["usage sessions"] == (NOW, 0, None)
    assert rows["risk scores"] == (None, None, 0)
    assert len(rows) == 10


def _backup(small: Small, query: str) -> Any:
    with small.conn.transaction(force_rollback=True):
        small.conn.execute("set local role biotrakr_backup")
        return small.conn.execute(query.encode()).fetchall()


def test_v_ingest_health(small: Small) -> None:
    _window(small.a, NOW - minutes(5), 2)
    rows = _backup(
        small,
        "select organization, building, written_until, late_batches_waiting, gateways_offline "
        "from reporting.v_ingest_health where facility = 'north' order by 1, 2",
    )
    assert rows == [
        ("acme", "annex", None, 0, 0), ("acme", "main", NOW, 0, 0), ("globex", "main", NOW, 0, 0),
    ]  # fmt: skip


def test_v_platform_capabilities(small: Small) -> None:
    rows = _backup(small, "select name, available, edition from reporting.v_platform_capabilities")
    known = small.conn.execute("select name, available from ops.capability").fetchall()
    assert sorted(row[:2] for row in rows) == sorted(known)
    assert {row[2] for row in rows} <= {"apache", "timescale"}
    # What is every organization's is no analyst's.
    granted = small.conn.execute(
        "select relname from pg_class where relnamespace = 'reporting'::regnamespace "
        "and relkind = 'v' and not has_table_privilege('biotrakr_analyst', oid, 'select')"
    ).fetchall()
    assert {name for (name,) in granted} == {
        "v_platform_capabilities", "v_hypertable_health", "v_ingest_health",
    }  # fmt: skip
