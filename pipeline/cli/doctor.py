"""`biotrakr doctor`: what this edition of TimescaleDB lacks, and what is wrong with the database.

Exit status: 0 nothing is wrong (an edition may lack something), 1 something is. Run it as the user
that migrates.
"""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.cli.migrate import database_url
from pipeline.database.doctor import examine

_MARKS = {"fine": " ", "lacks": "-", "wrong": "!"}


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "doctor", help="say what is wrong with the database", description=__doc__
    )
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    parser.add_argument("--quiet", action="store_true", help="only what is wrong")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    findings = examine(database_url(options))
    wrong = [one for one in findings if one.verdict == "wrong"]
    for one in wrong if options.quiet else findings:
        print(f"{_MARKS[one.verdict]} {one.subject}: {one.text}")
    lacking = sum(one.verdict == "lacks" for one in findings)
    if not options.quiet:
        print(f"{len(wrong)} wrong (!), {lacking} not in this edition (-)")
    return 1 if wrong else 0
