"""CSV files as columns. Names are matched without regard to case; unknown columns are ignored."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.evaluation.errors import InputError

MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "-"})
SEPARATORS = ",;\t"
UNITS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))
"""A number of seconds since 1970 has 10 digits; more digits mean ms, us or ns."""
LIMIT_S = 1e11


@dataclass(frozen=True)
class Columns:
    """Rows that are not blank. `lines[i]` is where row i stands in the file."""

    path: Path
    names: tuple[str, ...]
    rows: list[list[str]]
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def has(self, name: str) -> bool:
        return name in self.names

    def text(self, name: str) -> list[str]:
        """Stripped; "" where the row is too short."""
        i = self.names.index(name)
        return [row[i].strip() if i < len(row) else "" for row in self.rows]

    def numbers(self, name: str) -> Floats:
        """NaN where nothing is given. Raises InputError where something is not a number."""
        text = self.text(name)
        try:
            return np.array(text, dtype=np.float64)
        except ValueError:
            return np.array([self._number(name, i, value) for i, value in enumerate(text)])

    def times_s(self, name: str) -> Floats:
        """Seconds, from numbers (s, ms, us or ns since any zero) or ISO 8601; NaN: not given."""
        text = self.text(name)
        given = next((t for t in text if t.lower() not in MISSING), "0")
        if _is_number(given):
            times = self.numbers(name)
            largest = float(np.nanmax(np.abs(times), initial=0.0))
            times = times * next((unit for above, unit in UNITS if largest > above), 1.0)
        else:
            times = np.array([self._time(name, i, value) for i, value in enumerate(text)])
        wild = np.flatnonzero(np.abs(times) > LIMIT_S)
        if len(wild):
            raise self.error(int(wild[0]), f"{name}: {text[wild[0]]} is no time")
        return times

    def error(self, row: int, problem: str) -> InputError:
        return InputError(self.path, problem, int(self.lines[row]))

    def _number(self, name: str, row: int, value: str) -> float:
        if value.lower() in MISSING:
            return np.nan
        try:
            return float(value)
        except ValueError:
            raise self.error(row, f"{name}: {value!r} is not a number") from None

    def _time(self, name: str, row: int, value: str) -> float:
        if value.lower() in MISSING:
            return np.nan
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            raise self.error(row, f"{name}: {value!r} is neither a number nor ISO 8601") from None
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def read_columns(path: Path, needed: Sequence[str]) -> Columns:
    """Raises InputError when the file cannot be read or a needed column is missing."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=separator_of(file))
            names = tuple(name.strip().lower() for name in next(reader, []))
            rows, lines = [], []
            for row in reader:
                if any(row) and not all(cell.isspace() or not cell for cell in row):
                    rows.append(row)
                    lines.append(reader.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, f"cannot be read: {error}") from None
    if not names:
        raise InputError(path, f"is empty; the first line must be {','.join(needed)}", 1)
    missing = [name for name in needed if name not in names]
    if missing:
        raise InputError(path, f"has no column {', '.join(missing)}; needed: {','.join(needed)}", 1)
    return Columns(path, names, rows, np.array(lines, dtype=np.int64))


def separator_of(file: TextIO) -> str:
    """Comma, semicolon or tab, whichever the first line has most of; the file is rewound."""
    first = file.readline()
    file.seek(0)
    return max(SEPARATORS, key=first.count)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
