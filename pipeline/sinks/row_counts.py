"""How many rows each table was given, as the database counts them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from typing_extensions import override

_WRITES = re.compile(r"\s*(?:insert\s+into|update|copy|delete\s+from)\s+(\w+\.\w+)", re.IGNORECASE)
"""A table without a schema is a temporary one of ours and does not count."""


@lru_cache(maxsize=200)
def table_written(statement: str | bytes) -> str | None:
    """The table that a statement inserts into, changes or copies to; None when it does not."""
    text = statement.decode() if isinstance(statement, bytes) else statement
    found = _WRITES.match(text)
    return found[1].lower() if found else None


def counting_cursor(base: Any, rows: Counter[str]) -> type[psycopg.Cursor[Any]]:
    """A class of cursors like `base` that add what they write to `rows`, by table."""

    class CountingCursor(base):  # type: ignore[misc]
        @override
        def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
            super().execute(query, *arguments, **options)
            self._count(query)
            return self

        @override
        def executemany(self, query: Any, *arguments: Any, **options: Any) -> None:
            super().executemany(query, *arguments, **options)
            self._count(query)

        @override
        @contextmanager
        def copy(self, statement: Any, *arguments: Any, **options: Any) -> Iterator[psycopg.Copy]:
            with super().copy(statement, *arguments, **options) as copy:
                yield copy
            self._count(statement)

        def _count(self, statement: Any) -> None:
            if isinstance(statement, str | bytes) and self.rowcount > 0:
                table = table_written(statement)
                if table is not None:
                    rows[table] += self.rowcount

    return CountingCursor
