"""Site file -> database: repeatable, complete, and nothing is lost from history."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.database.connect import Connection
from pipeline.registry.errors import RegistryError
from pipeline.registry.ids import make_id
from pipeline.registry.load import Counts, LoadReport, load_site
from pipeline.registry.site_file import parse_site


def _load(conn: Connection, data: dict[str, Any]) -> LoadReport:
    return load_site(conn, parse_site(data))


def _rows(conn: Connection, query: str) -> list[tuple[Any, ...]]:
    return conn.execute(query.encode()).fetchall()


def _worn(conn: Connection, organization: str = "acme") -> dict[str, str]:
    """Tag -> asset that wears it now."""
    query = """
        select tag.name, asset.tag_number from registry.tag_assignment as worn
        join registry.tag on tag.id = worn.tag_id
        join registry.asset on asset.id = worn.asset_id
        join registry.organization on organization.id = worn.organization_id
        where upper_inf(worn.during) and organization.code = %s order by 1"""
    return dict(conn.execute(query, (organization,)).fetchall())


def test_a_first_load_reports_every_row(conn: Connection, north: dict[str, Any]) -> None:
    report = _load(conn, north)
    assert {table: counts.inserted for table, counts in report.tables.items()} == {
        "organization": 1, "facility": 1, "building": 2, "floor": 3, "room": 4, "zone": 2,
        "gateway": 2, "receiver": 3, "asset": 3, "tag": 3, "rule": 2, "tag_assignment": 3,
    }  # fmt: skip
    assert report.lines()[:2] == [
        "organization: 1 new, 0 changed, 0 removed",
        "facility: 1 new, 0 changed, 0 removed",
    ]
    assert report.organization_id == make_id("organization", "acme")
    assert report.facility_id == make_id("facility", "acme", "north")


def test_a_second_load_touches_nothing(conn: Connection, north: dict[str, Any]) -> None:
    first = _load(conn, north)
    second = _load(conn, north)
    assert second.is_unchanged
    assert second.lines() == ["nothing changed"]
    assert second.tables["receiver"] == Counts(unchanged=3)
    assert second.tables["tag_assignment"] == Counts(unchanged=3)
    assert second.revision == first.revision
    assert _rows(conn, "select distinct version from registry.asset") == [(1,)]


def test_heights_are_above_the_building_and_kinds_are_the_databases(
    conn: Connection, north: dict[str, Any]
) -> None:
    _load(conn, north)
    rows = _rows(conn, "select name, kind, x_m, y_m, z_m from registry.receiver order by name")
    assert rows == [
        ("door/1", "RFID", 12.5, 2.0, 2.2),
        ("door/2", "RFID", 4.0, 5.0, 2.2),
        ("hci0", "BLE", 3.0, 2.5, 6.0),
    ]


def test_a_change_counts_the_version_and_the_revision(
    conn: Connection, north: dict[str, Any]
) -> None:
    first = _load(conn, north)
    north["assets"][0]["name"] = "Renamed"
    second = _load(conn, north)
    assert second.tables["asset"] == Counts(changed=1, unchanged=2)
    assert second.revision == first.revision + 1
    assert _rows(
        conn, "select tag_number, name, version from registry.asset where version > 1"
    ) == [("P-2", "Renamed", 2)]


def test_what_the_file_does_not_say_is_left_alone(conn: Connection, north: dict[str, Any]) -> None:
    _load(conn, north)
    conn.execute("update registry.asset set status = 'QUARANTINED' where tag_number = 'P-1'")
    conn.execute("update registry.gateway set enabled = false where code = 'gw-1'")
    north["assets"][1]["name"] = "Renamed"
    _load(conn, north)
    assert _rows(conn, "select name, status from registry.asset where tag_number = 'P-1'") == [
        ("Renamed", "QUARANTINED")
    ]
    assert _rows(conn, "select enabled from registry.gateway where code = 'gw-1'") == [(False,)]


def test_what_is_gone_is_deleted_softly_and_comes_back_as_the_same_row(
    conn: Connection, north: dict[str, Any]
) -> None:
    _load(conn, north)
    annex = north["buildings"].pop()
    ventilator = north["assets"].pop()
    gateway = north["buildings"][0]["gateways"].pop(0)
    rule = north["rules"].pop()
    report = _load(conn, north)
    deleted = {table: counts.deleted for table, counts in report.tables.items() if counts.deleted}
    assert deleted == {
        "building": 1, "floor": 1, "gateway": 1, "receiver": 2, "asset": 1, "rule": 1,
    }  # fmt: skip
    assert _rows(conn, "select code from registry.building where deleted_at is not null") == [
        ("annex",)
    ]
    assert _load(conn, north).is_unchanged

    north["buildings"].append(annex)
    north["assets"].append(ventilator)
    north["buildings"][0]["gateways"].append(gateway)
    north["rules"].append(rule)
    report = _load(conn, north)
    assert report.tables["asset"] == Counts(changed=1, unchanged=2)
    assert _rows(conn, "select count(*) from registry.receiver where deleted_at is not null") == [
        (0,)
    ]


def test_a_room_that_changes_floor_keeps_its_id(conn: Connection, north: dict[str, Any]) -> None:
    _load(conn, north)
    upper, ground = north["buildings"][0]["floors"]
    ground["rooms"].append(upper["rooms"].pop())
    report = _load(conn, north)
    assert report.tables["room"] == Counts(changed=1, unchanged=3)


def test_a_tag_that_moves_keeps_its_history(conn: Connection, north: dict[str, Any]) -> None:
    _load(conn, north)
    assert _worn(conn) == {"ble:a2": "P-2", "ble:a9": "P-2", "ble:b1": "P-1"}
    north["assets"][0]["tags"].remove("ble:a9")
    north["assets"][2]["tags"] = ["ble:a9"]
    report = _load(conn, north)
    assert report.tables["tag_assignment"] == Counts(inserted=1, deleted=1, unchanged=2)
    assert _worn(conn) == {"ble:a2": "P-2", "ble:a9": "V-1", "ble:b1": "P-1"}
    history = """
        select
            asset.tag_number,
            upper(worn.during) = lead(lower(worn.during)) over (order by worn.during)
        from registry.tag_assignment as worn
        join registry.asset on asset.id = worn.asset_id
        join registry.tag on tag.id = worn.tag_id and tag.name = 'ble:a9' order by during"""
    assert _rows(conn, history) == [("P-2", True), ("V-1", None)]


def test_tags_that_are_gone_are_taken_off(conn: Connection, north: dict[str, Any]) -> None:
    _load(conn, north)
    north["assets"][0]["tags"] = ["ble:a2"]
    report = _load(conn, north)
    assert (report.tables["tag"].deleted, report.tables["tag_assignment"].deleted) == (1, 1)
    assert _worn(conn) == {"ble:a2": "P-2", "ble:b1": "P-1"}
    north["assets"][0]["tags"] = ["ble:a2", "ble:a9"]
    _load(conn, north)
    assert _worn(conn) == {"ble:a2": "P-2", "ble:a9": "P-2", "ble:b1": "P-1"}


def test_an_asset_of_another_facility_moves_and_is_named(
    conn: Connection, north: dict[str, Any]
) -> None:
    first = _load(conn, north)
    south = {
        "organization": north["organization"],
        "facility": {"code": "south", "name": "South"},
        "buildings": [
            {
                "code": "main",
                "name": "Main",
                "floors": [{"code": "f0", "name": "G", "level": 0, "elevation_m": 0, "rooms": []}],
            }
        ],
        "assets": [north["assets"].pop(1)],
    }
    report = _load(conn, south)
    assert report.moved == ["P-1"]
    assert "asset P-1: came from another facility" in report.lines()
    assert _worn(conn) == {"ble:a2": "P-2", "ble:a9": "P-2", "ble:b1": "P-1"}
    # Both facilities must read again: one lost it, the other has it.
    revisions = dict(
        _rows(
            conn,
            "select facility.code, revision from registry.facility_revision "
            "join registry.facility on facility.id = facility_id",
        )
    )
    assert revisions["north"] > first.revision
    # The old owner's next load does not take it back or delete it.
    assert _load(conn, north).tables["asset"] == Counts(unchanged=2)
    assert _worn(conn)["ble:b1"] == "P-1"


def test_facilities_do_not_delete_each_others_rows(
    conn: Connection, north: dict[str, Any], other: dict[str, Any]
) -> None:
    _load(conn, north)
    _load(conn, other)
    assert _load(conn, north).is_unchanged
    assert _load(conn, other).is_unchanged
    assert _worn(conn) == {"ble:a2": "P-2", "ble:a9": "P-2", "ble:b1": "P-1"}
    assert _worn(conn, "globex") == {"ble:b1": "P-1"}


def test_the_app_role_can_load_its_own_site(conn: Connection, north: dict[str, Any]) -> None:
    conn.execute("set local role biotrakr_app")
    assert not _load(conn, north).is_unchanged
    assert _load(conn, north).is_unchanged


def test_a_code_that_is_taken_is_named_and_nothing_is_loaded(
    conn: Connection, north: dict[str, Any]
) -> None:
    report = _load(conn, north)
    conn.execute(
        "insert into registry.asset (id, organization_id, facility_id, tag_number, name, category, "
        "manufacturer, model, serial_number) "
        "values (gen_random_uuid(), %s, %s, 'X-1', 'By hand', 'OTHER', 'm', 'm', 's')",
        (report.organization_id, report.facility_id),
    )
    north["assets"].append({"tag_number": "X-1", "name": "By file", "category": "OTHER"})
    north["facility"]["name"] = "Not this either"
    with pytest.raises(RegistryError, match=r"acme/north: nothing was loaded: .*X-1"):
        _load(conn, north)
    assert _rows(conn, "select name from registry.facility") == [("North Hospital",)]


def test_a_time_zone_that_nobody_knows(conn: Connection, north: dict[str, Any]) -> None:
    north["facility"]["time_zone"] = "Europe/Atlantis"
    with pytest.raises(RegistryError, match="Europe/Atlantis"):
        _load(conn, north)


def test_a_clock_that_was_set_back_leaves_no_empty_or_crossing_assignment(
    conn: Connection, north: dict[str, Any]
) -> None:
    _load(conn, north)
    conn.execute(
        "update registry.tag_assignment set during = tstzrange(now() + interval '1 day', null)"
    )
    tags = north["assets"][0]["tags"]
    north["assets"][0]["tags"], north["assets"][2]["tags"] = [], tags
    _load(conn, north)
    assert _worn(conn) == {"ble:a2": "V-1", "ble:a9": "V-1", "ble:b1": "P-1"}
