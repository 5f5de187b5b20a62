"""Who is told what the sink does: metrics and health. Quick, and never raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from pipeline.sinks.transaction import Epoch


class SinkObserver(Protocol):
    def buffered(self) -> None:
        """Something waits for the next commit."""

    def begins(self) -> None:
        """A transaction is about to be tried, perhaps again."""

    def failed(self) -> None:
        """The database did not take it; it will be tried again."""

    def committed(self, epoch: Epoch, before: Mapping[UUID, int], rows: Mapping[str, int]) -> None:
        """It did. `before`: the progress of which `write_epoch` has skipped windows; `rows` by
        table."""


class Silent:
    """Tells nobody."""

    def buffered(self) -> None: ...
    def begins(self) -> None: ...
    def failed(self) -> None: ...
    def committed(
        self, epoch: Epoch, before: Mapping[UUID, int], rows: Mapping[str, int]
    ) -> None: ...


SILENT = Silent()
