"""`biotrakr upkeep`: once a day, for every organization, plan what comes due (occurrences of
preventive maintenance and their work orders) and compute the figures of every asset (usage,
reliability, money) that reporting.asset_full shows. Run it from cron; to run it twice does no harm.
"""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.cli.migrate import database_url
from pipeline.database.connect import connect
from pipeline.jobs.upkeep import upkeep


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "upkeep", help="plan maintenance and compute figures, once a day", description=__doc__
    )
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    with connect(database_url(options), application_name="biotrakr upkeep") as connection:
        for one in upkeep(connection):
            print(
                f"{one.organization}: {one.occurrences} due, {one.work_orders} work orders opened, "
                f"figures of {one.assets} assets"
            )
    return 0
