from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.database.testing import DatabaseServer, shared_server


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> DatabaseServer:
    return shared_server(pytestconfig)


@pytest.fixture
def database_url(server: DatabaseServer) -> Iterator[str]:
    with server.empty() as url:
        yield url
