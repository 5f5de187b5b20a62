"""Floor plans of every accepted form, and what they say of places."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.lattice import Lattice
from pipeline.evaluation.errors import InputError
from pipeline.evaluation.plan import OUTSIDE, read_plan
from pipeline.evaluation.tiles import TILE_M, Tiles

RECEIVERS = np.array([[1.0, 1.0, 2.5], [9.0, 5.0, 2.5]])
LATTICE = Lattice.over(np.array([[-1.0, -1.0], [11.0, 7.0]]), np.array([1.2]))
SITE = {
    "organization": {"code": "o", "name": "O"},
    "facility": {"code": "f", "name": "F"},
    "buildings": [
        {
            "code": "b", "name": "B",
            "floors": [
                {
                    "code": "g", "name": "G", "level": 0, "elevation_m": 0.0,
                    "rooms": [
                        {"code": "hall", "name": "Hall",
                         "polygon": [[0, 0], [10, 0], [10, 6], [0, 6]]}
                    ],
                    "walls": [{"start": [5, 0], "end": [5, 6], "attenuation_db": 7.0}],
                }
            ],
            "gateways": [],
        }
    ],
}  # fmt: skip


def test_a_site_file_gives_rooms_walls_and_floors(tmp_path: Path) -> None:
    path = tmp_path / "site.json"
    path.write_text(json.dumps(SITE))
    plan = read_plan(path, RECEIVERS)
    assert plan.rooms == ("hall",) and plan.elevations_m == [0.0]
    loss = plan.loss_db(LATTICE, RECEIVERS)
    assert loss is not None
    there = LATTICE.nearest(np.array([[8.0, 3.0, 1.2], [2.0, 3.0, 1.2]]))
    assert loss[0, there].tolist() == [7.0, 0.0]
    labels = plan.labels(LATTICE)
    assert labels is not None and labels[there, 0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_closed_line_of_walls_is_an_outline(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "layout.csv"
    path.write_text("X,y\n0,0\n10,0\n10,6\n0,6\n0,0\n".replace(",", separator))
    plan = read_plan(path, RECEIVERS)
    weight = plan.weight(LATTICE, RECEIVERS).ravel()
    places = LATTICE.nearest(np.array([[5.0, 3.0, 1.2], [-1.0, -1.0, 1.2]]))
    assert weight[places] == pytest.approx([1.0, OUTSIDE])
    assert plan.loss_db(LATTICE, RECEIVERS) is None and not plan.rooms


def test_a_plan_of_another_place_is_not_heeded(tmp_path: Path) -> None:
    path = tmp_path / "layout.csv"
    path.write_text("x,y\n50,50\n60,50\n60,56\n50,56\n50,50\n")
    assert (read_plan(path, RECEIVERS).weight(LATTICE, RECEIVERS) == 1.0).all()


def test_walls_one_a_row(tmp_path: Path) -> None:
    path = tmp_path / "walls.csv"
    path.write_text("x1,y1,x2,y2,attenuation_db\n5,0,5,6,4\n")
    loss = read_plan(path, RECEIVERS).loss_db(LATTICE, RECEIVERS)
    assert loss is not None and set(np.unique(loss)) == {0.0, 4.0}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "is no floor plan"), ("room,x,y\nA,0,0\nA,1,0\n", "corners"),
        ("x,y\n1,q\n", "not a number"),
    ],
)  # fmt: skip
def test_a_bad_plan_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_plan(path, RECEIVERS)


def test_tiles_cover_a_long_building_and_a_tag_keeps_its_own() -> None:
    tiles = Tiles.over(np.array([[0.0, 0.0], [800.0, 30.0]]))
    assert tiles.boxes_m[:, 0, 0].min() == 0.0 and tiles.boxes_m[:, 1, 0].max() == 800.0
    assert (np.diff(tiles.boxes_m[:, 0, 0]) <= TILE_M / 2 + 1e-9).all()
    used, changes = set(), 0
    for step in range(800):
        tile, changed = tiles.tile_of(1, np.array([float(step), 15.0]))
        low, high = tiles.boxes_m[tile]
        changes += changed
        used.add(tile)
        assert low[0] - 3 <= step <= high[0] + 3
    assert changes == len(used) - 1
