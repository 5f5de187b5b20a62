"""The small hospital, made once a module, and a transaction of it for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from questions import Org, Small, furnish

from pipeline.database import connect
from pipeline.database.testing import DatabaseServer
from pipeline.registry.load import load_site
from pipeline.registry.site_file import load_site_file

SITES = Path(__file__).parents[1] / "sites"


@pytest.fixture(scope="module")
def small_url(server: DatabaseServer) -> Iterator[str]:
    with server.copy() as url:
        with connect(url) as connection:
            for code in ("acme", "globex"):
                load_site(connection, load_site_file(SITES / f"{code}-north.json"))
                with connection.transaction():
                    furnish(Org(connection, code))
        yield url


@pytest.fixture
def small(small_url: str) -> Iterator[Small]:
    with connect(small_url) as connection, connection.transaction(force_rollback=True):
        a, b = Org(connection, "acme"), Org(connection, "globex")
        for org in (a, b):
            for code, name in (("north", "facility"), ("south", "facility")):
                org.ids[f"{name} {code}"] = _id(org, "registry.facility", code)
            for table, kind in (
                ("registry.department", "department"), ("registry.device_type", "type"),
            ):  # fmt: skip
                for code in ("icu", "pool", "pump", "bed"):
                    org.ids[f"{kind} {code}"] = _id(org, table, code)
            for code in ("pump", "bed"):
                org.ids[f"model {code}"] = _id(
                    org, "registry.device_model", f"{code}-1", "model_number"
                )
            org.ids["user kim"] = _id(org, "registry.user_account", "kim", "username")
            org.ids["room s-ward"] = _id(org, "registry.room", "s-ward")
            org.ids["building south"] = _id(org, "registry.building", "s")
            org.ids = {key: value for key, value in org.ids.items() if value}
            org.made = 1000
        yield Small(connection, a, b)


def _id(org: Org, table: str, code: str, column: str = "code"):
    row = org.conn.execute(
        f"select id from {table} where organization_id = %s and {column} = %s".encode(),
        (org.id, code),
    ).fetchone()
    return row and row[0]
