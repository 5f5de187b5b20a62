"""A small organization to import into, another for each test: two facilities, people, a model."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from pipeline.cli.main import main
from pipeline.database import connect
from pipeline.database.testing import DatabaseServer, shared_server
from pipeline.registry.ids import make_id

SETUP = """
select set_config('app.org_id', '{org}', true);
insert into registry.organization (id, code, name) values ('{org}', '{code}', 'Acme');
insert into registry.facility (id, organization_id, code, name) values
    ('{north}', '{org}', 'north', 'North'), ('{south}', '{org}', 'south', 'South');
insert into registry.building (id, organization_id, facility_id, code, name) values
    ('{building}', '{org}', '{north}', 'main', 'Main');
insert into registry.floor (id, organization_id, building_id, code, name, level, elevation_m,
    height_m) values ('{floor}', '{org}', '{building}', 'f0', 'Ground', 0, 0, 3);
insert into registry.room (id, organization_id, floor_id, code, name, polygon) values
    ('{room}', '{org}', '{floor}', 'r1', 'Store', '[[0,0],[4,0],[4,4],[0,4]]');
insert into registry.department (organization_id, facility_id, code, name, cost_center) values
    ('{org}', '{north}', 'icu', 'Intensive care', '4711'),
    ('{org}', '{north}', 'or', 'Theatre', '1');
insert into registry.user_account (id, organization_id, username, display_name) values
    ('{user}', '{org}', 'ana', 'Ana'), ('{confined}', '{org}', 'ben', 'Ben');
insert into registry.user_role (organization_id, user_id, role, facility_id) values
    ('{org}', '{user}', 'ADMINISTRATOR', null), ('{org}', '{confined}', 'BIOMEDICAL', '{south}');
insert into registry.vendor (organization_id, code, name, type) values
    ('{org}', 'omni', 'Omni Distribution', 'DISTRIBUTOR');
insert into registry.manufacturer (id, organization_id, name) values
    ('{maker}', '{org}', 'Steinbrück');
insert into registry.device_type (id, organization_id, code, name, category) values
    ('{type}', '{org}', 'pump', 'Infusion pump', 'THERAPEUTIC');
insert into registry.device_model (organization_id, manufacturer_id, device_type_id, model_number,
    risk_class) values ('{org}', '{maker}', '{type}', 'P-100', 'CLASS_II');
"""
_numbers = itertools.count(1)


def ids_of(code: str) -> dict[str, UUID]:
    plain = ("building", "floor", "room", "user", "confined", "maker", "type")
    return {name: make_id("asset", code, name) for name in plain} | {
        "org": make_id("organization", code),
        "north": make_id("facility", code, "north"),
        "south": make_id("facility", code, "south"),
    }


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> DatabaseServer:
    return shared_server(pytestconfig)


@pytest.fixture(scope="session")
def url(server: DatabaseServer) -> Iterator[str]:
    with server.copy() as url:
        yield url


@pytest.fixture
def registry(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[SimpleNamespace]:
    """`run(*arguments)`: the command, its status and what it said; `rows(query)` of the
    organization; `write(header, *rows)` a CSV file; `ids`; `code`."""
    code = f"acme-{next(_numbers)}"
    ids = ids_of(code)
    with connect(url) as connection:
        with connection.transaction():
            connection.execute(SETUP.format(code=code, **ids).encode())
        connection.execute("set role biotrakr_app")
        connection.execute("select set_config('app.org_id', %s, false)", (str(ids["org"]),))

        def run(*arguments: object) -> SimpleNamespace:
            address = ("--organization", code, "--database-url", url)
            status = main([*map(str, arguments), *address])
            said = capsys.readouterr()
            return SimpleNamespace(status=status, out=said.out, err=said.err)

        def write(header: list[str], *rows: list[object], name: str = "list.csv") -> Path:
            path = tmp_path / name
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([header, *rows])
            return path

        def rows(query: str, *parameters: object) -> list[tuple[object, ...]]:
            return connection.execute(query.encode(), parameters or None).fetchall()

        yield SimpleNamespace(
            run=run, write=write, rows=rows, ids=SimpleNamespace(**ids), url=url, path=tmp_path,
            load=lambda path: json.loads(path.read_text(encoding="utf-8")), code=code,
        )  # fmt: skip
