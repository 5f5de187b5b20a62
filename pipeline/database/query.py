"""Run one question of the catalogue: as an analyst, read only, bounded in time.

Never as whoever connected, when that is more than an analyst: a superuser would look past row
security.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row

from pipeline.database.catalogue import Parameter, Query
from pipeline.database.connect import Connection
from pipeline.database.errors import DatabaseError

ANALYST = "biotrakr_analyst"
OPERATOR = "biotrakr_backup"  # reads every organization, writes nothing
_MOMENTS = {
    "now": "coalesce(%s::timestamptz, now())",
    "today": "coalesce(%s::timestamptz, now())::date",
}
_BATCH = 1000


class BadParameter(DatabaseError):
    """What to write instead, in one line."""


class QueryFailed(DatabaseError):
    """The server's words; `sqlstate` tells kinds apart."""

    def __init__(self, query: Query, problem: str, sqlstate: str | None) -> None:
        super().__init__(f"{query}: {problem}")
        self.sqlstate = sqlstate


@dataclass(frozen=True)
class Answer:
    """`rows` come as they are fetched; leave it before the transaction ends."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@contextmanager
def answering(
    connection: Connection,
    query: Query,
    given: Mapping[str, str],
    *,
    organization: UUID | None = None,
    as_of: str | None = None,
    statement_timeout_s: float = 60,
) -> Iterator[Answer]:
    """Open a read-only transaction and the query's cursor in it.

    `given` holds parameters as text. `organization` is for logins that may see several. `as_of` is
    what `now` and `today` mean; None: the database's clock.
    Raises BadParameter, QueryFailed.
    """
    # A plan for any value could not leave out chunks while it is made.
    connection.prepare_threshold = None
    try:
        with connection.transaction():
            confine(connection, query, organization, statement_timeout_s)
            values = resolve(connection, query, given, as_of)
            with connection.cursor(name="answer", row_factory=tuple_row) as cursor:
                cursor.itersize = _BATCH
                cursor.execute(query.body.encode(), values)
                columns = tuple(column.name for column in cursor.description or ())
                yield Answer(columns, iter(cursor))
    except psycopg.errors.QueryCanceled:
        raise QueryFailed(
            query, f"took longer than {statement_timeout_s:g} s: ask for a shorter time", "57014"
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        who = "an operator's login" if query.operator else "a login of an analyst"
        problem = error.diag.message_primary or str(error)
        raise QueryFailed(query, f"{problem}; it needs {who}", error.sqlstate) from None
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        problem = error.diag.message_primary or str(error)
        raise QueryFailed(query, problem, error.sqlstate) from None


def resolve(
    connection: Connection, query: Query, given: Mapping[str, str], as_of: str | None = None
) -> dict[str, str | None]:
    """Name -> text that the server accepts as the parameter's type. Raises BadParameter."""
    known = {parameter.name: parameter for parameter in query.parameters}
    for name in given:
        if name not in known:
            raise BadParameter(f"{query} has no parameter {name!r}; {_accepted(query.parameters)}")
    if as_of is not None and not _is_valid(connection, as_of, "timestamptz"):
        raise BadParameter(f"--as-of: {as_of!r} is not a valid timestamptz")
    values: dict[str, str | None] = {}
    for name, parameter in known.items():
        text = given.get(name, parameter.default)
        if text is None:
            raise BadParameter(f"{query} needs --param {name}=... ({parameter.type})")
        values[name] = _value(connection, parameter, text.strip(), as_of)
    return values


def _value(
    connection: Connection, parameter: Parameter, text: str, as_of: str | None
) -> str | None:
    if text.lower() == "null" and parameter.default == "null":
        return None
    moment, _, rest = text.partition(" ")
    if parameter.type in ("date", "timestamptz") and moment in _MOMENTS:
        return _relative(connection, parameter, moment, rest.strip(), as_of)
    if not _is_valid(connection, text, parameter.type):
        raise BadParameter(f"--param {parameter.name}: {text!r} is not a valid {parameter.type}")
    return text


def _relative(
    connection: Connection, parameter: Parameter, moment: str, rest: str, as_of: str | None
) -> str:
    """`now - 30 days`, by the database's clock."""
    sign, span = rest[:1] or "+", rest[1:].strip() or "0 days"
    if sign not in "+-" or span.startswith("-") or not _is_valid(connection, span, "interval"):
        raise BadParameter(
            f"--param {parameter.name}: write {moment} or {moment} - 30 days, not {moment} {rest}"
        )
    row = connection.execute(
        f"select ({_MOMENTS[moment]} {sign} %s::interval)::{parameter.type}::text".encode(),
        (as_of, span),
    ).fetchone()
    assert row is not None
    return str(row[0])


def _is_valid(connection: Connection, text: str, type_: str) -> bool:
    row = connection.execute("select pg_input_is_valid(%s, %s)", (text, type_)).fetchone()
    return row == (True,)


def _accepted(parameters: Sequence[Parameter]) -> str:
    if not parameters:
        return "it takes none"
    return f"it takes {', '.join(parameter.name for parameter in parameters)}"


def confine(
    connection: Connection, query: Query, organization: UUID | None, timeout_s: float = 60
) -> None:
    """Make the transaction that was just begun one of an analyst, or of an operator."""
    connection.execute("set transaction read only")
    settings = {
        "app.org_id": str(organization or ""),
        "statement_timeout": str(round(timeout_s * 1000)),
        "jit": "off",
        "work_mem": "64MB",  # sorts of a report stay in memory
        # Behind row security the planner expects far fewer rows than come: a nested loop over a
        # stored subquery then costs its square.
        "enable_material": "off",
        "cursor_tuple_fraction": "1",  # all rows are wanted, not the first few soon
    }
    for name, value in settings.items():
        connection.execute("select set_config(%s, %s, true)", (name, value))
    role = OPERATOR if query.operator else ANALYST
    may = connection.execute(
        "select to_regrole(%s) is not null and pg_has_role(%s, 'set')", (role, role)
    ).fetchone()
    if may == (True,):
        connection.execute(f"set local role {role}".encode())
    elif connection.execute(
        "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"
    ).fetchone() == (True,):
        raise BadParameter(f"this login looks past row security and may not become {role}")
    if not query.operator:
        _require_organization(connection, organization)


def _require_organization(connection: Connection, wanted: UUID | None) -> None:
    """An answer without rows must not mean that nobody was asked."""
    row = connection.execute(
        "select exists (select from registry.organization where deleted_at is null)"
    ).fetchone()
    if row == (True,):
        return
    if wanted is None:
        raise BadParameter("name the organization: --organization CODE")
    raise BadParameter("this organization does not exist, or this login may not see it")
