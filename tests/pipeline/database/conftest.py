from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.database.files import sql_folder
from pipeline.database.testing import DatabaseServer, shared_server


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> DatabaseServer:
    return shared_server(pytestconfig)


@pytest.fixture
def empty_url(server: DatabaseServer) -> Iterator[str]:
    """A database without anything in it."""
    with server.empty() as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of sql/ that a test may change."""
    return Path(shutil.copytree(sql_folder(), tmp_path / "sql"))


@pytest.fixture
def apache(server: DatabaseServer) -> None:
    if server.edition.is_community:
        pytest.skip(f"needs the Apache edition, this is {server.edition}")


@pytest.fixture
def community(server: DatabaseServer) -> None:
    if not server.edition.is_community:
        pytest.skip(
            f"needs the Community edition, this is {server.edition}; name a server of it in "
            "BIOTRAKR_TEST_DATABASE_URL"
        )
