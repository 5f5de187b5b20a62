"""The controls: each does what its name says, and none stumbles over missing reads."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.domain.cramer_rao import bound_m
from pipeline.domain.estimators import CONTROLS, Estimator, Fixes
from pipeline.domain.fingerprints import Stretches
from pipeline.domain.path_loss import PathLoss

RECEIVERS = np.array([[0.0, 0, 2.5], [10, 0, 2.5], [10, 10, 2.5], [0, 10, 2.5]])
LOSS = PathLoss(np.full(4, -55.0), 2.2, 5.0)
TRUTH = np.array([[3.0, 4.0], [8.0, 7.0]])


def fixes(rssi: np.ndarray) -> Fixes:
    place = np.array([[x, y, 1.2] for x in range(11) for y in range(11)], dtype=float)
    stretches = Stretches(place, ideal(place), np.ones(len(place)))
    box = np.array([[0.0, 0.0], [10.0, 10.0]])
    return Fixes(rssi, RECEIVERS, box, np.full(len(rssi), 1.2), LOSS, True, stretches)


def ideal(place: np.ndarray) -> np.ndarray:
    gap = np.linalg.norm(place[:, None] - RECEIVERS, axis=2)
    return -55.0 - 22.0 * np.log10(gap)


@pytest.mark.parametrize(
    ("name", "within_m"),
    [
        ("strongest receiver", 6.0), ("weighted centroid", 3.5),
        ("nearest fingerprints (k=4)", 0.8),
        ("least squares on distances", 0.1), ("least squares in dB", 0.1),
    ],
)  # fmt: skip
def test_clean_reads_bring_each_control_as_near_as_it_can_be(name: str, within_m: float) -> None:
    rssi = ideal(np.column_stack([TRUTH, [1.2, 1.2]]))
    error = np.linalg.norm(CONTROLS[name](fixes(rssi)) - TRUTH, axis=1)
    assert error.max() <= within_m


@pytest.mark.parametrize("estimate", CONTROLS.values(), ids=CONTROLS)
def test_missing_reads_give_an_answer_or_none(estimate: Estimator) -> None:
    rssi = np.array([[-60.0, np.nan, np.nan, -70.0], [np.nan] * 4, [-50.0] * 4])
    found = estimate(fixes(rssi))
    assert found.shape == (3, 2)
    assert np.isfinite(found[[0, 2]]).all()


def test_the_bound_shrinks_with_receivers_and_is_infinite_for_one() -> None:
    place = np.array([[4.0, 3.0, 1.2]])
    every = np.ones((1, 4), dtype=bool)
    some = np.array([[True, True, False, False]])
    one = np.array([[True, False, False, False]])
    bounds = [float(bound_m(place, heard, RECEIVERS, 2.2, 5.0)[0]) for heard in (every, some, one)]
    assert bounds[0] < bounds[1] < bounds[2] == np.inf
    twice = float(bound_m(place, every, RECEIVERS, 2.2, 10.0)[0])
    assert twice == pytest.approx(2 * bounds[0])


def test_the_bound_in_the_middle_of_four_receivers_is_the_formula_worked_by_hand() -> None:
    """Each is d = 5 sqrt(2) m away and level: trace(F^-1) = d^2 / k^2, k = 10 n / (s ln 10)."""
    level = RECEIVERS.copy()
    level[:, 2] = 1.2
    place, every = np.array([[5.0, 5.0, 1.2]]), np.ones((1, 4), dtype=bool)
    k, d2 = 10 * 2.2 / (5.0 * np.log(10)), 50.0
    assert bound_m(place, every, level, 2.2, 5.0)[0] == pytest.approx(np.sqrt(d2) / k)
