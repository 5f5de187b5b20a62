"""`biotrakr backfill`: late reads become history, by hand for a range of time or for ever.

History is computed again from the raw batches and written as a revision: positions, visits and
sessions are replaced where they differ, alerts found this way are recorded as late and not paged.
The present is left alone.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from pipeline.cli.errors import CliError
from pipeline.cli.revise import Done, NothingToStartFrom, Reviser
from pipeline.cli.settings import PipelineSettings, load_settings
from pipeline.contracts.reads import to_us
from pipeline.database.connect import connect
from pipeline.database.errors import ConnectionFailed
from pipeline.domain.floorplan import Building
from pipeline.flow.errors import CheckpointError
from pipeline.registry.directory import DatabaseDirectory
from pipeline.sinks.event_rows import when
from pipeline.sources import history

log = logging.getLogger(__name__)
ROLE = "biotrakr_backfill"
SECOND_US = 1_000_000


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "backfill", help="compute a stretch of history again", description=__doc__
    )
    parser.add_argument("--config", type=Path, help="the pipeline's TOML file: the same rules")
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    parser.add_argument("--from", dest="from_", type=_time, metavar="TIME",
                        help="2026-03-02T07:30:00Z; a time without offset is UTC")  # fmt: skip
    parser.add_argument("--to", type=_time, metavar="TIME")
    parser.add_argument("--facility", action="append", dest="facilities",
                        help="organization/facility; repeat; default: all")  # fmt: skip
    parser.add_argument("--watch", action="store_true",
                        help="go on for ever: take in late reads as they come")  # fmt: skip
    parser.set_defaults(command=command)


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def command(options: argparse.Namespace) -> int:
    overrides = {"database_url": options.database_url, "facilities": options.facilities}
    settings = load_settings(options.config, overrides)
    if settings.database_url is None:
        raise CliError("set BIOTRAKR_DATABASE_URL or give --database-url")
    if options.watch == (options.from_ is not None and options.to is not None):
        raise CliError("give --from and --to, or --watch")
    url = settings.database_url

    def open_database() -> psycopg.Connection[Any]:
        return connect(url, application_name="biotrakr-backfill", role=ROLE)

    if options.watch:
        watch(settings, open_database)
        return 0
    from_us, until_us = to_us(options.from_), to_us(options.to)
    if from_us >= until_us:
        raise CliError("--from must lie before --to")
    return 0 if by_hand(settings, open_database, from_us, until_us) else 1


def by_hand(
    settings: PipelineSettings,
    open_database: Callable[[], psycopg.Connection[Any]],
    from_us: int,
    until_us: int,
) -> bool:
    """Every building of the facilities; says what changed. True: none was refused."""
    with _tools(settings, open_database) as (directory, reviser, _):
        good = True
        for key in directory.keys:
            try:
                done = reviser.revise(directory.building(key), from_us, until_us, "asked")
            except (NothingToStartFrom, CheckpointError) as error:
                print(f"{key}: {error}")
                good = False
                continue
            print(f"{key}: {_said(done) if done else 'nothing is written of that time yet'}")
        return good


def watch(
    settings: PipelineSettings,
    open_database: Callable[[], psycopg.Connection[Any]],
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Look for late batches every few seconds; what fails is logged and tried again."""
    while not stop():
        try:
            with _tools(settings, open_database) as (directory, reviser, connection):
                while not stop():
                    directory.refresh(connection)
                    take_in(settings, connection, directory, reviser)
                    time.sleep(settings.history.look_s)
        except (psycopg.Error, ConnectionFailed) as error:
            log.warning("history waits, trying again: %s", error)
            time.sleep(settings.history.look_s)


def take_in(
    settings: PipelineSettings,
    connection: psycopg.Connection[Any],
    directory: DatabaseDirectory,
    reviser: Reviser,
) -> list[Done]:
    """Revise the buildings whose late reads have come to rest, or have waited long enough."""
    rules, done = settings.history, list[Done]()
    buildings = {building.ids["building"]: building for building in _buildings(directory)}
    for late in history.waiting(connection):
        building = buildings.get(late.building_id)
        if building is None or (late.quiet_s < rules.quiet_s and late.age_s < rules.patience_s):
            continue
        until_us = late.last_us + round(rules.settle_s * SECOND_US)
        try:
            one = reviser.revise(building, late.first_us, until_us, "late")
        except (NothingToStartFrom, CheckpointError) as error:
            _give_up(connection, late.building_id, until_us, str(error))
            continue
        if one is not None:
            log.info("%s: %s", building.key, _said(one))
            done.append(one)
    return done


def _give_up(
    connection: psycopg.Connection[Any], building_id: UUID, until_us: int, note: str
) -> None:
    batches = history.give_up(connection, building_id, when(until_us), note)
    log.error("%s late batches stay out of history: %s", batches, note)


def _buildings(directory: DatabaseDirectory) -> Iterator[Building]:
    return (directory.building(key) for key in directory.keys)


@contextmanager
def _tools(
    settings: PipelineSettings, open_database: Callable[[], psycopg.Connection[Any]]
) -> Iterator[tuple[DatabaseDirectory, Reviser, psycopg.Connection[Any]]]:
    directory = DatabaseDirectory(open_database, settings.facilities or None)
    timing, policy = settings.timing_values(), settings.policy_values()
    with open_database() as reading, open_database() as writing:
        yield directory, Reviser(reading, writing, directory, timing, policy), reading


def _said(done: Done) -> str:
    o = done.outcome
    return (
        f"revision {done.number}, {when(done.from_us):%FT%TZ} to {when(done.until_us):%FT%TZ}: "
        f"{o.batches} batches, {o.reads} reads, {o.windows} windows; "
        f"positions {o.positions_removed} out {o.positions_written} in, changed "
        f"{o.room_visits_changed} room visits, {o.zone_visits_changed} zone visits, "
        f"{o.sessions_changed} sessions, {o.late_alerts} late alerts"
    )
