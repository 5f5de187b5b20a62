"""A learned zone boundary: causal, blind to a tag's power, and clear about what it cannot learn."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.domain.zone_classifier import Walk, ZoneClassifier

AT_M = np.array([-6.0, -2.0, 2.0, 6.0])
STEP_S = 0.2


def walk(seed: int, power_db: float = 0.0) -> Walk:
    """Through a door at 0 and back, past four receivers; inside is right of it."""
    rng = np.random.default_rng(seed)
    x = 7 * np.sin(np.linspace(0, 4 * np.pi, 600) + rng.uniform(0, 6))
    away = np.hypot(x[:, None] - AT_M, 1.5)
    wall = 6.0 * ((x[:, None] > 0) != (AT_M > 0))
    rssi = power_db - 60 - 20 * np.log10(away) - wall + rng.normal(0, 4, away.shape)
    rssi[rng.random(rssi.shape) < 0.15] = np.nan
    return Walk(rssi, x > 0, STEP_S)


@pytest.fixture(scope="module")
def model() -> ZoneClassifier:
    return ZoneClassifier.learn([walk(seed) for seed in range(3)])


def test_it_knows_a_walk_it_has_not_seen(model):
    new = walk(10)
    assert ((model.probability(new.rssi_dbm, STEP_S) > 0.5) == new.inside).mean() > 0.9


def test_a_stronger_tag_is_in_no_other_zone(model):
    plain, strong = walk(11), walk(11, power_db=8.0)
    said = [model.probability(each.rssi_dbm, STEP_S) > 0.5 for each in (plain, strong)]
    assert (said[0] == said[1]).mean() > 0.97


def test_nothing_later_is_used(model):
    whole = walk(12).rssi_dbm
    part = model.probability(whole[:300], STEP_S)
    assert part == pytest.approx(model.probability(whole, STEP_S)[:300])


def test_silence_is_an_answer_and_no_exception(model):
    said = model.probability(np.full((50, 4), np.nan), STEP_S)
    assert np.isfinite(said).all()


def test_a_walk_on_one_side_teaches_nothing():
    one = walk(1)
    with pytest.raises(ValueError, match="inside and outside"):
        ZoneClassifier.learn([Walk(one.rssi_dbm, np.ones(600, bool), STEP_S)])
