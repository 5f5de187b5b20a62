"""The wall map against counting crossings by hand, and its slope against finite differences."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.domain import walls
from pipeline.domain.walls import CELL_M, MAX_LOSS_DB, WallMap

BOUNDS = np.array([[-2.0, 1.0], [8.0, 6.5]])
RNG = np.random.default_rng(7)


@dataclass(frozen=True)
class Storey:
    walls: np.ndarray


@dataclass(frozen=True)
class Ears:
    position_m: np.ndarray
    floor: np.ndarray

    def __len__(self) -> int:
        return len(self.floor)


def random_walls(count: int) -> np.ndarray:
    ends = RNG.uniform(BOUNDS[0], BOUNDS[1], (count, 2, 2)).reshape(count, 4)
    return np.column_stack([ends, RNG.integers(1, 6, count)])


FLOORS = [Storey(random_walls(8)), Storey(np.zeros((0, 5))), Storey(random_walls(3))]
EARS = Ears(
    np.column_stack([RNG.uniform(BOUNDS[0], BOUNDS[1], (4, 2)), np.full(4, 2.5)]),
    np.array([0, 0, 1, 2]),
)
MAP = WallMap.draw(FLOORS, EARS, BOUNDS)


def side(a, b, c) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def counted_loss_db(receiver: int, x: float, y: float) -> float:
    """Walls on the receiver's floor whose ends lie on either side of the line, and vice versa."""
    here, there = EARS.position_m[receiver, :2], (x, y)
    loss = 0.0
    for x1, y1, x2, y2, db in FLOORS[EARS.floor[receiver]].walls:
        apart = side(here, there, (x1, y1)) * side(here, there, (x2, y2)) <= 0
        if apart and side((x1, y1), (x2, y2), here) * side((x1, y1), (x2, y2), there) <= 0:
            loss += db
    return min(loss, MAX_LOSS_DB)


def look_up(receiver: int, x: float, y: float) -> tuple[float, float, float]:
    found = MAP.at(np.array([[receiver]]), np.array([x]), np.array([y]))
    return tuple(float(part[0, 0]) for part in found)


@pytest.mark.parametrize("receiver", range(4))
def test_loss_at_every_corner_of_the_grid_is_what_the_line_crosses(receiver):
    for x in np.arange(BOUNDS[0, 0], BOUNDS[1, 0] + CELL_M / 2, CELL_M):
        for y in np.arange(BOUNDS[0, 1], BOUNDS[1, 1] + CELL_M / 2, CELL_M):
            assert look_up(receiver, x, y)[0] == counted_loss_db(receiver, x, y), (x, y)


def test_there_is_something_to_see():
    """The random walls above do attenuate, and not everywhere alike."""
    assert [len(np.unique(MAP.loss_db[r])) > 1 for r in range(4)] == [True, True, False, True]
    assert not MAP.is_flat


def test_a_floor_without_walls_is_flat():
    assert WallMap.draw([FLOORS[1]], Ears(EARS.position_m[:1], np.array([0])), BOUNDS).is_flat


def test_many_walls_are_capped():
    walls = np.array([[x, -100.0, x, 100.0, 20.0] for x in (1.0, 1.1, 1.2)])
    wide = WallMap.draw([Storey(walls)], Ears(np.zeros((1, 3)), np.array([0])), BOUNDS)
    assert wide.at(np.array([[0]]), np.array([5.0]), np.array([3.0]))[0].item() == MAX_LOSS_DB


def test_a_tag_before_behind_and_beside_a_wall():
    wall = np.array([[3.0, 2.0, 3.0, 4.0, 7.0]])
    one = WallMap.draw([Storey(wall)], Ears(np.array([[1.0, 3.0, 2.5]]), np.array([0])), BOUNDS)
    x, y = np.array([2.5, 3.5, 3.5, 7.0]), np.array([3.0, 3.0, 6.0, 3.0])
    assert one.at(np.array([[0, 0, 0, 0]]), x, y)[0].tolist() == [[0.0, 7.0, 0.0, 7.0]]


def test_bilinear_between_the_corners():
    for _ in range(200):
        receiver = int(RNG.integers(0, 4))
        i, j = RNG.integers(0, 20), RNG.integers(0, 11)
        fu, fv = RNG.random(2)
        corner = MAP.loss_db[receiver, j : j + 2, i : i + 2].astype(float)
        expected = (
            corner[0, 0] * (1 - fu) * (1 - fv)
            + corner[0, 1] * fu * (1 - fv)
            + corner[1, 0] * (1 - fu) * fv
            + corner[1, 1] * fu * fv
        )
        x, y = BOUNDS[0] + CELL_M * np.array([i + fu, j + fv])
        assert look_up(receiver, x, y)[0] == pytest.approx(expected, abs=1e-9)


def test_slope_against_finite_differences():
    step = 1e-5
    for _ in range(200):
        receiver = int(RNG.integers(0, 4))
        inside = RNG.uniform(0.01, 0.49, 2)
        x, y = BOUNDS[0] + CELL_M * RNG.integers(0, (20, 11)) + inside
        _, slope_x, slope_y = look_up(receiver, x, y)
        rise_x = look_up(receiver, x + step, y)[0] - look_up(receiver, x - step, y)[0]
        rise_y = look_up(receiver, x, y + step)[0] - look_up(receiver, x, y - step)[0]
        assert slope_x == pytest.approx(rise_x / (2 * step), abs=1e-4)
        assert slope_y == pytest.approx(rise_y / (2 * step), abs=1e-4)


@pytest.mark.parametrize(("x", "y"), [(-50.0, 3.0), (50.0, 3.0), (2.0, -50.0), (2.0, 50.0)])
def test_outside_the_bounds_the_border_counts(x, y):
    at_border = look_up(0, *np.clip((x, y), BOUNDS[0], BOUNDS[1]))[0]
    assert look_up(0, x, y)[0] == at_border
    assert math.isfinite(at_border)


def test_the_same_walls_are_drawn_once():
    """A building has a new version whenever an asset does; its map took seconds."""
    again = [Storey(floor.walls.copy()) for floor in FLOORS]
    assert WallMap.draw(again, EARS, BOUNDS.copy()) is MAP


@pytest.mark.parametrize("change", ["a wall", "a loss", "a receiver", "its floor", "the bounds"])
def test_whatever_changes_is_drawn_again(change):
    floors, ears, bounds = [Storey(f.walls.copy()) for f in FLOORS], EARS, BOUNDS.copy()
    if change == "a wall":
        floors[0].walls[0, 0] += 0.5
    elif change == "a loss":
        floors[0].walls[0, 4] += 1
    elif change == "a receiver":
        ears = Ears(EARS.position_m + 0.5, EARS.floor)
    elif change == "its floor":
        ears = Ears(EARS.position_m, EARS.floor[::-1].copy())
    else:
        bounds[1] += 1.0
    other = WallMap.draw(floors, ears, bounds)
    assert other is not MAP
    assert other.loss_db.shape != MAP.loss_db.shape or (other.loss_db != MAP.loss_db).any()


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(walls, "REMEMBERED", 3)
    monkeypatch.setattr(walls, "_drawn", {})
    for n in range(5):
        WallMap.draw([FLOORS[1]], Ears(np.full((1, 3), float(n)), np.array([0])), BOUNDS)
    assert len(walls._drawn) == 3
