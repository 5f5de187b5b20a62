"""Database -> Building: the round trip of a site file, and what is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.database import connect
from pipeline.database.connect import Connection
from pipeline.domain.floorplan import BLE, NOWHERE, RFID, Asset, Building, Fence
from pipeline.registry.errors import RegistryError
from pipeline.registry.ids import make_id
from pipeline.registry.load import load_site
from pipeline.registry.read import read_buildings, read_revisions
from pipeline.registry.site_file import parse_site

PLACE = ("acme", "north")
MAIN = ("acme", "north", "main")


@pytest.fixture
def main(conn: Connection, north: dict[str, Any]) -> Building:
    load_site(conn, parse_site(north))
    buildings = {building.code: building for building in read_buildings(conn)}
    assert list(buildings) == ["annex", "main"]
    return buildings["main"]


def _again(conn: Connection) -> Building:
    return read_buildings(conn, ["acme/north"])[1]


def test_who_it_is(main: Building) -> None:
    assert main.key == "acme/north/main"
    assert (main.organization, main.facility, main.code) == MAIN
    assert main.ids == {
        "organization": make_id("organization", "acme"),
        "facility": make_id("facility", *PLACE),
        "building": make_id("building", *MAIN),
        "gateway/gw-1": make_id("gateway", *PLACE, "gw-1"),
        "gateway/gw-2": make_id("gateway", *PLACE, "gw-2"),
    }
    assert main.gateways == ("gw-1", "gw-2")


def test_floors_and_rooms_by_code(main: Building) -> None:
    assert [(f.id, f.code, f.level, f.elevation_m, f.height_m) for f in main.floors] == [
        (make_id("floor", *MAIN, "f0"), "f0", 0, 0.0, 3.5),
        (make_id("floor", *MAIN, "f1"), "f1", 1, 3.5, 3.5),
    ]
    assert main.floors[0].walls.tolist() == [[0, 5, 12, 5, 6.5]]
    assert main.floors[1].walls.shape == (0, 5)
    assert [(r.code, r.kind, r.floor, r.restricted) for r in main.rooms] == [
        ("icu-1", "patient", 1, False),
        ("lobby", "corridor", 0, False),
        ("mri", "treatment", 0, True),
        ("store", "storage", 1, False),
    ]
    assert main.rooms[2].id == make_id("room", *MAIN, "mri")
    assert main.rooms[2].polygon.tolist() == [[0, 5], [8.25, 5], [8.25, 9.1], [0, 9.1]]


def test_zones_with_their_fences(main: Building) -> None:
    exit_, magnet = main.zones
    assert (exit_.code, exit_.floor, exit_.room) == ("exit", 0, NOWHERE)
    assert exit_.polygon.tolist() == [[10, 0], [12, 0], [12, 2]]
    assert exit_.fence == Fence()
    # A zone that names a room takes its shape and its floor.
    assert (magnet.code, magnet.floor, magnet.room) == ("no-metal", 0, 2)
    assert magnet.polygon.tolist() == main.rooms[2].polygon.tolist()
    assert magnet.fence == Fence(entry_dwell_s=2, timeout_s=600)


def test_rules_apply_by_category(main: Building) -> None:
    assert [asset.tag_number for asset in main.assets] == ["P-1", "P-2", "V-1"]
    pumps, anything = main.rules
    assert (pumps.code, pumps.type, pumps.severity, pumps.zone) == (
        "no-pumps", "forbidden-zone", "CRITICAL", 1,
    )  # fmt: skip
    assert pumps.applies.tolist() == [True, True, False]
    assert (anything.code, anything.severity, anything.zone) == ("nothing-leaves", "WARNING", 0)
    assert anything.applies.tolist() == [True, True, True]


def test_receivers_by_gateway_and_name(main: Building) -> None:
    receivers = main.receivers
    assert receivers.names == (("gw-1", "hci0"), ("gw-2", "door/1"), ("gw-2", "door/2"))
    assert receivers.ids[1] == make_id("receiver", *PLACE, "gw-2", "door/1")
    assert receivers.position_m.tolist() == [[3, 2.5, 6], [12.5, 2, 2.2], [4, 5, 2.2]]
    assert receivers.floor.tolist() == [1, 0, 0]
    assert receivers.room.tolist() == [NOWHERE, NOWHERE, 2]
    assert receivers.kind.tolist() == [BLE, RFID, RFID]
    assert receivers.p0_dbm.tolist() == [-61.5, -59, -59]
    assert receivers.path_loss_exponent.tolist() == [2.4, 2.2, 2.2]
    assert receivers.sigma_db.tolist() == [5, 6, 6]
    assert receivers.range_m.tolist() == [1.5, 1.5, 1.25]


def test_tags_by_name_with_their_assets(main: Building) -> None:
    assert main.assets[0] == Asset(
        make_id("asset", "acme", "P-1"), "P-1", "Infusion pump 1", "THERAPEUTIC"
    )
    assert main.tags == ("ble:a2", "ble:a9", "ble:b1")
    assert main.tag_asset.tolist() == [1, 1, 0]


def test_bounds_are_the_rooms(main: Building) -> None:
    corners = np.concatenate([room.polygon for room in main.rooms])
    assert main.bounds.tolist() == [corners.min(axis=0).tolist(), corners.max(axis=0).tolist()]
    inside = main.room_map.rooms_at(np.array([0, 1]), np.array([[4.0, 6.0], [7.0, 1.0]]))
    assert inside.tolist() == [2, 3]


def test_a_building_without_rooms_or_receivers(conn: Connection, main: Building) -> None:
    annex = read_buildings(conn)[0]
    assert annex.receivers.position_m.shape == (0, 3)
    assert annex.bounds.tolist() == [[-5, -5], [5, 5]]
    assert annex.tags == main.tags  # equipment walks
    assert annex.rules == ()


def test_the_order_does_not_depend_on_the_file(conn: Connection, north: dict[str, Any]) -> None:
    load_site(conn, parse_site(north))
    before = _again(conn)
    for key in ("floors", "gateways", "zones"):
        north["buildings"][0][key].reverse()
    north["assets"].reverse()
    north["rules"].reverse()
    load_site(conn, parse_site(north))
    after = _again(conn)
    assert after.version == before.version
    assert after.rooms[0].code == before.rooms[0].code
    assert after.receivers.names == before.receivers.names
    assert [floor.id for floor in after.floors] == [floor.id for floor in before.floors]
    assert (after.assets, after.tags) == (before.assets, before.tags)


def test_the_ingest_role_reads_every_organization(
    conn: Connection, north: dict[str, Any], other: dict[str, Any]
) -> None:
    load_site(conn, parse_site(north))
    load_site(conn, parse_site(other))
    conn.execute("set local role biotrakr_ingest")
    everything = ["acme/north/annex", "acme/north/main", "globex/north/main"]
    assert [building.key for building in read_buildings(conn)] == everything
    assert [building.key for building in read_buildings(conn, ["north"])] == everything
    assert [b.key for b in read_buildings(conn, ["globex/north"])] == ["globex/north/main"]
    assert read_buildings(conn, []) == []
    theirs = read_buildings(conn, ["globex/north"])[0]
    assert theirs.tags == ("ble:b1",)
    assert [asset.name for asset in theirs.assets] == ["Their pump", "Their other pump"]


def test_a_facility_that_is_not_there(conn: Connection, main: Building) -> None:
    with pytest.raises(RegistryError, match="there is no facility 'acme/south', 'west'"):
        read_buildings(conn, ["west", "acme/north", "acme/south"])


def test_what_is_deleted_or_switched_off_is_left_out(conn: Connection, main: Building) -> None:
    conn.execute("update registry.gateway set enabled = false where code = 'gw-2'")
    conn.execute("update registry.asset set deleted_at = now() where tag_number = 'P-1'")
    conn.execute("update registry.room set deleted_at = now() where code = 'mri'")
    after = _again(conn)
    assert after.gateways == ("gw-1",)
    assert after.receivers.names == (("gw-1", "hci0"),)
    assert after.tags == ("ble:a2", "ble:a9")
    assert after.tag_asset.tolist() == [0, 0]
    # The zone was that room, and the rule was about that zone.
    assert [zone.code for zone in after.zones] == ["exit"]
    assert [rule.code for rule in after.rules] == ["nothing-leaves"]
    conn.execute("update registry.rule set enabled = false")
    conn.execute("update registry.floor set deleted_at = now() where code = 'f1'")
    after = _again(conn)
    assert (after.rules, [room.code for room in after.rooms]) == ((), ["lobby"])
    assert len(after.receivers) == 0


def test_an_assignment_counts_only_while_it_lasts(conn: Connection, main: Building) -> None:
    conn.execute(
        "update registry.tag_assignment set during = tstzrange(now() - interval '2 h', "
        "now() - interval '1 s') where tag_id = (select id from registry.tag where name = 'ble:b1')"
    )
    conn.execute(
        "update registry.tag_assignment set during = tstzrange(now() + interval '1 hour', null) "
        "where tag_id = (select id from registry.tag where name = 'ble:a2')"
    )
    assert _again(conn).tags == ("ble:a9",)


def test_a_polygon_that_is_none_is_named(conn: Connection, main: Building) -> None:
    conn.execute("update registry.room set polygon = '[[0, 0], [1, 1]]' where code = 'mri'")
    with pytest.raises(RegistryError, match="acme/north/main/mri: a polygon needs at least 3"):
        _again(conn)


@pytest.mark.parametrize(
    "change",
    [
        "update registry.organization set name = 'x'",
        "update registry.facility set name = 'x'",
        "update registry.building set name = 'x' where code = 'main'",
        "update registry.floor set name = 'x' where code = 'f1'",
        "update registry.room set name = 'x' where code = 'mri'",
        "update registry.zone set timeout_s = 1 where code = 'exit'",
        "update registry.gateway set enabled = false where code = 'gw-1'",
        "update registry.receiver set p0_dbm = -70 where name = 'hci0'",
        "update registry.asset set deleted_at = now() where tag_number = 'P-1'",
        "update registry.tag set deleted_at = now() where name = 'ble:a2'",
        "update registry.tag_assignment set asset_id = asset_id",
        "update registry.rule set enabled = false where code = 'no-pumps'",
        "delete from registry.rule where code = 'no-pumps'",
        "delete from registry.tag_assignment",
    ],
)
def test_every_change_is_a_new_revision(
    conn: Connection, main: Building, other: dict[str, Any], change: str
) -> None:
    load_site(conn, parse_site(other))
    before = read_revisions(conn)
    assert before["acme/north"] == main.version
    acme = main.ids["organization"]
    where = "and" if " where " in change else "where"
    own = "id" if "registry.organization" in change else "organization_id"
    conn.execute(f"{change} {where} {own} = '{acme}'".encode())
    after = read_revisions(conn)
    assert after == before | {"acme/north": main.version + 1}
    assert _again(conn).version == main.version + 1
    assert read_revisions(conn, ["acme/north"]) == {"acme/north": main.version + 1}


def test_a_change_of_nothing_is_no_revision(conn: Connection, main: Building) -> None:
    conn.execute("update registry.room set name = 'x' where code = 'not there'")
    assert read_revisions(conn) == {"acme/north": main.version}


def test_outside_a_transaction_one_snapshot_is_read(url: str, north: dict[str, Any]) -> None:
    with connect(url) as conn:
        load_site(conn, parse_site(north))
        assert [building.key for building in read_buildings(conn)] == [
            "acme/north/annex",
            "acme/north/main",
        ]
        assert conn.execute("show transaction_isolation").fetchone() == ("read committed",)
