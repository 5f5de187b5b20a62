"""An equipment list into the registry: upsert by asset tag, a batch a transaction.

What is right goes in, what is wrong is told with its line and why. Importing the same file again
changes nothing, so an import that was interrupted is simply started again. Works as biotrakr_app:
row security and the audit trail see the user on whose behalf it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from pipeline.exchange import import_statements as statements
from pipeline.exchange.errors import ExchangeError
from pipeline.exchange.fields import NEW_NEEDS
from pipeline.exchange.references import Added, Cursor, References, Unresolved
from pipeline.exchange.rows import Problem, Row, plain
from pipeline.registry.ids import make_id

BATCH = 1000
_REFUSALS = (
    psycopg.errors.IntegrityError,
    psycopg.errors.DataError,
    psycopg.errors.RaiseException,
    psycopg.errors.InsufficientPrivilege,
)
"""What the database says of a row; anything else is no row's fault."""


@dataclass(frozen=True)
class Wishes:
    """`facility`: of new assets whose line names none. `clear_blanks`: a blank cell takes the value
    away; else it leaves it. `strict`: one bad line and nothing is written. `enter_new`: unknown
    makers, models, types and vendors are entered. `reason`: for the audit trail."""

    organization: str
    user: str
    facility: str | None = None
    clear_blanks: bool = False
    strict: bool = False
    dry_run: bool = False
    enter_new: bool = True
    batch: int = BATCH
    reason: str = ""


@dataclass
class Report:
    """`incomplete`: of the lines that went in, those that lack required fields still."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: int = 0
    incomplete: int = 0
    added: Added = field(default_factory=Added)

    @property
    def lines(self) -> int:
        return self.inserted + self.changed + self.unchanged + self.bad


class _Undone(Exception):
    """Takes a strict import with bad lines back."""


def import_assets(
    connection: psycopg.Connection[Any],
    rows: Iterable[Row | list[Problem]],
    wishes: Wishes,
    tell: Callable[[Problem], None],
    progress: Callable[[Report], None] = lambda report: None,
) -> Report:
    """`tell` hears every problem in the order of the file, `progress` the count after each batch.

    Raises ExchangeError when the organization, the user or the facility is not there.
    """
    report = Report()
    whole = wishes.dry_run or wishes.strict
    try:
        with connection.transaction(force_rollback=wishes.dry_run) if whole else _nothing():
            batches = _Batches(connection, wishes, report)
            stream = iter(rows)
            while batch := list(itertools.islice(stream, wishes.batch)):
                for problem in batches.write(batch):
                    tell(problem)
                progress(report)
            if wishes.strict and report.bad and not wishes.dry_run:
                raise _Undone
    except _Undone:
        report.inserted = report.changed = report.incomplete = 0
        report.added = Added()
    return report


class _Batches:
    """Writes batches; keeps what it learnt about names."""

    def __init__(self, connection: psycopg.Connection[Any], wishes: Wishes, report: Report) -> None:
        self._connection, self._wishes, self._report = connection, wishes, report
        self._organization = make_id("organization", wishes.organization)
        with self._transaction() as cursor:
            self._user = _acting_user(cursor, wishes)
        with self._transaction() as cursor:
            self._names = References(cursor, self._organization, enter_new=wishes.enter_new)
            self._facility = self._default_facility()
        report.added = self._names.added

    def _default_facility(self) -> UUID | None:
        if self._wishes.facility is None:
            return self._names.only_facility()
        try:
            return self._names.facility(self._wishes.facility)
        except Unresolved as error:
            raise ExchangeError(str(error)) from None

    @contextmanager
    def _transaction(self) -> Iterator[Cursor]:
        with (
            self._connection.transaction(),
            self._connection.cursor(row_factory=tuple_row) as cursor,
        ):
            user = getattr(self, "_user", None)
            for name, value in (
                ("app.org_id", self._organization),
                ("app.user_id", user or ""),
                ("app.reason", self._wishes.reason),
            ):
                cursor.execute("select set_config(%s, %s, true)", (name, str(value)))
            yield cursor

    def write(self, batch: list[Row | list[Problem]]) -> list[Problem]:
        """All of it in one transaction; the lines that were refused, in order."""
        problems = [problem for item in batch if isinstance(item, list) for problem in item]
        bad_lines = {problem.line for problem in problems}
        with self._transaction() as cursor:
            # One import, or site file, of an organization at a time.
            cursor.execute(statements.LOCK, (str(self._organization),))
            known = _existing(cursor, [row for row in batch if isinstance(row, Row)],
                              self._wishes.organization)  # fmt: skip
            good = []
            for row in batch:
                if isinstance(row, list):
                    continue
                try:
                    good.append((row, self._record(cursor, row, known.get(row.tag_number))))
                except Unresolved as error:
                    problems.append(row.problem(error.field, str(error)))
            new = [pair for pair in good if pair[0].tag_number not in known]
            old = [pair for pair in good if pair[0].tag_number in known]
            problems += self._insert(cursor, new)
            problems += self._update(cursor, old)
        bad_lines |= {problem.line for problem in problems}
        self._report.bad += len(bad_lines)
        return sorted(problems, key=lambda problem: problem.line)

    def _record(self, cursor: Cursor, row: Row, known: statements.Known | None) -> dict[str, Any]:
        """Columns of registry.asset as JSON; a column that is not there keeps its value."""
        if known is not None and known.deleted:
            raise Unresolved("asset_tag_number", "that asset was deleted; restore it first")
        record = {column: plain(value) for column, value in row.columns.items()
                  if value is not None}  # fmt: skip
        if self._wishes.clear_blanks:
            record |= {
                column: None
                for column, value in row.columns.items()
                if value is None and column not in statements.ALWAYS
            }
        if known is None or not known.has_label(row.label):
            record = {column: plain(value) for column, value in row.label.items()} | record
        record |= self._places(row, known)
        for name, column, find in (
            ("department", "department_id", self._names.department),
            ("custodian", "custodian_id", self._names.user),
            ("funding_source", "funding_source_id", self._names.funding_source),
        ):
            if (value := row.values.get(name)) is not None:
                record[column] = str(find(value))
        if (vendor := row.values.get("vendor")) is not None:
            record["vendor_id"] = str(self._names.vendor(cursor, vendor))
        if known is None:
            self._require(row, record)
        record |= self._model(cursor, row, record, known)
        record["id"] = str(
            known.id if known else make_id("asset", self._wishes.organization, row.tag_number)
        )
        record["expected_version"] = row.values.get("version") if known else None
        return record

    def _places(self, row: Row, known: statements.Known | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        named = row.values.get("facility")
        facility = self._names.facility(named) if named else None
        facility = facility or (known.facility if known else self._facility)
        if facility is None:
            raise Unresolved("facility", "it is missing; add the column or give --facility")
        if named or known is None:
            found["facility_id"] = str(facility)
        if (room := row.values.get("home_room")) is not None:
            found["home_room_id"] = str(self._names.room(facility, room))
        return found

    def _require(self, row: Row, record: dict[str, Any]) -> None:
        """What a new asset cannot do without."""
        for name in NEW_NEEDS:
            if row.values.get(name) is None:
                raise Unresolved(name, "it is missing, and the asset is new")
        if "category" not in record:
            type_name = row.values.get("device_subcategory")
            category = self._names.category(type_name) if type_name else None
            if category is None:
                raise Unresolved("device_category", "it is missing, and the asset is new")
            record["category"] = category

    def _model(
        self, cursor: Cursor, row: Row, record: dict[str, Any], known: statements.Known | None
    ) -> dict[str, Any]:
        """device_model_id, if the line says another model than the registry has."""
        maker = record.get("manufacturer") or (known.manufacturer if known else "")
        number = record.get("model") or (known.model if known else "")
        same = known is not None and (maker, number) == (known.manufacturer, known.model)
        if same and known is not None and known.device_model is not None:
            return {}
        found = self._names.model(
            cursor, maker, number,
            type_name=row.values.get("device_subcategory"),
            category=record.get("category") or (known.category if known else None),
            risk=row.values.get("risk_classification"),
        )  # fmt: skip
        return {} if found is None and same else {"device_model_id": str(found) if found else None}

    def _insert(self, cursor: Cursor, pairs: list[tuple[Row, dict[str, Any]]]) -> list[Problem]:
        def run(some: list[tuple[Row, dict[str, Any]]]) -> list[Problem]:
            data = [statements.DEFAULTS | record for _, record in some]
            parameters = {"rows": Jsonb(data), "organization": self._organization,
                          "user": self._user}  # fmt: skip
            written = cursor.execute(statements.INSERT, parameters).fetchall()
            self._report.inserted += len(written)
            self._report.incomplete += sum(not complete for (complete,) in written)
            return []

        return _divided(cursor, pairs, run)

    def _update(self, cursor: Cursor, pairs: list[tuple[Row, dict[str, Any]]]) -> list[Problem]:
        def run(some: list[tuple[Row, dict[str, Any]]]) -> list[Problem]:
            by_id = {UUID(record["id"]): row for row, record in some}
            data = Jsonb([record for _, record in some])
            problems = []
            for id_, differs, version, complete in cursor.execute(
                statements.UPDATE, {"rows": data}
            ).fetchall():
                row = by_id[id_]
                expected = row.values.get("version")
                if differs and expected is not None and expected != version:
                    reason = f"the registry has version {version} by now: somebody changed it"
                    problems.append(row.problem("version", reason))
                    continue
                self._report.changed += differs
                self._report.unchanged += not differs
                self._report.incomplete += not complete
            return problems

        return _divided(cursor, pairs, run)


def _divided(
    cursor: Cursor,
    pairs: list[tuple[Row, dict[str, Any]]],
    run: Callable[[list[tuple[Row, dict[str, Any]]]], list[Problem]],
) -> list[Problem]:
    """Run it for all; where the database refuses, for each half, down to the lines at fault."""
    if not pairs:
        return []
    try:
        with cursor.connection.transaction():
            return run(pairs)
    except _REFUSALS as error:
        if len(pairs) == 1:
            return [_refused(pairs[0][0], error)]
    middle = len(pairs) // 2
    return _divided(cursor, pairs[:middle], run) + _divided(cursor, pairs[middle:], run)


def _refused(row: Row, error: psycopg.Error) -> Problem:
    constraint = error.diag.constraint_name
    column = error.diag.column_name or ""
    if isinstance(error, psycopg.errors.UniqueViolation):
        reason = "somebody else entered this tag number meanwhile"
    elif isinstance(error, psycopg.errors.InsufficientPrivilege):
        reason = "that is a facility you may not write to"
    elif constraint and not constraint.endswith(("_check", "_fkey", "_key")):
        reason = f"the registry refuses it: {constraint.replace('_', ' ')}"
    else:
        reason = f"the registry refuses it: {error.diag.message_primary}"
    return row.problem(column, reason)


def _acting_user(cursor: Cursor, wishes: Wishes) -> UUID:
    organization = cursor.execute(
        "select id from registry.organization where deleted_at is null"
    ).fetchone()
    if organization is None:
        raise ExchangeError(f"there is no organization {wishes.organization!r}, or not for you")
    found = cursor.execute(
        "select id from registry.user_account "
        "where username = %s and active and deleted_at is null",
        (wishes.user,),
    ).fetchone()
    if found is None:
        raise ExchangeError(f"{wishes.organization} has no active user {wishes.user!r}")
    user: UUID = found[0]
    return user


def _existing(cursor: Cursor, rows: list[Row], organization: str) -> dict[str, statements.Known]:
    """Locked, so that nobody changes them meanwhile."""
    tags = [row.tag_number for row in rows]
    ids = [make_id("asset", organization, tag) for tag in tags]
    found = cursor.execute(statements.EXISTING, {"tags": tags, "ids": ids}).fetchall()
    known = [statements.Known(*row) for row in found]
    # A living one wins over one that was deleted under the same number.
    known.sort(key=lambda asset: not asset.deleted)
    return {asset.tag_number: asset for asset in known}


@contextmanager
def _nothing() -> Iterator[None]:
    yield
