"""The plan of a building: rooms as a raster, walls as a map, indices by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.errors import GeometryError
from pipeline.domain.floorplan import NOWHERE, RASTER_M, Zone


def rooms_at(site, floor: int, *points: tuple[float, float]) -> list[str | None]:
    found = site.room_map.rooms_at(np.full(len(points), floor), np.array(points, float))
    return [None if r == NOWHERE else site.rooms[r].code for r in found.tolist()]


def test_the_room_of_a_point(site):
    points = [(5, 3), (15, 3), (5, 7), (9.9, 5.9), (10.1, 5.9), (0.1, 0.1)]
    below = ["ward", "store", "corridor", "ward", "store", "ward"]
    above = ["icu", "shop", "corridor-1", "icu", "shop", "icu"]
    assert rooms_at(site, 0, *points) == below
    assert rooms_at(site, 1, *points) == above


def test_outside_every_room(site):
    outside = [(-0.5, 3), (20.5, 3), (5, -0.5), (5, 8.5), (-99, -99), (99, 99)]
    assert rooms_at(site, 0, *outside) == [None] * 6
    assert rooms_at(site, NOWHERE, (5, 3)) == [None]


def test_the_raster_agrees_with_the_polygons(site):
    """At the centres of its cells exactly; elsewhere within half a cell of a wall."""
    (x0, y0), (x1, y1) = site.bounds
    x = np.arange(x0 + RASTER_M / 2, x1, RASTER_M)
    y = np.arange(y0 + RASTER_M / 2, y1, RASTER_M)
    centres = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    found = site.room_map.rooms_at(np.zeros(len(centres), dtype=np.int64), centres)
    for (px, py), room in zip(centres.tolist(), found.tolist(), strict=True):
        inside = 0 < px < 20 and 0 < py < 8
        expected = ((0 if px < 10 else 1) if py < 6 else 2) if inside else NOWHERE
        assert room == expected, (px, py)


def test_walls_of_the_plan(synthetic):
    assert synthetic.building().wall_map.is_flat
    walled = synthetic.building(walls=True)
    # gw-a/r1 stands in the ward; the store is behind the wall, the corridor is not.
    place = (np.array([15.0, 5.0, 2.0]), np.array([3.0, 3.0, 7.0]))
    assert walled.wall_map.at(np.zeros((1, 3), dtype=np.int64), *place)[0].tolist() == [[6, 0, 0]]


def test_indices_by_name(site):
    assert site.receiver_index["gw-b", "door"] == 3
    assert site.tag_index == {
        "ble:aa01": 0, "epc:e2000001": 1, "ble:aa02": 2, "ble:aa03": 3, "ble:aa04": 4, "ble:aa05": 5
    }  # fmt: skip
    assert site.alignment.rooms == tuple(room.id.bytes for room in site.rooms)
    assert len(site.alignment.receivers) == 10


def test_polygons_are_checked_when_a_room_or_zone_is_made(synthetic, site):
    ward = site.rooms[0]
    clockwise = replace(ward, polygon=ward.polygon[::-1])
    assert clockwise.polygon.tolist() == ward.polygon.tolist()
    bow_tie = np.array([[0, 0], [4, 4], [4, 0], [0, 4]], float)
    with pytest.raises(GeometryError, match="crosses itself"):
        replace(site.rooms[0], polygon=bow_tie)
    with pytest.raises(GeometryError, match="crosses itself"):
        Zone(synthetic.identity("zone", "x"), "x", "x", 0, bow_tie)
