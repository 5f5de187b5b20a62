"""Fixes a second of one core, six receivers each: ours beside per-fix solvers, in one run.

Prints ratios and asserts nothing about time. `localization` and `easy-trilateration` are compared
where they are installed (pip install localization easy-trilateration).
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from scipy import optimize

from pipeline.domain import least_squares
from pipeline.domain.belief import BeliefFilter
from pipeline.domain.belief_likelihood import Heard
from pipeline.domain.lattice import Lattice
from pipeline.domain.radio import DB_PER_NEPER
from pipeline.domain.radio_field import RadioField

pytestmark = pytest.mark.benchmark

RECEIVERS, SIDE_M, HEIGHT_M = 6, 12.0, 1.2
P0_DBM, EXPONENT, SIGMA_DB = -55.0, 2.2, 4.0
TAGS, LATTICE_PLACES, ONE_BY_ONE, ROUNDS = 20_000, 1_000, 100, 3


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Receivers (R, 3), true places (N, 3), RSSI (N, R)."""
    rng = np.random.default_rng(6)
    receivers = np.column_stack([rng.uniform(0, SIDE_M, (RECEIVERS, 2)), np.full(RECEIVERS, 2.5)])
    truth = np.column_stack([rng.uniform(0, SIDE_M, (TAGS, 2)), np.full(TAGS, HEIGHT_M)])
    distance = np.linalg.norm(truth[:, None] - receivers, axis=2)
    rssi = P0_DBM - 10 * EXPONENT * np.log10(distance)
    return receivers, truth, rssi + rng.normal(0, SIGMA_DB, rssi.shape)


def rate(fixes: int, work: Callable[[], object]) -> float:
    """Fixes a second of CPU time, median of ROUNDS after one to warm up."""
    seconds = []
    for _ in range(ROUNDS + 1):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return fixes / statistics.median(seconds[1:])


def batched(receivers: np.ndarray, rssi: np.ndarray) -> Callable[[], object]:
    shape = rssi.T.shape
    x, y, z = (np.ascontiguousarray(np.broadcast_to(a[:, None], shape)) for a in receivers.T)
    excess = np.ascontiguousarray(rssi.T) - P0_DBM
    links = least_squares.Links(
        x, y, z, excess, np.full(shape, EXPONENT * DB_PER_NEPER), np.full(shape, SIGMA_DB**-2)
    )
    box = np.array([[0.0, 0.0, 0.0], [SIDE_M, SIDE_M, 3.0]])
    prior = least_squares.Prior(np.full(TAGS, HEIGHT_M), least_squares.KNOWN, 1e6, box)
    weight = 10 ** (excess / 22.0)
    start = np.column_stack([(weight * x).sum(0), (weight * y).sum(0)]) / weight.sum(0)[:, None]
    start = np.column_stack([start, np.full(TAGS, HEIGHT_M)])
    return lambda: least_squares.solve(links, prior, start)


def carried(receivers: np.ndarray, rssi: np.ndarray, tags: int = 1_000) -> Callable[[], object]:
    """One window of a filter with a known radio map; it goes on from the window before."""
    box = np.array([[0.0, 0.0], [SIDE_M, SIDE_M]])
    lattice = Lattice.over(box, np.array([HEIGHT_M]), LATTICE_PLACES)
    gap = lattice.places_m[None] - receivers[:, None]
    mean = P0_DBM - 10 * EXPONENT * np.log10(np.maximum(np.linalg.norm(gap, axis=2), 0.3))
    belief = BeliefFilter(RadioField.surveyed(lattice, mean, np.full_like(mean, SIGMA_DB)))
    who = np.tile(np.arange(RECEIVERS), (tags, 1))
    clock = iter(range(1_000_000))

    def window() -> None:
        now = np.full(tags, float(next(clock)))
        belief.advance(Heard(np.arange(tags), now, who, rssi[:tags]))

    return window


def with_scipy(receivers: np.ndarray, rssi: np.ndarray) -> None:
    for row in rssi[:ONE_BY_ONE]:

        def residual(place: np.ndarray, row: np.ndarray = row) -> np.ndarray:
            gap = np.array([*place, HEIGHT_M]) - receivers
            distance = np.maximum(np.linalg.norm(gap, axis=1), 0.3)
            return row - P0_DBM + 10 * EXPONENT * np.log10(distance)

        optimize.least_squares(residual, np.full(2, SIDE_M / 2))


def test_fixes_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    receivers, _, rssi = scene()
    distance = 10 ** ((P0_DBM - rssi[:ONE_BY_ONE]) / (10 * EXPONENT))
    rates = {
        "least squares in dB, batched": rate(TAGS, batched(receivers, rssi)),
        f"belief over {LATTICE_PLACES} places, carried": rate(1_000, carried(receivers, rssi)),
        "scipy.optimize.least_squares per fix": rate(
            ONE_BY_ONE, lambda: with_scipy(receivers, rssi)
        ),
    }
    absent = []
    for name, solve in (("localization", _localization), ("easy-trilateration", _easy)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rates[name] = rate(ONE_BY_ONE, solve(receivers, distance))
        except ImportError:
            absent.append(name)
    reference = rates["scipy.optimize.least_squares per fix"]
    with capsys.disabled():
        print()
        for name, fixes in rates.items():
            print(f"{name:42s} {fixes:12,.0f} fixes/s  {fixes / reference:8.1f} x scipy")
    if absent:
        pytest.skip(f"not installed, so not compared: {', '.join(absent)}")


def _localization(receivers: np.ndarray, distance: np.ndarray) -> Callable[[], object]:
    import localization

    def work() -> None:
        for row in distance:
            project = localization.Project(mode="2D", solver="LSE")
            for i, place in enumerate(receivers[:, :2].tolist()):
                project.add_anchor(str(i), tuple(place))
            target, _ = project.add_target()
            for i, metres in enumerate(row.tolist()):
                target.add_measure(str(i), metres)
            project.solve()

    return work


def _easy(receivers: np.ndarray, distance: np.ndarray) -> Callable[[], object]:
    from easy_trilateration.least_squares import easy_least_squares
    from easy_trilateration.model import Circle

    def work() -> None:
        for row in distance:
            pairs = zip(receivers[:, :2].tolist(), row.tolist(), strict=True)
            easy_least_squares([Circle(x, y, metres) for (x, y), metres in pairs])

    return work
