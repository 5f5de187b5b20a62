"""`biotrakr site`: check a site file, or load it into the registry."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pipeline.cli.migrate import database_url
from pipeline.database.connect import connect
from pipeline.registry.load import load_site
from pipeline.registry.site_file import load_site_file


def register(commands: Any) -> None:
    parser = commands.add_parser("site", help="check or load a site file", description=__doc__)
    parser.add_argument("action", choices=("check", "load"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    site = load_site_file(options.file)
    if options.action == "check":
        print(f"{options.file}: good: {len(site.buildings)} building(s), {len(site.assets)} assets")
        return 0
    with connect(database_url(options)) as connection:
        print("\n".join(load_site(connection, site).lines()))
    return 0
