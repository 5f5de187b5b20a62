"""What is known about one reader, for the status message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from pipeline.contracts.messages import ReaderHealth

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LAST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_ERROR_CHARACTERS = 500


@dataclass
class ReaderState:
    """Changed by the reader and its supervisor; `heard_us` is event time."""

    name: str
    kind: str
    state: Literal["starting", "running", "silent", "failed"] = "starting"
    reads: int = 0
    restarts: int = 0
    rejected_bytes: int = 0
    heard_us: int | None = None
    error: str | None = None
    events: dict[str, int] = field(default_factory=dict)
    """What happened at the reader, counted by name."""
    figures: dict[str, int] = field(default_factory=dict)
    """How it is now, such as adverts_per_s."""
    turned: Callable[[], None] = lambda: None
    """Called by the reader's loop at each turn, heard or not: a watchdog looks at it."""

    def heard(self, at_us: int) -> None:
        self.reads += 1
        self.heard_us = at_us

    def count(self, event: str) -> None:
        self.events[event] = self.events.get(event, 0) + 1

    def running(self) -> None:
        self.state = "running"
        self.error = None

    def health(self) -> ReaderHealth:
        return ReaderHealth(
            name=self.name,
            kind=self.kind,
            state=self.state,
            reads=self.reads,
            restarts=self.restarts,
            rejected_bytes=self.rejected_bytes,
            last_heard_at=None if self.heard_us is None else from_us(self.heard_us),
            error=None if self.error is None else self.error[:_ERROR_CHARACTERS],
            counters=self.events | self.figures,
        )


def from_us(at_us: int) -> datetime:
    """A point in time from microseconds since the epoch, exact; years 1 to 9999, else the bound."""
    return _EPOCH + timedelta(microseconds=min(max(at_us, _FIRST_US), _LAST_US))
