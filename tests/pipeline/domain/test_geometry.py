"""Polygons that must be refused, points on shared edges, crossings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.domain.errors import GeometryError
from pipeline.domain.geometry import (
    check_polygon,
    contains,
    crossings,
    signed_area_m2,
)

SQUARE = [(0, 0), (4, 0), (4, 4), (0, 4)]
L_SHAPE = [(0, 0), (4, 0), (4, 2), (2, 2), (2, 4), (0, 4)]

metres = st.integers(-40, 40).map(lambda n: n / 4)
ugly_metres = st.floats(-100, 100, allow_nan=False, width=32)


@pytest.mark.parametrize(
    ("corners", "area_m2"),
    [
        (SQUARE, 16.0),
        ([*SQUARE, SQUARE[0]], 16.0),
        (SQUARE[::-1], 16.0),
        (L_SHAPE, 12.0),
        (L_SHAPE[::-1], 12.0),
        ([(0, 0), (2, 0), (4, 0), (4, 4), (0, 4)], 16.0),
        ([(1, 1), (2, 1), (1, 2)], 0.5),
    ],
    ids=["square", "closed", "clockwise", "L", "L clockwise", "collinear corner", "triangle"],
)
def test_a_good_polygon_comes_back_counter_clockwise_and_open(corners, area_m2):
    checked = check_polygon(np.array(corners))
    assert checked.dtype == np.float64
    assert signed_area_m2(checked) == area_m2
    assert {tuple(corner) for corner in checked.tolist()} == {tuple(map(float, c)) for c in corners}
    assert checked.flags.c_contiguous


@pytest.mark.parametrize(
    ("corners", "problem"),
    [
        ([], "a polygon is a list of"),
        ([(0, 0, 0), (1, 0, 0), (0, 1, 0)], "a polygon is a list of"),
        ([(0, 0), (4, 0)], "at least 3 corners, this one has 2"),
        ([(0, 0), (4, 0), (0, 0)], "at least 3 corners, this one has 2"),
        ([(0, 0), (4, 0), (4, np.nan)], "not a finite number"),
        ([(0, 0), (4, 0), (np.inf, 4)], "not a finite number"),
        ([(0, 0), (4, 4), (4, 0), (0, 4)], "crosses itself: edge 1 meets edge 3"),
        ([(0, 0), (4, 0), (4, 4), (2, -1), (0, 4)], "crosses itself: edge 1 meets edge 3"),
        ([(0, 0), (2, 0), (4, 0)], "folds back"),
        ([(0, 0), (3, 1), (6, 2)], "folds back"),
        ([(0, 0), (0.1, 0), (0.1, 0.09), (0, 0.09)], "no area (0.0090 m2)"),
        ([(0, 0), (4, 0), (4, 0), (4, 4), (0, 4)], "corner 3 repeats corner 2"),
        ([(0, 0), (0, 0), (0, 0)], "at least 3 corners, this one has 2"),
        ([(0, 0), (4, 0), (2, 2), (4, 4), (0, 4), (2, 2)], "crosses itself"),
        ([(0, 0), (4, 0), (2, 0), (6, 0), (6, 3), (0, 3)], "folds back"),
        ([(0, 0), (4, 0), (4, 8), (4, 4), (0, 4)], "crosses itself"),
    ],
    ids=[
        "empty", "3-d", "segment", "closed segment", "nan", "inf", "bow-tie", "dent through edge",
        "line", "slanted line", "speck", "repeated corner", "one point", "corner met again",
        "there and back", "spike",
    ],
)  # fmt: skip
def test_a_bad_polygon_is_refused_with_what_is_wrong(corners, problem):
    with pytest.raises(GeometryError) as refused:
        check_polygon(np.array(corners, dtype=np.float64))
    assert problem in refused.value.problem
    assert str(refused.value) == refused.value.problem


@given(st.lists(st.tuples(metres, metres), min_size=3, max_size=8))
def test_whatever_is_accepted_is_simple(corners):
    """Any polygon either is refused or has an area that a fine raster agrees with."""
    try:
        polygon = check_polygon(np.array(corners))
    except GeometryError:
        return
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    cell = (high - low) / 120
    axis = [low[i] + (np.arange(120) + 0.5) * cell[i] for i in (0, 1)]
    centres = np.stack(np.meshgrid(*axis), axis=-1)
    area_m2 = contains(polygon, centres).sum() * cell.prod()
    assert area_m2 == pytest.approx(signed_area_m2(polygon), abs=0.04 * (high - low).prod())


wide = st.floats(0.5, 60)
share = st.floats(0.01, 0.99)


@given(
    st.tuples(ugly_metres, ugly_metres),
    st.tuples(st.floats(-60, 60), wide),
    st.tuples(share, share),
    st.tuples(wide, wide),
    share,
    st.booleans(),
)
@example((0.0, 0.0), (3.3, 9.7), (0.5, 0.5), (7.0, 5.0), 1 / 3, False)
def test_a_point_on_a_shared_edge_is_in_exactly_one_of_two_rooms(
    start, edge, apex, height, along, turned
):
    """Two triangles on either side of the edge p-q: each of its points is in one of them."""
    p = np.array(start)
    q = p + edge
    across = np.array([-edge[1], edge[0]]) / np.hypot(*edge)
    a = p + apex[0] * (q - p) + height[0] * across
    b = p + apex[1] * (q - p) - height[1] * across
    left, right = check_polygon(np.array([a, p, q])), check_polygon(np.array([b, q, p]))
    if turned:
        left = np.roll(left, 1, axis=0)
    point = p + along * (q - p)
    assert int(contains(left, point)) + int(contains(right, point)) == 1


@given(st.integers(0, 80), st.integers(0, 48))
def test_every_point_of_a_tiled_floor_is_in_exactly_one_room(synthetic, column, row):
    """Quarter metres from the left and lower edge, which belong to the floor, to its interior."""
    point = np.array([column / 4, row / 6])
    inside = [contains(room.polygon, point) for room in synthetic.rooms()[:3]]
    assert sum(map(int, inside)) == int(point[0] < 20 and point[1] < 8)


def test_contains_by_hand():
    points = np.array([[1, 1], [3, 1], [1, 3], [3, 3], [-1, 1], [5, 1], [2, 5]], dtype=float)
    expected = [True, True, True, False, False, False, False]
    assert contains(np.array(L_SHAPE, dtype=float), points).tolist() == expected
    assert contains(np.array(L_SHAPE[::-1], dtype=float), points).tolist() == expected


@pytest.mark.parametrize(
    ("end", "crosses"),
    [((4, 0), True), ((1.9, 0), False), ((2, 0), True), ((0, 5), False), ((4, 8), False)],
    ids=["through", "short of it", "up to it", "parallel", "past its end"],
)
def test_crossing_a_wall(end, crosses):
    wall_a, wall_b = np.array([[2.0, -1.0]]), np.array([[2.0, 3.0]])
    found = crossings(np.zeros((1, 2)), np.array([end], float), wall_a, wall_b)
    assert found.tolist() == [[crosses]]
    assert crossings(np.array([end], float), np.zeros((1, 2)), wall_b, wall_a).tolist() == [
        [crosses]
    ]
