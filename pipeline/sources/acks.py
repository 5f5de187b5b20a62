"""Between the sink, which commits, and the source, which may acknowledge afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from pipeline.contracts.transport import GatewayMark


class AckBoard:
    """The newest mark of each gateway's boot that is committed and not yet acknowledged."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._marks: dict[tuple[str, str, str, str], GatewayMark] = {}

    def put(self, marks: Iterable[GatewayMark]) -> None:
        with self._lock:
            for mark in marks:
                key = (mark.organization, mark.facility, mark.gateway, mark.boot)
                self._marks.pop(key, None)
                self._marks[key] = mark

    def take(self) -> list[GatewayMark]:
        """All marks, in the order in which they were put; they are gone afterwards."""
        with self._lock:
            marks = list(self._marks.values())
            self._marks.clear()
        return marks
