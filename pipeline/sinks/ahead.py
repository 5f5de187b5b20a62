"""Windows written before their epoch ends, by a thread of its own, while the flow goes on.

The database then works while the flow computes, and little is left to do when the epoch ends. It is
only ahead, never apart: one transaction carries the epoch, and until its commit the whole epoch is
kept. Whatever goes wrong here is left to the end of the epoch, which then writes everything anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Condition, Thread

from pipeline.domain.events import ClosedWindow
from pipeline.sinks.transaction import Writing

log = logging.getLogger(__name__)


class Ahead:
    """`begin` opens the transaction; it is called in the thread."""

    def __init__(self, begin: Callable[[], Writing]) -> None:
        self._begin = begin
        self._changed = Condition()
        self._waiting: list[ClosedWindow] = []
        self._busy = self._broken = self._closed = False
        self._writing: Writing | None = None
        self._thread: Thread | None = None

    def give(self, windows: Sequence[ClosedWindow]) -> None:
        """The next windows of the epoch."""
        if self._thread is None:
            self._thread = Thread(target=self._work, name="sink-ahead", daemon=True)
            self._thread.start()
        with self._changed:
            self._waiting += windows
            self._changed.notify_all()

    def settle(self) -> tuple[Writing | None, bool]:
        """Wait until all that was given is written.

        Returns the open transaction, if there is one, and whether one has broken: its connection is
        of no use any more. The next epoch begins anew.
        """
        with self._changed:
            self._changed.wait_for(lambda: not (self._waiting or self._busy))
            writing, broken = self._writing, self._broken
            self._writing, self._broken = None, False
            return (None if broken else writing), broken

    def close(self) -> None:
        """The thread ends as soon as it can; its transaction is not committed."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                windows, self._waiting = self._waiting, []
                self._busy = True
            if not self._broken:
                self._write(windows)

    def _write(self, windows: list[ClosedWindow]) -> None:
        try:
            if self._writing is None:
                self._writing = self._begin()
            self._writing.write(windows)
        except Exception as error:  # what it means is found out when the epoch is written anew
            self._broken = True
            log.warning("the database did not take a part of the epoch: %s", error)
