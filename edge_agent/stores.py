"""Where batches go: the spool on disk, and one in memory while the disk fails.

The spool in memory is a stream of its own with a random boot, so that nothing it has sent can ever
be confused with what the disk holds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from edge_agent.batch import Draft
from edge_agent.errors import SpoolError, SpoolTooNewError
from edge_agent.logs import fields
from edge_agent.spool import MEMORY, Cursor, Spool
from edge_agent.spool_schema import is_corrupt

log = logging.getLogger("edge.spool")

MEMORY_BYTES = 8 << 20
_REOPEN_S = 5.0


class Stores:
    """`open_disk` opens the spool. Raises SpoolTooNewError at once; other failures are survived."""

    def __init__(
        self, open_disk: Callable[[], Spool], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._open_disk = open_disk
        self._clock_s = clock_s
        self._retry_at_s = 0.0
        self.disk: Spool | None = None
        self.memory: Spool | None = None
        self.error: str | None = None
        self.corruptions = 0
        self._reopen()

    def spools(self) -> list[Spool]:
        """Every spool that may hold something to send."""
        return [spool for spool in (self.disk, self.memory) if spool is not None]

    def ready(self) -> Spool:
        """The spool on disk, opened now if that failed before. Raises SpoolError."""
        if self.disk is None:
            self._reopen()
        if self.disk is None:
            raise SpoolError(self.error or "the spool is not open")
        return self.disk

    def append(self, batches: Sequence[Draft], cursor: Cursor) -> None:
        """On disk or not at all: for a source that can be read again. Raises SpoolError."""
        disk = self.ready()
        try:
            disk.append(batches, cursor)
        except SpoolError as error:
            self._failed(error)
            raise
        self._recovered()

    def append_live(self, batches: Sequence[Draft]) -> None:
        """On disk if at all possible, else in memory. Never fails."""
        if self.disk is None:
            self._reopen()
        if self.disk is not None:
            try:
                self.disk.append(batches)
            except SpoolError as error:
                self._failed(error)
            else:
                self._recovered()
                return
        if self.memory is None:
            self.memory = Spool(MEMORY, max_bytes=MEMORY_BYTES)
        self.memory.append(batches)

    def begin_new_streams(self) -> None:
        """After the clock went far back."""
        for spool in self.spools():
            try:
                spool.begin_new_stream()
            except SpoolError as error:
                self._failed(error)

    def close(self) -> None:
        for spool in self.spools():
            spool.close()

    def _reopen(self) -> None:
        if self._clock_s() < self._retry_at_s:
            return
        self._retry_at_s = self._clock_s() + _REOPEN_S
        try:
            self.disk = self._open_disk()
        except SpoolTooNewError:
            raise
        except SpoolError as error:
            self._failed(error)
            return
        self.corruptions += self.disk.moved_aside is not None

    def _failed(self, error: SpoolError) -> None:
        if str(error) != self.error:
            log.error("spool cannot be written %s", fields(error=error))
        self.error = str(error)
        if self.disk is not None and is_corrupt(error.__cause__):
            self.disk.close()
            self.disk = None
            self._retry_at_s = 0.0
            self._reopen()

    def _recovered(self) -> None:
        if self.error is not None:
            log.info("spool can be written again")
            self.error = None
        if self.memory is not None and self.memory.depth().batches == 0:
            self.memory.close()
            self.memory = None
