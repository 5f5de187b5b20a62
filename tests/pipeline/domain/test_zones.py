"""Zones as a table against one polygon at a time, and at any size of the question."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.floorplan import NOWHERE, Fence, Zone
from pipeline.domain.geometry import contains, crossings
from pipeline.domain.zones import ZoneTable

RNG = np.random.default_rng(17)
SHAPES = (
    [[0, 0], [10, 0], [10, 6], [0, 6]],
    [[2, 1], [9, 2], [4, 7]],
    [[0, 0], [8, 0], [8, 8], [6, 8], [6, 2], [2, 2], [2, 8], [0, 8]],
)


@pytest.fixture
def zones(synthetic) -> tuple[Zone, ...]:
    return tuple(
        Zone(synthetic.identity("zone", str(i)), str(i), str(i), 0, np.array(shape, float))
        for i, shape in enumerate(SHAPES)
    )


@pytest.fixture
def places() -> np.ndarray:
    """(300, 2): anywhere, on corners, level with corners."""
    anywhere = RNG.uniform(-2, 12, (200, 2))
    corners = np.concatenate([np.array(shape, float) for shape in SHAPES])
    level = np.column_stack([RNG.uniform(-2, 12, 85), RNG.choice([0.0, 1.0, 2.0, 6.0, 8.0], 85)])
    return np.concatenate([anywhere, corners, level])


def test_inside_is_that_of_each_polygon(zones, places):
    table = ZoneTable.of(zones)
    for z, zone in enumerate(zones):
        found = table.contains(np.full(len(places), z), *places.T)
        assert found.tolist() == contains(zone.polygon, places).tolist()


@pytest.mark.parametrize(
    ("point", "distance_m"),
    [((5, 3), -3.0), ((1, 3), -1.0), ((12, 3), 2.0), ((13, 10), 5.0), ((10, 3), 0.0)],
)
def test_distance_by_hand(zones, point, distance_m):
    x, y = np.array([[value] for value in point], float)
    assert ZoneTable.of(zones).distance_m(np.array([0]), x, y).tolist() == [distance_m]


def test_distance_is_that_to_the_nearest_edge(zones, places):
    table = ZoneTable.of(zones)
    for z, zone in enumerate(zones):
        corners = zone.polygon.tolist()
        expected = []
        for x, y in places.tolist():
            away = math.inf
            for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
                length = math.dist((ax, ay), (bx, by))
                ex, ey = (bx - ax) / length, (by - ay) / length
                t = min(max((x - ax) * ex + (y - ay) * ey, 0.0), length)
                away = min(away, math.dist((x, y), (ax + t * ex, ay + t * ey)))
            expected.append(away)
        found = table.distance_m(np.full(len(places), z), *places.T)
        assert np.abs(found) == pytest.approx(expected, abs=1e-9)
        assert ((found < 0) == (contains(zone.polygon, places) & (found != 0))).all()


def test_crossings_are_those_of_each_polygon(zones, places):
    table, ends = ZoneTable.of(zones), RNG.permutation(places)
    for z, zone in enumerate(zones):
        corners = zone.polygon
        expected = crossings(places, ends, corners, np.roll(corners, -1, axis=0)).sum(axis=1)
        assert table.crossings(np.full(len(ends), z), places, ends).tolist() == expected.tolist()
        assert expected.max() >= 2


def test_alone_or_in_company_is_the_same_to_the_last_bit(zones, places):
    table, zone = ZoneTable.of(zones), RNG.integers(0, 3, len(places))
    together = table.distance_m(zone, *places.T)
    for i in range(0, len(places), 7):
        alone = table.distance_m(zone[[i]], *places[[i]].T)
        assert alone.tolist() == [together[i]]


def test_several_places_a_zone(zones, places):
    table, zone = ZoneTable.of(zones), np.array([2, 0])
    x, y = places[:20].reshape(10, 2, 2).transpose(2, 0, 1)
    expected = np.stack([table.contains(zone, *row) for row in zip(x, y, strict=True)])
    assert table.contains(zone, x, y).tolist() == expected.tolist()


def test_limits_are_in_microseconds(zones):
    fence = Fence(2.0, 0.5, 4.0, 1.5, float("inf"))
    table = ZoneTable.of([replace(zones[1], fence=fence, floor=3, room=NOWHERE)])
    limits = (table.dwell_us, table.tolerance_m, table.patience_us, table.delay_us)
    assert [limit.tolist() for limit in limits] == [[2e6], [0.5], [5.5e6], [1.5e6]]
    assert (table.timeout_us.tolist(), table.floor.tolist()) == ([float("inf")], [3])
    assert (table.low_m.tolist(), table.high_m.tolist()) == ([[2, 1]], [[9, 7]])


def test_no_zones():
    assert len(ZoneTable.of(())) == 0


def test_a_place_on_a_shared_edge_is_in_exactly_one_zone(synthetic):
    """Also where rounding puts it beside the edge; the two zones name the edge's ends in turn."""
    for _ in range(200):
        a, b = RNG.uniform(0, 4, 2), RNG.uniform(5, 10, 2)
        across = np.array([b[1] - a[1], a[0] - b[0]])
        sides = [np.array([a, b, (a + b) / 2 + side * across]) for side in (1, -1)]
        zones = [
            Zone(synthetic.identity("zone", str(i)), str(i), str(i), 0, side)
            for i, side in enumerate(sides)
        ]
        x, y = (a + RNG.uniform(0.01, 0.99, (50, 1)) * (b - a)).T
        table = ZoneTable.of(zones)
        inside = [table.contains(np.full(50, z), x, y).astype(int) for z in (0, 1)]
        assert (inside[0] + inside[1] == 1).all()
