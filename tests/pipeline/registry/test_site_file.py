"""A mistake in a site file is one clear line that names its key; nothing is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.registry.errors import RegistryError, SiteFileError
from pipeline.registry.site_file import FenceEntry, load_site_file, parse_site

Site = dict[str, Any]
NAN, INF = float("nan"), float("inf")


def receiver(site: Site, n: int = 0) -> Site:
    return site["buildings"][0]["gateways"][0]["receivers"][n]


def room(site: Site) -> Site:
    return site["buildings"][0]["floors"][1]["rooms"][1]


def zone(site: Site, n: int = 0) -> Site:
    return site["buildings"][0]["zones"][n]


def problems(site: object) -> list[str]:
    with pytest.raises(SiteFileError) as refused:
        parse_site(site)
    return refused.value.problems


def test_a_good_file(north: Site) -> None:
    site = parse_site(north)
    assert (site.organization.code, site.facility.code, site.facility.time_zone) == (
        "acme", "north", "Europe/Berlin",
    )  # fmt: skip
    assert [building.code for building in site.buildings] == ["main", "annex"]
    assert site.buildings[0].gateways[1].receivers[0].p0_dbm == -61.5
    assert site.buildings[0].zones[0].fence == FenceEntry(entry_dwell_s=2, timeout_s=600)
    assert site.buildings[0].zones[1].polygon == [(10, 0), (12, 0), (12, 2)]
    assert [asset.tags for asset in site.assets] == [["ble:a2", "ble:a9"], ["ble:b1"], []]
    assert site.rules[1].categories == []


def test_what_need_not_be_said(north: Site) -> None:
    plain = parse_site(north).buildings[0].gateways[0].receivers[1]
    assert (plain.p0_dbm, plain.path_loss_exponent, plain.sigma_db, plain.range_m, plain.room) == (
        -59.0, 2.2, 6.0, 1.5, None,
    )  # fmt: skip
    assert parse_site(north).buildings[0].floors[1].height_m == 3.5
    assert parse_site(north).assets[2].manufacturer == "unknown"


B = "buildings[0]"

MISTAKES: dict[str, tuple[Callable[[Site], object], str]] = {
    "unknown key": (
        lambda s: receiver(s).update(colour="red"),
        f"{B}.gateways[0].receivers[0].colour: Extra inputs are not permitted",
    ),
    "misspelt fence": (
        lambda s: zone(s)["fence"].update(dwell_s=3),
        f"{B}.zones[0].fence.dwell_s: Extra inputs are not permitted",
    ),
    "missing key": (lambda s: room(s).pop("polygon"), f"{B}.floors[1].rooms[1].polygon: Field req"),
    "crossing polygon": (
        lambda s: room(s).update(polygon=[[0, 5], [8, 9], [8, 5], [0, 9]]),
        f"{B}.floors[1].rooms[1].polygon: the polygon crosses itself: edge 1 meets edge 3",
    ),
    "polygon of two corners": (
        lambda s: room(s).update(polygon=[[0, 0], [1, 1]]),
        f"{B}.floors[1].rooms[1].polygon: a polygon needs at least 3 corners, this one has 2",
    ),
    "zone polygon without area": (
        lambda s: zone(s, 1).update(polygon=[[0, 0], [1, 0], [1, 0.001]]),
        f"{B}.zones[1].polygon: the polygon has no area",
    ),
    "NaN corner": (
        lambda s: room(s).update(polygon=[[0, 0], [4, NAN], [4, 4]]),
        f"{B}.floors[1].rooms[1].polygon[1][1]: Input should be a finite number",
    ),
    "NaN": (
        lambda s: receiver(s).update(x_m=NAN),
        f"{B}.gateways[0].receivers[0].x_m: Input should be a finite number",
    ),
    "NaN with bounds": (
        lambda s: receiver(s).update(sigma_db=NAN), f"{B}.gateways[0].receivers[0].sigma_db: Input",
    ),
    "infinite": (
        lambda s: zone(s)["fence"].update(timeout_s=INF), f"{B}.zones[0].fence.timeout_s: Input",
    ),
    "out of bounds": (
        lambda s: receiver(s).update(path_loss_exponent=1.1),
        f"{B}.gateways[0].receivers[0].path_loss_exponent: Input should be greater than or equal",
    ),
    "two receivers with one name": (
        lambda s: receiver(s, 1).update(name="door/2"),
        f"{B}.gateways[0].receivers: 'door/2' is used 2 times; give each its own",
    ),
    "unknown floor of a receiver": (
        lambda s: receiver(s).update(floor="f9"),
        f"{B}.gateways[0].receivers[0].floor: there is no floor 'f9'",
    ),
    "unknown room of a receiver": (
        lambda s: receiver(s).update(room="r9"),
        f"{B}.gateways[0].receivers[0].room: there is no room 'r9'",
    ),
    "unknown floor of a zone": (
        lambda s: zone(s, 1).update(floor="f9"), f"{B}.zones[1].floor: there is no floor 'f9'",
    ),
    "unknown room of a zone": (
        lambda s: zone(s).update(room="r9"), f"{B}.zones[0].room: there is no room 'r9'",
    ),
    "room and polygon": (
        lambda s: zone(s, 1).update(room="mri"),
        f"{B}.zones[1]: give either room or polygon (with its floor)",
    ),
    "neither room nor polygon": (
        lambda s: zone(s).pop("room"), f"{B}.zones[0]: give either room or polygon",
    ),
    "polygon without floor": (
        lambda s: zone(s, 1).pop("floor"), f"{B}.zones[1]: a polygon needs its floor",
    ),
    "unknown zone of a rule": (
        lambda s: s["rules"][1].update(zone="z9"), "rules[1].zone: there is no zone 'z9'",
    ),
    "unknown category": (
        lambda s: s["assets"][0].update(category="TOYS"), "assets[0].category: Input should be",
    ),
    "unknown room kind": (
        lambda s: room(s).update(kind="attic"), f"{B}.floors[1].rooms[1].kind: Input should be",
    ),
    "tag of two assets": (
        lambda s: s["assets"][2].update(tags=["ble:b1"]),
        "tags of all assets: 'ble:b1' is used 2 times; give each its own",
    ),
    "tag without scheme": (
        lambda s: s["assets"][2].update(tags=["b1"]), "assets[2].tags[0]: String should match",
    ),
    "two assets with one number": (
        lambda s: s["assets"][1].update(tag_number="P-2"), "assets: 'P-2' is used 2 times",
    ),
    "two floors with one code": (
        lambda s: s["buildings"][1]["floors"].append(s["buildings"][1]["floors"][0]),
        "buildings[1].floors: 'f0' is used 2 times",
    ),
    "two rooms of one building with one code": (
        lambda s: s["buildings"][0]["floors"][1]["rooms"][0].update(code="store"),
        f"{B}: rooms: 'store' is used 2 times",
    ),
    "two gateways with one code": (
        lambda s: s["buildings"][0]["gateways"][0].update(code="gw-1"),
        "gateways of the facility: 'gw-1' is used 2 times",
    ),
    "two zones with one code": (
        lambda s: s["buildings"][1].update(zones=[zone(s, 1)]),
        "zones of the facility: 'exit' is used 2 times",
    ),
    "two buildings with one code": (
        lambda s: s["buildings"][1].update(code="main"), "buildings: 'main' is used 2 times",
    ),
    "a code that cannot be in a topic": (
        lambda s: s["facility"].update(code="North Wing"), "facility.code: String should match",
    ),
    "a building without floors": (
        lambda s: s["buildings"][1].update(floors=[]), "buildings[1].floors: List should have",
    ),
    "another version": (lambda s: s.update(schema_version=2), "schema_version: Input should be 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_one_line_that_names_its_key(north: Site, name: str) -> None:
    spoil, line = MISTAKES[name]
    spoil(north)
    (found,) = problems(north)
    assert found.startswith(line)


def test_all_mistakes_are_told_at_once(north: Site) -> None:
    receiver(north).update(floor="f9")
    receiver(north, 1).update(room="r9")
    north["rules"][0]["zone"] = "z9"
    assert [line.split(":")[0] for line in problems(north)] == [
        "rules[0].zone",
        f"{B}.gateways[0].receivers[0].floor",
        f"{B}.gateways[0].receivers[1].room",
    ]


@pytest.mark.parametrize("data", [None, [], "site", 7, {}])
def test_what_is_no_site_at_all(data: object) -> None:
    assert problems(data)


def test_the_error_reads_as_a_list(north: Site) -> None:
    receiver(north).update(floor="f9")
    with pytest.raises(RegistryError) as refused:
        parse_site(north, "north.json")
    assert str(refused.value).splitlines() == [
        "north.json: 1 problem(s); nothing was loaded",
        f"  {B}.gateways[0].receivers[0].floor: there is no floor 'f9'",
    ]


# -- files ---------------------------------------------------------------------------------------


def test_json(north: Site, tmp_path: Path) -> None:
    path = tmp_path / "north.json"
    path.write_text(json.dumps(north))
    assert load_site_file(path) == parse_site(north)


def test_toml(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(
        """
        organization = { code = "acme", name = "Acme" }
        facility = { code = "north", name = "North" }

        [[buildings]]
        code = "main"
        name = "Main"
        [[buildings.floors]]
        code = "f0"
        name = "Ground"
        level = 0
        elevation_m = 0
        rooms = [{ code = "r", name = "R", polygon = [[0, 0], [4, 0], [4, 4]] }]
        """
    )
    (building,) = load_site_file(path).buildings
    assert building.floors[0].rooms[0].polygon == [(0, 0), (4, 0), (4, 4)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("none.json", None),
        ("half.json", b'{"organization": '),
        ("half.toml", b"[["),
        ("latin.json", b"\xff\xfe"),
    ],
)
def test_a_file_that_cannot_be_read_says_which(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SiteFileError) as refused:
        load_site_file(path)
    assert str(refused.value).startswith(f"{path}: 1 problem(s)")
    assert refused.value.problems[0].startswith("cannot be read: ")


@pytest.mark.parametrize(
    ("spoil", "key", "words"),
    [
        (lambda s: s["facility"].update(time_zone="Mars/Olympus"), "facility.time_zone", "Mars"),
        (lambda s: s["facility"].update(name="a\0b"), "facility.name", "match"),
        (
            lambda s: s["buildings"][0]["floors"][0].update(level=10**30),
            "buildings[0].floors[0].level",
            "less",
        ),
        (
            lambda s: receiver(s).update(floor="f1", room="mri"),
            "gateways[0].receivers[0].room",
            "is on floor",
        ),
    ],
)
def test_what_would_fail_later_is_told_now(
    north: Site, spoil: Callable[[Site], None], key: str, words: str
) -> None:
    spoil(north)
    told = [line for line in problems(north) if key in line]
    assert len(told) == 1, problems(north)
    assert words in told[0]
