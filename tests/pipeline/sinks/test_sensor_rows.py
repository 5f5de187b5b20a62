"""Values of sensors become readings of the asset that wore the tag, each once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sink_windows import START_US, two_buildings

from pipeline.contracts.transport import Measurements
from pipeline.database import connect
from pipeline.database.testing import shared_server
from pipeline.domain.floorplan import Building
from pipeline.sinks.transaction import Epoch, write_epoch

READINGS = """
select asset.tag_number, tag.name, quantity.wire_name, quantity.unit,
    extract(epoch from r.ts)::bigint, r.value
from telemetry.sensor_reading r join registry.asset on asset.id = r.asset_id
join registry.tag on tag.id = r.source_id
join telemetry.quantity on quantity.code = r.quantity
order by r.ts, tag.name, quantity.wire_name
"""


@pytest.fixture
def sink(pytestconfig: pytest.Config) -> Iterator[tuple[psycopg.Connection, str, Building]]:
    with two_buildings(shared_server(pytestconfig)) as (url, buildings), connect(url) as connection:
        connection.execute("set role biotrakr_ingest")
        yield connection, url, buildings[0]


def write(connection: psycopg.Connection, organization: UUID, *values: Any) -> None:
    epoch = Epoch()
    told = tuple(
        (tag, what, START_US + 10**6 * second, value) for tag, what, second, value in values
    )
    epoch.add(Measurements(organization, told))
    write_epoch(connection, epoch, {}, lambda _: None)


def readings(url: str) -> list[tuple[Any, ...]]:
    with connect(url) as owner:
        return [(*row[:4], row[4] - START_US // 10**6, row[5]) for row in owner.execute(READINGS)]


def test_readings(sink):
    connection, url, building = sink
    organization = building.ids["organization"]
    write(
        connection, organization,
        ("ble:3", "temperature_c", 1, 36.5), ("ble:4", "battery_mv", 2, 2980.0),
        ("ble:3", "sloshing_m3", 2, 0.5), ("ble:3", "motion", 3, 1.0),
        ("ble:stranger", "temperature_c", 3, 20.0),
    )  # fmt: skip
    expected = [
        ("n3", "ble:3", "temperature_c", "Cel", 1, 36.5),
        ("n3", "ble:3", "sloshing_m3", "m3", 2, 0.5),
        ("n4", "ble:4", "battery_mv", "mV", 2, 2980.0),
        ("n3", "ble:3", "motion", "1", 3, 1.0),
    ]
    assert readings(url) == expected
    # The same again, as after a crash, and one that is new.
    write(
        connection, organization,
        ("ble:3", "temperature_c", 1, 36.5), ("ble:3", "temperature_c", 4, 36.6),
    )  # fmt: skip
    assert readings(url) == [*expected, ("n3", "ble:3", "temperature_c", "Cel", 4, 36.6)]


def test_of_the_asset_that_wore_the_tag_then(sink):
    connection, url, building = sink
    with connect(url) as owner:
        owner.execute(
            "update registry.tag_assignment set during = tstzrange(null, to_timestamp(%s)) "
            "where tag_id = (select id from registry.tag where name = 'ble:3')",
            (START_US // 10**6 + 5,),
        )
        owner.execute(
            "insert into registry.tag_assignment (organization_id, tag_id, asset_id, during) "
            "select t.organization_id, t.id, a.id, tstzrange(to_timestamp(%s), null) "
            "from registry.tag t, registry.asset a where t.name = 'ble:3' and a.tag_number = 'n9'",
            (START_US // 10**6 + 5,),
        )
    values = [("ble:3", "temperature_c", second, 1.0) for second in (4, 5, 6)]
    write(connection, building.ids["organization"], *values)
    assert [row[0] for row in readings(url)] == ["n3", "n9", "n9"]


def test_another_organization_has_no_such_tag(sink):
    connection, url, _ = sink
    write(connection, UUID(int=7), ("ble:3", "temperature_c", 1, 36.5))
    assert readings(url) == []


def test_the_sink_cannot_write_quantities_itself(sink):
    connection, _, _ = sink
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("insert into telemetry.quantity values (99, 'x', 'y')")
