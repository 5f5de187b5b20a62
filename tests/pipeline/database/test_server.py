"""Servers that are not enough are refused with a sentence that helps."""

from __future__ import annotations

import pytest

from pipeline.database import UnsupportedServer, connect, migrate
from pipeline.database import server as module
from pipeline.database.testing import DatabaseServer


def test_an_old_postgresql(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MINIMUM_POSTGRES", 99)
    with pytest.raises(UnsupportedServer, match=r"PostgreSQL 17\.\d+ is too old: 99 or later"):
        migrate(empty_url)


def test_an_old_timescaledb(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MINIMUM_TIMESCALEDB", (99, 1))
    with pytest.raises(UnsupportedServer, match=r"is too old: 99\.1 or later is needed"):
        migrate(empty_url)


def test_somebody_who_may_not_create_the_extension(server: DatabaseServer, empty_url: str) -> None:
    with connect(empty_url) as connection:
        connection.execute("create role plain login password 'plain'")
    try:
        name = empty_url.rpartition("/")[2]
        with pytest.raises(UnsupportedServer, match="let a superuser run CREATE EXTENSION"):
            migrate(server.url_of(name, user="plain", password="plain"))
    finally:
        with connect(empty_url) as connection:
            connection.execute("drop role plain")


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("2.19.3", (2, 19, 3)), ("2.30.0-dev", (2, 30, 0)), ("2.9.1", (2, 9, 1))],
)
def test_versions_are_compared_as_numbers(version: str, numbers: tuple[int, ...]) -> None:
    assert module._numbers(version) == numbers
