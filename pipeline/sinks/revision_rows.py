"""What a stretch of history says once it has been computed again, before it meets the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from pipeline.contracts.reads import to_us
from pipeline.contracts.transport import Checkpoint
from pipeline.domain.events import AlertTransition, ClosedWindow
from pipeline.domain.floorplan import Building
from pipeline.domain.splice import Stay
from pipeline.sinks import event_rows
from pipeline.sinks.event_rows import Row


@dataclass(frozen=True)
class Kind:
    """One table of stays: which columns of a sink's row are what.

    `place` columns tell where, `track` columns what may not overlap (see domain.splice).
    """

    table: str
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


_ENTRY = (7, 8, 10, 11)
ROOMS = Kind("room_visit", event_rows.room_visits, 5, 6, 9, 12, (3,), (4,), _ENTRY)
ZONES = Kind("zone_visit", event_rows.zone_visits, 5, 6, 9, 12, (3, 4), (4,), _ENTRY)
SESSIONS = Kind("usage_session", event_rows.sessions, 7, 8, 9, None, (3,), (5, 4), (4,))


@dataclass
class Stays:
    """The stays of one kind; `rows` are as the sink writes them, the last word on each id.

    `begun` were open when the stretch began: of these there is a row only once they have ended,
    and what it says about the beginning is not to be used.
    """

    kind: Kind
    stays: dict[UUID, Stay]
    begun: frozenset[UUID]
    rows: dict[UUID, Row] = field(default_factory=dict)

    @classmethod
    def beginning_with(cls, kind: Kind, opened: Iterable[Stay]) -> Stays:
        stays = {stay.id: stay for stay in opened}
        return cls(kind, stays, frozenset(stays))

    def beside(self, old: Mapping[UUID, Stay]) -> Iterator[Stay]:
        """The stays; what had begun before begins when the database says, or is gone from it."""
        for stay in self.stays.values():
            if stay.id not in self.begun:
                yield stay
            elif stay.id in old:
                yield replace(stay, start_us=old[stay.id].start_us)

    def add(self, closed: ClosedWindow) -> None:
        kind = self.kind
        for said in kind.rows(closed):
            row = list(self.rows.get(said[0], said))
            if said[kind.end] is not None:
                for column in kind.brought_by_the_end:
                    row[column] = said[column]
            self.rows[said[0]] = tuple(row)
            self.stays[said[0]] = kind.stay(tuple(row))


@dataclass
class Stretch:
    """Everything but the positions, which are too many to keep."""

    rooms: Stays
    zones: Stays
    sessions: Stays
    transitions: list[tuple[Building, AlertTransition]] = field(default_factory=list)
    windows: list[Row] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    reads: int = 0

    def add(self, record: ClosedWindow | Checkpoint) -> None:
        if isinstance(record, Checkpoint):
            self.checkpoints.append(record)
            return
        for stays in (self.rooms, self.zones, self.sessions):
            stays.add(record)
        result = record.result
        self.reads += result.reads
        self.transitions += [(record.building, transition) for transition in result.alerts]
        when, building = event_rows.when, record.building.ids["building"]
        times = (when(result.end_us), when(result.start_us))
        self.windows.append((building, *times, result.reads, len(result.positions)))
