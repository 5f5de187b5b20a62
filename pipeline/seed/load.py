"""The whole world into an empty database: all in one transaction, then a few changes by people.

Masters and assets are entered with every trigger, so that they stand in the audit trail. History is
not: it was not entered now. Foreign keys and constraints are checked all the same, except for the
big form, which leaves them out as a restore does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from pipeline.seed import (
    assets,
    changes,
    compliance,
    custody,
    finance,
    maintenance,
    operations,
    people,
    places,
    predictions,
    sensors,
    tracks,
)
from pipeline.seed.build import build
from pipeline.seed.errors import SeedError
from pipeline.seed.model import Facility, World
from pipeline.seed.movement import stays_of
from pipeline.seed.people import service_user
from pipeline.seed.sizes import AS_OF, SIZES
from pipeline.seed.upkeep import upkeep_of
from pipeline.seed.writing import Stamps, Writer

Told = Callable[[str, int], None]
UNCHECKED = {"big"}
"""Sizes for which triggers, and with them foreign keys, are left out for the history."""


def load(
    connection: psycopg.Connection[Any],
    size: str,
    *,
    seed: int = 1,
    as_of: datetime = AS_OF,
    told: Told = lambda table, rows: None,
) -> World:
    """Fill the database; `told` hears each table and its rows. Raises SeedError, changing nothing.

    Needs a superuser: COPY refuses roles that are under row security.
    """
    world = build(SIZES[size], seed, as_of)
    with connection.transaction():
        _refuse_a_used_database(connection, world)
        stamps = Stamps(world.began, {o.id: service_user(o) for o in world.organizations})
        writer = Writer(connection, stamps, told)
        writer.write(places.batches(world))
        writer.write(people.batches(world))
        writer.write(places.rooms(world))
        writer.write(people.models(world))
        if size in UNCHECKED:
            connection.execute("set local session_replication_role = replica")
        writer.write(assets.batches(world))
        with _without_audit(connection):
            _history(connection, writer, world, told)
    changes.make(connection, world)
    return world


def _history(connection: psycopg.Connection[Any], writer: Writer, world: World, told: Told) -> None:
    writer.write(finance.contracts(world))
    upkeep = {asset.id: upkeep_of(world, asset) for asset in world.assets}
    writer.write(maintenance.batches(world, upkeep))
    writer.write(compliance.batches(world, upkeep))
    writer.write(finance.batches(world))
    writer.write(custody.batches(world))
    writer.write(maintenance.cleaning(world))
    writer.write(sensors.batches(world))
    writer.write(predictions.batches(world))
    writer.write(operations.batches(world))
    for organization in world.organizations:
        for facility in organization.facilities:
            _telemetry(connection, writer, world, facility, told)


def _telemetry(
    connection: psycopg.Connection[Any],
    writer: Writer,
    world: World,
    facility: Facility,
    told: Told,
) -> None:
    """What happened in one facility, which has its share of the rows by its assets."""
    share = len(facility.assets) / max(len(world.assets), 1)
    stays = stays_of(world, facility)
    writer.write(tracks.batches(world, facility, stays))
    writer.write([("tracking.asset_location_current", tracks.current(world, facility, stays))])
    found, events = operations.alerts(world, facility, stays)
    writer.write([("tracking.alert", found), ("tracking.alert_event", events)])
    rows = tracks.copy_positions(
        connection, world, facility, stays, round(world.size.location_rows * share)
    )
    told("telemetry.location_history", rows)
    rows = sensors.copy_readings(connection, world, facility, round(world.size.sensor_rows * share))
    told("telemetry.sensor_reading", rows)


_AUDITED = """
select schema.nspname, relation.relname
from pg_trigger
join pg_class as relation on relation.oid = pg_trigger.tgrelid
join pg_namespace as schema on schema.oid = relation.relnamespace
where pg_trigger.tgname = 'audit'
order by 1, 2
"""


@contextmanager
def _without_audit(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """The trail is off for the tables that are empty still."""
    audited = [sql.Identifier(*row) for row in connection.execute(_AUDITED).fetchall()]
    tables = [
        table
        for table in audited
        if not connection.execute(sql.SQL("select from {} limit 1").format(table)).fetchall()
    ]
    for table in tables:
        connection.execute(sql.SQL("alter table {} disable trigger audit").format(table))
    yield
    for table in tables:
        connection.execute(sql.SQL("alter table {} enable trigger audit").format(table))


def _refuse_a_used_database(connection: psycopg.Connection[Any], world: World) -> None:
    row = connection.execute(
        "select rolsuper from pg_roles where rolname = current_user"
    ).fetchone()
    if row is None or not row[0]:
        raise SeedError("seeding needs a superuser's address")
    taken = connection.execute(
        "select code from registry.organization where id = any(%s)",
        ([organization.id for organization in world.organizations],),
    ).fetchone()
    if taken is not None:
        raise SeedError(f"the organization {taken[0]!r} is there already; take an empty database")
