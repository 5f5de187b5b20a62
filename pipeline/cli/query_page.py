"""The catalogue page, sql/README.md: written from the headers, checked by a test."""

from __future__ import annotations

from itertools import groupby

from pipeline.cli.errors import CliError
from pipeline.database.catalogue import AUDIENCES, Query
from pipeline.database.files import sql_folder

PAGE = "README.md"
_HEAD = """\
# The catalogue

Written by `biotrakr query catalogue --write` from the headers of the files; do not edit.

`biotrakr query U01 --param from=2026-01-01 --format csv` asks a question by its code or its name;
`biotrakr query show U01` prints its notes and its SQL. A parameter with a default may be left out;
a time may be written as `now - 7 days`, a date as `today - 7 days`. Every query reads one
organization, as an analyst, in a transaction that can only read.
"""


def page(queries: list[Query]) -> str:
    """The whole file."""
    letters = ", ".join(f"{letter} {who}" for letter, who in AUDIENCES.items())
    parts = [_HEAD, f"{len(queries)} queries. Audience: {letters}.\n"]
    for category, group in groupby(queries, key=lambda query: query.category):
        parts.append(f"## {category.replace('_', ' ').capitalize()}\n")
        parts.append("| code | query | question | for | parameters | columns |")
        parts.append("|---|---|---|---|---|---|")
        parts += [_line(query) for query in group]
        parts.append("")
    return "\n".join(parts)


def command(queries: list[Query], *, write: bool) -> int:
    """Print the page, or write it. Raises CliError where the folder is not writable."""
    text = page(queries)
    if not write:
        print(text)
        return 0
    path = sql_folder() / PAGE
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}") from None
    print(f"{path}: {len(queries)} queries")
    return 0


def _line(query: Query) -> str:
    parameters = "<br>".join(f"`{parameter}`" for parameter in query.parameters)
    notes = " (operator)" if query.operator else ""
    cells = (
        query.code,
        f"[{query.name}]({query.path})",
        query.title.replace("|", "\\|") + notes,
        " ".join(query.audience),
        parameters.replace("|", "\\|"),
        ", ".join(query.columns),
    )
    return f"| {' | '.join(cells)} |"
