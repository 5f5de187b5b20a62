"""The whole world into an empty database, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg

from pipeline.seed import (
    assets,
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


def load(
    connection: psycopg.Connection[Any],
    size: str,
    *,
    seed: int = 1,
    as_of: datetime = AS_OF,
    told: Told = lambda table, rows: None,
) -> World:
    """Fill the database; `told` hears each table and its rows. Raises SeedError, changing nothing.

    Needs a role that passes by row security: COPY refuses others.
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
        writer.write(assets.batches(world))
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
    return world


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


def _refuse_a_used_database(connection: psycopg.Connection[Any], world: World) -> None:
    row = connection.execute(
        "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"
    ).fetchone()
    if row is None or not row[0]:
        raise SeedError("seeding needs a superuser, or a role with bypassrls")
    taken = connection.execute(
        "select code from registry.organization where id = any(%s)",
        ([organization.id for organization in world.organizations],),
    ).fetchone()
    if taken is not None:
        raise SeedError(f"the organization {taken[0]!r} is there already; take an empty database")
