"""Assets as an equipment list that other systems, and `biotrakr import`, read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import Any, TextIO

from pipeline.exchange.cells import guard
from pipeline.exchange.export_query import Record
from pipeline.exchange.fields import FIELDS

COLUMNS = tuple(field.name for field in FIELDS)


def write(records: Iterable[Record], file: TextIO) -> int:
    """How many were written. Cells that a spreadsheet would run are made harmless."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for record in records:
        writer.writerow([_cell(record[name]) for name in COLUMNS])
        count += 1
    return count


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""
    return guard(str(value))
