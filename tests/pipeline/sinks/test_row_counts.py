"""Rows by table, as a real database counts them."""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.database.connect import connect
from pipeline.database.testing import shared_server
from pipeline.sinks.row_counts import counting_cursor, table_written


def test_rows_of_every_kind_of_statement(pytestconfig: pytest.Config) -> None:
    rows: Counter[str] = Counter()
    with shared_server(pytestconfig).empty() as url, connect(url) as connection:
        connection.execute("create schema s")
        connection.execute("create table s.t (n int primary key)")
        connection.cursor_factory = counting_cursor(connection.cursor_factory, rows)
        insert = "insert into s.t values (%s) on conflict do nothing"
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("create temp table stage (n int)")
            cursor.executemany(insert, [(1,), (2,), (2,)])
            with cursor.copy("copy s.t (n) from stdin") as copy:
                for number in range(10, 15):
                    copy.write_row((number,))
            with cursor.copy("copy stage (n) from stdin") as copy:
                copy.write_row((20,))
            cursor.execute("insert into s.t select n from stage")
            cursor.execute("update s.t set n = n + 100 where n >= 10")
            cursor.execute("select count(*) from s.t")
            (count,) = cursor.fetchone() or (None,)
    assert count == 8
    assert rows == {"s.t": 2 + 5 + 1 + 6}


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("\ninsert into A.b (x) values (%s)", "a.b"),
        (b"copy a.b (x) from stdin (format binary)", "a.b"),
        ("delete from a.b where x", "a.b"),
        ("insert into stage values (1)", None),
        ("select 1 from a.b", None),
        ("create temp table x (like a.b)", None),
    ],
)
def test_which_table(statement: str | bytes, table: str | None) -> None:
    assert table_written(statement) == table
