"""The pure domain alone, in CPU time of one core: a window, the hold check, the solve."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from uuid import UUID

import numpy as np
import pytest
from scipy import optimize

from pipeline.domain.ellipse import invert_2x2
from pipeline.domain.floorplan import (
    BLE,
    NOWHERE,
    Asset,
    Building,
    Fence,
    Floor,
    Receivers,
    Room,
    Rule,
    Zone,
)
from pipeline.domain.likelihood import NU, Likelihood, Prior
from pipeline.domain.observations import Observations, summarise
from pipeline.domain.policy import Policy
from pipeline.domain.positioning import expected_move_m, promising_starts, solve
from pipeline.domain.radio import DB_PER_NEPER, Links, RadioModel
from pipeline.domain.tracking import BuildingState, advance

pytestmark = pytest.mark.benchmark

TAGS, RECEIVERS, HEARD_BY, SIDE_M, ROOM_M = 5_000, 100, 4, 100.0, 10.0
ROUNDS, WARM_UP, LEAST_SQUARES_FIXES = 5, 20, 200
SECOND_US = 1_000_000


def identity(number: int) -> UUID:
    return UUID(int=number)


def square(x: float, y: float, side_m: float) -> np.ndarray:
    return np.array([[x, y], [x + side_m, y], [x + side_m, y + side_m], [x, y + side_m]])


def building(walls: bool) -> Building:
    """100 rooms of 10 x 10 m, 20 zones of which 10 are rooms, one rule, 100 receivers."""
    rng = np.random.default_rng(1)
    grid = np.arange(0.0, SIDE_M, ROOM_M)
    lines = [(x, 0.0, x, SIDE_M, 4.0) for x in grid] + [(0.0, y, SIDE_M, y, 4.0) for y in grid]
    drawn = np.array(lines) if walls else np.zeros((0, 5))
    kinds = ("patient", "corridor", "storage", "cleaning")
    rooms = tuple(
        Room(identity(1000 + i), f"r{i}", f"r{i}", kinds[i % 4], 0, square(x, y, ROOM_M))
        for i, (x, y) in enumerate((x, y) for x in grid for y in grid)
    )
    zones = []
    for z in range(20):
        room = 5 * z if z % 2 else NOWHERE
        shape = rooms[room].polygon if z % 2 else square(*rng.uniform(0, 70, 2), 5.0 + z)
        fence = Fence(entry_dwell_s=0.0 if z == 2 else 5.0)
        zones.append(Zone(identity(2000 + z), f"z{z}", f"z{z}", 0, shape, fence, room))
    place = np.column_stack([rng.uniform(0, SIDE_M, (RECEIVERS, 2)), np.full(RECEIVERS, 2.6)])
    receivers = Receivers(
        ids=tuple(identity(3000 + i) for i in range(RECEIVERS)),
        names=tuple((f"g{i // 10}", f"r{i}") for i in range(RECEIVERS)),
        position_m=place,
        floor=np.zeros(RECEIVERS, np.int64),
        room=np.full(RECEIVERS, NOWHERE),
        kind=np.full(RECEIVERS, BLE),
        p0_dbm=np.full(RECEIVERS, -59.0),
        path_loss_exponent=np.full(RECEIVERS, 2.2),
        sigma_db=np.full(RECEIVERS, 6.0),
        range_m=np.full(RECEIVERS, 1.5),
    )
    assets = tuple(Asset(identity(10_000 + i), f"a{i}", "pump", "OTHER") for i in range(TAGS))
    rule = Rule(identity(9), "q", "forbidden-zone", "WARNING", 0, np.arange(TAGS) % 10 == 0)
    return Building(
        "o/f/b", "o", "f", "b", {}, (Floor(identity(1), "f0", 0, 0.0, 4.0, drawn),), rooms,
        tuple(zones), (rule,), receivers, (), assets, tuple(f"ble:{i:012x}" for i in range(TAGS)),
        np.arange(TAGS), 1, np.array([[0.0, 0.0], [SIDE_M, SIDE_M]]),
    )  # fmt: skip


class Ward:
    """Tags that stand or walk (about 1 m/s), and the reads of the nearest receivers, by gateway."""

    def __init__(self, site: Building, moving: float) -> None:
        self.rng = np.random.default_rng(2)
        self.at_m = site.receivers.position_m
        self.xy = self.rng.uniform(0, SIDE_M, (TAGS, 2))
        self.walks = np.arange(TAGS) < moving * TAGS
        self.step_m = self.rng.normal(0, 0.8, (TAGS, 2)) * self.walks[:, None]
        self.shadow_db = self.rng.normal(0, 4, (TAGS, RECEIVERS))

    def reads(self) -> tuple[np.ndarray, ...]:
        """asset, receiver, centi-dBm, receptions of the next second."""
        out = (self.xy + self.step_m < 0) | (self.xy + self.step_m > SIDE_M)
        self.step_m[out] *= -1
        self.xy += self.step_m
        away = np.linalg.norm(self.xy[:, None] - self.at_m[:, :2], axis=2)
        receiver = np.argpartition(away, HEARD_BY, axis=1)[:, :HEARD_BY].ravel()
        asset = np.repeat(np.arange(TAGS), HEARD_BY)
        distance = np.hypot(away[asset, receiver], 1.6)
        rssi = -59 - 22 * np.log10(distance) + self.shadow_db[asset, receiver]
        rssi += self.rng.normal(0, 0.5, len(asset))
        order = np.lexsort((receiver, asset, receiver // 10))
        columns = (asset, receiver, (100 * rssi).astype(np.int64), np.ones_like(asset))
        return tuple(column[order] for column in columns)


def cpu_s(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def median_cpu_s(work: Callable[[], object]) -> float:
    return statistics.median(cpu_s(work) for _ in range(ROUNDS))


def test_a_window(capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    for walls in (False, True):
        site = building(walls)
        for moving in (0.0, 0.1, 1.0):
            spent, solved = windows(site, Ward(site, moving))
            lines.append(
                f"{'walls' if walls else 'no walls':9} {moving:6.0%} {solved:8,d} "
                f"{1e3 * spent:9.1f} {TAGS * HEARD_BY / spent / 1e6:10.2f}"
            )
    with capsys.disabled():
        print(f"\n{TAGS} tags, {HEARD_BY} reads each; median of {ROUNDS} windows, CPU of one core")
        print("plan      moving   solved ms/window M reads/s", *lines, sep="\n")


def windows(site: Building, ward: Ward) -> tuple[float, int]:
    """Median CPU seconds of a window, and of the tags solved, after a warm-up."""
    state, spent, solved = BuildingState.empty(site), [], []
    for second in range(WARM_UP + ROUNDS):
        reads = ward.reads()
        start = time.process_time()
        seen: Observations = summarise(*reads, receivers=RECEIVERS)
        window_us = second * SECOND_US, (second + 1) * SECOND_US
        state, result = advance(site, state, seen, *window_us, Policy())
        spent.append(time.process_time() - start)
        solved.append(result.solved)
    return statistics.median(spent[WARM_UP:]), int(statistics.median(solved[WARM_UP:]))


def task(seed: int = 3) -> tuple[Likelihood, np.ndarray]:
    """Links and priors of all tags, 6 m about a place a few metres off; and the bounds."""
    rng = np.random.default_rng(seed)
    shape = (HEARD_BY, TAGS)
    truth = rng.uniform(0, SIDE_M, (2, TAGS))
    x, y = (np.sort(truth[i] + rng.uniform(-12, 12, shape), axis=0) for i in (0, 1))
    away = np.sqrt((x - truth[0]) ** 2 + (y - truth[1]) ** 2 + 1.6**2)
    links = Links(
        heard=np.ones(shape, bool),
        rssi_dbm=-59 - 22 * np.log10(away) + rng.normal(0, 4, shape),
        x_m=x,
        y_m=y,
        z_m=np.full(shape, 2.6),
        p0_dbm=np.full(shape, -59.0),
        exponent=np.full(shape, 2.2),
        sigma_db=np.full(shape, 6.0),
        floor_loss_db=np.zeros(shape),
        receiver=np.zeros(shape, np.int64),
        same_floor=np.ones(shape, bool),
    )
    wide, nothing = np.full(TAGS, 36.0), np.zeros(TAGS)
    near = truth + rng.normal(0, 3, truth.shape)
    prior = Prior(*near, *invert_2x2(wide, nothing, wide), nothing, np.full(TAGS, 0.25))
    bounds = np.array([[0.0, 0.0], [SIDE_M, SIDE_M]])
    return Likelihood(RadioModel.of(links, np.ones(TAGS)), prior), bounds


def one_by_one(likelihood: Likelihood) -> np.ndarray:
    """The cost reached by scipy's least squares for the first fixes, from the prior's mean."""
    model, prior = likelihood.model, likelihood.prior
    costs = np.empty(LEAST_SQUARES_FIXES)
    for i in range(LEAST_SQUARES_FIXES):
        x, y, rise = model.x_m[:, i], model.y_m[:, i], model.rise_m2[:, i]
        loss, half_db = model.loss_db[:, i], 0.5 * 2.2 * DB_PER_NEPER
        weight = np.sqrt(model.information[:, i])
        mean = np.array([prior.x_m[i], prior.y_m[i], 0.0])
        spread = np.sqrt([prior.ixx[i], prior.iyy[i], prior.offset_precision[i]])

        def residuals(p, x=x, y=y, rise=rise, loss=loss, half_db=half_db, weight=weight,
                      mean=mean, spread=spread):  # fmt: skip
            square = (p[0] - x) ** 2 + (p[1] - y) ** 2 + rise
            u2 = (weight * (loss - p[2] + half_db * np.log(square))) ** 2
            # Its squares are twice the Student-t cost, so the sum has the same minimum.
            return np.concatenate([np.sqrt((NU + 1) * np.log1p(u2 / NU)), spread * (p - mean)])

        costs[i] = optimize.least_squares(residuals, mean).cost
    return costs


def test_hold_check_and_solve(capsys: pytest.CaptureFixture[str]) -> None:
    likelihood, bounds = task()
    prior = likelihood.prior
    few = likelihood.tags(np.arange(500))
    here, starts = [(prior.x_m, prior.y_m)], promising_starts(likelihood, bounds)
    table = {
        "hold check": (TAGS, lambda: expected_move_m(likelihood)),
        "solve, one start": (TAGS, lambda: solve(likelihood, here, bounds)),
        "solve, 26 places, two starts": (
            TAGS, lambda: solve(likelihood, promising_starts(likelihood, bounds), bounds)
        ),
        "the same, 500 tags": (500, lambda: solve(few, promising_starts(few, bounds), bounds)),
        "scipy least_squares, one start": (LEAST_SQUARES_FIXES, lambda: one_by_one(likelihood)),
    }  # fmt: skip
    rates = {name: tags / median_cpu_s(work) for name, (tags, work) in table.items()}
    ours, theirs = (
        solve(likelihood, starts, bounds).cost[:LEAST_SQUARES_FIXES],
        one_by_one(likelihood),
    )
    with capsys.disabled():
        print(f"\n{HEARD_BY} receivers a tag; median of {ROUNDS}, CPU of one core")
        for name, rate in rates.items():
            print(f"{name:32} {rate:12,.0f} tags/s")
        print(f"mean cost {ours.mean():.4f}, least_squares {theirs.mean():.4f}")
    assert (ours <= theirs + 0.05).mean() > 0.95
