"""The radio model by hand, its gradient against finite differences, and sums in order."""

from __future__ import annotations

import functools
import operator
from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.radio import (
    MIN_DISTANCE_M,
    Links,
    RadioModel,
    multiply_receivers,
    sum_receivers,
)
from pipeline.domain.walls import WallMap

RNG = np.random.default_rng(11)


def random_links(receivers: int = 6, tags: int = 40, walls: WallMap | None = None) -> Links:
    shape = (receivers, tags)
    return Links(
        heard=RNG.random(shape) < 0.8,
        rssi_dbm=RNG.uniform(-95, -40, shape),
        x_m=RNG.uniform(0, 20, shape),
        y_m=RNG.uniform(0, 8, shape),
        z_m=RNG.uniform(2, 3, shape),
        p0_dbm=RNG.uniform(-65, -50, shape),
        exponent=RNG.uniform(1.2, 4.0, shape),
        sigma_db=RNG.uniform(3, 8, shape),
        floor_loss_db=RNG.choice([0.0, 15.0], shape),
        receiver=RNG.integers(0, 3, shape),
        same_floor=RNG.random(shape) < 0.7,
        walls=walls,
    )


def one_link(**changes: float) -> Links:
    values = {
        "heard": True, "rssi_dbm": -70.0, "x_m": 0.0, "y_m": 0.0, "z_m": 0.0, "p0_dbm": -59.0,
        "exponent": 2.0, "sigma_db": 4.0, "floor_loss_db": 0.0, "receiver": 0, "same_floor": True,
    }  # fmt: skip
    return Links(**{name: np.array([[value]]) for name, value in (values | changes).items()})


def residual_db(links: Links, x: float, y: float, z: float, offset: float = 0.0) -> float:
    x_m, y_m, z_m, offset_db = (np.array([value]) for value in (x, y, z, offset))
    return float(RadioModel.of(links, z_m).residual(x_m, y_m, offset_db)[0, 0])


@pytest.mark.parametrize(
    ("changes", "place", "residual"),
    [
        ({}, (1, 0, 0), -11.0),
        ({}, (10, 0, 0), 9.0),
        ({}, (6, 8, 0), 9.0),
        ({}, (0, 6, 8), 9.0),
        ({"exponent": 3.0}, (10, 0, 0), 19.0),
        ({"floor_loss_db": 15.0}, (10, 0, 0), 24.0),
        ({"p0_dbm": -49.0}, (10, 0, 0), -1.0),
    ],
    ids=["1 m", "10 m", "aslant", "above", "steeper", "through a slab", "stronger"],
)
def test_heard_minus_model_by_hand(changes, place, residual):
    assert residual_db(one_link(**changes), *place) == pytest.approx(residual, abs=1e-9)


def test_a_strong_tag_explains_more():
    assert residual_db(one_link(), 10, 0, 0, offset=4.0) == pytest.approx(5.0)


def test_on_the_receiver_the_model_is_bounded_and_flat():
    links = one_link()
    assert residual_db(links, 0, 0, 0) == residual_db(links, MIN_DISTANCE_M / 2, 0, 0)
    here = np.zeros(1)
    slopes = RadioModel.of(links, here).residual_and_gradient(here, here, here)[1:]
    assert [float(part[0, 0]) for part in slopes] == [0.0, 0.0]


def _map() -> WallMap:
    return WallMap(np.array([0.0, 0.0]), RNG.uniform(0, 12, (3, 17, 41)).astype(np.float32))


@pytest.mark.parametrize("walls", [None, _map()], ids=["no walls", "walls"])
def test_gradient_against_finite_differences(walls):
    links, step = random_links(walls=walls), 1e-6
    # In the middle of the cells of the wall map, where its slope is one number.
    x = 0.25 + 0.5 * RNG.integers(0, 40, 40) + RNG.uniform(-0.2, 0.2, 40)
    y = 0.25 + 0.5 * RNG.integers(0, 16, 40) + RNG.uniform(-0.2, 0.2, 40)
    z, offset = np.ones(40), RNG.normal(0, 2, 40)
    model = RadioModel.of(links, z)
    there, jx, jy = model.residual_and_gradient(x, y, offset)

    def residual(dx: float, dy: float) -> np.ndarray:
        return model.residual(x + dx, y + dy, offset)

    assert residual(0, 0).tolist() == there.tolist()

    # The gradient is the model's: minus that of the residual.
    assert jx == pytest.approx(-(residual(step, 0) - residual(-step, 0)) / (2 * step), abs=1e-4)
    assert jy == pytest.approx(-(residual(0, step) - residual(0, -step)) / (2 * step), abs=1e-4)


def test_walls_count_on_the_receivers_own_floor_only():
    walls = WallMap(np.zeros(2), np.full((1, 3, 3), 5.0, dtype=np.float32))
    on, off = (replace(one_link(same_floor=same), walls=walls) for same in (True, False))
    assert residual_db(on, 1, 0, 0) - residual_db(off, 1, 0, 0) == 5.0


def test_some_tags_of_the_links():
    links = random_links()
    which = np.array([3, 17, 5])
    some = links.tags(which)
    assert some.rssi_dbm.tolist() == links.rssi_dbm[:, which].tolist()
    assert some.heard.tolist() == links.heard[:, which].tolist()
    assert some.walls is links.walls


def test_many_places_at_once_are_the_same_as_one_by_one():
    """To the last bit, with walls and without; also of some of the tags."""
    for walls in (None, _map()):
        model = RadioModel.of(random_links(walls=walls), np.ones(40))
        x, y, offset = RNG.uniform(0, 20, (7, 40)), RNG.uniform(0, 8, (7, 40)), RNG.normal(size=40)
        together = model.residual(x, y, offset)
        assert together.shape == (6, 7, 40)
        for i in range(7):
            assert model.residual(x[i], y[i], offset).tolist() == together[:, i].tolist()
        which = RNG.permutation(40)[:9]
        some = model.tags(which).residual(x[:, which], y[:, which], offset[which])
        assert some.tolist() == together[:, :, which].tolist()


def test_what_was_not_heard_says_nothing():
    links = random_links()
    model = RadioModel.of(links, np.ones(40))
    assert model.information[links.heard] == pytest.approx(links.sigma_db[links.heard] ** -2.0)
    assert (model.information[~links.heard] == 0.0).all()


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("tags", [1, 2, 3, 8, 40, 63, 64, 200])
@pytest.mark.parametrize("receivers", [1, 2, 7, 8, 9, 12, 33])
def test_over_receivers_neither_memory_layout_nor_company_counts(layout, tags, receivers):
    rows = RNG.normal(size=(receivers, 200))
    table = np.array(rows[:, :tags], order=layout)
    for ours, theirs in ((sum_receivers, operator.add), (multiply_receivers, operator.mul)):
        expected = [functools.reduce(theirs, rows[:, i].tolist()) for i in range(tags)]
        assert ours(table).tolist() == expected
        assert ours(table.reshape(receivers, tags, 1)).ravel().tolist() == expected
