"""The audit trail, checked: is the chain of every organization as it was written, and does it know
the newest version of every row?"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from psycopg.rows import tuple_row

from pipeline.database.connect import Connection

NEWEST = 10_000
"""Rows of a chain that a quick look reads: less than a second."""


@dataclass(frozen=True)
class Problem:
    """`where` is a row of the trail (its sequence), or a row of a table."""

    where: str
    problem: str


@dataclass(frozen=True)
class Chain:
    """`head` is the newest hash in hex: written down elsewhere it proves all that is before it."""

    organization: str
    rows: int
    head: str
    problems: list[Problem] = field(default_factory=list)


def verify(connection: Connection, organization: str | None = None) -> list[Chain]:
    """Every organization, or the one with that code. Needs a role that sees all of it: a
    superuser or biotrakr_backup. Raises LookupError for an unknown code."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        known = cursor.execute(
            "select id, code from registry.organization where %(code)s::text is null "
            "or code = %(code)s order by code, id",
            {"code": organization},
        ).fetchall()
    if organization is not None and not known:
        raise LookupError(f"no organization has the code {organization}")
    return [_verify(connection, one, code) for one, code in known]


def verify_newest(connection: Connection, rows: int = NEWEST) -> list[Chain]:
    """The newest links of every organization's chain, without a look at the tables: quick."""
    known = connection.execute("select id, code from registry.organization order by code, id")
    return [_verify(connection, one, code, rows) for one, code in known.fetchall()]


def _verify(
    connection: Connection, organization: UUID, code: str, newest: int | None = None
) -> Chain:
    head = connection.execute(
        "select sequence, encode(hash, 'hex') from audit.log where organization_id = %s "
        "order by sequence desc limit 1",
        (organization,),
    ).fetchone()
    rows, digest = head or (0, "")
    since = 1 if newest is None else max(1, rows - newest + 1)
    problems = [
        Problem(f"row {sequence}", problem)
        for sequence, problem in connection.execute(
            "select sequence, problem from audit.verify(%s, %s)", (organization, since)
        )
    ]
    if newest is not None:
        return Chain(code, rows, digest, problems)
    problems += [
        Problem(f"{relation} {row}", _version(version, recorded))
        for relation, row, version, recorded in connection.execute(
            "select relation, row_id, version, recorded from audit.unrecorded(%s)", (organization,)
        )
    ]
    return Chain(code, rows, digest, problems)


def _version(version: int, recorded: int | None) -> str:
    known = "does not know it" if recorded is None else f"knows version {recorded} last"
    return f"is at version {version}, and the trail {known}"
