"""`biotrakr migrate`: bring a database to this version's schema."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.cli.errors import CliError
from pipeline.cli.settings import environment
from pipeline.database.migrate import migrate


def register(commands: Any) -> None:
    parser = commands.add_parser("migrate", help="create or update the schema", description=__doc__)
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    applied = migrate(database_url(options), progress=print)
    print(f"{len(applied)} file(s) applied" if applied else "nothing to do")
    return 0


def database_url(options: argparse.Namespace) -> str:
    url = options.database_url or environment("BIOTRAKR_DATABASE_URL")
    if not url:
        raise CliError("set BIOTRAKR_DATABASE_URL or give --database-url")
    return str(url)
