"""`biotrakr query`: ask one question of the catalogue.

NAME is a code (U01), a name (utilization_by_type) or both. `list` shows all, `show NAME` one with
its parameters and its SQL, `catalogue --write` renews the page in sql/README.md.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from pipeline.cli import query_output, query_page
from pipeline.cli.errors import CliError
from pipeline.cli.migrate import database_url
from pipeline.cli.output_file import whole_file
from pipeline.database.catalogue import AUDIENCES, Query, UnknownQuery, find_query, read_catalogue
from pipeline.database.connect import connect
from pipeline.database.query import BadParameter, answering
from pipeline.registry.ids import make_id

TABLE_ROWS = 200
STREAMED_ROWS = 1_000_000


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "query", help="ask one of the documented questions", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("name", metavar="NAME", nargs="+", help="or list, show NAME, catalogue")
    parser.add_argument("--param", action="append", default=[], metavar="KEY=VALUE",
                        help="repeat; a time may be written as: now - 7 days")  # fmt: skip
    parser.add_argument("--format", choices=query_output.FORMATS, default="table")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument("--limit", type=int, metavar="ROWS",
                        help=f"default: {TABLE_ROWS} in a table, else {STREAMED_ROWS}")  # fmt: skip
    parser.add_argument("--timeout", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--as-of", metavar="TIME", help="what now and today mean")
    parser.add_argument("--organization", metavar="CODE",
                        help="for a login that may see several")  # fmt: skip
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    parser.add_argument("--audience", choices=AUDIENCES, help="of list: for whom")
    parser.add_argument("--write", action="store_true", help="of catalogue: renew sql/README.md")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    queries = read_catalogue()
    verb, rest = options.name[0], " ".join(options.name[1:])
    try:
        if verb == "list" and not rest:
            return _list(queries, options.audience)
        if verb == "catalogue" and not rest:
            return query_page.command(queries, write=options.write)
        if verb == "show" and rest:
            return _show(find_query(queries, rest))
        return _ask(find_query(queries, " ".join(options.name)), options)
    except (UnknownQuery, BadParameter) as error:
        raise CliError(str(error)) from None


def _list(queries: list[Query], audience: str | None) -> int:
    chosen = [query for query in queries if audience is None or audience in query.audience]
    width = max((len(query.name) for query in chosen), default=0)
    for query in chosen:
        print(f"{query.code}  {query.name:{width}}  {query.title}  [{','.join(query.audience)}]")
    return 0


def _show(query: Query) -> int:
    print(query.text.rstrip())
    return 0


def _ask(query: Query, options: argparse.Namespace) -> int:
    limit = options.limit
    if limit is None:
        limit = TABLE_ROWS if options.format == "table" else STREAMED_ROWS
    if limit < 1 or not options.timeout > 0:
        raise CliError("--limit and --timeout must be greater than zero")
    given = dict(_pair(text) for text in options.param)
    cut = False
    with (
        suppress(BrokenPipeError),  # as of `| head`
        connect(database_url(options), application_name="biotrakr query") as connection,
        answering(
            connection,
            query,
            given,
            organization=_organization(options.organization),
            as_of=options.as_of,
            statement_timeout_s=options.timeout,
        ) as answer,
        whole_file(options.output) as out,
    ):
        cut = query_output.write(answer, out, options.format, limit)
    if cut:
        print(f"biotrakr: more than {limit} rows; --limit shows more", file=sys.stderr)
    return 0


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise CliError(f"--param {text!r}: write KEY=VALUE")
    return key.strip(), value


def _organization(text: str | None) -> UUID | None:
    """A code, or an id."""
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        return make_id("organization", text)
