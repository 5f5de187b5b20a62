"""`biotrakr setup` on a real database: logins that can do what they must and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pipeline.cli import setup
from pipeline.cli.errors import CliError
from pipeline.database.connect import Connection, connect
from pipeline.database.errors import ConnectionFailed
from pipeline.database.testing import DatabaseServer

_GATEWAYS = "select count(*) from reporting.gateway_health"
LOGINS = {
    "biotrakr_pipeline": "first-password",
    "biotrakr_history": "h",
    "analyst_st-elmo": "another",
}


@pytest.fixture
def url(server: DatabaseServer) -> Iterator[str]:
    with server.empty() as url:
        yield url
    with connect(server.url) as connection:
        for login in LOGINS:
            connection.execute(f'drop role if exists "{login}"'.encode())


@pytest.fixture
def prepare(run: Callable[..., int], url: str, tmp_path: Path) -> Callable[..., None]:
    def prepare_(logins: dict[str, str], *words: object) -> None:
        path = tmp_path / "logins.json"
        path.write_text(json.dumps(logins))
        assert run(setup, "setup", "--database-url", url, "--logins", path, *words) == 0

    return prepare_


def _login(server: DatabaseServer, url: str, user: str, password: str) -> Connection:
    return connect(server.url_of(url.rpartition("/")[2], user=user, password=password))


def test_least_privilege(prepare: Callable[..., None], server: DatabaseServer, url: str) -> None:
    prepare(LOGINS, "--simulated")
    with _login(server, url, "biotrakr_pipeline", "first-password") as pipeline:
        pipeline.execute("set role biotrakr_ingest")
        assert pipeline.execute("select count(*) from pipeline.window_commit").fetchone() == (0,)
        for refused in (
            "set role biotrakr_owner",
            "set role biotrakr_backfill",
            "drop table registry.asset",
            "delete from tracking.room_visit",
            "create role x",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                pipeline.execute(refused.encode())
    with _login(server, url, "biotrakr_history", "h") as history:
        history.execute("set role biotrakr_backfill")
        history.execute("delete from tracking.room_visit")
        for refused in ("set role biotrakr_owner", "delete from registry.asset"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                history.execute(refused.encode())
    with _login(server, url, "analyst_st-elmo", "another") as analyst:
        assert analyst.execute(_GATEWAYS).fetchone() == (4,)
        for refused in ("set role biotrakr_ingest", "select * from telemetry.location_history"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                analyst.execute(refused.encode())


def test_again_with_other_passwords(
    prepare: Callable[..., None], server: DatabaseServer, url: str
) -> None:
    prepare(LOGINS, "--simulated")
    prepare(LOGINS | {"analyst_st-elmo": "renewed"}, "--simulated")
    with _login(server, url, "analyst_st-elmo", "renewed") as analyst:
        assert analyst.execute(_GATEWAYS).fetchone() == (4,)
    with pytest.raises(ConnectionFailed):
        _login(server, url, "analyst_st-elmo", "another")


def test_an_analyst_of_nobody_sees_nothing(
    prepare: Callable[..., None], server: DatabaseServer, url: str
) -> None:
    prepare(LOGINS)
    with _login(server, url, "analyst_st-elmo", "another") as analyst:
        assert analyst.execute(_GATEWAYS).fetchone() == (0,)


def test_site_files_of_a_folder(
    prepare: Callable[..., None], url: str, tmp_path: Path, root: Path
) -> None:
    (tmp_path / "README.md").write_text("is no site file")
    site = setup.build_hospital(setup.Scenario()).site
    (sites := tmp_path / "sites").mkdir()
    (sites / "general.json").write_text(site.model_dump_json())
    (sites / "README.md").write_text("is no site file")
    prepare({}, "--sites", sites)
    with connect(url) as connection:
        assert connection.execute("select code from registry.facility").fetchall() == [("general",)]


def test_refusals(prepare: Callable[..., None], tmp_path: Path) -> None:
    with pytest.raises(CliError, match="is not a folder"):
        prepare({}, "--sites", tmp_path / "none")
    with pytest.raises(CliError, match="use biotrakr_pipeline, biotrakr_history or analyst_"):
        prepare({"postgres": "mine"})
    with pytest.raises(CliError, match="too long"):
        setup.analyst_login("o" * 60)


def test_a_registry_in_use_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, prepare: Callable[..., None], url: str
) -> None:
    real, times = setup.load_site, []

    def load_site(connection: Connection, site: object) -> object:
        times.append(1)
        if len(times) < 3:
            raise psycopg.errors.DeadlockDetected
        return real(connection, site)  # type: ignore[arg-type]

    monkeypatch.setattr(setup, "load_site", load_site)
    prepare({}, "--simulated")
    assert len(times) == 3
