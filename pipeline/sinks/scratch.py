"""A scratch schema: the dataflow's tables once more, under a name that starts with replay_.

Created and dropped by the role that owns the production tables, written by the dataflow's own.
Nothing is published from it: the outbox there is a table that nobody reads and that wakes nobody.
The location history is a hypertable like its model, because a replay is also a measurement of the
write path; its chunks lie in the scratch schema and go with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import psycopg
from psycopg import sql

from pipeline.sinks.errors import ScratchError

Statement: TypeAlias = sql.SQL | sql.Composed
OWNER, WRITER = "biotrakr_owner", "biotrakr_ingest"
_NAME = re.compile(r"replay_[a-z0-9_]{1,34}")
_TABLE = re.compile(r"\b(?:telemetry|tracking|pipeline)\.(?=[a-z])")

_TABLES = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('telemetry', 'tracking', 'pipeline') and c.relkind = 'r'
    and has_table_privilege(%s, c.oid, 'insert')
order by 1, 2
"""
_HYPERTABLES = """
select hypertable_schema, hypertable_name, column_name, time_interval
from timescaledb_information.dimensions where dimension_number = 1
"""
_TRIGGERS = """
select pg_get_triggerdef(oid) from pg_trigger
where tgrelid = %s::regclass and tgname in ('fill_building')
"""
"""Those that complete a row. The outbox's would wake the publisher."""


def check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ScratchError(f"{name!r}: a scratch schema's name is replay_ and 1 to 34 of a-z 0-9 _")
    return name


def redirect(statement: str, schema: str) -> str:
    """The same statement on the tables of a scratch schema; the registry stays where it is."""
    return _TABLE.sub(f"{check_name(schema)}.", statement)


def redirected(
    connect: Callable[[], psycopg.Connection[Any]], schema: str
) -> Callable[[], psycopg.Connection[Any]]:
    """Connections whose every statement goes to `schema`: what is given to the sink."""
    check_name(schema)

    class Redirected(psycopg.Cursor[Any]):
        """Parameters are data and are left alone."""

        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            return super().execute(_moved(query), params, **options)

        def executemany(self, query: Any, params_seq: Iterable[Any], **options: Any) -> None:
            super().executemany(_moved(query), params_seq, **options)

        def copy(self, statement: Any, params: Any = None, **options: Any) -> Any:
            return super().copy(_moved(statement), params, **options)

    def _moved(query: Any) -> bytes:
        if isinstance(query, sql.Composable):
            raise TypeError("give a scratch connection plain statements")
        text = query.decode() if isinstance(query, bytes) else query
        return redirect(text, schema).encode()

    def open_redirected() -> psycopg.Connection[Any]:
        connection = connect()
        connection.cursor_factory = Redirected
        return connection

    return open_redirected


def label(connection: psycopg.Connection[Any], schema: str) -> dict[str, Any] | None:
    """What `create` was told about the schema; None: there is no such schema."""
    row = connection.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s",
        (check_name(schema),),
    ).fetchone()
    if row is None:
        return None
    try:
        found = json.loads(row[0] or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def drop(connection: psycopg.Connection[Any], schema: str) -> None:
    """Drop it with everything in it. Raises ScratchError when the login may not."""
    _as_owner(connection, [sql.SQL("drop schema if exists {} cascade").format(_name(schema))])


def create(connection: psycopg.Connection[Any], schema: str, about: dict[str, Any]) -> None:
    """Make the schema and empty copies of every table that the dataflow writes.

    Same columns, defaults, keys, checks and indexes; no foreign keys, which would tie the
    registry's rows to a scratch copy, and no row security: only the dataflow's role has rights.
    """
    tables = connection.execute(_TABLES, (WRITER,)).fetchall()
    intervals = {(s, t): (column, every) for s, t, column, every in
                 connection.execute(_HYPERTABLES).fetchall()}  # fmt: skip
    target, statements = _name(schema), list[Statement]()
    for source, table in tables:
        copy = sql.SQL("{}.{}").format(target, sql.Identifier(table))
        model = sql.SQL("{}.{}").format(sql.Identifier(source), sql.Identifier(table))
        statements.append(sql.SQL("create table {} (like {} including all)").format(copy, model))
        if (source, table) in intervals:
            column, every = intervals[source, table]
            statements.append(_hypertable(schema, table, column, every))
        for (trigger,) in connection.execute(_TRIGGERS, (f"{source}.{table}",)).fetchall():
            moved = trigger.replace(f" ON {source}.{table} ", f" ON {schema}.{table} ")
            statements.append(sql.SQL(moved))
    statements += [
        sql.SQL("grant usage on schema {} to {}").format(target, sql.Identifier(WRITER)),
        sql.SQL("grant select, insert, update on all tables in schema {} to {}").format(
            target, sql.Identifier(WRITER)
        ),
        sql.SQL("comment on schema {} is {}").format(target, sql.Literal(json.dumps(about))),
    ]
    first = sql.SQL("create schema {} authorization {}").format(target, sql.Identifier(OWNER))
    _as_owner(connection, statements, before=first)


def _hypertable(schema: str, table: str, column: str, every: Any) -> sql.Composed:
    return sql.SQL(
        "select public.create_hypertable({}, {}, chunk_time_interval => {}::interval, "
        "associated_schema_name => {}, create_default_indexes => false)"
    ).format(f"{schema}.{table}", column, every, schema)


def _as_owner(
    connection: psycopg.Connection[Any],
    statements: Iterable[Statement],
    before: Statement | None = None,
) -> None:
    """In one transaction: `before` as the login itself, the rest as the owner of everything."""
    try:
        with connection.transaction():
            if before is not None:
                connection.execute(before)
            connection.execute(sql.SQL("set local role {}").format(sql.Identifier(OWNER)))
            for statement in statements:
                connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        raise ScratchError(
            f"this login may not make or drop a scratch schema ({error.diag.message_primary}): "
            "give --owner-url the login that migrates; rows are still written as --database-url"
        ) from None


def _name(schema: str) -> sql.Identifier:
    return sql.Identifier(check_name(schema))
