"""Writing ahead is the same as writing at the end, whatever happens in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import uuid5

import psycopg
import pytest
from sink_windows import START_US, closed, two_buildings

from pipeline.database import connect
from pipeline.database.testing import shared_server
from pipeline.domain.events import ClosedWindow, Session, Visit
from pipeline.domain.floorplan import Building
from pipeline.sinks import timescale
from pipeline.sinks.timescale import TimescaleSink

TABLES = {
    "telemetry.location_history": "asset_id, ts, building_id",
    "tracking.asset_location_current": "asset_id",
    "tracking.room_visit": "id",
    "tracking.usage_session": "id",
    "pipeline.progress": "building_id",
}


@pytest.fixture
def made(pytestconfig: pytest.Config) -> Iterator[tuple[str, list[Building]]]:
    with two_buildings(shared_server(pytestconfig)) as both:
        yield both


def stay(building: Building, second: int, *, ends: bool) -> ClosedWindow:
    """A window in which three assets move, and enter (or leave) their room and state."""
    window = closed(building, second, [1, 4, 7])
    began, now = START_US + second // 4 * 4_000_000, window.result.end_us
    visits, sessions = [], []
    for asset in (1, 4, 7):
        name = uuid5(building.assets[asset].id, f"{building.key}/{began}")
        left = now if ends else None
        visits.append(Visit(name, asset, 0, began, left, now, False, "dwell", 0.5, ((0, 0.5),)))
        sessions.append(Session(name, asset, 0, "IN_USE", "presence", began, left, "presence"))
    told = {"room_visits": tuple(visits), "sessions": tuple(sessions)}
    return replace(window, result=replace(window.result, **told))


def windows(buildings: list[Building]) -> list[list[ClosedWindow]]:
    """Epochs of windows; a stay begins in a second and ends three seconds later."""
    east = [stay(buildings[0], second, ends=second % 4 == 3) for second in range(40)]
    for second in range(4, 40, 4):  # what ended a second ago is said to have ended once more
        told, again = east[second].result, east[second - 1].result
        both = {"sessions": again.sessions + told.sessions}
        east[second] = replace(east[second], result=replace(told, **both))
    west = [closed(buildings[1], second, [1, 2, 3]) for second in range(40)]
    both = [window for pair in zip(east, west, strict=True) for window in pair]
    return [both[a:b] for a, b in pairwise((0, 3, 25, 26, 58, 80))]


def tables(url: str) -> dict[str, list[tuple[Any, ...]]]:
    with connect(url) as connection:
        return {
            table: connection.execute(f"select * from {table} order by {key}".encode()).fetchall()
            for table, key in TABLES.items()
        }


def run(
    url: str,
    epochs: list[list[ClosedWindow]],
    disturb: Callable[[int, psycopg.Connection], None] = lambda _, __: None,
    pause_s: float = 0.0,
) -> dict[str, list[tuple[Any, ...]]]:
    def opened() -> psycopg.Connection:
        return connect(url, application_name="the sink", role="biotrakr_ingest")

    part = TimescaleSink(opened, lambda _: None).build_part("", "database", None)
    with connect(url) as operator:
        for number, epoch in enumerate(epochs):
            for window in epoch:
                part.write_batch([window])
                time.sleep(pause_s)
            disturb(number, operator)
            part.snapshot()
    part.close()
    return tables(url)


def test_the_same_tables(made, pytestconfig, monkeypatch):
    url, buildings = made
    at_the_end = run(url, windows(buildings))
    monkeypatch.setattr(timescale, "ROWS_AHEAD", 1)
    begun: list[int] = []
    monkeypatch.setattr(timescale, "Writing", counted(timescale.Writing, begun))
    with two_buildings(shared_server(pytestconfig)) as (other, same):
        ahead = run(other, windows(same), pause_s=0.03)
    assert {table: len(rows) for table, rows in ahead.items()} == {
        "telemetry.location_history": 240,
        "tracking.asset_location_current": 5,
        "tracking.room_visit": 30,
        "tracking.usage_session": 30,
        "pipeline.progress": 2,
    }
    for table, rows in at_the_end.items():
        assert ahead[table] == rows, table
    assert len(begun) == 5, "an epoch was begun anew"
    assert min(begun) >= 2, "nothing was written before the end of its epoch"
    assert max(begun) > 10, "stays begin and end in different pieces"


def counted(kind: type[timescale.Writing], begun: list[int]) -> type[timescale.Writing]:
    """A kind of Writing that says in how many pieces each epoch came."""

    class Counted(kind):  # type: ignore[misc, valid-type]
        def write(self, given: Any) -> None:
            if not self._written:
                begun.append(0)
            begun[-1] += 1
            super().write(given)

    return Counted


def test_a_connection_that_breaks_in_between(made, monkeypatch):
    url, buildings = made
    monkeypatch.setattr(timescale, "ROWS_AHEAD", 1)
    broken = []

    def disturb(number: int, operator: psycopg.Connection) -> None:
        if number in {1, 3}:
            wait_until_written(operator)
            broken.append(operator.execute(END).fetchone())

    found = run(url, windows(buildings), disturb)
    assert [row[0] for row in broken if row] == [True, True]
    assert len(found["telemetry.location_history"]) == 240
    assert len(found["tracking.room_visit"]) == 30
    assert all(row[6] is not None for row in found["tracking.room_visit"])


def test_a_statement_that_fails_in_between(made, monkeypatch):
    """The connection lives on, but its transaction is lost."""
    url, buildings = made
    monkeypatch.setattr(timescale, "ROWS_AHEAD", 1)
    part = TimescaleSink(
        lambda: connect(url, application_name="the sink", role="biotrakr_ingest"), lambda _: None
    ).build_part("", "database", None)
    epoch = windows(buildings)[1]
    with connect(url) as operator, connect(url) as other:
        with other.transaction():
            other.execute("lock table tracking.room_visit in access exclusive mode")
            part.write_batch(epoch[:8])
            until(operator, f"{SINK} and wait_event_type = 'Lock'")
            operator.execute(f"select pg_cancel_backend(pid) {SINK}".encode())
        part.write_batch(epoch[8:])
        part.snapshot()
        part.close()
        rows = operator.execute("select count(*) from telemetry.location_history").fetchone()
    assert rows == (3 * len(epoch),)


def test_nothing_is_there_before_the_epoch_ends(made, monkeypatch):
    """The process ends in the middle of an epoch: the next one finds nothing of it."""
    url, buildings = made
    monkeypatch.setattr(timescale, "ROWS_AHEAD", 1)
    part = TimescaleSink(
        lambda: connect(url, application_name="the sink", role="biotrakr_ingest"), lambda _: None
    ).build_part("", "database", None)
    epochs = windows(buildings)
    with connect(url) as operator:
        for window in epochs[1]:
            part.write_batch([window])
        wait_until_written(operator)
        part.close()
        rows = operator.execute("select count(*) from telemetry.location_history").fetchone()
        assert rows == (0,)
    assert len(run(url, epochs)["telemetry.location_history"]) == 240


SINK = "from pg_stat_activity where application_name = 'the sink'"
END = f"select pg_terminate_backend(pid) {SINK}".encode()


def wait_until_written(operator: psycopg.Connection) -> None:
    until(operator, f"{SINK} and state = 'idle in transaction'")


def until(operator: psycopg.Connection, condition: str) -> None:
    for _ in range(500):
        if operator.execute(f"select count(*) {condition}".encode()).fetchone() == (1,):
            return
        time.sleep(0.01)
    raise AssertionError(f"it did not come to be: {condition}")
