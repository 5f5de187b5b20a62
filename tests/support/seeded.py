"""The `seeded` fixture's object: the `test` size of the seed, as analysts of both organizations.

    def test_my_query(seeded):
        rows = seeded.a.execute("select ... from reporting.v_...").fetchall()
        assert not seeded.b.execute(... seeded.meridian.assets[0].id ...).fetchall()

One database a test run, everything in transactions that are rolled back. `seeded.world` holds the
same world as Python objects (pipeline/seed/model.py), for computing expected figures by another
way; `seeded.as_of` is its present: pass it to functions with an `as_of`. It never changes:
2026-06-30 12:00 UTC. Write as the superuser with `seeded.superuser` before asking as an analyst:
all three see one transaction of their own each, so commit nothing; to see your own rows, write and
read through `seeded.become(...)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

from pipeline.database import connect
from pipeline.database.connect import Connection
from pipeline.seed.model import Organization, World


@dataclass
class Seeded:
    """`a`: analyst of Meridian Health (USD, three facilities in the USA); `b`: of Rheintal Kliniken
    (EUR, two in Germany). `superuser` sees all of it."""

    url: str
    world: World
    a: Connection
    b: Connection
    superuser: Connection

    @property
    def as_of(self) -> datetime:
        return self.world.as_of

    @property
    def meridian(self) -> Organization:
        return self.world.organizations[0]

    @property
    def rheintal(self) -> Organization:
        return self.world.organizations[1]

    @contextmanager
    def become(
        self, organization: Organization, role: str = "biotrakr_analyst"
    ) -> Iterator[Connection]:
        """The superuser's connection as another role, which sees what the superuser has written."""
        with self.superuser.transaction(force_rollback=True):
            _confine(self.superuser, organization, role)
            yield self.superuser


@contextmanager
def seeded_connections(url: str, world: World) -> Iterator[Seeded]:
    with ExitStack() as stack:
        opened = []
        for _ in range(3):
            connection = stack.enter_context(connect(url))
            stack.enter_context(connection.transaction(force_rollback=True))
            opened.append(connection)
        for connection, organization in zip(opened, world.organizations, strict=False):
            _confine(connection, organization, "biotrakr_analyst")
        yield Seeded(url, world, *opened)


def _confine(connection: Connection, organization: Organization, role: str) -> None:
    connection.execute("select set_config('app.org_id', %s, true)", (str(organization.id),))
    connection.execute(f"set local role {role}".encode())
