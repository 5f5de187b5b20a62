"""What is kept of the floor plan from window to window is what would be laid anew."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.domain.floorplan import NOWHERE
from pipeline.domain.overlay import NOT_LAID, Overlay, Overlays
from pipeline.domain.rooms import POINTS
from pipeline.domain.tracks import Tracks

COLUMNS = ("x_m", "y_m", "cxx", "cxy", "cyy", "floor", "room")


def tracks(synthetic, seed: int, assets: int = 4) -> Tracks:
    rng = np.random.default_rng(seed)
    return synthetic.tracks(
        assets, x_m=rng.uniform(-1, 21, assets), y_m=rng.uniform(-1, 9, assets),
        cxx=rng.uniform(0.1, 9, assets), cyy=rng.uniform(0.1, 9, assets),
        cxy=rng.uniform(-0.1, 0.1, assets), floor=rng.integers(0, 2, assets),
        room=rng.integers(NOWHERE, 6, assets),
    )  # fmt: skip


def columns(overlay: Overlay) -> dict[str, list[object]]:
    return {f.name: getattr(overlay, f.name).tolist() for f in fields(overlay)}


def test_by_hand(synthetic, site):
    """In the store, surely; on the line between bay and corridor; outside everything."""
    at = synthetic.tracks(
        3, x_m=[15.0, 14.0, -50.0], y_m=[3.0, 7.0, 3.0], cxx=[0.01, 0.01, 0.01],
        cyy=[0.01, 0.01, 0.01], floor=[0, 0, 0],
        room=[synthetic.STORE, synthetic.WARD, NOWHERE],
    )  # fmt: skip
    overlay = Overlay.lay(site, at)
    assert overlay.best.tolist() == [synthetic.STORE, synthetic.CORRIDOR, NOWHERE]
    assert overlay.best_points.tolist() == [POINTS] * 3
    assert overlay.own_points.tolist() == [POINTS, 0, POINTS]
    bay = overlay.zone_points[:, synthetic.BAY]
    assert bay[1] == pytest.approx(POINTS / 2, abs=3)
    assert (bay[0], bay[2]) == (0, 0)
    assert overlay.zone_points[:, synthetic.IN_STORE].tolist() == [0, 0, 0]  # a room: not counted


def test_a_zone_on_another_floor_holds_nothing(synthetic, site):
    at = synthetic.tracks(2, x_m=[17.0] * 2, y_m=[7.0] * 2, floor=[0, 1], room=[0, 0])
    assert Overlay.lay(site, at).zone_points[:, synthetic.BAY].tolist() == [POINTS, 0]


@pytest.mark.parametrize("changed", COLUMNS)
def test_whatever_input_changes_it_is_laid_anew(synthetic, site, changed):
    assets = np.arange(4)
    first, then = tracks(synthetic, 1), tracks(synthetic, 2)
    then = replace(first, **{changed: getattr(then, changed)})
    kept, _ = NOT_LAID.of(site, assets, first)
    _, overlay = kept.of(site, assets, then)
    assert columns(overlay) == columns(Overlay.lay(site, then))


def test_some_assets_now_and_others_then(synthetic, site):
    """A long story with random companies, against laying everything each time."""
    rng, kept = np.random.default_rng(3), NOT_LAID
    whole = tracks(synthetic, 4)
    for step in range(40):
        assets = np.flatnonzero(rng.random(4) < 0.6)
        moved = np.flatnonzero(rng.random(4) < 0.3)
        new = tracks(synthetic, 100 + step)
        whole = whole.put(moved, **{name: getattr(new, name)[moved] for name in COLUMNS})
        before = kept.laid
        frozen = None if before is None else columns(before)
        kept, overlay = kept.of(site, assets, whole.at(assets))
        assert columns(overlay) == columns(Overlay.lay(site, whole.at(assets)))
        assert frozen is None or columns(before) == frozen


def test_another_plan_is_another_overlay(synthetic, site):
    at, assets = tracks(synthetic, 5), np.arange(4)
    kept, _ = NOT_LAID.of(site, assets, at)
    moved = replace(site.rooms[0], polygon=synthetic.rectangle(0, 2, 10, 8))
    other = replace(site, rooms=(moved, *site.rooms[1:]))
    _, overlay = kept.of(other, assets, at)
    assert columns(overlay) == columns(Overlay.lay(other, at))
    assert columns(overlay) != columns(Overlay.lay(site, at))


def test_what_stands_still_is_not_laid_again(synthetic, site):
    at, assets = tracks(synthetic, 6), np.arange(4)
    kept, overlay = NOT_LAID.of(site, assets, at)
    again, same = kept.of(site, assets, at)
    assert isinstance(again, Overlays)
    assert again is kept
    assert same is overlay
