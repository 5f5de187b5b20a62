"""Beliefs carried through time: they find tags, stay in bounds, and never look ahead."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.domain.belief import BeliefFilter, Where
from pipeline.domain.belief_likelihood import Heard
from pipeline.domain.belief_motion import Diffuser, Motion
from pipeline.domain.ellipse import radius_90_m
from pipeline.domain.lattice import Lattice, bounds_around
from pipeline.domain.radio_field import RadioField

CORNERS = np.array([[0.0, 0, 2.5], [10, 0, 2.5], [10, 10, 2.5], [0, 10, 2.5]])


def field_over(receivers: np.ndarray, heights: tuple[float, ...] = (1.2,)) -> RadioField:
    lattice = Lattice.over(bounds_around(receivers, 1.0), np.array(heights))
    return RadioField.unsurveyed(lattice, receivers)


def window(time_s: float, rssi: np.ndarray, tag: int = 0) -> Heard:
    heard = np.flatnonzero(np.isfinite(rssi))
    return Heard(np.array([tag]), np.array([time_s]), heard[None], rssi[heard][None])


def ideal(receivers: np.ndarray, place: tuple[float, float, float]) -> np.ndarray:
    distance = np.linalg.norm(receivers - np.array(place), axis=1)
    return -55.0 - 22.0 * np.log10(np.maximum(distance, 0.3))


def track(belief: BeliefFilter, rssi: list[np.ndarray]) -> list[Where]:
    return [belief.advance(window(float(i), row)) for i, row in enumerate(rssi)]


def test_a_tag_is_found_without_knowing_its_power_or_the_exponent() -> None:
    belief = BeliefFilter(field_over(CORNERS))
    where = track(belief, [ideal(CORNERS, (3.0, 7.0, 1.2))] * 20)[-1]
    assert np.linalg.norm(where.mean_m[0, :2] - [3.0, 7.0]) < 1.0


def test_a_row_does_not_depend_on_what_is_heard_later() -> None:
    rng = np.random.default_rng(1)
    rssi = [ideal(CORNERS, (i * 0.3, 5.0, 1.2)) + rng.normal(0, 4, 4) for i in range(30)]
    whole = track(BeliefFilter(field_over(CORNERS)), rssi)
    part = track(BeliefFilter(field_over(CORNERS)), rssi[:17])
    for one, other in zip(whole[:17], part, strict=True):
        assert (one.mean_m == other.mean_m).all()
        assert (one.cxx == other.cxx).all()


def test_time_narrows_the_belief_and_silence_widens_it() -> None:
    belief = BeliefFilter(field_over(CORNERS))
    rssi = ideal(CORNERS, (5.0, 2.0, 1.2))
    first, *_, last = track(belief, [rssi] * 30)
    lone = np.where(np.arange(4) == 0, rssi, np.nan)
    silent = belief.advance(window(2_000.0, lone))
    radii = [float(radius_90_m(w.cxx, w.cxy, w.cyy)[0]) for w in (first, last, silent)]
    assert radii[1] < radii[0]
    assert radii[2] > 1.3 * radii[1]


@pytest.mark.parametrize(
    ("receivers", "rssi"),
    [
        (CORNERS[:1], np.array([-60.0])),
        (np.array([[0.0, 0, 2.5], [0, 0, 2.5]]), np.array([-60.0, -60.0])),
        (np.array([[4.0 * i, 0, 2.5] for i in range(5)]), np.full(5, -70.0)),
        (CORNERS, np.full(4, -60.0)),
        (CORNERS, np.array([-130.0, 20.0, -130.0, 20.0])),
        (CORNERS, np.array([-20.0, -80.0, -85.0, -80.0])),
        (np.random.default_rng(0).uniform(0, 40, (200, 3)), np.full(200, -75.0)),
        (np.array([[0.0, 0, 2.5], [800, 0, 2.5], [0, 30, 2.5], [800, 30, 2.5]]), np.full(4, -90.0)),
    ],
    ids=["one", "same place", "collinear", "same rssi", "wild", "at a receiver", "200", "800 m"],
)
def test_degenerate_input_gives_a_bounded_answer_with_an_honest_error(
    receivers: np.ndarray, rssi: np.ndarray
) -> None:
    field = field_over(receivers)
    where = track(BeliefFilter(field), [rssi] * 5)[-1]
    low, high = bounds_around(receivers, 1.0)
    assert np.isfinite(where.mean_m).all()
    assert (where.mean_m[0, :2] >= low).all() and (where.mean_m[0, :2] <= high).all()
    radius = float(radius_90_m(where.cxx, where.cxy, where.cyy)[0])
    assert 0.1 < radius <= float(np.linalg.norm(high - low))


def test_two_receivers_of_one_place_leave_the_tag_anywhere_around_them() -> None:
    receivers = np.array([[0.0, 0, 2.5], [0, 0, 2.5]])
    where = track(BeliefFilter(field_over(receivers)), [np.full(2, -80.0)] * 3)[-1]
    assert float(radius_90_m(where.cxx, where.cxy, where.cyy)[0]) > 2.0


def test_the_floor_is_found_and_held() -> None:
    receivers = np.concatenate([CORNERS, np.add(CORNERS, (0, 0, 4.0))])
    belief = BeliefFilter(field_over(receivers, (1.2, 5.2)))
    rssi = ideal(receivers, (4.0, 4.0, 5.2)) - np.repeat([15.0, 0.0], 4)
    assert track(belief, [rssi] * 5)[-1].mean_m[0, 2] == 5.2


def test_many_tags_at_once_are_located_as_each_alone() -> None:
    """The first tags: later ones learn from them, so only those are independent."""
    rng = np.random.default_rng(2)
    rssi = [ideal(CORNERS, (*rng.uniform(0, 10, 2), 1.2)) for _ in range(6)]
    together = BeliefFilter(field_over(CORNERS))
    heard = Heard(np.arange(6), np.zeros(6), np.tile(np.arange(4), (6, 1)), np.array(rssi))
    places = together.advance(heard).mean_m
    for tag, row in enumerate(rssi):
        alone = BeliefFilter(field_over(CORNERS)).advance(window(0.0, row, tag)).mean_m
        assert places[tag] == pytest.approx(alone[0], abs=1e-3)


def test_spreading_keeps_the_mass_and_heeds_the_walls_of_the_building() -> None:
    lattice = Lattice.over(np.array([[0.0, 0.0], [10.0, 6.0]]), np.array([1.2]))
    weight = np.ones(lattice.shape, np.float32)
    weight[:, :, : lattice.nx // 2] = 0.0
    belief = np.zeros((2, len(lattice)), np.float32)
    belief[:, lattice.nearest(np.array([[8.0, 3.0, 1.2]]))[0]] = 1.0
    even = Diffuser(lattice, Motion()).spread(belief, np.array([0.0, 30.0]))
    assert (even[0] == belief[0]).all()
    assert even.sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    walled = Diffuser(lattice.weighted(weight), Motion()).spread(belief, np.array([30.0, 30.0]))
    assert walled.sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    assert walled.reshape(2, lattice.ny, lattice.nx)[:, :, : lattice.nx // 2].sum() == 0.0


def test_a_forgotten_tag_starts_anew() -> None:
    belief = BeliefFilter(field_over(CORNERS))
    first = belief.advance(window(0.0, ideal(CORNERS, (2.0, 2.0, 1.2))))
    belief.forget(0)
    again = belief.advance(window(9.0, ideal(CORNERS, (2.0, 2.0, 1.2))))
    assert again.mean_m == pytest.approx(first.mean_m)


def test_many_receivers_that_fit_nowhere_do_not_overflow() -> None:
    receivers = np.random.default_rng(0).uniform(0, 10, (24, 3))
    lattice = Lattice.over(bounds_around(receivers, 1.0), np.array([1.2]))
    mean = np.full((24, len(lattice)), 20.0)
    belief = BeliefFilter(RadioField.surveyed(lattice, mean, np.full_like(mean, 2.0)))
    where = belief.advance(window(0.0, np.full(24, -130.0)))
    assert np.isfinite(where.mean_m).all()
    assert where.mean_m[0, :2] == pytest.approx(lattice.xy_m.mean(axis=0), abs=0.1)
