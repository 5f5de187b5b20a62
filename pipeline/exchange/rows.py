"""A line of a list as values, or as problems: what can be told without the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pipeline.exchange import udi
from pipeline.exchange.mapping import ColumnMap
from pipeline.exchange.tables import Line
from pipeline.exchange.values import Conventions

_SHOWN = 80


@dataclass(frozen=True)
class Problem:
    """`line` counts from 1 in the file; `value`: the cell, or its beginning."""

    line: int
    tag_number: str
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        where = f"line {self.line}"
        where += f", {self.tag_number}" if self.tag_number else ""
        cell = f" {self.value!r}" if self.value else ""
        return (
            f"{where}: {self.field}{cell}: {self.reason}"
            if self.field
            else (f"{where}: {self.reason}")
        )


@dataclass
class Row:
    """`values`: field name -> value; None: the cell was blank. `columns`: of registry.asset.

    `label`: columns that its UDI tells; what stands in a column of its own wins over them.
    """

    line: int
    tag_number: str
    values: dict[str, Any]
    columns: dict[str, Any] = field(default_factory=dict)
    label: dict[str, Any] = field(default_factory=dict)

    def problem(self, field_name: str, reason: str) -> Problem:
        value = self.values.get(field_name)
        return Problem(self.line, self.tag_number, field_name, _shown(value), reason)


def read_rows(
    lines: Iterable[Line], mapping: ColumnMap, conventions: Conventions, current_year: int
) -> Iterator[Row | list[Problem]]:
    """One item a line: its row, or all that is wrong with it. A tag number counts once."""
    first_at: dict[str, int] = {}
    for line in lines:
        row, problems = _row(line, mapping, conventions)
        if not problems:
            problems = list(_from_udi(row, current_year))
        tag = row.tag_number
        if not problems and not tag:
            problems = [row.problem("asset_tag_number", "it is missing")]
        if not problems and (before := first_at.setdefault(tag, line.number)) != line.number:
            problems = [row.problem("asset_tag_number", f"it stands on line {before} too")]
        yield problems or row


def _row(line: Line, mapping: ColumnMap, conventions: Conventions) -> tuple[Row, list[Problem]]:
    row = Row(line.number, "", {})
    problems: list[Problem] = []
    if line.problem is not None:
        return row, [row.problem("", line.problem)]
    cells = line.cells + [""] * (len(mapping.columns) - len(line.cells))
    for found, cell in zip(mapping.columns, cells, strict=True):
        if found is None or not found.kept:
            continue
        if not cell:
            row.values[found.name] = None
            continue
        try:
            row.values[found.name] = found.parse(cell, conventions)
        except ValueError as error:
            problems.append(Problem(line.number, "", found.name, _shown(cell), str(error)))
    row.tag_number = row.values.get("asset_tag_number") or ""
    for found in mapping.columns:
        if found is not None and found.column and found.name in row.values:
            row.columns[found.column] = row.values[found.name]
    return row, [Problem(p.line, row.tag_number, p.field, p.value, p.reason) for p in problems]


def _from_udi(row: Row, current_year: int) -> Iterator[Problem]:
    """Fills `row.label`; all that cannot be read."""
    for name, read in (
        ("udi_carrier", udi.from_carrier),
        ("udi_device_identifier", udi.from_device_identifier),
        ("udi_production_identifier", udi.from_production_identifier),
    ):
        text = row.values.get(name)
        if text is None:
            continue
        try:
            columns = read(text, current_year)
        except ValueError as error:
            yield row.problem(name, str(error))
            continue
        if name == "udi_device_identifier":
            if columns["udi_di"] == row.label.get("udi_di"):
                continue  # the label says the same, and more
            if columns["udi_issuer"] is None and row.values.get("udi_issuer"):
                columns = {"udi_di": columns["udi_di"]}
        row.label |= columns


def _shown(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def plain(value: Any) -> Any:
    """For JSON: decimals as text, which keeps their digits."""
    return str(value) if isinstance(value, Decimal) else value
