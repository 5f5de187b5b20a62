"""What a stretch of history says once it has been computed again, before it meets the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from pipeline.contracts.transport import Checkpoint
from pipeline.domain.events import AlertTransition, ClosedWindow
from pipeline.domain.floorplan import Building
from pipeline.domain.splice import Stay
from pipeline.sinks import event_rows
from pipeline.sinks.event_rows import Row
from pipeline.sinks.stay_rows import Kind, say


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
        for row in say(self.kind, closed, self.rows):
            self.stays[row[0]] = self.kind.stay(row)


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
