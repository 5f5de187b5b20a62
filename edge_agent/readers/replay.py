"""Reads from a file, with a durable position: what was stored is never read in again.

The cursor is stored in the same transaction as the batches made from the lines before it. It says
where the oldest line of a window that was still open begins (`offset`), how far lines had been
taken in (`position`), and up to which event time windows were closed (`closed_us`). After a restart
reading begins at `offset`; lines before `position` whose window was closed are skipped, all others
are merged again in the same order. So the merged reads are the same however often the agent dies.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

from edge_agent.batch import MAX_READS
from edge_agent.decoders.replay import LineDecoder, LineError
from edge_agent.errors import SpoolError
from edge_agent.logs import fields
from edge_agent.merge import WindowMerger
from edge_agent.readers.state import ReaderState
from edge_agent.spool import Cursor
from edge_agent.writer import BatchWriter

log = logging.getLogger("edge.reader")

_CHUNK_BYTES = 256 << 10
_LINES_A_TURN = 500
"""Lines taken in before other tasks have their turn: a few milliseconds."""
_POLL_S = 0.1
_LONGEST_LINE_BYTES = 64 << 10


class ReplayReader:
    """`stored_cursor(name)` is what the spool holds (raises SpoolError while it is not open);
    `admit(tag)` is the allow-list; `room()` says whether the spool has room for more.

    `heartbeat_s`: how often a promise without reads is worth a batch.
    """

    def __init__(
        self,
        state: ReaderState,
        path: Path,
        writer: BatchWriter,
        *,
        stored_cursor: Callable[[str], str | None],
        window_us: int,
        admit: Callable[[str], bool],
        room: Callable[[], bool],
        follow: bool = True,
        forward_random: bool = False,
        lateness_us: int = 0,
        heartbeat_s: float = 1.0,
    ) -> None:
        self._state = state
        self._path = path
        self._writer = writer
        self._window_us = window_us
        self._admit = admit
        self._room = room
        self._follow = follow
        self._lateness_us = lateness_us
        self._heartbeat_s = heartbeat_s
        self._decoder = LineDecoder(forward_random=forward_random)
        self._stored_cursor = stored_cursor
        self._restore(None)
        writer.register(state.name)
        self.bad_lines = 0
        self.unidentified = 0

    @property
    def late(self) -> int:
        """Reads that came after their window was closed."""
        return self._merger.late

    def _restore(self, stored: str | None) -> None:
        value = json.loads(stored) if stored else {}
        self._offset: int = value.get("offset", 0)
        self._seen_before: int = value.get("position", 0)
        self._first: str | None = value.get("first")
        self._closed_before: int | None = value.get("closed_us")
        self._merger = WindowMerger(self._window_us, self._closed_before)
        self._newest_us: int | None = None
        self._stored = stored
        self._rest = b""
        self._skipping = False

    async def run(self) -> None:
        """Until the end of the file, or for ever when following. Raises OSError, SpoolError."""
        self._restore(self._stored_cursor(f"replay:{self._state.name}"))
        self._writer.register(self._state.name, self._merger.closed_us)
        while True:
            while self._follow and not self._path.exists():
                self._state.turned()
                await asyncio.sleep(_POLL_S)
            with self._path.open("rb") as file:
                await self._begin(file)
                self._state.running()
                await self._read(file)
            await self._close_windows()
            if not self._follow:
                break
        self._writer.finish(self._state.name)
        log.info("replay finished %s", fields(path=self._path, reads=self._state.reads))

    async def _begin(self, file: BufferedReader) -> None:
        """Seek to where reading goes on; a file with another first line is another file.

        Its times may lie before what was promised, so it begins a new stream.
        """
        first = _first_line(file)
        if self._first is not None and first != self._first:
            log.warning("replay file is a new one, read from its start %s", fields(path=self._path))
            self._restore(None)
            self._writer.register(self._state.name)
            await self._writer.begin_new_streams()
        self._first = first
        self._rest = b""
        file.seek(self._offset)

    async def _read(self, file: BufferedReader) -> None:
        """Until the end of `file`; when following, until another file has taken its place."""
        idle_s = 0.0
        while True:
            self._state.turned()
            if data := file.read(_CHUNK_BYTES):
                await self._take_in(data)
            elif not self._follow or self._replaced(file):
                return
            else:
                stored = await self._cut(promise=idle_s >= self._heartbeat_s)
                await asyncio.sleep(_POLL_S)
                idle_s = 0.0 if stored else idle_s + _POLL_S

    def _replaced(self, file: BufferedReader) -> bool:
        if self._first is None:
            self._first = _first_line(file)
        try:
            with self._path.open("rb") as now:
                return now.seek(0, 2) < file.tell() or _first_line(now) != self._first
        except FileNotFoundError:
            return False  # renamed; the next one is about to appear

    async def _take_in(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for number, line in enumerate(lines):
            if self._skipping:
                self._offset += len(line) + 1
                self._skipping = False
                self._bad_line("line too long")
                continue
            self._line(line)
            self._offset += len(line) + 1
            if number % _LINES_A_TURN == 0:
                await asyncio.sleep(0)
            if len(self._merger.completed) >= MAX_READS:
                await self._cut(promise=True)
        if len(self._rest) > _LONGEST_LINE_BYTES:
            # Too long for any line of ours: skip to its end without keeping it.
            self._offset += len(self._rest)
            self._rest, self._skipping = b"", True

    def _line(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            found = self._decoder.decode(line)
        except LineError as error:
            self._bad_line(str(error))
            return
        if isinstance(found, int):
            self._merger.advance(found)
            return
        at_us, tag, receiver, kind, cdbm = found
        if self._offset < self._seen_before and at_us < (self._closed_before or at_us):
            return  # its window was stored before the restart
        if tag is None or not self._admit(tag):
            self.unidentified += tag is None
        else:
            self._merger.add(at_us, tag, receiver, kind, cdbm, self._offset)
            self._state.heard(at_us)
        if self._newest_us is None or at_us > self._newest_us:
            self._newest_us = at_us
            self._merger.advance(at_us - self._lateness_us)

    def _bad_line(self, problem: str) -> None:
        if self._offset < self._seen_before:
            return
        self.bad_lines += 1
        if self.bad_lines <= 3 or self.bad_lines % 1000 == 0:
            where = fields(path=self._path, byte=self._offset, problem=problem)
            log.warning("bad line skipped %s count=%d", where, self.bad_lines)

    async def _cut(self, *, promise: bool) -> bool:
        """Store what is complete. Without reads only if `promise`. Returns whether it stored."""
        if not self._merger.completed and not promise:
            return False
        cursor = self._cursor()
        if not self._merger.completed and cursor.value == self._stored:
            return False
        while not self._room():
            self._state.turned()
            await asyncio.sleep(_POLL_S)  # the file keeps what the spool cannot hold
        reads, complete_us = self._merger.take(), self._merger.closed_us
        while True:
            try:
                await self._writer.write_replay(self._state.name, reads, complete_us, cursor)
            except SpoolError as error:
                self._state.error = str(error)
                self._state.turned()
                await asyncio.sleep(1)
            else:
                break
        self._state.running()
        self._stored = cursor.value
        return True

    def _cursor(self) -> Cursor:
        oldest = self._merger.first_position()
        value = {
            "offset": self._offset if oldest is None else oldest,
            "position": self._offset,
            "closed_us": self._merger.closed_us,
            "first": self._first,
        }
        return Cursor(f"replay:{self._state.name}", json.dumps(value))

    async def _close_windows(self) -> None:
        """The end of a file that does not grow any more: everything in it is complete."""
        if self._rest:
            self._line(self._rest)
            self._offset += len(self._rest)
            self._rest = b""
        if self._newest_us is not None:
            self._merger.advance(self._newest_us + self._window_us)
        await self._cut(promise=True)


def _first_line(file: BufferedReader) -> str | None:
    """A fingerprint of the file's first complete line; None before there is one."""
    position = file.tell()
    file.seek(0)
    line = file.readline(_LONGEST_LINE_BYTES)
    file.seek(position)
    return hashlib.sha256(line).hexdigest()[:16] if line.endswith(b"\n") else None
