"""Files as people have them: encodings, separators, spreadsheets, and what is no table at all."""

from __future__ import annotations

import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange import tables
from pipeline.exchange.cells import guard, unguard
from pipeline.exchange.errors import TableFileError
from pipeline.exchange.tables import Dialect, open_table

NONE = Dialect()


def read(path, dialect=NONE):
    with open_table(path, dialect) as lines:
        return [(line.number, line.cells, line.problem) for line in lines]


def cells(path, dialect=NONE):
    return [cells for _, cells, _ in read(path, dialect)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators_are_found(tmp_path, encoding, separator):
    path = tmp_path / "list.csv"
    rows = [["Tag", "Gerät", "Größe"], ["1", "Spritzenpumpe", "klein"], ["2", "Überwachung", "ß"]]
    path.write_text("\r\n".join(separator.join(row) for row in rows), encoding=encoding)
    assert cells(path) == rows


def test_a_separator_within_quotes_does_not_count(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text('"a,b,c,d";"e"\n1;2\n', encoding="utf-8")
    assert cells(path) == [["a,b,c,d", "e"], ["1", "2"]]


def test_lines_are_numbered_as_an_editor_does(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text('\na,b\n"one\ntwo",2\n\n3,4\n', encoding="utf-8")
    assert [(n, c) for n, c, _ in read(path)] == [
        (2, ["a", "b"]),
        (3, ["one\ntwo", "2"]),
        (6, ["3", "4"]),
    ]


def test_lines_that_do_not_fit_are_told(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("a,b\n1,2,3\n4,5,\n" + "x" * 40_000 + ",1\n", encoding="utf-8")
    problems = [problem for _, _, problem in read(path)]
    assert problems[0] is None and problems[2] is None
    assert "3 cells where the header has 2" in problems[1]
    assert "more than 32767 characters" in problems[3]


@pytest.mark.parametrize(
    "content, said",
    [
        (b"a,b\n1," + b"x" * 600_000, "field larger"),
        (b"PK\3\4rest", "name it .xlsx"),
        (b"\xff\xfea", "not utf-16"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, content, said):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(TableFileError, match=said):
        read(path)


def test_a_wrong_encoding_is_told(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes("a\nü\n".encode("cp1252"))
    with pytest.raises(TableFileError, match="not utf-8"):
        read(path, Dialect(encoding="utf-8"))
    with pytest.raises(TableFileError, match="cannot be read"):
        read(tmp_path / "absent.csv")


def test_a_spreadsheet(tmp_path):
    path = tmp_path / "list.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Tag", "Cost", "Date", "At", "Serial", "Yes"])
    at = datetime(2024, 2, 29, 13, 5)  # noqa: DTZ001 -- spreadsheets know no time zones
    sheet.append(["A-1", 1250.5, date(2024, 2, 29), at, 12345678, True])
    sheet.append([])
    sheet.append(["A-2", 7.0, None, None, "0012", False])
    other = book.create_sheet("Second")
    other.append(["x"])
    book.save(path)
    assert read(path) == [
        (1, ["Tag", "Cost", "Date", "At", "Serial", "Yes"], None),
        (2, ["A-1", "1250.5", "2024-02-29", "2024-02-29 13:05:00", "12345678", "true"], None),
        (4, ["A-2", "7", "", "", "0012", "false"], None),
    ]
    assert cells(path, Dialect(sheet="Second")) == [["x"]]
    with pytest.raises(TableFileError, match="no sheet 'Third'; it has Sheet, Second"):
        read(path, Dialect(sheet="Third"))


def test_what_is_no_spreadsheet_is_refused(tmp_path):
    path = tmp_path / "list.xlsx"
    path.write_bytes(b"hello")
    with pytest.raises(TableFileError, match="not a spreadsheet"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(TableFileError, match="not a spreadsheet"):
        read(path)


def test_a_spreadsheet_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 3_000_000)
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(tables, "MAX_UNPACKED_BYTES", 1_000_000)
    with pytest.raises(TableFileError, match="when unpacked"):
        read(path)


@pytest.mark.parametrize("limit, value", [("MAX_BYTES", 3), ("MAX_ROWS", 1), ("MAX_COLUMNS", 1)])
def test_sizes_are_bounded(tmp_path, monkeypatch, limit, value):
    path = tmp_path / "list.csv"
    path.write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    assert len(read(path)) == 3
    monkeypatch.setattr(tables, limit, value)
    with pytest.raises(TableFileError):
        read(path)


@pytest.mark.parametrize("text", ["=1+1", "+A123BJC5D6E71G", "-2", "@x", "'tis", "\tx", "'=1"])
def test_formulas_are_made_harmless(text):
    assert guard(text) == "'" + text and unguard(guard(text)) == text


@given(st.text())
def test_guarding_loses_nothing(text):
    assert unguard(guard(text)) == text
    assert guard(text)[:1] not in tuple("=+-@\t\r")


def test_an_apostrophe_of_ones_own_stays():
    assert guard("O'Hara") == "O'Hara" and unguard("'plain") == "'plain"
