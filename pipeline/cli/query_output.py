"""An answer as a table, CSV or JSON. CSV and JSON are written row by row as they are fetched."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, TextIO

from pipeline.database.query import Answer

FORMATS = ("table", "csv", "json")
_WIDEST = 60


def write(answer: Answer, out: TextIO, form: str, limit: int) -> bool:
    """At most `limit` rows. True: there are more."""
    writers: dict[str, Callable[[Answer, Iterator[tuple[Any, ...]], TextIO], None]]
    writers = {"table": _table, "csv": _csv, "json": _json}
    rows = iter(answer.rows)
    writers[form](answer, islice(rows, limit), out)
    return next(rows, None) is not None


def _table(answer: Answer, rows: Iterator[tuple[Any, ...]], out: TextIO) -> None:
    body = [[_short(text(value)) for value in row] for row in rows]
    widths = [
        max(len(name), *(len(row[place]) for row in body)) if body else len(name)
        for place, name in enumerate(answer.columns)
    ]
    for line in (answer.columns, ["-" * width for width in widths], *body):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        out.write("  ".join(cells).rstrip() + "\n")
    out.write(f"({len(body)} row{'' if len(body) == 1 else 's'})\n")


def _csv(answer: Answer, rows: Iterator[tuple[Any, ...]], out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([_cell(value) for value in row] for row in rows)


def _json(answer: Answer, rows: Iterator[tuple[Any, ...]], out: TextIO) -> None:
    out.write("[")
    for number, row in enumerate(rows):
        record = dict(zip(answer.columns, map(plain, row), strict=True))
        out.write((",\n " if number else "\n ") + json.dumps(record, ensure_ascii=False))
    out.write("\n]\n")


def plain(value: Any) -> Any:
    """What JSON can hold; a number stays a number, an interval becomes seconds."""
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value() and abs(value) < 2**53
        return int(value) if whole else float(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return text(value)


def text(value: Any) -> str:
    """How a table and CSV show it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(text, value))
    if isinstance(value, dict):
        return json.dumps(plain(value), ensure_ascii=False)
    return str(value)


def _cell(value: Any) -> str:
    """A spreadsheet would run a text that looks like a formula."""
    shown = repr(value) if isinstance(value, float) else text(value)
    return f"'{shown}" if isinstance(value, str) and shown[:1] in "=+-@\t\r" else shown


def _short(shown: str) -> str:
    line = " ".join(shown.split())
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"
