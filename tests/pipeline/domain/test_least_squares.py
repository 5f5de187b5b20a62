"""Batched least squares in dB: 2-D, 2.5-D and 3-D, and input that has no good answer."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.domain.least_squares import FREE, KNOWN, PRIOR, Links, Prior, Solution, solve
from pipeline.domain.radio import DB_PER_NEPER

BOX = np.array([[-5.0, -5.0, 0.0], [15.0, 15.0, 4.0]])
ROOM = np.array(
    [[0.0, 0, 0.5], [10, 0, 3.0], [10, 10, 0.5], [0, 10, 3.0], [5, 5, 3.5], [5, 0, 0.2]]
)


def located(
    receivers: np.ndarray,
    rssi: np.ndarray,
    z_precision: float = KNOWN,
    power_precision: float = 1e6,
    height: float = 1.2,
) -> Solution:
    """`rssi` (N, R) with NaN unheard, P0 -55 dBm and n 2.2."""
    shape = rssi.T.shape
    x, y, z = (np.broadcast_to(axis[:, None], shape) for axis in receivers.T)
    heard = np.isfinite(rssi.T)
    links = Links(
        x,
        y,
        z,
        np.where(heard, rssi.T + 55.0, 0.0),
        np.full(shape, 2.2 * DB_PER_NEPER),
        heard / 25.0,
    )
    count = len(rssi)
    prior = Prior(np.full(count, height), z_precision, power_precision, BOX)
    start = np.tile([*receivers[:, :2].mean(axis=0), height], (count, 1))
    return solve(links, prior, start)


def ideal(receivers: np.ndarray, places: np.ndarray) -> np.ndarray:
    distance = np.linalg.norm(places[:, None] - receivers, axis=2)
    return -55.0 - 22.0 * np.log10(np.maximum(distance, 0.3))


@pytest.mark.parametrize("z_precision", [KNOWN, PRIOR, FREE])
def test_clean_reads_give_the_place_in_every_dimension(z_precision: float) -> None:
    rng = np.random.default_rng(3)
    truth = np.column_stack([rng.uniform(1, 9, (50, 2)), np.full(50, 1.2)])
    found = located(ROOM, ideal(ROOM, truth), z_precision)
    assert np.linalg.norm(found.place_m - truth, axis=1).max() < 0.2


def test_a_free_height_is_found_and_a_known_one_is_kept() -> None:
    truth = np.array([[4.0, 6.0, 2.4]])
    assert located(ROOM, ideal(ROOM, truth), FREE).place_m[0, 2] == pytest.approx(2.4, abs=0.2)
    assert located(ROOM, ideal(ROOM, truth), KNOWN).place_m[0, 2] == pytest.approx(1.2, abs=0.01)


def test_the_power_of_the_tag_is_found_when_it_may_differ() -> None:
    truth = np.array([[3.0, 4.0, 1.2]])
    found = located(ROOM, ideal(ROOM, truth) - 9.0, power_precision=1e-4)
    assert found.power_db[0] == pytest.approx(-9.0, abs=0.3)
    assert np.linalg.norm(found.place_m[0, :2] - truth[0, :2]) < 0.2


def test_one_wild_receiver_does_not_pull_the_fix_away() -> None:
    truth = np.array([[3.0, 4.0, 1.2]])
    rssi = ideal(ROOM, truth)
    rssi[0, 2] -= 30.0
    assert np.linalg.norm(located(ROOM, rssi).place_m[0, :2] - truth[0, :2]) < 0.5


def test_a_fix_does_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(4)
    truth = np.column_stack([rng.uniform(0, 10, (40, 2)), np.full(40, 1.2)])
    rssi = ideal(ROOM, truth) + rng.normal(0, 3, (40, 6))
    together = located(ROOM, rssi).place_m
    alone = np.concatenate([located(ROOM, rssi[i : i + 1]).place_m for i in range(40)])
    assert together == pytest.approx(alone, abs=0.05)


@pytest.mark.parametrize(
    ("receivers", "rssi"),
    [
        (ROOM[:1], [-60.0]),
        (ROOM, [np.nan] * 6),
        (np.array([[2.0 * i, 0, 2.5] for i in range(5)]), [-70.0] * 5),
        (ROOM, [-60.0] * 6),
        (ROOM, [20.0, -130.0] * 3),
        (np.random.default_rng(0).uniform(0, 10, (200, 3)), [-70.0] * 200),
    ],
    ids=["one", "unheard", "collinear", "same rssi", "wild", "200"],
)
def test_degenerate_input_stays_in_the_box_with_a_finite_covariance(
    receivers: np.ndarray, rssi: list[float]
) -> None:
    found = located(receivers, np.array([rssi]), PRIOR, 0.03)
    assert (found.place_m >= BOX[0]).all() and (found.place_m <= BOX[1]).all()
    assert np.isfinite(found.covariance_m2).all()
    assert (np.diagonal(found.covariance_m2[0]) > 0).all()
