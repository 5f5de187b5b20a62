"""`biotrakr seed`: fill an empty database with a hospital group that does not exist."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from typing import Any

from pipeline.cli.errors import CliError
from pipeline.cli.migrate import database_url
from pipeline.database.connect import connect
from pipeline.seed.load import load
from pipeline.seed.sizes import AS_OF, SIZES


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "seed", help="fill an empty database with an invented hospital group", description=__doc__
    )
    parser.add_argument("--size", choices=sorted(SIZES), default="demo")
    parser.add_argument("--seed", type=int, default=1, help="another number, another group")
    parser.add_argument("--as-of", default=AS_OF.isoformat(), metavar="TIME",
                        help="when its history ends, or now; default: %(default)s")  # fmt: skip
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    started = time.monotonic()
    counts: dict[str, int] = {}

    def told(table: str, rows: int) -> None:
        counts[table] = counts.get(table, 0) + rows
        elapsed = time.monotonic() - started
        print(f"{elapsed:7.1f} s  {counts[table]:>11,}  {table}", file=sys.stderr, flush=True)

    as_of = _moment(options.as_of)
    with connect(database_url(options)) as connection:
        load(connection, options.size, seed=options.seed, as_of=as_of, told=told)
        print("analyzing", file=sys.stderr, flush=True)
        connection.execute("analyze")
    seconds = time.monotonic() - started
    print(f"{sum(counts.values()):,} rows in {len(counts)} tables, {seconds:.0f} s")
    return 0


def _moment(text: str) -> datetime:
    if text == "now":
        return datetime.now(UTC).replace(microsecond=0, second=0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CliError("--as-of: write now, or a time like 2026-06-30T12:00+00:00") from None
    if not 2000 <= moment.year <= 2100:
        raise CliError("--as-of: a year from 2000 to 2100")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
