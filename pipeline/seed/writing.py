"""Rows into tables by COPY, counted; the tables in the order in which they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

Row: TypeAlias = dict[str, Any]
Batch: TypeAlias = tuple[str, Iterable[Row]]
"""Table with its schema, and rows with the same keys."""


@dataclass(frozen=True)
class Stamps:
    """What the columns say that every table has, where a row does not say it itself."""

    at: datetime
    by: Mapping[UUID, UUID]
    """Organization -> who entered it."""


class Writer:
    """`told` hears each table and its rows when they are in."""

    def __init__(
        self, connection: psycopg.Connection[Any], stamps: Stamps, told: Callable[[str, int], None]
    ) -> None:
        self._connection, self._stamps, self._told = connection, stamps, told
        self._columns = _stamped(connection)

    def write(self, batches: Iterable[Batch]) -> None:
        for table, rows in batches:
            stamped = self._columns.get(table, set())
            self._told(
                table, copy_rows(self._connection, table, (self._stamp(stamped, r) for r in rows))
            )

    def _stamp(self, columns: set[str], row: Row) -> Row:
        """In place: rows are made for one use."""
        if "created_at" in columns:
            row.setdefault("created_at", self._stamps.at)
            row.setdefault("updated_at", row["created_at"])
        if "created_by" in columns and (by := self._stamps.by.get(row["organization_id"])):
            row.setdefault("created_by", by)
            row.setdefault("updated_by", by)
        return row


_EARLY = ("organization", "facility", "building", "floor", "department", "user_account")
"""They come before the users that could have entered them."""


def _stamped(connection: psycopg.Connection[Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for schema, table, column in connection.execute(
        "select table_schema, table_name, column_name from information_schema.columns "
        "where column_name in ('created_at', 'created_by')"
    ).fetchall():
        if column == "created_at" or table not in _EARLY:
            found.setdefault(f"{schema}.{table}", set()).add(column)
    return found


def copy_rows(connection: psycopg.Connection[Any], table: str, rows: Iterable[Row]) -> int:
    iterator: Iterator[Row] = iter(rows)
    first = next(iterator, None)
    if first is None:
        return 0
    names = list(first)
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    count = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in chain([first], iterator):
            if len(row) != len(names):
                raise ValueError(f"{table}: {sorted(set(row) ^ set(names))} not in every row")
            copy.write_row([_value(row[name]) for name in names])
            count += 1
    return count


def _value(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value
