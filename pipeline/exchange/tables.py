"""CSV files and spreadsheets as rows of text, with the line each row came from.

Sizes are bounded before anything is read into memory: a file from elsewhere may be anything.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from pipeline.exchange.cells import unguard
from pipeline.exchange.errors import TableFileError

MAX_BYTES = 512 * 2**20
MAX_UNPACKED_BYTES = 2 * 2**30
MAX_COLUMNS = 500
MAX_CELL_CHARACTERS = 32_767  # what a spreadsheet cell holds
MAX_ROWS = 2_000_000
SEPARATORS = ",;\t|"
_XLSX = {".xlsx", ".xlsm"}
_SNIFFED_BYTES = 65_536


@dataclass(frozen=True)
class Line:
    """A row of the file: `number` is where it stands, from 1, as an editor or spreadsheet shows.

    `problem`: why its cells cannot be used; None: they can.
    """

    number: int
    cells: list[str]
    problem: str | None = None


@dataclass(frozen=True)
class Dialect:
    """What the user says of a file; None: found out."""

    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None


@contextmanager
def open_table(path: Path, dialect: Dialect) -> Iterator[Iterator[Line]]:
    """The lines of a file, the header first; empty ones are left out. Raises TableFileError."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise TableFileError(str(path), f"{size} bytes: split it, {MAX_BYTES} is the most")
        opened = _spreadsheet if path.suffix.lower() in _XLSX else _text
        with opened(path, dialect) as lines:
            yield _bounded(lines, path)
    except OSError as error:
        raise TableFileError(str(path), f"cannot be read: {error.strerror or error}") from None


def _bounded(lines: Iterator[tuple[int, list[str]]], path: Path) -> Iterator[Line]:
    width = None
    for row, (number, raw) in enumerate(lines):
        if row > MAX_ROWS:
            raise TableFileError(str(path), f"more than {MAX_ROWS} rows: split it")
        cells = [unguard(cell.strip()) for cell in raw]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        problem = None
        if width is None:
            width = len(cells)
            if width > MAX_COLUMNS:
                raise TableFileError(str(path), f"more than {MAX_COLUMNS} columns")
        elif len(cells) > width:
            problem = f"{len(cells)} cells where the header has {width}: is a quote missing?"
        if problem is None and any(len(cell) > MAX_CELL_CHARACTERS for cell in cells):
            problem = f"a cell of more than {MAX_CELL_CHARACTERS} characters"
        elif any("\0" in cell for cell in cells):
            problem = "a NUL character"
        yield Line(number, cells, problem)


@contextmanager
def _text(path: Path, dialect: Dialect) -> Iterator[Iterator[tuple[int, list[str]]]]:
    with path.open("rb") as binary:
        start = binary.read(_SNIFFED_BYTES)
    encoding = dialect.encoding or _encoding(path, start)
    try:
        first = start.decode(encoding, errors="replace")
    except LookupError:
        raise TableFileError(str(path), f"there is no encoding {encoding!r}") from None
    separator = dialect.separator or _separator(first)
    with path.open(encoding=encoding, newline="") as file:
        yield _csv_rows(file, separator, path, encoding)


def _csv_rows(
    file: io.TextIOWrapper, separator: str, path: Path, encoding: str
) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(16 * MAX_CELL_CHARACTERS)
    reader = csv.reader(file, delimiter=separator)
    begins = 1
    try:
        for cells in reader:
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise TableFileError(
            str(path), f"line {begins}: {error}; is a quote not closed, or is it another format?"
        ) from None
    except UnicodeDecodeError:
        raise TableFileError(
            str(path), f"near line {begins}: not {encoding}; give its encoding, such as cp1252"
        ) from None


def _encoding(path: Path, start: bytes) -> str:
    """By byte order mark, else UTF-8 if all of the file is, else what Windows writes."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"),
                       (b"\xfe\xff", "utf-16")):  # fmt: skip
        if start.startswith(mark):
            return name
    if start.startswith(b"PK\3\4"):
        raise TableFileError(str(path), "it is a spreadsheet: name it .xlsx")
    try:
        with path.open(encoding="utf-8") as file:
            for _ in iter(lambda: file.read(2**20), ""):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _separator(text: str) -> str:
    """The one that is most often in the header, outside quotes."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"(?:[^"]|"")*"', "", header)
    return max(SEPARATORS, key=bare.count)


@contextmanager
def _spreadsheet(path: Path, dialect: Dialect) -> Iterator[Iterator[tuple[int, list[str]]]]:
    try:
        import openpyxl  # noqa: PLC0415 -- an extra: CSV needs nothing of it
    except ImportError:
        raise TableFileError(
            str(path), "spreadsheets need openpyxl: pip install 'biotrakr[xlsx]', or save as CSV"
        ) from None
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise TableFileError(str(path), f"{unpacked} bytes when unpacked: save it as CSV")
        # What a formula last came to, not its text.
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except TableFileError:
        raise
    except Exception as error:
        # The library raises whatever its parts raise for a file that is no spreadsheet.
        raise TableFileError(str(path), f"not a spreadsheet: {error}") from None
    try:
        if dialect.sheet is not None and dialect.sheet not in book.sheetnames:
            names = ", ".join(book.sheetnames)
            raise TableFileError(str(path), f"no sheet {dialect.sheet!r}; it has {names}")
        sheet = book[dialect.sheet] if dialect.sheet else book.worksheets[0]
        yield (
            (number, [_cell(value) for value in itertools.islice(row, MAX_COLUMNS + 1)])
            for number, row in enumerate(sheet.iter_rows(values_only=True), 1)
        )
    finally:
        book.close()


def _cell(value: Any) -> str:
    """As the value would be written in a CSV file."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
