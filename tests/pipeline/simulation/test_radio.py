"""The radio world: mean path loss, shadowing fixed in space, fading, losses, walls, slabs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pipeline.domain.geometry import crossings
from pipeline.simulation.radio import Radio
from pipeline.simulation.scenario import MICROSECONDS
from pipeline.simulation.wall_losses import WallLosses


@pytest.fixture(scope="module")
def radio(hospital):
    return Radio(hospital)


@pytest.fixture(scope="module")
def places(hospital):
    plan = hospital.scenario.hospital
    rng = np.random.default_rng(5)
    points = rng.uniform((0.3, 0.3, 1), (plan.length_m - 0.3, plan.depth_m - 0.3, 1), (4000, 3))
    return points, np.zeros(len(points), dtype=np.int64)


def test_hearing_is_seeded_and_does_not_depend_on_how_time_is_cut(hospital, walks, radio):
    whole = radio.hear(walks, 0, 35 * MICROSECONDS)
    again = Radio(hospital)
    cuts = np.array([0, 3.1, 10, 17.77, 35]) * MICROSECONDS
    parts = [again.hear(walks, int(a), int(b)) for a, b in pairwise(cuts)]
    for name in ("at_us", "asset", "receiver", "rssi_dbm"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert (joined == getattr(whole, name)).all()
    assert (np.diff(whole.at_us) >= 0).all()


def test_shadowing_is_fixed_in_space_smooth_and_of_the_right_size(hospital, radio, places):
    points, _ = places
    plan = hospital.scenario.radio
    field = radio.shadowing_db(points)
    assert (Radio(hospital).shadowing_db(points) == field).all()
    assert field.std() == pytest.approx(plan.shadowing_db, rel=0.1)
    near = radio.shadowing_db(points + np.array([0.3, 0, 0]))
    half = radio.shadowing_db(points + np.array([2**0.5 * plan.shadowing_length_m, 0, 0]))
    assert np.corrcoef(field.ravel(), near.ravel())[0, 1] > 0.95
    assert np.corrcoef(field.ravel(), half.ravel())[0, 1] == pytest.approx(np.exp(-1), abs=0.08)
    between = np.corrcoef(field.T)[np.triu_indices(field.shape[1], 1)]
    assert np.abs(between).mean() < 0.2


def test_the_mean_follows_the_path_loss_of_each_receiver(hospital, radio, places):
    points, floor = places
    receivers = hospital.receivers
    clear = WallLosses(hospital).loss_db(points, floor) == 0
    level = receivers.floor == 0
    mean = radio.mean_dbm(points, floor)
    residuals = []
    for r in np.nonzero(level)[0]:
        distance = np.linalg.norm(points - receivers.position_m[r], axis=1)
        free = clear[:, r] & (distance > 1)
        expected = receivers.p0_dbm[r] - 10 * receivers.exponent[r] * np.log10(distance[free])
        residuals.append(mean[free, r] - expected)
    pooled = np.concatenate(residuals)
    assert abs(pooled.mean()) < 1
    assert pooled.std() == pytest.approx(hospital.scenario.radio.shadowing_db, rel=0.25)


def test_a_slab_costs_what_the_plan_says(hospital, radio, places):
    points, floor = places
    plan = hospital.scenario.radio
    above = hospital.receivers.floor == 1
    mean = (radio.mean_dbm(points, floor) - radio.shadowing_db(points))[:, above]
    distance = np.linalg.norm(points[:, None] - hospital.receivers.position_m[above], axis=-1)
    free = hospital.receivers.p0_dbm[above] - 10 * hospital.receivers.exponent[above] * np.log10(
        distance
    )
    assert mean == pytest.approx(free - plan.slab_db)


def test_the_raster_of_the_walls_agrees_with_the_walls(hospital):
    rng = np.random.default_rng(6)
    cells = rng.integers((0, 0), (240, 96), (300, 2))
    points = np.column_stack([(cells + 0.5) * 0.25, np.ones(300)])
    walls = [wall for wall in hospital.walls if wall.floor == 0]
    here = np.nonzero(hospital.receivers.floor == 0)[0]
    raster = WallLosses(hospital).loss_db(points, np.zeros(300, dtype=np.int64))[:, here]
    exact = np.zeros_like(raster)
    for k, r in enumerate(here):
        start = np.broadcast_to(hospital.receivers.position_m[r, :2], (300, 2))
        hit = crossings(
            start,
            points[:, :2],
            np.array([wall.start for wall in walls]),
            np.array([wall.end for wall in walls]),
        )
        exact[:, k] = hit @ np.array([wall.attenuation_db for wall in walls])
    # The true loss of each wall is spread around its material's; rays may also graze a corner.
    assert np.median(np.abs(raster - exact)) < 1.5
    assert ((raster == 0) == (exact == 0)).mean() > 0.98


def test_a_standing_tag_keeps_its_mean_and_only_fades(hospital, radio, walks):
    still = np.nonzero(np.diff(walks.t_us) > 30 * MICROSECONDS)[0][0]
    start, asset = int(walks.t_us[still]), int(walks.asset[still])
    heard = radio.hear(walks, start, start + 30 * MICROSECONDS)
    where, space = walks.at(np.array([asset]), [start])
    mean = radio.mean_dbm(where, hospital.space_floor[space])[0] + radio.tag_offset_db[asset]
    loud = int(np.argmax(mean))
    rssi = heard.rssi_dbm[(heard.asset == asset) & (heard.receiver == loud)]
    assert len(rssi) > 20
    assert rssi.mean() == pytest.approx(mean[loud], abs=1.5)
    assert 1.2 < rssi.std() < 4.0


def test_adverts_come_once_a_second_and_several_receivers_hear_each(hospital, walks, radio):
    heard = radio.hear(walks, 0, 60 * MICROSECONDS)
    plan = hospital.scenario.radio
    times = np.unique(heard.at_us[heard.asset == 0])
    assert 55 <= len(times) <= 60
    assert abs(np.median(np.diff(times)) / MICROSECONDS - 1) < 0.05
    per_advert = len(heard) / (60 * walks.assets)
    assert 5 < per_advert < 11
    assert heard.rssi_dbm.max() < -25
    assert heard.rssi_dbm.min() > plan.sensitivity_dbm - 14


def test_weak_adverts_are_missed_more_often(hospital, walks, radio):
    heard = radio.hear(walks, 0, 120 * MICROSECONDS)
    at = np.arange(0, 120) * MICROSECONDS
    where, space = walks.locate(at)
    mean = radio.mean_dbm(where.reshape(-1, 3), hospital.space_floor[space.ravel()])
    mean = mean.reshape(walks.assets, 120, -1) + radio.tag_offset_db[:, None, None]
    counts = np.zeros(mean.shape)
    np.add.at(counts, (heard.asset, heard.at_us // MICROSECONDS, heard.receiver), 1)
    strong, weak, gone = mean > -75, (mean > -93) & (mean < -91), mean < -105
    assert 0.85 < counts[strong].mean() < 0.97
    assert 0.3 < counts[weak].mean() < 0.6
    assert counts[gone].mean() < 0.002
