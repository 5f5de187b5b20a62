"""A database with two small buildings, and windows of them for the sink."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from pipeline.database import connect
from pipeline.database.testing import DatabaseServer
from pipeline.domain.events import ClosedWindow, Positions, WindowResult
from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.registry.load import load_site
from pipeline.registry.read import read_buildings
from pipeline.registry.site_file import parse_site

START_US = 1_700_000_000_000_000
ASSETS = 40


def plan(code: str) -> dict[str, object]:
    room = {
        "code": "r",
        "name": "R",
        "kind": "patient",
        "polygon": [[0, 0], [8, 0], [8, 6], [0, 6]],
    }
    floor = {"code": "f", "name": "F", "level": 0, "elevation_m": 0.0, "rooms": [room]}
    return {"code": code, "name": code, "floors": [floor]}


@contextmanager
def two_buildings(server: DatabaseServer) -> Iterator[tuple[str, list[Building]]]:
    """The address of a new database, and what its registry knows."""
    site = {
        "organization": {"code": "acme", "name": "Acme"},
        "facility": {"code": "north", "name": "North"},
        "buildings": [plan("east"), plan("west")],
        "assets": [
            {"tag_number": f"n{i}", "name": "Pump", "category": "THERAPEUTIC", "tags": [f"ble:{i}"]}
            for i in range(ASSETS)
        ],
    }
    with server.copy() as url, connect(url) as connection:
        load_site(connection, parse_site(site))
        yield url, list(read_buildings(connection))


def closed(building: Building, second: int, assets: list[int], x_m: float = 1.0) -> ClosedWindow:
    n = len(assets)
    rng = np.random.default_rng(second)
    positions = Positions(
        np.array(assets, dtype=np.int64),
        rng.integers(NOWHERE, len(building.floors), n),
        rng.integers(NOWHERE, len(building.rooms), n),
        np.full(n, x_m),
        *(np.arange(n) + 0.5 for _ in range(7)),
        *(np.ones(n, dtype=np.int64) for _ in range(4)),
        np.zeros(n, dtype=bool),
    )
    end_us = START_US + second * 1_000_000
    return ClosedWindow(
        building, WindowResult(building.key, end_us - 1_000_000, end_us, n, positions)
    )
