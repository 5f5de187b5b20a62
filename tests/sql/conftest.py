"""Two organizations whose codes are partly the same, each with one row in every table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

import one_row
import pytest
from seeded import Seeded, seeded_connections

from pipeline.database import connect
from pipeline.database.connect import Connection
from pipeline.database.testing import DatabaseServer, shared_server
from pipeline.registry.ids import NAMESPACE, make_id
from pipeline.registry.load import load_site
from pipeline.registry.site_file import load_site_file
from pipeline.seed.load import load
from pipeline.seed.model import World

SITES = Path(__file__).parent / "sites"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Org:
    """The ids of one organization's site; `room` and `zone` are where its pump is."""

    code: str
    room_code: str
    zone_code: str

    @property
    def id(self) -> UUID:
        return make_id("organization", self.code)

    @property
    def facility(self) -> UUID:
        return make_id("facility", self.code, "north")

    @property
    def building(self) -> UUID:
        return make_id("building", self.code, "north", "main")

    @property
    def floor(self) -> UUID:
        return make_id("floor", self.code, "north", "main", "f0")

    @property
    def room(self) -> UUID:
        return self.room_of(self.room_code)

    def room_of(self, code: str) -> UUID:
        return make_id("room", self.code, "north", "main", code)

    @property
    def zone(self) -> UUID:
        return make_id("zone", self.code, "north", "main", self.zone_code)

    @property
    def gateway(self) -> UUID:
        return make_id("gateway", self.code, "north", "gw-1")

    @property
    def rule(self) -> UUID:
        return make_id("rule", self.code, "north", "no-pumps")

    def asset(self, tag_number: str = "P-1") -> UUID:
        return make_id("asset", self.code, tag_number)

    def event(self, name: str) -> UUID:
        """A deterministic id, as the dataflow makes them."""
        return uuid5(NAMESPACE, f"{self.code}/{name}")


ACME = Org("acme", "mri", "no-metal")
GLOBEX = Org("globex", "ward", "ward")


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> DatabaseServer:
    return shared_server(pytestconfig)


@pytest.fixture(scope="session")
def acme() -> Org:
    return ACME


@pytest.fixture(scope="session")
def globex() -> Org:
    return GLOBEX


@pytest.fixture(scope="module")
def url(server: DatabaseServer) -> Iterator[str]:
    """A database with both sites and one row of each kind, made once a module."""
    with server.copy() as url:
        with connect(url) as connection:
            _fill_as_released(connection)
            for org in (ACME, GLOBEX):
                with connection.transaction():
                    one_row.fill(connection, org)
        yield url


@pytest.fixture(scope="session")
def fill_as_released() -> Callable[[Connection], None]:
    """What release 0009 could hold: both sites, and what the dataflow wrote."""
    return _fill_as_released


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    """The superuser, in a transaction that is rolled back."""
    with connect(url) as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture(scope="session")
def seeded_database(server: DatabaseServer) -> Iterator[tuple[str, World]]:
    """The address of a database with the small form of the seed, and the same as objects."""
    with server.copy() as url:
        with connect(url) as connection:
            world = load(connection, "test")
            connection.execute("analyze")
        yield url, world


@pytest.fixture
def seeded(seeded_database: tuple[str, World]) -> Iterator[Seeded]:
    """See tests/support/seeded.py."""
    with seeded_connections(*seeded_database) as found:
        yield found


@pytest.fixture(scope="session")
def become():
    """`with become(conn, role, org):` take a role and name an organization, then undo both."""

    @contextmanager
    def take(conn: Connection, role: str, org: UUID | None = None) -> Iterator[None]:
        with conn.transaction(force_rollback=True):
            conn.execute("select set_config('app.org_id', %s, true)", (str(org or ""),))
            conn.execute(f"set local role {role}".encode())
            yield

    return take


def _fill_as_released(connection: Connection) -> None:
    for org in (ACME, GLOBEX):
        load_site(connection, load_site_file(SITES / f"{org.code}-north.json"))
    connection.execute("set role biotrakr_ingest")
    for org in (ACME, GLOBEX):
        with connection.transaction():
            _populate(connection, org)
    connection.execute("reset role")


POSITION = (
    "organization_id, asset_id, building_id, ts, floor_id, room_id, x_m, y_m, z_m, accuracy_m, "
    "cov_xx, cov_xy, cov_yy, room_confidence, method, reason, receivers, reads, moving"
)


def _populate(conn: Connection, org: Org) -> None:
    """What the sink writes, as the role it has."""
    asset, until = org.asset(), NOON + timedelta(hours=1)
    place = (org.floor, org.room, 4.0, 7.0, 1.2, 2.5, 1.0, 0.25, 2.0, 0.9, 1, 8, 3, 12, True)
    with conn.cursor() as cursor:
        copy_in = f"copy telemetry.location_history ({POSITION}) from stdin (format binary)"
        with cursor.copy(copy_in.encode()) as copy:
            copy.set_types(
                [
                    *["uuid"] * 3,
                    "timestamptz",
                    *["uuid"] * 2,
                    *["float4"] * 8,
                    *["int2"] * 3,
                    "int4",
                    "bool",
                ]
            )
            for seconds in (0, 5):
                ts = NOON + timedelta(seconds=seconds)
                copy.write_row((org.id, asset, org.building, ts, *place))
    rows = {
        "tracking.asset_location_current": (
            asset, org.id, org.facility, org.building, NOON, *place, NOON - timedelta(seconds=1),
        ),
        "tracking.room_visit": (
            org.event("room"), org.id, org.facility, asset, org.room, NOON, None, True,
            "first_sight", None, 0.9, "[]", NOON,
        ),
        "tracking.zone_visit": (
            org.event("zone"), org.id, org.facility, asset, org.zone, NOON, None, False,
            "dwell", None, 0.8, "[]", NOON,
        ),
        "tracking.usage_session": (
            org.event("use"), org.id, org.facility, asset, org.room, "IN_USE", "presence",
            NOON, None, None,
        ),
        "tracking.alert": (
            org.event("alert"), org.id, org.facility, asset, org.rule, org.zone, "forbidden-zone",
            "CRITICAL", "open", 1, NOON, None, None, None, False, "entered",
        ),
        "tracking.alert_event": (
            org.event("alert"), 1, org.id, "open", NOON, "entered", '{"zone": "x"}', "{}",
        ),
        "pipeline.progress": (org.building, until),
        "pipeline.gateway_progress": (org.gateway, "0badcafe", 7, NOON + timedelta(seconds=30)),
        "pipeline.gateway_status": (
            org.gateway, org.id, "online", NOON,
            '{"version": "0.1.0", "clock": {"synchronised": true}, '
            '"spool": {"batches": 3, "dropped_reads": 2}}',
        ),
        "pipeline.unknown_tag": (org.facility, "ble:zz", org.id, org.building, NOON, NOON, 4),
    }  # fmt: skip
    for table, row in rows.items():
        marks = ", ".join(["%s"] * len(row))
        conn.execute(f"insert into {table} values ({marks})".encode(), row)
