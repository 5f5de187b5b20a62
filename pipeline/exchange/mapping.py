"""Which column of a file is which field: by the header, or as the user says."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.exchange.errors import MappingError
from pipeline.exchange.fields import BY_HEADER, BY_NAME, REQUIRED, Field, key

SKIP = "-"
"""Instead of a field: this column is not wanted."""


@dataclass(frozen=True)
class ColumnMap:
    """`columns`: for each column of the file its field; None: not used. `unknown`: such headers."""

    columns: tuple[Field | None, ...]
    headers: tuple[str, ...]
    unknown: tuple[str, ...]
    told: tuple[str, ...]
    """Fields that another table owns: read and left alone."""

    def lines(self) -> list[str]:
        """For people: what becomes of each column."""
        found = []
        for header, field in zip(self.headers, self.columns, strict=True):
            if field is None:
                found.append(f"{header!r}: not known, left out")
            elif not field.kept:
                found.append(f"{header!r}: {field.name}, another table's, left alone")
            elif key(header) != key(field.name):
                found.append(f"{header!r}: {field.name}")
        return found


def map_columns(header: Sequence[str], chosen: Mapping[str, str]) -> ColumnMap:
    """`chosen`: header -> field name or "-", over what is found by itself. Raises MappingError."""
    wishes = {key(name): field for name, field in chosen.items()}
    problems = [
        f"--column {name!r}: the file has no such header"
        for name in chosen
        if key(name) not in {key(h) for h in header}
    ]
    columns: list[Field | None] = []
    for name in header:
        wish = wishes.get(key(name))
        if wish is None:
            columns.append(BY_HEADER.get(key(name)) if name else None)
        elif wish == SKIP:
            columns.append(None)
        elif wish in BY_NAME:
            columns.append(BY_NAME[wish])
        else:
            near = difflib.get_close_matches(wish, BY_NAME, 1)
            problems.append(f"there is no field {wish!r}" + (f"; {near[0]}?" if near else ""))
            columns.append(None)
    problems += _doubles(header, columns)
    problems += [
        f"no column is {name}; name one with --column HEADER={name}"
        for name in REQUIRED
        if BY_NAME[name] not in columns
    ]
    if problems:
        raise MappingError("\n".join(problems))
    skipped = {key(name) for name, field in chosen.items() if field == SKIP}
    pairs = list(zip(header, columns, strict=True))
    return ColumnMap(
        tuple(columns),
        tuple(header),
        tuple(h for h, field in pairs if field is None and key(h) not in skipped),
        tuple(field.name for field in columns if field is not None and not field.kept),
    )


def _doubles(header: Sequence[str], columns: Sequence[Field | None]) -> list[str]:
    seen: dict[str, str] = {}
    problems = []
    for name, field in zip(header, columns, strict=True):
        if field is None or not field.kept:
            continue
        if field.name in seen:
            problems.append(
                f"{seen[field.name]!r} and {name!r} are both {field.name}; "
                f"leave one out with --column '{name}={SKIP}'"
            )
        seen.setdefault(field.name, name)
    return problems


def read_mapping(path: Path | None, options: Sequence[str]) -> dict[str, str]:
    """A TOML file of `"Header" = "field"` lines, and HEADER=FIELD options over it."""
    chosen: dict[str, str] = {}
    if path is not None:
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise MappingError(f"{path}: cannot be read: {error}") from None
        if not all(isinstance(field, str) for field in data.values()):
            raise MappingError(f'{path}: write "Header" = "field" lines and no sections')
        chosen |= data
    for option in options:
        header, equals, field = option.rpartition("=")
        if not equals or not header:
            raise MappingError(f"--column {option!r}: write HEADER=FIELD, or HEADER=-")
        chosen[header] = field
    return chosen
