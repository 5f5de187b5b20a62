"""Leaving out the assets about which nothing changes must change nothing."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.domain import tracking
from pipeline.domain.events import WindowResult
from pipeline.domain.floorplan import BLE
from pipeline.domain.observations import NO_RSSI
from pipeline.domain.overlay import NOT_LAID
from pipeline.domain.policy import Policy
from pipeline.domain.tracking import BuildingState, advance
from pipeline.domain.tracks import Tracks

ASSETS, SECONDS = 60, 200
HURRIED = Policy(departed_after_s=5.0, unknown_after_s=8.0, use_dwell_s=6.0, row_every_s=15.0)
"""So that every timer runs out many times in a short scenario."""
PATIENT = replace(HURRIED, departed_after_s=500.0, unknown_after_s=500.0)
"""Only fences expire."""
DOORS = (3, 7)


def crowded(site, synthetic):
    """The building with sixty assets and fences that lose patience early."""
    assets = [
        replace(site.assets[i % 2], id=synthetic.identity("a", str(i))) for i in range(ASSETS)
    ]
    zones = [replace(zone, fence=replace(zone.fence, timeout_s=4.0)) for zone in site.zones]
    everything = [replace(rule, applies=np.ones(ASSETS, bool)) for rule in site.rules]
    tags: dict[str, object] = {"tags": (), "tag_asset": np.zeros(0, np.int64)}
    return replace(site, assets=tuple(assets), zones=tuple(zones), rules=tuple(everything), **tags)


def scenario(site, synthetic, seed):
    """What is heard in each second: assets that stand, are wheeled to another place, change
    floors, pass doors, stand at a wall, fall silent; with noise."""
    rng = np.random.default_rng(seed)
    place = rng.uniform((1, 1), (19, 7), (ASSETS, 2))
    place[:10, 0] = 10.0  # between two rooms
    place[10:20] = (12.0, 5.8)  # in a door
    place[20:25] = (20.9, -0.9)  # in no room
    floor, silent_until = rng.integers(0, 2, ASSETS), np.zeros(ASSETS)
    receivers = [r for r in range(len(site.receivers)) if site.receivers.kind[r] == BLE]
    for second in range(SECONDS):
        for i in np.flatnonzero(rng.random(ASSETS) < 0.02):
            place[i] = rng.uniform((1, 1), (19, 7))
            floor[i] = rng.integers(0, 2) if rng.random() < 0.3 else floor[i]
        for i in np.flatnonzero(rng.random(ASSETS) < 0.02):
            silent_until[i] = second + rng.integers(2, 14)
        reads = []
        for i in np.flatnonzero(silent_until <= second).tolist():
            for r in receivers:
                dbm = synthetic.rssi_dbm(site, r, *place[i], int(floor[i])) + rng.normal(0, 1.0)
                reads.append((i, r, round(dbm * 100), 1))
            if rng.random() < (0.1 if 10 <= i < 20 else 0.01):
                reads.append((i, DOORS[int(floor[i])], NO_RSSI, 2))
        yield second, synthetic.observations(site, reads)


@pytest.mark.parametrize("policy", [HURRIED, PATIENT])
def test_leaving_the_quiet_ones_out_changes_nothing(monkeypatch, synthetic, site, policy):
    """One of two runs forgets, before every window, what lets it leave anybody out."""
    site, left_out = crowded(site, synthetic), []
    judge = tracking.nothing_to_do

    def counted(*args):
        quiet = judge(*args)
        left_out.append(quiet.mean())
        return quiet

    monkeypatch.setattr(tracking, "nothing_to_do", counted)
    one = other = BuildingState.empty(site)
    for second, heard in scenario(site, synthetic, seed=5):
        window = synthetic.us(second), synthetic.us(second + 1)
        one, ours = advance(site, one, heard, *window, policy)
        other = replace(other, overlays=NOT_LAID)
        other, theirs = advance(site, other, heard, *window, policy)
        assert_same(ours, theirs)
        for column in fields(Tracks):
            mine = getattr(one.tracks, column.name)
            assert np.array_equal(mine, getattr(other.tracks, column.name)), column.name
        assert np.array_equal(one.fences.phase, other.fences.phase)
    assert left_out[1::2] == [0.0] * SECONDS
    assert np.mean(left_out[::2]) > 0.3


def assert_same(one: WindowResult, other: WindowResult) -> None:
    for field in fields(one):
        ours, theirs = getattr(one, field.name), getattr(other, field.name)
        if field.name == "positions":
            for column in fields(ours):
                assert np.array_equal(getattr(ours, column.name), getattr(theirs, column.name))
        else:
            assert ours == theirs, field.name
