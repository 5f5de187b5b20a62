"""State follows ids when the registry changes: assets, rooms, floors and zones come and go."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.domain.evidence import Evidence
from pipeline.domain.fences import Fences
from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.domain.silence import Ears
from pipeline.domain.tracking import BuildingState
from pipeline.domain.tracks import NEVER_US, Tracks, matching, renumbering


def numbered(site: Building) -> BuildingState:
    """Every cell of the state has its own value; places point into the building."""
    assets, zones = len(site.assets), len(site.zones)
    columns = {}
    for i, f in enumerate(fields(Tracks)):
        kind = getattr(Tracks.empty(1), f.name).dtype
        columns[f.name] = (100 * i + np.arange(assets)).astype(kind)
    for name in ("room", "room_challenger", "use_room"):
        columns[name] = np.arange(assets) % len(site.rooms)
    columns["room_challenger"][0] = NOWHERE
    for name in ("floor", "floor_challenger"):
        columns[name] = np.arange(assets) % len(site.floors)
    grid = np.arange(zones * assets, dtype=np.int64).reshape(zones, assets)
    fences = Fences(grid, grid + 100, grid + 200, grid + 300, grid % 2 == 0)
    evidence = Evidence.empty(assets)
    evidence.receiver[:, 0] = np.arange(assets)
    evidence.age[:] = np.arange(assets)
    each = np.arange(len(site.receivers))
    ears = Ears(each, -1.0 * each, 2.0 + each, 1.0 + each)
    return BuildingState(Tracks(**columns), fences, evidence, ears)


def as_table(site: Building, state: BuildingState) -> dict[tuple[str, str], object]:
    """(column, who) -> value, with places by code: what must survive any renumbering."""
    table: dict[tuple[str, str], object] = {}
    for f in fields(Tracks):
        for asset, value in zip(site.assets, getattr(state.tracks, f.name).tolist(), strict=True):
            known = value
            if f.name in {"room", "room_challenger", "use_room"} and value != NOWHERE:
                known = site.rooms[value].code
            if f.name in {"floor", "floor_challenger"} and value != NOWHERE:
                known = site.floors[value].code
            table[f.name, asset.tag_number] = known
    for asset, slots, age in zip(
        site.assets, state.evidence.receiver, state.evidence.age.tolist(), strict=True
    ):
        heard_by = [site.receivers.names[r] for r in slots.tolist() if r != NOWHERE]
        table["evidence", asset.tag_number] = (heard_by, age)
    for name, heard_us, faintest in zip(
        site.receivers.names, state.ears.heard_us, state.ears.faintest_dbm, strict=True
    ):
        table["ears", "/".join(name)] = (int(heard_us), float(faintest))
    for f in fields(Fences):
        for zone, row in zip(site.zones, getattr(state.fences, f.name).tolist(), strict=True):
            for asset, value in zip(site.assets, row, strict=True):
                table[f.name, f"{zone.code}/{asset.tag_number}"] = value
    return table


def changed(synthetic, name: str) -> Building:
    """The building after a change that moves indices."""
    site = synthetic.building()
    if name == "assets reversed":
        return replace(site, assets=site.assets[::-1])
    if name == "an asset before the others":
        new = replace(site.assets[0], id=synthetic.identity("asset", "new"), tag_number="aaa")
        return replace(site, assets=(new, *site.assets))
    if name == "rooms reversed":
        return replace(site, rooms=site.rooms[::-1])
    if name == "floors reversed":
        return replace(site, floors=site.floors[::-1])
    if name == "zones rotated":
        return replace(site, zones=(*site.zones[2:], *site.zones[:2]))
    raise AssertionError(name)


@pytest.mark.parametrize(
    "name", ["assets reversed", "rooms reversed", "floors reversed", "zones rotated"]
)
def test_another_order_changes_nothing_but_indices(synthetic, site, name):
    after = changed(synthetic, name)
    state = numbered(site)
    moved = state.move_to(site.alignment, after.alignment)
    assert as_table(after, moved) == as_table(site, state)
    there_and_back = moved.move_to(after.alignment, site.alignment)
    assert as_table(site, there_and_back) == as_table(site, state)


def test_a_new_asset_is_unknown_and_the_others_keep_their_state(synthetic, site):
    after = changed(synthetic, "an asset before the others")
    state = numbered(site)
    table = as_table(after, state.move_to(site.alignment, after.alignment))
    assert {key: table[key] for key in as_table(site, state)} == as_table(site, state)
    assert table["heard_us", "aaa"] == NEVER_US
    assert (table["room", "aaa"], table["floor", "aaa"]) == (NOWHERE, NOWHERE)
    assert (table["phase", "store/aaa"], table["entered_us", "store/aaa"]) == (0, NEVER_US)


def test_what_is_gone_is_dropped(synthetic, site):
    """The first asset, the ward and the first zone have been removed."""
    after = replace(site, assets=site.assets[1:], rooms=site.rooms[1:], zones=site.zones[1:])
    state = numbered(site)
    was, table = as_table(site, state), None
    table = as_table(after, state.move_to(site.alignment, after.alignment))
    assert set(table) == {key for key in was if "pump-1" not in key[1] and "store/" not in key[1]}
    for key, value in table.items():
        assert value == (NOWHERE if was[key] == "ward" else was[key]), key


def test_a_room_that_is_gone_leaves_its_assets_nowhere(synthetic, site):
    state = replace(BuildingState.empty(site), tracks=synthetic.tracks(4, room=[0, 1, 2, 3]))
    after = replace(site, rooms=site.rooms[1:])
    moved = state.move_to(site.alignment, after.alignment)
    assert moved.tracks.room.tolist() == [NOWHERE, 0, 1, 2]


def test_receivers_take_their_evidence_with_them(synthetic, site):
    shuffled = np.arange(10)[::-1]
    old = site.receivers
    new = type(old)(
        ids=old.ids[::-1],
        names=old.names[::-1],
        **{
            f.name: getattr(old, f.name)[shuffled]
            for f in fields(old)
            if f.name not in {"ids", "names"}
        },
    )
    after, state = replace(site, receivers=new), numbered(site)
    assert as_table(after, state.move_to(site.alignment, after.alignment)) == as_table(site, state)


def test_put_works_on_copies():
    before = Tracks.empty(3)
    after = before.put(np.array([1]), heard_us=np.array([7]))
    assert before.heard_us.tolist() == [NEVER_US] * 3
    assert after.heard_us.tolist() == [NEVER_US, 7, NEVER_US]
    assert after.room is before.room


def test_matching_and_renumbering():
    assert [part.tolist() for part in matching("abc", "cxa")] == [[0, 2], [2, 0]]
    assert [part.tolist() for part in matching("", "abc")] == [[], []]
    table = renumbering("abc", "cxa")
    assert table[[0, 1, 2, NOWHERE]].tolist() == [2, NOWHERE, 0, NOWHERE]
