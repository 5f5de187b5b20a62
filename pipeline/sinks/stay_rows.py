"""Visits and sessions as rows: which column is what, and the last word on each in an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from pipeline.contracts.reads import to_us
from pipeline.domain.events import ClosedWindow
from pipeline.domain.splice import Stay
from pipeline.sinks import event_rows
from pipeline.sinks.event_rows import Row


@dataclass(frozen=True)
class Kind:
    """One table of stays: which columns of a sink's row are what.

    `place` columns tell where, `track` columns what may not overlap (see domain.splice).
    """

    table: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Callable[[ClosedWindow], Iterable[Row]]
    start: int
    end: int
    reason: int
    """Why it ended."""
    decided: int | None
    """The window that decided; None: not told."""
    track: tuple[int, ...]
    place: tuple[int, ...]
    entry: tuple[int, ...] = ()
    """What else is known of the beginning: see revision_statements.Table.update."""

    def stay(self, row: Row) -> Stay:
        end = row[self.end]
        return Stay(
            row[0],
            tuple(row[column] for column in self.track),
            tuple(row[column] for column in self.place),
            to_us(row[self.start]),
            None if end is None else to_us(end),
        )

    @property
    def brought_by_the_end(self) -> tuple[int, ...]:
        """The columns that the row which ends a stay replaces."""
        both = (self.end, self.reason)
        return both if self.decided is None else (*both, self.decided)


def _visit_columns(place: str) -> tuple[str, ...]:
    return ("id", "organization_id", "facility_id", "asset_id", place, "entered_at", "left_at",
            "initial", "entry_reason", "exit_reason", "confidence", "contenders",
            "window_end")  # fmt: skip


_VISIT_TYPES = ("uuid", "uuid", "uuid", "uuid", "uuid", "timestamptz", "timestamptz", "boolean",
                "text", "text", "real", "text", "timestamptz")  # fmt: skip

_SESSION_COLUMNS = (
    "id", "organization_id", "facility_id", "asset_id", "room_id", "state", "method", "started_at",
    "ended_at", "end_reason",
)  # fmt: skip
_SESSION_TYPES = ("uuid", "uuid", "uuid", "uuid", "uuid", "text", "text", "timestamptz",
                  "timestamptz", "text")  # fmt: skip
_ENTRY = (7, 8, 10, 11)
ROOMS = Kind(
    "room_visit", _visit_columns("room_id"), _VISIT_TYPES, event_rows.room_visits, 5, 6, 9, 12,
    (3,), (4,), _ENTRY,
)  # fmt: skip
ZONES = Kind(
    "zone_visit", _visit_columns("zone_id"), _VISIT_TYPES, event_rows.zone_visits, 5, 6, 9, 12,
    (3, 4), (4,), _ENTRY,
)  # fmt: skip
SESSIONS = Kind(
    "usage_session", _SESSION_COLUMNS, _SESSION_TYPES, event_rows.sessions, 7, 8, 9, None,
    (3,), (5, 4), (4,),
)  # fmt: skip


def last_words(kind: Kind, windows: Iterable[ClosedWindow]) -> dict[UUID, Row]:
    """One row a stay: as it began, and how it ended if it did."""
    found: dict[UUID, Row] = {}
    for closed in windows:
        say(kind, closed, found)
    return found


def say(kind: Kind, closed: ClosedWindow, found: dict[UUID, Row]) -> list[Row]:
    """Take one window's rows into `found`; returns those that are new or changed."""
    changed = []
    for said in kind.rows(closed):
        row = list(found.get(said[0], said))
        if said[kind.end] is not None:
            for column in kind.brought_by_the_end:
                row[column] = said[column]
        found[said[0]] = tuple(row)
        changed.append(found[said[0]])
    return changed
