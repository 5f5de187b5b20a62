"""`biotrakr import` and `biotrakr export`: equipment lists in and out."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from pipeline.cli.errors import CliError
from pipeline.cli.migrate import database_url
from pipeline.cli.output_file import whole_file
from pipeline.database.connect import connect
from pipeline.exchange import export_csv, export_query, fhir
from pipeline.exchange.cells import guard
from pipeline.exchange.import_assets import BATCH, Report, Wishes, import_assets
from pipeline.exchange.mapping import ColumnMap, map_columns, read_mapping
from pipeline.exchange.rows import Problem, read_rows
from pipeline.exchange.tables import Dialect, Line, open_table
from pipeline.exchange.values import Conventions
from pipeline.registry.ids import make_id

SHOWN = 20
_EPILOG = """\
The header of the file may use the registry's field names or what lists usually say: "Asset Tag",
"Serial No.", "Acquisition Cost". --column 'HEADER=FIELD' says it otherwise, 'HEADER=-' leaves one
out. Lines that are wrong are named and left out; the rest goes in, a batch a transaction. To start
again after an interruption, give the same command: what is there already is left alone.
"""


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "import", help="an equipment list into the registry", description=__doc__,
        epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("what", choices=("assets",))
    parser.add_argument("file", type=Path, help="CSV or XLSX")
    parser.add_argument("--organization", required=True, metavar="CODE")
    parser.add_argument("--user", required=True, metavar="NAME", help="who imports, for the audit")
    parser.add_argument("--facility", metavar="CODE", help="of assets whose line names none")
    parser.add_argument("--column", action="append", default=[], metavar="HEADER=FIELD")
    parser.add_argument("--columns", type=Path, metavar="FILE", help='TOML: "Header" = "field"')
    parser.add_argument("--encoding", help="default: found out (UTF-8, UTF-16, Windows)")
    parser.add_argument("--separator", help="default: found out (, ; tab |)")
    parser.add_argument("--sheet", help="of a spreadsheet; default: the first")
    parser.add_argument("--dates", choices=("dmy", "mdy"), help="order in dates like 3/4/2025")
    parser.add_argument("--decimal-comma", action="store_true", help="numbers like 1.234,50")
    parser.add_argument("--clear-blanks", action="store_true", help="a blank cell takes it away")
    parser.add_argument("--known-only", action="store_true",
                        help="refuse unknown makers, models, types and vendors")  # fmt: skip
    parser.add_argument("--strict", action="store_true", help="one bad line: nothing is written")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be; write nothing")
    parser.add_argument("--errors", type=Path, metavar="FILE", help="bad lines as CSV")
    parser.add_argument("--batch", type=int, default=BATCH, metavar="LINES")
    parser.add_argument("--role", default="biotrakr_app", help="role to take on")
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    parser.set_defaults(command=_import)
    _register_export(commands)


def _register_export(commands: Any) -> None:
    parser = commands.add_parser(
        "export", help="the registry's assets as a list or as FHIR", description=__doc__
    )
    parser.add_argument("what", choices=("assets",))
    parser.add_argument("--format", choices=("csv", "fhir-r4", "fhir-r5"), default="csv")
    parser.add_argument("--ndjson", action="store_true", help="FHIR: a resource a line, no bundle")
    parser.add_argument("--organization", required=True, metavar="CODE")
    parser.add_argument("--facility", metavar="CODE", help="default: all")
    parser.add_argument("--user", metavar="NAME", help="who exports, for the audit")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument("--role", default="biotrakr_app", help="role to take on")
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    parser.set_defaults(command=_export)


def _export(options: argparse.Namespace) -> int:
    with (
        connect(database_url(options), role=options.role) as connection,
        connection.transaction(),
    ):
        id_ = make_id("organization", options.organization)
        reason = f"{options.format}, {options.facility or 'all facilities'}"
        code, name = export_query.begin(connection, id_, options.user, reason)
        assets = export_query.assets(connection, options.facility)
        with whole_file(options.output) as file:
            if options.format == "csv":
                count = export_csv.write(assets, file)
            else:
                release: fhir.Release = "R4" if options.format == "fhir-r4" else "R5"
                exporter = fhir.Exporter(release, code, id_, name)
                places = list(export_query.places(connection))
                write = fhir.write_ndjson if options.ndjson else fhir.write_bundle
                count = write(exporter.resources(places, assets), file)
    print(f"{count} written", file=sys.stderr)
    return 0


def _import(options: argparse.Namespace) -> int:
    """0: every line went in (or would); 1: some did not."""
    wishes = Wishes(
        organization=options.organization,
        user=options.user,
        facility=options.facility,
        clear_blanks=options.clear_blanks,
        strict=options.strict,
        dry_run=options.dry_run,
        enter_new=not options.known_only,
        batch=_batch(options.batch),
        reason=f"import of {options.file.name}"[:1000],
    )
    dialect = Dialect(options.encoding, _separator(options.separator), options.sheet)
    chosen = read_mapping(options.columns, options.column)
    conventions = Conventions(options.dates, options.decimal_comma)
    with open_table(options.file, dialect) as lines, _Told(options.errors) as told:
        header = next(lines, Line(1, []))
        mapping = map_columns(header.cells, chosen)
        _tell_mapping(mapping)
        rows = read_rows(lines, mapping, conventions, datetime.now(UTC).year)
        with connect(database_url(options), role=options.role) as connection:
            report = import_assets(connection, rows, wishes, told, _progress())
    print("\n".join(_summary(report, wishes, told)))
    return 1 if report.bad else 0


class _Told:
    """Hears problems: the first ones go to standard error, all of them into a file."""

    def __init__(self, path: Path | None) -> None:
        self._path, self.count = path, 0
        self._file: TextIO | None = None

    def __enter__(self) -> _Told:
        if self._path is not None:
            try:
                self._file = self._path.open("w", encoding="utf-8", newline="")
            except OSError as error:
                raise CliError(f"{self._path}: cannot be written: {error.strerror}") from None
            self._writer = csv.writer(self._file)
            self._writer.writerow(("line", "asset_tag_number", "field", "value", "reason"))
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def __call__(self, problem: Problem) -> None:
        self.count += 1
        if self._file is not None:
            cells = (problem.tag_number, problem.field, problem.value, problem.reason)
            self._writer.writerow((problem.line, *map(guard, cells)))
        if self.count <= SHOWN:
            print(problem, file=sys.stderr)
        elif self.count == SHOWN + 1:
            where = "in the file" if self._file else "with --errors FILE"
            print(f"... the other ones stand {where}", file=sys.stderr)


def _tell_mapping(mapping: ColumnMap) -> None:
    for line in mapping.lines():
        print(f"column {line}", file=sys.stderr)


def _progress() -> Any:
    """One line that is written over, where somebody looks."""
    if not sys.stderr.isatty():
        return lambda report: None

    def show(report: Report) -> None:
        print(f"\r{report.lines} lines, {report.bad} bad", end="", file=sys.stderr, flush=True)

    return show


def _summary(report: Report, wishes: Wishes, told: _Told) -> Iterator[str]:
    would = "would be " if wishes.dry_run else ""
    if wishes.strict and report.bad and not wishes.dry_run:
        yield f"{report.bad} bad line(s): nothing was written"
        return
    yield f"{would}{report.inserted} new, {report.changed} changed, {report.unchanged} as before"
    yield f"{report.bad} bad line(s), {told.count} problem(s)"
    if report.incomplete:
        yield (
            f"{report.incomplete} lack required fields still: reporting.v_asset_incomplete "
            "says which"
        )
    yield from report.added.lines()


def _batch(lines: int) -> int:
    if not 1 <= lines <= 10_000:
        raise CliError("--batch: 1 to 10000 lines")
    return lines


def _separator(text: str | None) -> str | None:
    text = {"tab": "\t", "\\t": "\t"}.get(text or "", text)
    if text is not None and (len(text) != 1 or text in '"\r\n'):
        raise CliError("--separator: one character, or tab")
    return text
