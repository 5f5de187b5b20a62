"""One building in the dataflow: dedup, event time, windows, then the domain.

Knows nothing of bytewax: `BuildingFlow.take` and, for what outlives the process, `flow.snapshot`
are all the adapter needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np

from pipeline.contracts.transport import (
    Checkpoint,
    GatewayMark,
    LateBatch,
    Measurements,
    RawBatch,
)
from pipeline.domain.events import ClosedWindow, UnknownTag, WindowResult
from pipeline.domain.fences import Phase
from pipeline.domain.floorplan import NOWHERE, Alignment, Building
from pipeline.domain.observations import summarise
from pipeline.domain.policy import Policy
from pipeline.domain.tracking import BuildingState, advance
from pipeline.domain.tracks import Ints, renumbering
from pipeline.domain.utilization import UNKNOWN
from pipeline.flow import checkpoint
from pipeline.flow.arrival import Arrival
from pipeline.flow.dedup import Streams
from pipeline.flow.event_time import NEVER_US, SECOND_US, Piece, Timing, Windows, pick
from pipeline.flow.names import Names
from pipeline.flow.observer import SILENT, Observer
from pipeline.flow.watermark import Watermark

MAX_UNKNOWN_TAGS = 1000
"""Unregistered tags reported per building and window: strangers must not fill the database."""

Record = ClosedWindow | GatewayMark | LateBatch | RawBatch | Checkpoint | Measurements


@dataclass
class Memory:
    """Everything remembered between batches of one building."""

    state: BuildingState
    streams: dict[str, Streams] = field(default_factory=dict)
    watermark: Watermark = field(default_factory=Watermark)
    windows: Windows = field(default_factory=Windows)
    unknown: dict[str, UnknownTag] = field(default_factory=dict)
    late_reads: int = 0
    duplicates: int = 0


class BuildingFlow:
    """Takes batches, keeps `memory`, returns records. `memory` must fit the building."""

    def __init__(
        self, building: Building, timing: Timing, policy: Policy, memory: Memory | None = None
    ) -> None:
        self.building = building
        self.memory = memory or Memory(BuildingState.empty(building))
        self.observer: Observer = SILENT
        self.timing, self._policy = timing, policy

    @property
    def watermark_us(self) -> int:
        return self.memory.watermark.value_us

    @property
    def open_windows(self) -> int:
        return len(self.memory.windows.open)

    @property
    def ahead_of_gap(self) -> int:
        """Batches that wait for one before them to come."""
        streams = self.memory.streams.values()
        return sum(len(stream.beyond) for each in streams for stream in each.boots.values())

    @property
    def gateways_aside(self) -> int:
        """Registered gateways that the watermark does not wait for."""
        return len(self.memory.watermark.aside(self.building.gateways, self.timing))

    def adopt(self, building: Building) -> None:
        """Go on with another version of the building; state of what is gone is dropped."""
        if building.version != self.building.version:
            self.realign(self.building.alignment, building)

    def take(self, arrivals: Iterable[Arrival]) -> list[Record]:
        """Take batches in order of arrival; returns what became final.

        Which reads are late depends on the order of arrival, never on how it is cut into calls.
        """
        records: list[Record] = []
        touched: dict[tuple[str, str], Arrival] = {}
        for arrival in arrivals:
            touched[arrival.gateway, arrival.boot] = arrival
            records += self._take_one(arrival)
        records += self._close_windows()
        for arrival in touched.values():
            if arrival.boot in self.memory.streams[arrival.gateway].boots:  # else: too many boots
                records.append(self._mark(arrival))
        return records

    def retake(self, arrivals: Iterable[Arrival], until_us: int) -> list[Record]:
        """History again: batches known to be new and right, in any order in which those of every
        window that ends before `until_us` have come. Nothing is late."""
        for arrival in arrivals:
            self._file(arrival)
        watermark = self.memory.watermark
        watermark.value_us = max(watermark.value_us, until_us)
        return self._close_windows()

    def _take_one(self, arrival: Arrival) -> list[Record]:
        memory = self.memory
        streams = memory.streams.setdefault(arrival.gateway, Streams())
        stream = streams.stream(arrival.boot)
        if not stream.accept(arrival.sequence, arrival.oldest, arrival.until_us):
            memory.duplicates += 1
            return []
        streams.held = arrival.earlier
        records: list[Record] = []
        late_us = self._file(arrival)
        if late_us is not None:
            memory.late_reads += len(late_us)
            records.append(_late_batch(arrival, late_us))
        if arrival.measured:  # of no window: what was measured is history as it comes
            records.append(Measurements(self.building.ids["organization"], arrival.measured))
        if self.timing.checkpoint_us and arrival.reads:
            records += self._raw_batch(arrival)
        gateway, promise_us = arrival.gateway, streams.until_us
        registered = self.building.gateways
        memory.watermark.hear(gateway, promise_us, arrival.sent_us, registered, self.timing)
        return records

    def _file(self, arrival: Arrival) -> Ints | None:
        """Put the reads of registered tags and receivers into their windows.

        Returns the times of those that were late (and were not put anywhere), if any.
        """
        if arrival.version != self.building.version:  # the registry has changed on the way here
            arrival.number(Names(self.building))
        asset, receiver = arrival.asset, arrival.receiver
        columns: Piece = (asset, receiver, arrival.rssi_cdbm, arrival.receptions)
        watermark_us, window_us = self.watermark_us, self.timing.window_us
        times = arrival.first_us, arrival.last_us
        if arrival.registered and (
            not arrival.reads
            or self.memory.windows.add_whole(*times, columns, watermark_us, window_us)
        ):
            return None
        strangers = asset == NOWHERE
        if strangers.any():
            _note_unknown(arrival, strangers, self.memory.unknown)
        usable = ~strangers & (receiver != NOWHERE)
        time_us = arrival.time_us
        if not usable.all():
            time_us = time_us[usable]
            columns = pick(columns, usable)
        if not self.memory.windows.add(time_us, columns, watermark_us, window_us):
            return None
        late_us: Ints = time_us[time_us - time_us % window_us + window_us <= watermark_us]
        return late_us

    def _close_windows(self) -> list[Record]:
        windows, records = self.memory.windows, list[Record]()
        before_us = windows.closed_us
        for start in windows.due(self.watermark_us, self.timing, self._anything_to_expire):
            end = start + self.timing.window_us
            if before_us == NEVER_US:  # where the building's history begins
                records += self._checkpoint(NEVER_US, start)
            records += self._close(start, end)
            records += self._checkpoint(max(before_us, start), end)
            before_us = end
        return records

    def _close(self, start: int, end: int) -> list[Record]:
        self.observer.window_begins()
        columns = self.memory.windows.take(start)
        seen = summarise(*columns, receivers=len(self.building.receivers))
        state, result = advance(self.building, self.memory.state, seen, start, end, self._policy)
        self.memory.state = state
        self.observer.window_ends(self.building.key, seen, result)
        if result.reads or result.room_visits or result.zone_visits or result.sessions:
            return [self._closed(result)]
        return []

    def _closed(self, result: WindowResult) -> ClosedWindow:
        memory = self.memory
        unknown = tuple(memory.unknown[tag] for tag in sorted(memory.unknown))
        closed = ClosedWindow(self.building, result, memory.late_reads, memory.duplicates, unknown)
        memory.late_reads = memory.duplicates = 0
        memory.unknown = {}
        return closed

    def _checkpoint(self, before_us: int, at_us: int) -> list[Record]:
        """The state at `at_us` if one is due since `before_us`; buildings take turns."""
        period = self.timing.checkpoint_us
        if not period:
            return []
        turn = crc32(self.building.key.encode()) * SECOND_US % period
        if before_us != NEVER_US and (at_us + turn) // period == (before_us + turn) // period:
            return []
        state = checkpoint.encode(
            self.building.alignment, self.memory.state, at_us, self.timing.window_us
        )
        return [Checkpoint(self.building.ids["building"], at_us, state)]

    def _anything_to_expire(self) -> bool:
        tracks, fences = self.memory.state.tracks, self.memory.state.fences
        return bool(
            (tracks.room != NOWHERE).any()
            or (tracks.use_state > UNKNOWN).any()
            or (tracks.use_candidate > UNKNOWN).any()
            or (fences.phase != Phase.OUTSIDE).any()
        )

    def _raw_batch(self, arrival: Arrival) -> list[Record]:
        """The batch as it came; not of a gateway that has just been removed."""
        ids = self.building.ids
        gateway_id = ids.get(f"gateway/{arrival.gateway}")
        if gateway_id is None:
            return []
        batch = RawBatch(
            gateway_id,
            ids["building"],
            arrival.boot,
            arrival.sequence,
            arrival.first_us,
            arrival.last_us,
            max(arrival.until_us, arrival.first_us),
            arrival.reads,
            arrival.payload,
        )
        return [batch]

    def _mark(self, arrival: Arrival) -> GatewayMark:
        stream = self.memory.streams[arrival.gateway].boots[arrival.boot]
        where = (arrival.organization, arrival.facility, arrival.gateway, arrival.boot)
        return GatewayMark(*where, stream.mark, stream.until_us)

    def realign(self, old: Alignment, building: Building) -> None:
        """Move what is remembered from the indices of `old` to those of `building`."""
        new = building.alignment
        self.building = building
        if old == new:
            return
        self.memory.state = self.memory.state.move_to(old, new)
        asset = renumbering(old.assets, new.assets)
        receiver = renumbering(old.receivers, new.receivers)
        opened = self.memory.windows.open
        for start, pieces in opened.items():
            opened[start] = [_renumber(piece, asset, receiver) for piece in pieces]


def _late_batch(arrival: Arrival, late_us: Ints) -> LateBatch:
    where = (arrival.organization, arrival.facility, arrival.gateway, arrival.building)
    first_us, last_us = int(late_us.min()), int(late_us.max())
    return LateBatch(
        *where, arrival.boot, arrival.sequence, len(late_us), first_us, last_us, arrival.payload
    )


def _renumber(piece: Piece, asset: Ints, receiver: Ints) -> Any:
    a, r = asset[piece[0]], receiver[piece[1]]
    keep = (a != NOWHERE) & (r != NOWHERE)
    return a[keep], r[keep], piece[2][keep], piece[3][keep]


def _note_unknown(arrival: Arrival, strangers: Any, unknown: dict[str, UnknownTag]) -> None:
    index = arrival.tag_index[strangers]
    times = arrival.time_us[strangers]
    for i in np.unique(index).tolist():
        tag = arrival.tags[i]
        if tag not in unknown and len(unknown) >= MAX_UNKNOWN_TAGS:
            continue
        mine = times[index == i]
        first, last, reads = int(mine.min()), int(mine.max()), len(mine)
        if tag in unknown:
            before = unknown[tag]
            first, last = min(first, before.first_us), max(last, before.last_us)
            reads += before.reads
        unknown[tag] = UnknownTag(tag, first, last, reads)
