"""Rooms and floors compete: shares of probability, margins, streaks, portals."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.domain.floorplan import NOWHERE
from pipeline.domain.observations import Heard
from pipeline.domain.rooms import (
    DISC,
    POINTS,
    UNHEARD_GAIN_DB,
    Competition,
    floor_gains,
    portals,
    room_shares,
    spread,
)


def spread_one(x: float, y: float, cxx: float, cxy: float, cyy: float) -> np.ndarray:
    return spread(*(np.array([value]) for value in (x, y, cxx, cxy, cyy)))


def test_the_disc_is_a_standard_normal():
    assert DISC.shape == (POINTS, 2)
    assert DISC.mean(axis=0) == pytest.approx([0.0, 0.0], abs=0.06)
    assert np.cov(DISC.T) == pytest.approx(np.eye(2), abs=0.12)


def test_the_spread_follows_the_covariance():
    covariance = np.array([[4.0, 1.5], [1.5, 1.0]])
    points = spread_one(10.0, 4.0, 4.0, 1.5, 1.0)[:, 0, :]
    assert points.mean(axis=0) == pytest.approx([10.0, 4.0], abs=0.15)
    assert np.cov(points.T) == pytest.approx(covariance, abs=0.5)


@pytest.mark.parametrize("covariance", [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1e-20, 0.0, 5.0)])
def test_a_degenerate_covariance_spreads_numbers(covariance):
    assert np.isfinite(spread_one(1.0, 1.0, *covariance)).all()


def shares(site, x: float, y: float, sigma_m: float, floor: int = 0) -> list[float]:
    counted = room_shares(site, np.array([floor]), spread_one(x, y, sigma_m**2, 0.0, sigma_m**2))
    assert counted.sum() == POINTS
    return (counted[0] / POINTS).tolist()


def test_shares_of_a_sharp_fix(site):
    assert shares(site, 5.0, 3.0, 0.1) == [1, 0, 0, 0, 0, 0, 0]
    assert shares(site, 15.0, 3.0, 0.1, floor=1) == [0, 0, 0, 0, 1, 0, 0]
    assert shares(site, 50.0, 3.0, 0.1) == [0, 0, 0, 0, 0, 0, 1]
    assert shares(site, 5.0, 3.0, 0.1, floor=NOWHERE) == [0, 0, 0, 0, 0, 0, 1]


def test_shares_of_a_fix_on_the_wall_are_halves(site):
    ward, store, *rest = shares(site, 10.0, 2.5, 0.8)
    assert ward == pytest.approx(0.5, abs=0.1)
    assert store == pytest.approx(0.5, abs=0.1)
    assert sum(rest) == pytest.approx(0.0, abs=0.05)


# -- competitions ------------------------------------------------------------------------------


def play(rounds: list[tuple[int, bool]], needed: int, incumbent: int = 0) -> list[tuple[int, int]]:
    """Rounds of one asset, one a second: (best, did it win by the margin). -> (when, incumbent)"""
    one = np.array([incumbent])
    game = Competition(one, np.array([NOWHERE]), np.array([0]), np.array([-1]))
    changes = []
    for second, (best, wins) in enumerate(rounds):
        game, replaced = game.round(np.array([best]), np.array([wins]), second, needed)
        if replaced[0]:
            changes.append((int(game.since_us[0]), int(game.incumbent[0])))
    return changes


A, B, C = 0, 1, 2


@pytest.mark.parametrize(
    ("rounds", "needed", "changes"),
    [
        ([(B, True)], 1, [(0, B)]),
        ([(B, False)] * 9, 1, []),
        ([(B, True), (B, True), (B, True)], 3, [(0, B)]),
        ([(B, True), (B, True)], 3, []),
        ([(B, True), (A, False), (B, True), (A, False), (B, True)], 2, []),
        ([(B, True), (C, True), (B, True), (C, True)], 2, []),
        ([(A, False), (B, True), (C, True), (C, True)], 2, [(2, C)]),
        ([(B, True), (B, True), (A, True), (A, True)], 2, [(0, B), (2, A)]),
        ([(B, True), (B, False), (B, True), (B, True)], 2, [(2, B)]),
    ],
    ids=[
        "one win is enough", "never by the margin", "third win in a row", "one short", "flicker",
        "two challengers in turn", "the second challenger's own run", "there and back",
        "a run is broken by a narrow win",
    ],
)  # fmt: skip
def test_a_challenger_needs_a_margin_and_a_run(rounds, needed, changes):
    """A change counts from the first window of the winning run."""
    assert play(rounds, needed) == changes


def test_the_first_is_taken_at_once_unless_it_is_nowhere():
    assert play([(NOWHERE, False), (B, False)], 3, incumbent=NOWHERE) == [(1, B)]


# -- floors and portals --------------------------------------------------------------------------


def test_path_gain_is_the_mean_of_the_two_best_of_a_floor(synthetic, site):
    rows = [(0, 0, -6900, 1), (0, 1, -7900, 1), (0, 2, -9900, 1), (0, 8, -7900, 1), (1, 3, -1, 1)]
    gains = floor_gains(site, Heard.of(site, synthetic.observations(site, rows)))
    assert gains.tolist() == [[-15.0, (-20.0 + UNHEARD_GAIN_DB) / 2], [-60.0, -60.0]]


def test_two_equally_good_receivers_are_the_two_best(synthetic, site):
    rows = [(0, 0, -6900, 1), (0, 1, -6900, 1), (0, 2, -7900, 1)]
    gains = floor_gains(site, Heard.of(site, synthetic.observations(site, rows)))
    assert gains.tolist() == [[-10.0, -60.0]]


def test_rfid_says_nothing_about_path_gain(synthetic, site):
    seen = synthetic.observations(site, [(0, 3, -2000, 1)])
    assert floor_gains(site, Heard.of(site, seen)).tolist() == [[-60.0, -60.0]]


def test_the_portal_with_most_reads_wins_and_ties_go_to_the_lower_index(synthetic, site):
    rows = [(0, 3, -32768, 2), (0, 7, -32768, 5), (1, 7, -32768, 4), (1, 3, -32768, 4)]
    seen = synthetic.observations(site, [*rows, (2, 0, -6000, 99)])
    assert portals(site, Heard.of(site, seen)).tolist() == [7, 3, NOWHERE]
