from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.database import connect
from pipeline.database.connect import Connection
from pipeline.database.testing import DatabaseServer, shared_server

SITES = Path(__file__).parents[2] / "sql" / "sites"


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> DatabaseServer:
    return shared_server(pytestconfig)


@pytest.fixture(scope="module")
def url(server: DatabaseServer) -> Iterator[str]:
    with server.copy() as url:
        yield url


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    """Everything a test does is undone: loads are savepoints in one transaction."""
    with connect(url) as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture
def north() -> dict[str, Any]:
    """The site file of acme/north as data that a test may change."""
    return dict(json.loads((SITES / "acme-north.json").read_text()))


@pytest.fixture
def other() -> dict[str, Any]:
    """Another organization whose codes and tags are partly the same."""
    return dict(json.loads((SITES / "globex-north.json").read_text()))
