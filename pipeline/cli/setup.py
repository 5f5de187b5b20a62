"""`biotrakr setup`: schema, registry and logins of a database, as its superuser. May be repeated.

Logins can do no more than they must: the pipeline writes through biotrakr_ingest, the
revision of history through biotrakr_backfill, and each
organization gets an analyst who reads the views of that organization and nothing else.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from pipeline.cli.errors import CliError
from pipeline.cli.settings import load_settings
from pipeline.database.connect import Connection, connect
from pipeline.database.migrate import migrate
from pipeline.registry.load import load_site
from pipeline.registry.site_file import SiteFile, load_site_file
from pipeline.simulation.hospital import build_hospital
from pipeline.simulation.scenario import Scenario

PIPELINE_LOGIN = "biotrakr_pipeline"
HISTORY_LOGIN = "biotrakr_history"
_ROLES = {PIPELINE_LOGIN: "biotrakr_ingest", HISTORY_LOGIN: "biotrakr_backfill"}
_ANALYST = "analyst_"
_TRIES = 5
_LONGEST_LOGIN = 63  # PostgreSQL would cut it short, and two could become one


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "setup", help="make a database ready: schema, sites, logins", description=__doc__
    )
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL or its _FILE")
    parser.add_argument(
        "--logins", type=Path, help="JSON, login -> password; biotrakr keys writes it"
    )
    add_site_options(parser)
    parser.set_defaults(command=command)


def add_site_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sites", type=Path, help="a folder of site files (.json, .toml)")
    parser.add_argument("--simulated", action="store_true", help="also the simulated hospital")


def read_sites(options: argparse.Namespace) -> list[SiteFile]:
    """The site files of the folder, by name, then the simulated one. Raises SiteFileError."""
    sites = []
    if options.sites is not None:
        if not options.sites.is_dir():
            raise CliError(f"--sites: {options.sites} is not a folder")
        files = sorted(p for p in options.sites.iterdir() if p.suffix in (".json", ".toml"))
        sites = [load_site_file(path) for path in files]
    if options.simulated:
        sites.append(build_hospital(Scenario()).site)
    return sites


def analyst_login(organization: str) -> str:
    login = f"{_ANALYST}{organization}"
    if len(login) > _LONGEST_LOGIN:
        raise CliError(f"{organization}: its code is too long for a login of its analysts")
    return login


def command(options: argparse.Namespace) -> int:
    url = load_settings(None, {"database_url": options.database_url}).database_url
    if url is None:
        raise CliError("set BIOTRAKR_DATABASE_URL or BIOTRAKR_DATABASE_URL_FILE")
    sites = read_sites(options)
    logins = json.loads(options.logins.read_text()) if options.logins else {}
    migrate(url, progress=print)
    with connect(url, application_name="biotrakr-setup") as connection:
        for site in sites:
            _load(connection, site)
            print(f"{site.organization.code}/{site.facility.code}: loaded")
        make_logins(connection, logins)
    if not sites:
        print("no site files: nothing is known of any building or asset yet")
    return 0


def _load(connection: Connection, site: SiteFile) -> None:
    """A running pipeline's rows point at those of the registry: the two may lock each other out."""
    for _ in range(_TRIES):
        with suppress(psycopg.errors.DeadlockDetected):
            load_site(connection, site)
            return
    load_site(connection, site)


def make_logins(
    connection: Connection, logins: Mapping[str, str], report: Callable[[str], None] = print
) -> None:
    """Create or renew each; `analyst_{organization}` is confined to that organization."""
    for login, password in logins.items():
        role = _ROLES.get(login, "biotrakr_analyst")
        if login not in _ROLES and not login.startswith(_ANALYST):
            known = ", ".join(_ROLES)
            raise CliError(f"login {login!r}: use {known} or {_ANALYST}{{organization}}")
        with connection.transaction():
            _make_login(connection, login, password)
            connection.execute(
                sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(login))
            )
            if login not in _ROLES:
                _confine(connection, login)
        report(f"login {login}: in {role}")


def _make_login(connection: Connection, login: str, password: str) -> None:
    # A SCRAM verifier, so that the password itself reaches neither the server nor its log.
    verifier = connection.pgconn.encrypt_password(
        password.encode(), login.encode(), b"scram-sha-256"
    ).decode()
    found = connection.execute("select from pg_roles where rolname = %s", (login,)).fetchone()
    verb = sql.SQL("create role" if found is None else "alter role")
    names = (verb, sql.Identifier(login), sql.Literal(verifier))
    connection.execute(sql.SQL("{} {} login password {}").format(*names))


def _confine(connection: Connection, login: str) -> None:
    connection.execute(
        "insert into app.login_organization (login, organization_id) "
        "select %s, id from registry.organization where code = %s and deleted_at is null "
        "on conflict do nothing",
        (login, login.removeprefix(_ANALYST)),
    )
