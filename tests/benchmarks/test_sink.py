"""What an epoch costs in the database, beside a bare binary COPY of the same rows.

    python -m pytest -m benchmark tests/benchmarks/test_sink.py

20 buildings of 5,000 assets and 40 gateways, an epoch of one window with 1,500 rows a building: the
history, the current places, the books of windows, buildings and gateways, in one transaction. The
bare COPY writes an equal number of rows into the same table, in a transaction of its own, from
bytes made beforehand. Medians of 5 after 5 epochs to warm up; real TimescaleDB.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import psycopg
import pytest
from bench.services import Services, open_as_pipeline

from pipeline.contracts.transport import GatewayMark
from pipeline.domain.events import ClosedWindow, Positions, WindowResult
from pipeline.domain.floorplan import Building
from pipeline.registry.read import read_buildings
from pipeline.sinks import location_rows
from pipeline.sinks.binary_copy import HEADER, TRAILER
from pipeline.sinks.location_rows import LocationRows
from pipeline.sinks.transaction import Epoch, write_epoch

BUILDINGS, TAGS, ROWS, WARM, ROUNDS = 20, 5000, 1500, 5, 5
START_US = 1_700_000_000_000_000
SECOND_US = 1_000_000


def window(site: Building, start_us: int, rng: np.random.Generator) -> ClosedWindow:
    """Most of the 1,500 assets are where they were; a few have no room."""
    assets = np.sort(rng.choice(len(site.assets), ROWS, replace=False))
    room = assets % len(site.rooms)
    room[rng.random(ROWS) < 0.05] = -1
    floats = [rng.random(ROWS) for _ in range(8)]
    positions = Positions(
        assets, np.zeros(ROWS, np.int64), room, *floats, np.ones(ROWS, np.int64),
        np.full(ROWS, 2), np.full(ROWS, 4), np.full(ROWS, 4), rng.random(ROWS) < 0.1,
    )  # fmt: skip
    end_us = start_us + SECOND_US
    return ClosedWindow(site, WindowResult(site.key, start_us, end_us, 4 * ROWS, positions))


def marks(site: Building, second: int) -> list[GatewayMark]:
    place = (site.organization, site.facility)
    until_us = START_US + second * SECOND_US
    return [GatewayMark(*place, g, "00000001", second, until_us) for g in site.gateways]


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def copy(connection: psycopg.Connection, data: bytes) -> None:
    statement = (
        f"copy telemetry.location_history ({location_rows.NAMES}) from stdin (format binary)"
    )
    with (
        connection.transaction(),
        connection.cursor() as cursor,
        cursor.copy(statement.encode()) as writer,
    ):
        writer.write(data)


@pytest.mark.benchmark
@pytest.mark.timeout(600)
def test_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    taken: dict[str, list[float]] = {"bare": [], "whole": [], "client": []}
    with (
        Services() as services,
        services.fresh(BUILDINGS, TAGS) as url,
        open_as_pipeline(url) as connection,
    ):
        sites = read_buildings(connection)
        progress: dict[object, int] = {}
        for second in range(WARM + ROUNDS):
            # The same seconds in turn, an hour apart: both write into the same chunk.
            windows = [window(s, START_US + second * SECOND_US, rng) for s in sites]
            twins = [window(s, START_US + (second - 3600) * SECOND_US, rng) for s in sites]
            made = [data for twin in twins for data in location_rows.history(twin)]
            data = b"".join([HEADER, *made, TRAILER])
            epoch = Epoch()
            for record in [*windows, *(m for s in sites for m in marks(s, second + 1))]:
                epoch.add(record)
            rounds = {
                "bare": timed(lambda data=data: copy(connection, data)),
                "client": timed(lambda windows=windows: list(LocationRows.of(windows).history())),
            }
            before = time.perf_counter()
            progress = write_epoch(connection, epoch, progress, lambda _: None)
            rounds["whole"] = time.perf_counter() - before
            if second >= WARM:
                for name, seconds in rounds.items():
                    taken[name].append(seconds)
    rows = BUILDINGS * ROWS
    with capsys.disabled():
        print(f"\n{rows} rows an epoch            ms   us a row   k rows/s   x bare")
        bare = median(taken["bare"])
        for name, label in [
            ("bare", "binary COPY"), ("client", "rows made of arrays"), ("whole", "whole epoch"),
        ]:  # fmt: skip
            s = median(taken[name])
            print(
                f"  {label:22s}{s * 1e3:11.1f}{s / rows * 1e6:11.2f}{rows / s / 1e3:11.0f}"
                f"{s / bare:9.2f}"
            )
