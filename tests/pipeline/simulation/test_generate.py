"""Generated files: the replay format, event-time order, markers, and the same bytes again."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from pydantic import TypeAdapter

from pipeline.contracts.reads import TagName
from pipeline.registry.site_file import load_site_file
from pipeline.simulation.__main__ import main
from pipeline.simulation.generate import generate
from pipeline.simulation.scenario import HospitalPlan, demo
from pipeline.simulation.truth import Truth

START_US = 1_767_268_800_000_000
SECONDS = 61.1
SMALL = replace(demo(seed=5), hospital=HospitalPlan(assets=20))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return generate(SMALL, START_US, SECONDS, tmp_path_factory.mktemp("made"))


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_same_scenario_gives_the_same_bytes(made, tmp_path):
    again = generate(SMALL, START_US, SECONDS, tmp_path)
    for gateway, path in made.files.items():
        assert again.files[gateway].read_bytes() == path.read_bytes()
    other = generate(replace(SMALL, seed=6), START_US, 5, tmp_path)
    assert (
        other.files["gw-1-west"].read_bytes()[:9000] != made.files["gw-1-west"].read_bytes()[:9000]
    )


def test_counts_are_those_of_the_files(made):
    rows = [row for path in made.files.values() for row in lines(path)]
    assert len(rows) == made.lines
    assert sum("adapter" in row for row in rows) == made.adverts > 5000
    assert sum(row.get("kind") == "rfid" for row in rows) == made.portal_reads > 20


def test_lines_are_in_order_and_markers_come_every_250_ms_and_hold(made):
    end_us = START_US + round(SECONDS * 1e6)
    for path in made.files.values():
        until = [row["until_us"] for row in lines(path) if "until_us" in row]
        assert until[-1] == end_us
        assert max(b - a for a, b in pairwise(until)) <= 250_000
        assert until == sorted(until)
        floor = newest = START_US
        for row in lines(path):
            floor = max(floor, row.get("until_us", 0))
            at = row.get("at_us", floor)
            assert floor <= at < end_us or "until_us" in row
            assert at >= newest
            newest = at


def test_every_line_names_a_receiver_and_a_tag_of_the_site_file(made):
    site = load_site_file(made.files["gw-1-west"].with_name("site.json"))
    tags = {tag for asset in site.assets for tag in asset.tags}
    check = TypeAdapter(TagName)
    for gateway in site.buildings[0].gateways:
        names = {receiver.name for receiver in gateway.receivers}
        seen = set()
        for row in lines(made.files[gateway.code]):
            if "adapter" in row:
                seen.add((row["adapter"], ibeacon(row["manufacturer_data"])))
                assert row["address_type"] == "public"
                assert row["address"].startswith("C4:")
            elif "kind" in row:
                seen.add((row["receiver"], row["tag"]))
        assert {receiver for receiver, _ in seen} <= names
        assert {tag for _, tag in seen} <= tags
        assert all(check.validate_python(tag) for _, tag in seen)


def ibeacon(manufacturer_data):
    """The tag name as an agent would make it."""
    data = bytes.fromhex(manufacturer_data["76"])
    assert (data[:2], len(data)) == (b"\x02\x15", 23)
    assert int.from_bytes(data[22:], "big", signed=True) == -60
    uuid = data[2:18].hex()
    dashed = "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))
    major, minor = int.from_bytes(data[18:20], "big"), int.from_bytes(data[20:22], "big")
    return f"ibeacon:{dashed}/{major}/{minor}"


def test_the_truth_is_beside_the_files(made):
    truth = Truth.load(made.files["gw-1-west"].with_name("truth.npz"))
    assert truth.zone_entries() == made.truth.zone_entries()


def test_the_command_writes_files_and_a_picture(tmp_path, capsys):
    assert main(["--seconds", "2", "--seed", "2", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "plan.svg").read_text().startswith("<svg")
    assert (tmp_path / "gw-2-east.jsonl").stat().st_size > 1000
    assert "44 BLE receivers" in capsys.readouterr().out
