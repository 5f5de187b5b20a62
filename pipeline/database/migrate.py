"""The migration runner: plain SQL files, sent whole, so that the server is the one that parses.

Order: bootstrap, functions, migrations, features, views. Migrations are applied once and never
change (roll-forward only); functions and views again when their text changed; features at every
run, because what the edition offers may have changed. One runner at a time, one transaction a
file. Functions come first because triggers and policies of a migration need them; their bodies
are not checked then, since the tables they read may not be there yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from pipeline.database.connect import Connection, connect
from pipeline.database.errors import DriftError, MigrationError, MigrationFailed
from pipeline.database.files import Kind, SqlFile, read_bootstrap, read_files, sql_folder
from pipeline.database.server import Server, require_server
from pipeline.database.views import functions_made

OWNER = "biotrakr_owner"
_LOCK_KEY = 0x62696F74  # "biot": one runner a database
_LOCK_TIMEOUT = "10s"  # better to fail than to queue every reader behind us
_STATEMENT_TIMEOUT = "30min"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Applied:
    """One file that this run applied."""

    path: str
    kind: Kind
    seconds: float


def migrate(
    url: str,
    progress: Progress | None = None,
    *,
    folder: Path | None = None,
    wait_s: float = 600,
) -> list[Applied]:
    """Bring the database at `url` to the state of the files; return what was applied.

    Safe to call at any time and from several processes: the others wait up to `wait_s`.
    Raises ConnectionFailed, UnsupportedServer, SqlFileError, DriftError, MigrationFailed.
    """
    folder = folder or sql_folder()
    report = progress or (lambda _: None)
    with connect(url, application_name="biotrakr migrate") as connection:
        connection.add_notice_handler(_reporter(report))
        server = require_server(connection)
        report(str(server))
        with _only_runner(connection, report, wait_s):
            return list(_run(connection, server, folder, report))


def _run(
    connection: Connection, server: Server, folder: Path, report: Progress
) -> Iterator[Applied]:
    _send(connection, read_bootstrap(folder))
    known = read_known(connection)
    migrations = read_files(folder, "migration")
    check_drift(migrations, known)
    functions = read_files(folder, "function")
    yield from _apply(connection, _changed(functions, known), report)
    for file in migrations:
        if file.path in known:
            continue
        if file.needs_community and not server.is_community:
            report(f"{file.path}: left out, it needs the Community edition of TimescaleDB")
            continue
        yield from _apply(connection, [file], report)
    for file in read_files(folder, "feature"):
        _send(connection, file)
    for view in read_files(folder, "view"):
        # A feature, or a view that this one reads, may have been made anew and taken it along.
        if known.get(view.path) != view.sha256 or not view_exists(connection, view):
            yield from _apply(connection, [view], report)


def read_known(connection: Connection) -> dict[str, str]:
    """Path -> hash of every file that was applied."""
    return dict(connection.execute("select path, sha256 from ops.migration").fetchall())


def view_exists(connection: Connection, view: SqlFile) -> bool:
    found = connection.execute("select to_regclass(%s)", (f"reporting.{view.name}",)).fetchone()
    return found is not None and found[0] is not None


def check_drift(migrations: list[SqlFile], known: dict[str, str]) -> None:
    """Raise DriftError when an applied migration differs from its file or has none."""
    files = {file.path: file.sha256 for file in migrations}
    applied = {path: sha for path, sha in known.items() if path.startswith("migrations/")}
    problems = [
        f"{path}: " + ("was changed after it was applied" if path in files else "has no file here")
        for path, sha in sorted(applied.items())
        if files.get(path) != sha
    ]
    if problems:
        raise DriftError(problems)


def _changed(files: list[SqlFile], known: dict[str, str]) -> list[SqlFile]:
    return [file for file in files if known.get(file.path) != file.sha256]


def _apply(connection: Connection, files: list[SqlFile], report: Progress) -> Iterator[Applied]:
    for file in files:
        seconds = _send(connection, file, record=True)
        report(f"{file.path}: applied in {seconds:.2f} s")
        yield Applied(file.path, file.kind, seconds)


def _send(connection: Connection, file: SqlFile, *, record: bool = False) -> float:
    """Run one file, and write it down in the same transaction."""
    started = time.monotonic()
    try:
        if not file.in_transaction:
            _send_alone(connection, file)
            return _record(connection, file, started) if record else 0.0
        with connection.transaction():
            connection.execute(f"set local lock_timeout = '{_LOCK_TIMEOUT}'")
            connection.execute(f"set local statement_timeout = '{_STATEMENT_TIMEOUT}'")
            if file.kind == "function":
                connection.execute("set local check_function_bodies = off")
            if file.as_owner:
                connection.execute(f"set local role {OWNER}")
            if file.kind == "view":
                _make_room(connection, file)
            connection.execute(file.text.encode())
            return _record(connection, file, started) if record else 0.0
    except psycopg.Error as error:
        raise _failure(file, error) from error


def _make_room(connection: Connection, view: SqlFile) -> None:
    """Drop the view, the functions beside it and what reads them: that is made again."""
    connection.execute(f"drop view if exists reporting.{view.name} cascade".encode())
    made = connection.execute(
        "select oid::regprocedure::text from pg_proc "
        "where pronamespace = 'reporting'::regnamespace and proname = any (%s)",
        (functions_made(view.text),),
    ).fetchall()
    for (function,) in made:
        connection.execute(f"drop function if exists {function} cascade".encode())


def _send_alone(connection: Connection, file: SqlFile) -> None:
    # Session settings: there is no transaction that could carry them.
    try:
        connection.execute(f"set lock_timeout = '{_LOCK_TIMEOUT}'")
        if file.as_owner:
            connection.execute(f"set role {OWNER}")
        connection.execute(file.text.encode())
    finally:
        connection.execute("reset role")
        connection.execute("reset lock_timeout")


def _record(connection: Connection, file: SqlFile, started: float) -> float:
    seconds = time.monotonic() - started
    connection.execute(
        "insert into ops.migration (path, kind, sha256, duration_ms) values (%s, %s, %s, %s) "
        "on conflict (path) do update set sha256 = excluded.sha256, "
        "applied_at = clock_timestamp(), applied_by = session_user, "
        "duration_ms = excluded.duration_ms",
        (file.path, file.kind, file.sha256, round(seconds * 1000)),
    )
    return seconds


def _failure(file: SqlFile, error: psycopg.Error) -> MigrationFailed:
    diag = error.diag
    parts = [diag.message_primary or str(error), diag.message_detail, diag.message_hint]
    line = None
    if diag.statement_position:
        line = file.text.count("\n", 0, int(diag.statement_position) - 1) + 1
    problem = "; ".join(part for part in parts if part)
    return MigrationFailed(file.path, problem, sqlstate=error.sqlstate, line=line)


@contextmanager
def _only_runner(connection: Connection, report: Progress, wait_s: float) -> Iterator[None]:
    """Hold the advisory lock; it goes with the session, so a killed runner leaves none behind.

    Polled rather than waited for: a waiting statement holds a snapshot, for which the other
    runner's CREATE INDEX CONCURRENTLY would wait in turn.
    """
    deadline = time.monotonic() + wait_s
    told = False
    while not _locked(connection):
        if not told:
            report("another migration is running; waiting for it")
            told = True
        if time.monotonic() > deadline:
            raise MigrationError(f"another migration has been running for {wait_s:.0f} s")
        time.sleep(0.1)
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("select pg_advisory_unlock(%s)", (_LOCK_KEY,))


def _locked(connection: Connection) -> bool:
    row = connection.execute("select pg_try_advisory_lock(%s)", (_LOCK_KEY,)).fetchone()
    return row is not None and bool(row[0])


def _reporter(report: Progress) -> Callable[[psycopg.errors.Diagnostic], None]:
    """Pass on what try_feature has to say and every warning; other notices are chatter."""

    def handle(notice: psycopg.errors.Diagnostic) -> None:
        text = notice.message_primary or ""
        if notice.severity_nonlocalized == "WARNING" or text.startswith("feature "):
            report(text)

    return handle
