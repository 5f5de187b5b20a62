"""Opening the spool's database: schema, version, and what to do with a corrupt file."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from pathlib import Path

from edge_agent.errors import SpoolError, SpoolTooNewError
from edge_agent.logs import fields

log = logging.getLogger("edge.spool")

VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS streams (
    boot TEXT PRIMARY KEY, sequence INTEGER NOT NULL DEFAULT 0, until_us INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    boot TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    anchor_us INTEGER,
    synchronised INTEGER NOT NULL,
    kernel_boot TEXT NOT NULL,
    reads INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (boot, sequence)
);
CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
_READ_ONLY = "the file system is read-only"
_CORRUPT = ("not a database", "malformed", "corrupt")


def open_database(path: Path | str) -> tuple[sqlite3.Connection, Path | None]:
    """The database, and where a corrupt predecessor was put aside (None: there was none).

    Raises SpoolTooNewError, or SpoolError when the place cannot be written.
    """
    try:
        return _open(path), None
    except sqlite3.Error as error:
        if not is_corrupt(error):
            raise SpoolError(explained(path, error)) from error
        aside = _move_aside(Path(path))
        log.error("corrupt spool moved aside %s", fields(path=path, aside=aside, error=error))
    try:
        return _open(path), aside
    except sqlite3.Error as error:
        raise SpoolError(explained(path, error)) from error


def explained(path: Path | str, error: BaseException) -> str:
    """The error in a line; SQLite has no word for the commonest end of a memory card."""
    text = f"spool {path}: {error}"
    if isinstance(path, Path) and _READ_ONLY not in text.lower() and _is_read_only(path):
        text += f" ({_READ_ONLY}: a worn or damaged card?)"
    return text


def _is_read_only(path: Path) -> bool:
    folder = next((f for f in path.parents if f.exists()), path)
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def is_full(error: BaseException | None) -> bool:
    """Whether this error says that there is no room on the disk."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def is_corrupt(error: BaseException | None) -> bool:
    """Whether this error says that the file's content is damaged."""
    return isinstance(error, sqlite3.DatabaseError) and any(word in str(error) for word in _CORRUPT)


def _open(path: Path | str) -> sqlite3.Connection:
    try:
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpoolError(f"spool {path}: {error}") from error
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        _prepare(database, str(path))
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection, path: str) -> None:
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found > VERSION:
        raise SpoolTooNewError(path, found, VERSION)
    for setting in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "journal_size_limit=4194304",
        "cache_size=-2000",
    ):
        database.execute(f"PRAGMA {setting}").fetchall()
    if found == 0:  # another process may be at it too: the second finds everything made
        database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version={VERSION}; COMMIT;")
    # Walks the table's pages: damage shows here, where it can still be put aside.
    database.execute("SELECT count(*), sum(bytes) FROM batches").fetchone()
    database.execute("SELECT count(*) FROM streams, meta, cursors, counters").fetchone()


def _move_aside(path: Path) -> Path:
    """The files of the database under another name; only the newest damaged one is kept."""
    for old in path.parent.glob(f"{path.name}.corrupt-*"):
        old.unlink(missing_ok=True)
    aside = path.with_name(f"{path.name}.corrupt-{int(time.time())}")
    for suffix in ("", "-wal", "-shm"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(aside.with_name(aside.name + suffix))
    return aside
