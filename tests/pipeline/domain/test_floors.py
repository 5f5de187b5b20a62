"""The floor of an asset: a margin, a streak, and doors that know better."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.domain.floorplan import NOWHERE
from pipeline.domain.locating import decide_floor
from pipeline.domain.observations import Heard
from pipeline.domain.policy import Policy

ASSET = np.array([0])


def gain(lead_db: float) -> list[tuple[int, int, int, int]]:
    """Reads whose path gain is better on the upper floor by this much."""
    return [(0, r, round(100 * (-75 + (lead_db if r >= 8 else 0))), 1) for r in (4, 5, 8, 9)]


def walk(synthetic, site, steps, portal=None) -> list[int]:
    """Floor after each window; a step is the lead of the upper floor in dB, None a portal read."""
    tracks, floors = synthetic.tracks(len(site.assets)), []
    for second, lead_db in enumerate(steps):
        door = np.array([portal if lead_db is None else NOWHERE])
        rows = [(0, portal, -32768, 1)] if lead_db is None else gain(lead_db)
        seen = synthetic.observations(site, rows)
        at = synthetic.us(second)
        before = tracks.floor[0]
        now, changed = decide_floor(
            site, tracks.at(ASSET), Heard.of(site, seen), door, at, Policy(floor_streak_still=3)
        )
        tracks = tracks.put(ASSET, **vars(now))
        assert changed.tolist() == [tracks.floor[0] != before]
        floors.append(int(tracks.floor[0]))
    return floors


@pytest.mark.parametrize(
    ("steps", "floors"),
    [
        ([-10, -10], [0, 0]),
        ([1], [1]),
        ([-5, 2.9, 2.9, 2.9, 2.9], [0, 0, 0, 0, 0]),
        ([-5, 10, 10, -5, 10, 10, -5], [0] * 7),
        ([-5, 10, 10, 10, 10], [0, 0, 0, 1, 1]),
        ([-5, 10, 10, 10, -10, -10, -10], [0, 0, 0, 1, 1, 1, 0]),
        ([-5, 10, 10, 2, 10, 10, 10], [0, 0, 0, 0, 0, 0, 1]),
    ],
    ids=[
        "stays", "first sight takes the better", "not by the margin", "two wins are not enough",
        "third win in a row", "there and back", "a narrow win breaks the run",
    ],
)  # fmt: skip
def test_hysteresis(synthetic, site, steps, floors):
    assert walk(synthetic, site, steps) == floors


def test_a_door_decides_at_once(synthetic, site):
    assert walk(synthetic, site, [-10, None, -10, -10, -10], portal=7) == [0, 1, 1, 1, 0]


def test_a_door_at_first_sight(synthetic, site):
    assert walk(synthetic, site, [None], portal=7) == [1]


def test_only_a_door_heard_on_the_same_floor_changes_nothing(synthetic, site):
    assert walk(synthetic, site, [5, None, None, None, None], portal=7) == [1] * 5
