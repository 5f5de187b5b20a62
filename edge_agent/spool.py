"""The spool: batches on disk until the pipeline has acknowledged them. SQLite, WAL, full sync.

A stream is (boot, sequence 1, 2, 3, ...). `boot` is a hash of the spool's own identity, the
kernel's boot id and a turn number: a process that crashes goes on in the same stream (its commits
survive), while after a power loss, when a disk may have lied about them, a new stream begins; so a
sequence is never used twice for different content.

Every call may block for a disk sync. Calls from several threads take turns.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge_agent import faults
from edge_agent.batch import Draft
from edge_agent.errors import SpoolError
from edge_agent.spool_age import Age, uptime_s
from edge_agent.spool_reserve import Reserve
from edge_agent.spool_schema import explained, is_full, open_database
from pipeline.contracts.reads import MAX_EARLIER

OVERHEAD_BYTES = 100
"""What a row costs beside its payload."""
MEMORY = ":memory:"
_EVERYTHING, _A_BIT = -1, 100
"""How many batches are deleted in one transaction."""
_COLUMNS = "row, boot, sequence, until_us, anchor_us, synchronised, kernel_boot, payload"
"""In the order of Stored's fields."""
_AFTER = f"SELECT {_COLUMNS} FROM batches WHERE row > ? ORDER BY row LIMIT ?"  # noqa: S608
_NEWEST = (
    f"SELECT {_COLUMNS} FROM batches WHERE row > ? AND created_us >= ? AND anchor_us NOT NULL"  # noqa: S608
    " AND row > (SELECT max(row) FROM batches) - 100 ORDER BY row DESC LIMIT ?"
)
"""Looks at the newest hundred only: a long backlog must not be walked through again and again."""
_EARLIER = """
SELECT boot, sequence FROM streams
WHERE boot <> ? AND EXISTS (SELECT 1 FROM batches WHERE batches.boot = streams.boot) LIMIT ?
"""
_KERNEL_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch in the spool. `row` grows with age of arrival over all streams."""

    row: int
    boot: str
    sequence: int
    until_us: int
    anchor_us: int | None
    synchronised: bool
    kernel_boot: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a replay file has been taken in; see readers.replay for the fields' meaning."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Depth:
    batches: int
    bytes: int
    oldest_created_us: int | None


class Spool:
    """Open with `Spool(path)`; `Spool(MEMORY)` is the fall-back while the disk fails.

    Bounds: `max_bytes` of batches and `max_age_s` since they were stored; beyond them the oldest
    go, counted in `dropped_batches` and `dropped_reads`. Raises SpoolError, SpoolTooNewError.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        max_bytes: int = 2 << 30,
        max_age_s: float = 30 * 86_400,
        wall_s: Callable[[], float] = time.time,
        uptime_s: Callable[[], float] = uptime_s,
        kernel_boot: str | None = None,
    ) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._wall_s = wall_s
        self._lock = threading.RLock()
        self._database, self.moved_aside = open_database(path)
        self._reserve = Reserve(None if path == MEMORY else Path(f"{path}.reserve"))
        self._reserve.keep()
        self.kernel_boot = kernel_boot or _kernel_boot()
        self._age = Age(self.kernel_boot, wall_s, uptime_s)
        self.version = 0
        """Changes whenever batches were added or removed."""
        with self._writing() as database:
            self._begin_stream(database, turn=None)
            self._age.follow(database)
            self._batches, self._bytes = database.execute(
                "SELECT count(*), coalesce(sum(bytes), 0) FROM batches"
            ).fetchone()

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _begin_stream(self, database: sqlite3.Connection, turn: int | None) -> None:
        row = database.execute("SELECT value FROM meta WHERE name = 'uuid'").fetchone()
        identity = row[0] if row else uuid.uuid4().hex
        if row is None:
            database.execute("INSERT INTO meta VALUES ('uuid', ?)", (identity,))
        stored = database.execute("SELECT value FROM meta WHERE name = 'turn'").fetchone()
        number = turn if turn is not None else int(stored[0]) if stored else 0
        database.execute("INSERT OR REPLACE INTO meta VALUES ('turn', ?)", (str(number),))
        content = f"{identity} {self.kernel_boot} {number}"
        self.boot = hashlib.sha256(content.encode()).hexdigest()[:32]
        self._turn = number
        database.execute("INSERT OR IGNORE INTO streams(boot) VALUES (?)", (self.boot,))
        self.sequence, self.until_us = database.execute(
            "SELECT sequence, until_us FROM streams WHERE boot = ?", (self.boot,)
        ).fetchone()

    def begin_new_stream(self) -> None:
        """After the clock went far back: promises of the old stream do not bind the new one."""
        with self._writing() as database:
            self._begin_stream(database, self._turn + 1)

    def append(self, batches: Sequence[Draft], cursor: Cursor | None = None) -> None:
        """Store batches, and the cursor they were made up to, in one transaction."""
        created_us = round(self._wall_s() * 1e6)
        with self._writing() as database:
            self._age.follow(database)
            sequence, until_us, size = self.sequence, self.until_us, 0
            for draft in batches:
                sequence += 1
                until_us = draft.until_us if until_us is None else max(until_us, draft.until_us)
                payload = draft.encode(self.boot, sequence, until_us)
                size += len(payload) + OVERHEAD_BYTES
                self._insert(database, draft, sequence, until_us, created_us, payload)
            database.execute(
                "UPDATE streams SET sequence = ?, until_us = ? WHERE boot = ?",
                (sequence, until_us, self.boot),
            )
            if cursor is not None:
                database.execute(
                    "INSERT OR REPLACE INTO cursors VALUES (?, ?)", (cursor.name, cursor.value)
                )
            freed = self._drop_beyond_bounds(database, size, created_us)
            faults.passing("spool-insert")
        faults.passing("spool-committed")
        self.sequence, self.until_us = sequence, until_us
        self._batches += len(batches) - freed[0]
        self._bytes += size - freed[1]
        self.version += 1

    def _insert(
        self,
        database: sqlite3.Connection,
        draft: Draft,
        sequence: int,
        until_us: int,
        created_us: int,
        payload: bytes,
    ) -> None:
        database.execute(
            "INSERT INTO batches(boot, sequence, until_us, created_us, anchor_us, synchronised,"
            " kernel_boot, reads, bytes, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(self.boot, sequence, until_us, created_us, draft.anchor_us, draft.synchronised),
                *(self.kernel_boot, len(draft.reads), len(payload) + OVERHEAD_BYTES, payload),
            ),
        )

    def _drop_beyond_bounds(
        self, database: sqlite3.Connection, added: int, now_us: int
    ) -> tuple[int, int]:
        """Give up the oldest until the bounds hold. Returns batches and bytes given up."""
        excess = self._bytes + added - self._max_bytes
        expired_us = now_us - round(self._max_age_s * 1e6)
        rows, reads, size = [], 0, 0
        query = "SELECT row, created_us, reads, bytes FROM batches ORDER BY row"
        for row, created_us, row_reads, row_bytes in database.execute(query):
            if size >= excess and created_us >= expired_us:
                break
            rows.append(row)
            reads += row_reads
            size += row_bytes
        if rows:
            database.execute("DELETE FROM batches WHERE row <= ?", (rows[-1],))
            _count(database, "dropped_batches", len(rows))
            _count(database, "dropped_reads", reads)
        return len(rows), size

    def acknowledge(self, boot: str, sequence: int) -> int:
        """Delete every batch of `boot` up to `sequence`; returns how many there were.

        Nothing is deleted for a sequence that was never given out: such an ack is not ours.
        """
        try:
            deleted = self._delete(boot, sequence, _EVERYTHING)
        except SpoolError as error:
            if not is_full(error.__cause__) or not self._reserve.give_up():
                raise
            deleted = self._delete_bit_by_bit(boot, sequence)
        self._reserve.keep()
        return deleted

    def _delete(self, boot: str, sequence: int, at_most: int) -> int:
        # Deleting need not survive a power cut: what comes back is sent again and dropped as a
        # repeat. It saves every second disk sync.
        with self._writing(durable=False) as database:
            known = database.execute(
                "SELECT sequence FROM streams WHERE boot = ?", (boot,)
            ).fetchone()
            if known is None or sequence > known[0]:
                return 0
            sizes = database.execute(
                "DELETE FROM batches WHERE row IN (SELECT row FROM batches WHERE boot = ?"
                " AND sequence <= ? ORDER BY sequence LIMIT ?) RETURNING bytes",
                (boot, sequence, at_most),
            ).fetchall()
            self._forget_streams(database)
            faults.passing("ack-deleting")
        self._batches -= len(sizes)
        self._bytes -= sum(size for (size,) in sizes)
        self.version += 1
        return len(sizes)

    def _delete_bit_by_bit(self, boot: str, sequence: int) -> int:
        """On a full disk: each step leaves room for the next."""
        deleted = 0
        while step := self._delete(boot, sequence, _A_BIT):
            deleted += step
            with self._reading() as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return deleted

    def give_up(self, row: int) -> None:
        """Drop one batch that cannot be read; it is counted like one that found no room."""
        with self._writing() as database:
            found = database.execute(
                "DELETE FROM batches WHERE row = ? RETURNING reads, bytes", (row,)
            ).fetchall()
            _count(database, "dropped_batches", len(found))
            _count(database, "dropped_reads", sum(reads for reads, _ in found))
        self._batches -= len(found)
        self._bytes -= sum(size for _, size in found)
        self.version += 1

    def _forget_streams(self, database: sqlite3.Connection) -> None:
        """Streams of earlier boots that hold nothing any more."""
        database.execute(
            "DELETE FROM streams WHERE boot <> ? AND NOT EXISTS"
            " (SELECT 1 FROM batches WHERE batches.boot = streams.boot)",
            (self.boot,),
        )

    def after(self, row: int, limit: int) -> list[Stored]:
        """The oldest batches beyond `row`."""
        with self._reading() as database:
            return [Stored(*found) for found in database.execute(_AFTER, (row, limit))]

    def newest(self, row: int, within_s: float, limit: int) -> list[Stored]:
        """The newest batches of live readers beyond `row`, stored `within_s`, oldest first."""
        since_us = round((self._wall_s() - within_s) * 1e6)
        with self._reading() as database:
            rows = database.execute(_NEWEST, (row, since_us, limit)).fetchall()
            return [Stored(*found) for found in reversed(rows)]

    def oldest_sequence(self, boot: str) -> int | None:
        """The smallest sequence of `boot` that is still here."""
        query = "SELECT min(sequence) FROM batches WHERE boot = ?"
        with self._reading() as database:
            smallest: int | None = database.execute(query, (boot,)).fetchone()[0]
            return smallest

    def earlier(self) -> dict[str, int]:
        """Earlier boots of which batches are still here, each with its highest sequence."""
        with self._reading() as database:
            return dict(database.execute(_EARLIER, (self.boot, MAX_EARLIER)).fetchall())

    def cursor(self, name: str) -> str | None:
        with self._reading() as database:
            row = database.execute("SELECT value FROM cursors WHERE name = ?", (name,)).fetchone()
            return row[0] if row else None

    def counter(self, name: str) -> int:
        """dropped_batches or dropped_reads, over the life of this spool."""
        with self._reading() as database:
            row = database.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()
            return int(row[0]) if row else 0

    def depth(self) -> Depth:
        query = "SELECT created_us FROM batches ORDER BY row LIMIT 1"
        with self._reading() as database:
            row = database.execute(query).fetchone()
        return Depth(self._batches, self._bytes, row[0] if row else None)

    @property
    def filled(self) -> float:
        """Share of `max_bytes` in use."""
        return float(self._bytes / self._max_bytes)

    @contextmanager
    def _writing(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction; nothing of it stays when anything fails."""
        with self._reading() as database:
            database.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._database
            except sqlite3.Error as error:
                raise SpoolError(explained(self.path, error)) from error


def _count(database: sqlite3.Connection, name: str, amount: int) -> None:
    database.execute(
        "INSERT INTO counters VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = value + ?",
        (name, amount, amount),
    )


def _kernel_boot() -> str:
    try:
        return _KERNEL_BOOT.read_text().strip()
    except OSError:
        return uuid.uuid4().hex  # unknown: never continue an old stream
