"""Input that says little or nonsense: a bounded answer with a wide error, never an exception."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.domain.floorplan import BLE, NOWHERE, Building, Receivers
from pipeline.domain.observations import Observations
from pipeline.domain.policy import Policy
from pipeline.domain.tracking import BuildingState, advance

POLICY = Policy()


def furnished(synthetic, places: np.ndarray, bounds: np.ndarray | None = None) -> Building:
    """The small building with BLE receivers at (x, y) on the ground floor, 2.5 m up."""
    site, count = synthetic.building(), len(places)
    receivers = Receivers(
        ids=tuple(synthetic.identity("receiver", str(i)) for i in range(count)),
        names=tuple(("gw-a", f"r{i}") for i in range(count)),
        position_m=np.column_stack([places, np.full(count, 2.5)]),
        floor=np.zeros(count, dtype=np.int64),
        room=np.full(count, NOWHERE),
        kind=np.full(count, BLE),
        p0_dbm=np.full(count, -59.0),
        path_loss_exponent=np.full(count, 2.2),
        sigma_db=np.full(count, 5.0),
        range_m=np.full(count, 1.5),
    )
    changes = {"receivers": receivers} | ({} if bounds is None else {"bounds": bounds})
    return replace(site, **changes)


def model_dbm(site: Building, x: float, y: float) -> np.ndarray:
    away = np.linalg.norm(site.receivers.position_m - [x, y, 1.0], axis=1)
    return -59 - 22 * np.log10(np.maximum(away, 0.3))


def follow(site: Building, rssi_dbm: np.ndarray, windows: int = 30):
    """The tracks after asset 0 was heard so; rows of the last window. Nothing may overflow."""
    state, heard = BuildingState.empty(site), np.flatnonzero(site.receivers.kind == BLE)
    zero, one = np.zeros_like(heard), np.ones_like(heard)
    seen = Observations(zero, heard, rssi_dbm[heard].astype(np.float64), one)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        for second in range(windows):
            start = second * 1_000_000
            state, result = advance(site, state, seen, start, start + 1_000_000, POLICY)
    for part in (state.tracks, state.evidence):
        for f in fields(part):
            column = getattr(part, f.name)
            assert column.dtype.kind != "f" or np.isfinite(column).all(), f.name
    at = state.tracks
    (x_low, y_low), (x_high, y_high) = site.bounds
    assert x_low <= at.x_m[0] <= x_high
    assert y_low <= at.y_m[0] <= y_high
    return at, result


def radius_m(at) -> float:
    return float(np.sqrt(at.exx[0] + at.eyy[0]))


def test_one_receiver_is_near_it_and_not_sure(synthetic):
    site = furnished(synthetic, np.array([[10.0, 4.0]]))
    at, _ = follow(site, np.array([-70.0]))
    assert np.hypot(at.x_m[0] - 10, at.y_m[0] - 4) < 6
    assert radius_m(at) > 2


def test_receivers_in_a_line_leave_the_side_open(synthetic):
    """Off the line there are two places, and the error covers both."""
    site = furnished(synthetic, np.array([[2.0, 4.0], [8.0, 4.0], [14.0, 4.0], [19.0, 4.0]]))
    at, _ = follow(site, model_dbm(site, 10.0, 7.0))
    off_m = abs(at.y_m[0] - 7.0)
    assert off_m <= 2.2 * np.sqrt(at.eyy[0])
    assert abs(at.x_m[0] - 10.0) < 3


@pytest.mark.parametrize("dbm", [-120.0, -70.0, -20.0, 0.0])
def test_all_the_same(synthetic, site, dbm):
    at, _ = follow(site, np.full(len(site.receivers), dbm))
    assert radius_m(at) > 0.5


def test_what_is_no_number_is_not_heard(synthetic, site):
    rssi = np.full(len(site.receivers), np.nan)
    at, result = follow(site, rssi)
    assert at.room[0] == NOWHERE or result.positions.receivers.tolist() != []
    some = model_dbm(site, 5.0, 3.0)
    some[::2] = np.nan
    some[1] = np.inf
    at, _ = follow(site, some)
    assert at.floor[0] in (0, 1)


def test_two_hundred_receivers(synthetic):
    rng = np.random.default_rng(2)
    site = furnished(synthetic, rng.uniform([0, 0], [20, 8], (200, 2)))
    at, _ = follow(site, model_dbm(site, 5.0, 3.0) + rng.normal(0, 3, 200))
    assert np.hypot(at.x_m[0] - 5, at.y_m[0] - 3) < 2


def test_two_hundred_receivers_at_one_place(synthetic):
    site = furnished(synthetic, np.tile([10.0, 4.0], (200, 1)))
    at, _ = follow(site, np.full(200, -65.0))
    assert np.hypot(at.x_m[0] - 10, at.y_m[0] - 4) < 6


def test_a_receiver_where_the_tag_is(synthetic, site):
    place = site.receivers.position_m.copy()
    place[2] = [5.0, 3.0, POLICY.tag_height_m]
    there = replace(site, receivers=replace(site.receivers, position_m=place))
    at, _ = follow(there, model_dbm(there, 5.0, 3.0))
    assert np.hypot(at.x_m[0] - 5, at.y_m[0] - 3) < 2


def test_eight_hundred_metres(synthetic):
    """Heard at one end, it is at that end; three weak receivers far apart give a wide error."""
    x = np.linspace(5, 795, 80)
    wide = np.array([[0.0, 0.0], [800.0, 60.0]])
    site = furnished(synthetic, np.column_stack([x, np.where(np.arange(80) % 2, 10, 50)]), wide)
    heard = np.full(80, np.nan)
    near = model_dbm(site, 700.0, 30.0)
    heard[near > -95] = near[near > -95]
    at, _ = follow(site, heard)
    assert np.hypot(at.x_m[0] - 700, at.y_m[0] - 30) < 12
    apart = np.full(80, np.nan)
    apart[[0, 40, 79]] = -94.0
    at, _ = follow(site, apart)
    assert radius_m(at) > 5


def test_a_jump_across_eight_hundred_metres_is_followed(synthetic):
    x = np.linspace(5, 795, 80)
    wide = np.array([[0.0, 0.0], [800.0, 60.0]])
    site = furnished(synthetic, np.column_stack([x, np.full(80, 30.0)]), wide)
    state, one = BuildingState.empty(site), np.ones(80, dtype=np.int64)
    for second in range(60):
        rssi = model_dbm(site, 20.0 if second < 40 else 780.0, 30.0)
        rssi[rssi < -95] = np.nan
        seen = Observations(0 * one, np.arange(80), rssi, one)
        start = second * 1_000_000
        state, _ = advance(site, state, seen, start, start + 1_000_000, POLICY)
    assert abs(state.tracks.x_m[0] - 780) < 8
