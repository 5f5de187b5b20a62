"""Location: L01 to L18 and their views, against rows worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from questions import NOW, Small, at, hours, minutes

approx = pytest.approx


def _two_places(small: Small) -> None:
    """P-1 lies in its home room, seen 10 s ago; P-2 was last heard in the lobby 10 minutes ago."""
    a = small.a
    a.change("P-1", home_room_id=a.room("store"))
    a.change("P-2", home_room_id=a.room("store"))
    a.place("P-1", "store", NOW - minutes(1 / 6), x_m=7.0)
    a.place("P-2", "lobby", NOW - minutes(10), x_m=11.0, moving=True)
    a.zone_visit("P-2", "exit", NOW - minutes(12))
    a.zone_visit("P-1", "exit", at("29 01:00"), at("29 02:00"))
    small.b.place("P-1", "ward", NOW)


def test_v_asset_current_location_and_l01(small: Small) -> None:
    _two_places(small)
    columns = (
        "asset_tag, facility, building, floor, room, zone, "
        "x, age_seconds, is_stale, is_moving, home_room, is_home"
    )
    assert small.view("v_asset_current_location", columns) == [
        ("P-1", "north", "main", "f1", "store", None, 7.0, 10, False, False, "store", True),
        ("P-2", "north", "main", "f0", "lobby", "exit", 11.0, 600, True, True, "store", False),
    ]
    # A limit of the facility wins over the organization's.
    a = small.a
    a.put("registry.threshold", name="location_stale_s", value=5, unit="s")
    a.put("registry.threshold", name="location_stale_s", value=900, unit="s",
          facility_id=a.facility())  # fmt: skip
    assert small.view("v_asset_current_location", "asset_tag, is_stale") == [
        ("P-1", False), ("P-2", False),
    ]  # fmt: skip
    (row,) = small.ask("L01", tag="P-2")
    assert row[:7] == ("P-2", "Infusion pump 2", "north", "main", "f0", "lobby", "exit")
    assert row[12:] == (NOW - minutes(10), 600, False, True, False)
    assert small.ask("L01", tag="V-1") == []
    a.change("P-2", deleted_at=NOW)
    assert small.ask("L01", tag="P-2") == []


def test_l02_assets_in_room(small: Small) -> None:
    _two_places(small)
    small.a.use("P-1", "AVAILABLE", at("30 08:00"), None, room="store")
    everything = small.ask("L02")
    assert [row[3:9] for row in everything] == [
        ("f0", "lobby", "P-2", "Infusion pump 2", "UNKNOWN", False),
        ("f1", "store", "P-1", "Infusion pump 1", "AVAILABLE", True),
    ]
    assert [row[5] for row in small.ask("L02", room="store")] == ["P-1"]
    assert [row[5] for row in small.ask("L02", floor="f0")] == ["P-2"]
    assert small.ask("L02", facility="south") == []


def test_l03_nearest_available(small: Small) -> None:
    """From the middle of icu-1, (3, 2.5): the nearest in metres wins, a floor costs 30."""
    a = small.a
    for tag, room, x, y in [
        ("P-1", "lobby", 3.0, 2.5), ("P-2", "store", 9.0, 2.5), ("P-3", "store", 8.0, 2.5),
        ("P-4", "icu-1", 3.0, 2.5),
    ]:  # fmt: skip
        if tag in ("P-3", "P-4"):
            a.make_asset(tag)
        a.place(tag, room, NOW, x_m=x, y_m=y)
        if tag != "P-4":  # in use: nearest, but not free
            a.use(tag, "AVAILABLE", at("30 08:00"), None)
    a.use("P-4", "IN_USE", at("30 08:00"), None)
    rows = small.ask("L03", type="pump", facility="north", room="icu-1")
    assert [(row[0], row[4], row[5], row[6]) for row in rows] == [
        ("P-3", "store", 0, Decimal("5.0")), ("P-2", "store", 0, Decimal("6.0")),
        ("P-1", "lobby", 1, Decimal("30.0")),
    ]  # fmt: skip
    assert len(small.ask("L03", type="pump", facility="north", room="icu-1", most=1)) == 1
    assert small.ask("L03", type="bed", facility="north", room="icu-1") == []


def _walk(small: Small) -> None:
    """P-1: store, icu-1 over midnight, store again until now. P-2 shares the store with it."""
    a = small.a
    a.visit("P-1", "store", at("29 10:00"), at("29 22:00"))
    a.visit("P-1", "lobby", at("29 22:00"), at("29 22:10"))
    a.visit("P-1", "icu-1", at("29 22:10"), at("30 06:10"))
    a.visit("P-1", "store", at("30 06:10"))
    a.visit("P-2", "store", at("29 20:00"), at("30 07:10"))
    a.visit("V-1", "lobby", at("28 00:00"), at("28 01:00"))
    small.b.visit("P-1", "ward", at("29 10:00"))


def test_l04_movement_trail(small: Small) -> None:
    _walk(small)
    rows = small.ask("L04", tag="P-1", from_=at("29 23:10"), to=at("30 07:10"))
    assert [(row[0], row[1], row[2], row[6]) for row in rows] == [
        (at("29 22:10"), at("30 06:10"), Decimal("420.0"), "icu-1"),
        (at("30 06:10"), None, Decimal("60.0"), "store"),
    ]
    # Ended as the time began, began as it ended: neither is in it.
    assert small.ask("L04", tag="P-1", from_=at("29 22:10"), to=at("29 22:10")) == []


def test_l05_position_playback(small: Small) -> None:
    for second, x in [(0, 1.0), (4, 2.0), (9, 3.0), (10, 4.0), (35, 5.0)]:
        small.a.position("P-1", at("30 08:00") + minutes(second / 60), "icu-1", x_m=x)
    small.b.position("P-1", at("30 08:00"), "ward")
    rows = small.ask("L05", tag="P-1", from_=at("30 08:00"), to=at("30 08:01"))
    assert [(row[0].second, row[3], row[4]) for row in rows] == [
        (9, "icu-1", 3.0), (10, "icu-1", 4.0), (35, "icu-1", 5.0),
    ]  # fmt: skip


def test_v_missing_assets_and_l06(small: Small) -> None:
    """P-1 unseen for 30 h, P-2 seen now; Q-1 wears a tag since two days and was never seen;
    V-1 wears none; Q-2 is retired."""
    a = small.a
    a.change("P-1", criticality="HIGH", custodian_id=a.ids["user kim"], currency_code="EUR")
    a.put("registry.asset_metric", asset_id=a.asset("P-1"), computed_at=NOW,
          current_book_value=1234.5)  # fmt: skip
    a.place("P-1", "lobby", NOW - hours(30))
    a.place("P-2", "lobby", NOW)
    a.conn.execute("update registry.tag_assignment set during = '[2026-03-01,)'")
    a.make_asset("Q-1")
    a.make_asset("Q-2", status="RETIRED", retired_on="2026-03-01")
    for name, wearer in (("ble:q1", "Q-1"), ("ble:q2", "Q-2")):
        tag = a.put("registry.tag", name=name)
        a.put("registry.tag_assignment", tag_id=tag, asset_id=a.asset(wearer),
              during="[2026-03-28 12:00+00,)")  # fmt: skip
    a.reading(a.tag("ble:b1"), "P-1", 9, NOW - hours(31), 42.0)
    a.reading(a.tag("ble:b1"), "P-1", 9, NOW - hours(40), 80.0)
    columns = (
        "tag, last_seen_at, hours_unseen, last_room, "
        "battery_pct, criticality, custodian, book_value"
    )
    assert small.view("v_missing_assets", columns) == [
        ("P-1", NOW - hours(30), Decimal("30.0"), "lobby", 42.0, "HIGH", "Kim", Decimal("1234.50")),
        ("Q-1", None, Decimal("48.0"), None, None, None, None, None),
    ]
    assert [row[0] for row in small.ask("L06")] == ["Q-1", "P-1"]
    assert [row[0] for row in small.ask("L06", hours=36)] == ["Q-1"]


def test_l07_out_of_home_zone(small: Small) -> None:
    _two_places(small)
    a = small.a
    a.visit("P-2", "store", at("29 08:00"), NOW - hours(5))
    assert [(row[0], row[5], row[6]) for row in small.ask("L07")] == [
        ("P-2", NOW - hours(5), Decimal("5.0"))
    ]
    assert small.ask("L07", hours=6) == []
    # Never seen at home: listed whatever the hours.
    a.make_asset("Q-1", home_room_id=a.room("icu-1"))
    a.place("Q-1", "lobby", NOW)
    assert [(row[0], row[6]) for row in small.ask("L07", hours=6)] == [("Q-1", None)]


def test_l08_wrong_facility(small: Small) -> None:
    a = small.a
    a.place("P-1", None, NOW, facility_id=a.facility("south"), building_id=a.ids["building south"],
            room_id=a.room("s-ward"))  # fmt: skip
    a.place("P-2", "store", NOW)
    south = {"facility_id": a.facility("south")}
    a.visit("P-1", "s-ward", at("20"), at("21"), **south)
    a.visit("P-1", "store", at("22"), at("24"))
    a.visit("P-1", "s-ward", at("25 12:00"), at("26"), **south)
    a.visit("P-1", "s-ward", at("27"), **south)
    assert small.ask("L08") == [
        (
            "P-1",
            "Infusion pump 1",
            "north",
            "south",
            "s-ward",
            at("25 12:00"),
            Decimal("5.0"),
            None,
            NOW,
        )
    ]
    a.put("registry.transfer", asset_id=a.asset("P-1"), from_facility_id=a.facility(),
          to_facility_id=a.facility("south"), status="IN_TRANSIT")  # fmt: skip
    assert small.ask("L08")[0][7] == "IN_TRANSIT"


def test_v_geofence_violations_and_l09(small: Small) -> None:
    """One breach that is over and acknowledged, one that goes on; a visit to a restricted room."""
    a = small.a
    a.alert("P-1", "no-pumps", at("29 10:00"), at("29 10:30"), at("29 10:05"),
            zone_id=a.zone("no-metal"))  # fmt: skip
    a.alert("P-2", "no-pumps", at("30 11:00"), zone_id=a.zone("no-metal"))
    a.visit("V-1", "mri", at("30 09:00"), at("30 09:06"))
    a.visit("V-1", "lobby", at("30 10:00"), at("30 11:00"))
    a.put(
        "registry.assignment",
        asset_id=a.asset("P-1"),
        kind="OPERATION",
        user_id=a.ids["user kim"],
        during="[2026-03-29 09:00+00,2026-03-29 10:00:01+00)",
    )
    columns = "asset_tag, room, rule, entered_at, left_at, duration, acknowledged"
    assert small.view("v_geofence_violations", columns) == [
        ("P-1", "mri", "no-pumps", at("29 10:00"), at("29 10:30"), minutes(30), True),
        ("P-2", "mri", "no-pumps", at("30 11:00"), None, hours(1), False),
    ]
    # As it stood at 10:10: open, acknowledged already; the other one had not begun.
    assert small.view("v_geofence_violations", columns, now=at("29 10:10")) == [
        ("P-1", "mri", "no-pumps", at("29 10:00"), None, minutes(10), True)
    ]
    rows = small.ask("L09")
    assert [(row[0], row[2], row[4], row[5], row[8], row[10], row[11]) for row in rows] == [
        (at("29 10:00"), Decimal("30.0"), "mri", "rule", "P-1", "Kim", True),
        (at("30 09:00"), Decimal("6.0"), "mri", "restricted room", "V-1", None, None),
        (at("30 11:00"), Decimal("60.0"), "mri", "rule", "P-2", None, False),
    ]


def test_l10_left_building(small: Small) -> None:
    """P-1 fell silent at the exit, P-2 passed it and was heard afterwards, V-1 is there now."""
    a = small.a
    a.conn.execute("update registry.zone set is_exit = true where code = 'exit'")
    a.place("P-1", "lobby", NOW - hours(1))
    a.zone_visit("P-1", "exit", NOW - minutes(62), NOW - minutes(58))
    a.place("P-2", "lobby", NOW - minutes(45))
    a.zone_visit("P-2", "exit", NOW - minutes(62), NOW - minutes(60))
    a.place("V-1", "lobby", NOW)
    a.zone_visit("V-1", "exit", NOW - minutes(2))
    rows = small.ask("L10")
    assert [(row[0], row[4], row[5], row[7]) for row in rows] == [
        ("P-1", "exit", NOW - minutes(62), 60)
    ]
    assert small.ask("L10", silent_minutes=61) == []


def test_v_zone_visits(small: Small) -> None:
    a = small.a
    a.visit("P-1", "store", at("30 08:00"), at("30 09:00"), initial=True)
    a.zone_visit("P-1", "exit", at("30 11:00"))
    columns = (
        "place, room_id, entered_at, left_at, duration, source, confidence, place_kind, initial"
    )
    assert small.view("v_zone_visits", columns) == [
        ("exit", None, at("30 11:00"), None, hours(1), "dwell", 0.5, "zone", False),
        ("store", a.room("store"), at("30 08:00"), at("30 09:00"), hours(1), "margin", 0.5, "room",
         True),
    ]  # fmt: skip
    assert small.view("v_zone_visits", "place, left_at, duration", now=at("30 08:30")) == [
        ("store", None, minutes(30))
    ]


def test_l11_dwell_by_room(small: Small) -> None:
    _walk(small)
    rows = small.ask("L11", from_=at("29 21:00"), to=at("30 07:10"))
    assert [row[3:] for row in rows] == [
        ("lobby", "THERAPEUTIC", 1, 1, Decimal("0.17"), Decimal("10.0")),
        ("icu-1", "THERAPEUTIC", 1, 1, Decimal("8.00"), Decimal("480.0")),
        # P-1 1 h and 1 h, P-2 10.17 h; none of them both began and ended in the time.
        ("store", "THERAPEUTIC", 2, 3, Decimal("12.17"), None),
    ]


def test_l12_room_occupancy_peak(small: Small) -> None:
    """P-1 leaves as P-2 comes: one at a time. Then both overlap for a minute."""
    a = small.a
    a.make_asset("P-3")
    a.visit("P-1", "icu-1", at("30 08:00"), at("30 08:30"))
    a.visit("P-2", "icu-1", at("30 08:30"), at("30 09:10"))
    a.visit("P-3", "icu-1", at("30 09:09"), at("30 09:20"))
    assert small.ask("L12", from_=at("30 08:00"), to=at("30 10:00")) == [
        (at("30 08:00"), "north", "main", "icu-1", 1, 2),
        (at("30 09:00"), "north", "main", "icu-1", 2, 2),
    ]
    assert small.ask("L12", from_=at("30 08:00"), to=at("30 10:00"), room="store") == []


def test_l13_inventory_at_time(small: Small) -> None:
    _walk(small)
    assert [(row[3], row[4], row[5]) for row in small.ask("L13", at=at("29 22:00"))] == [
        ("lobby", None, "P-1"), ("store", "pool", "P-2"),
    ]  # fmt: skip
    assert [row[5] for row in small.ask("L13", at=at("30 01:00"), department="icu")] == ["P-1"]
    assert [row[5] for row in small.ask("L13", room="store")] == ["P-1"]


def test_l14_co_located(small: Small) -> None:
    """P-2 was 2 h + 1 h with P-1 in the store; V-1 was near it on the map twice, too far once."""
    _walk(small)
    a = small.a
    for minute, x in [(0, 1.0), (1, 2.9), (2, 9.0)]:
        ts = at("30 05:00") + minutes(minute)
        a.position("P-1", ts, "icu-1", x_m=1.0)
        a.position("V-1", ts, "icu-1", x_m=x)
        a.position("P-2", ts, "mri", x_m=x)  # another floor
    rows = small.ask("L14", tag="P-1", from_=at("29 10:00"), to=NOW)
    assert [(row[0], row[3], row[4], row[5], row[6], row[7], row[8]) for row in rows] == [
        ("P-2", Decimal("180.0"), "store", at("29 20:00"), at("30 07:10"), 0, None),
        ("V-1", Decimal("0"), None, at("30 05:00"), at("30 05:01"), 2, Decimal("0.0")),
    ]
    assert small.ask("L14", tag="P-1", from_=at("30 08:00"), to=NOW) == []


def _par(small: Small) -> None:
    """The store must hold 2 to 3 pumps. P-1 is there since the 29th, P-2 left at 08:00."""
    a = small.a
    a.put("registry.par_level", facility_id=a.facility(), room_id=a.room("store"),
          device_type_id=a.ids["type pump"], par_min=2, par_max=3)  # fmt: skip
    a.use("P-1", "AVAILABLE", at("29 12:00"), None, room="store")
    a.use("P-2", "AVAILABLE", at("29 12:00"), at("30 08:00"), room="store")
    a.use("P-2", "IN_USE", at("30 08:00"), None, room="icu-1")
    a.place("P-1", "store", NOW)
    a.place("P-2", "icu-1", NOW)


def test_v_par_status_l15_x07(small: Small) -> None:
    _par(small)
    a = small.a
    columns = "room, device_type, par_min, par_max, available, shortage, surplus, since"
    assert small.view("v_par_status", columns) == [("store", "pump", 2, 3, 1, 1, 0, at("30 08:00"))]
    assert small.ask("L15", breached_only=True)[0][5:] == (1, 1, 0, at("30 08:00"))
    assert small.ask("L15", facility="south") == []
    # A recall takes the last one away: nothing of the past of the store changed.
    recall = a.put("compliance.recall", agency="FDA", number="Z", title="x", manufacturer="Maker",
                   published_on="2026-03-01")  # fmt: skip
    a.put("compliance.recall_asset", recall_id=recall, asset_id=a.asset("P-1"), match_basis="MODEL",
          assessment="AFFECTED")  # fmt: skip
    assert small.view("v_par_status", columns)[0][4:] == (0, 2, 0, at("30 08:00"))
    assert small.ask("X07")[0][2:] == ("pump", "below", 0, 2, 3, 2, at("30 08:00"), None, None)


def test_par_surplus(small: Small) -> None:
    a = small.a
    a.put("registry.par_level", facility_id=a.facility(), room_id=a.room("store"),
          device_type_id=a.ids["type pump"], par_min=0, par_max=1)  # fmt: skip
    for tag, since in (("P-1", at("10")), ("P-2", at("30 09:00"))):
        a.use(tag, "AVAILABLE", since, None, room="store")
        a.place(tag, "store", NOW)
    assert small.view("v_par_status", "available, shortage, surplus, since") == [
        (2, 0, 1, at("30 09:00"))
    ]
    assert small.ask("X07")[0][3:8] == ("above", 2, 0, 1, 1)


def test_l16_par_breach_history(small: Small) -> None:
    """Berlin is at UTC+1 on the 28th and at UTC+2 on the 30th. Until the 29th at 12:00 UTC nothing
    was there: 23:00 to 22:00 UTC is the 29th, 23 h long, of which 13 h below."""
    _par(small)
    rows = small.ask("L16", from_=at("28 23:00"), to=NOW)
    assert [(row[0].day, row[2], row[5], row[6], row[7]) for row in rows] == [
        (29, "store", Decimal("780.0"), Decimal("56.5"), 0),
        (30, "store", Decimal("240.0"), Decimal("28.6"), 1),  # 08:00 to 12:00 of 22:00 to 12:00
    ]


def test_l17_interunit_flow(small: Small) -> None:
    _walk(small)
    assert small.ask("L17", from_=at("29 00:00"), to=NOW) == [
        ("icu", "pool", 1, 1, Decimal("8.00")),
        # Through the lobby, which is nobody's: 12 h 10 min since it came to the pool.
        ("pool", "icu", 1, 1, Decimal("12.17")),
    ]
    assert small.ask("L17", from_=at("29 00:00"), to=NOW, category="IMAGING") == []


def test_l18_location_accuracy_report(small: Small) -> None:
    a = small.a
    for second, accuracy, room in [(0, 1.0, "icu-1"), (5, 2.0, "icu-1"), (10, 3.0, None)]:
        a.position("P-1", at("30 08:00") + minutes(second / 60), room, accuracy_m=accuracy,
                   floor_id=a._floor_of("icu-1"))  # fmt: skip
    a.position("P-1", at("30 08:01"), "lobby", method=4)
    for second, revision in ((2, 0), (4, 0), (900, 1)):
        a.put("pipeline.window_commit", building_id=a.building(),
              window_start=at("30 08:00"), window_end=at("30 08:00") + minutes(second),
              reads=1, positions=1, late=0, duplicates=0, revision=revision,
              committed_at=at("30 08:00") + minutes(second) + minutes(second / 60))  # fmt: skip
    small.b.position("P-1", at("30 08:00"), "ward")
    rows = small.ask("L18", from_=at("30 08:00"), to=at("30 10:00"))
    assert [row[2:] for row in rows] == [
        (
            "f0",
            "portal",
            1,
            1,
            Decimal("1.50"),
            Decimal("1.50"),
            Decimal("0.0"),
            Decimal("3.00"),
            Decimal("3.90"),
        ),
        (
            "f1",
            "solve",
            3,
            1,
            Decimal("2.00"),
            Decimal("2.80"),
            Decimal("33.3"),
            Decimal("3.00"),
            Decimal("3.90"),
        ),
    ]
