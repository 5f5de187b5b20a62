"""The state of one building in the dataflow: dedup, event time, windows, then the domain.

Knows nothing of bytewax: `BuildingFlow.take` and `snapshot` are all the adapter needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np

from pipeline.contracts.transport import GatewayMark, LateBatch
from pipeline.domain.events import ClosedWindow, UnknownTag, WindowResult
from pipeline.domain.fences import Fences, Phase
from pipeline.domain.floorplan import NOWHERE, Alignment, Building
from pipeline.domain.observations import summarise
from pipeline.domain.policy import Policy
from pipeline.domain.tracking import BuildingState, advance
from pipeline.domain.tracks import Ints, Tracks, renumbering
from pipeline.domain.utilization import UNKNOWN
from pipeline.flow.arrivals import Arrival
from pipeline.flow.dedup import Stream, Streams
from pipeline.flow.errors import SnapshotError
from pipeline.flow.event_time import Timing, Watermark, Windows, pick

SNAPSHOT_VERSION = 1
MAX_UNKNOWN_TAGS = 1000
"""Unregistered tags reported per building and window: strangers must not fill the database."""

Record = ClosedWindow | GatewayMark | LateBatch


class BuildingFlow:
    """Everything remembered between batches of one building."""

    def __init__(self, building: Building, timing: Timing, policy: Policy) -> None:
        self.building = building
        self._timing, self._policy = timing, policy
        self._streams: dict[str, Streams] = {}
        self._watermark = Watermark()
        self._windows = Windows()
        self._state = BuildingState.empty(building)
        self._unknown: dict[str, UnknownTag] = {}
        self.late_reads = 0
        self.duplicates = 0

    @property
    def watermark_us(self) -> int:
        return self._watermark.value_us

    @property
    def open_windows(self) -> int:
        return len(self._windows.open)

    def adopt(self, building: Building) -> None:
        """Go on with another version of the building; state of what is gone is dropped."""
        if building.version == self.building.version:
            return
        self._realign(self.building.alignment, building)

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
            if arrival.boot in self._streams[arrival.gateway].boots:  # else of too many boots
                records.append(self._mark(arrival))
        return records

    def _take_one(self, arrival: Arrival) -> list[Record]:
        streams = self._streams.setdefault(arrival.gateway, Streams())
        stream = streams.stream(arrival.boot)
        if not stream.accept(arrival.sequence, arrival.oldest, arrival.until_us):
            self.duplicates += 1
            return []
        late = self._file(arrival)
        newest = {name: s.until_us for name, s in self._streams.items()}
        self._watermark.advance(newest, self.building.gateways, self._timing)
        return [late] if late else []

    def _file(self, arrival: Arrival) -> LateBatch | None:
        """Put the reads of registered tags and receivers into their windows."""
        asset, receiver = self._resolve(arrival)
        strangers = asset == NOWHERE
        if strangers.any():
            _note_unknown(arrival, strangers, self._unknown)
        usable = ~strangers & (receiver != NOWHERE)
        columns = (asset, receiver, arrival.rssi_cdbm, arrival.receptions)
        time_us = arrival.time_us
        if not usable.all():
            time_us = time_us[usable]
            columns = pick(columns, usable)
        late = self._windows.add(time_us, columns, self._watermark.value_us, self._timing.window_us)
        if not late:
            return None
        self.late_reads += late
        return LateBatch(
            arrival.organization,
            arrival.facility,
            arrival.gateway,
            arrival.building,
            arrival.boot,
            arrival.sequence,
            late,
            arrival.payload,
        )

    def _resolve(self, arrival: Arrival) -> tuple[Ints, Ints]:
        """Asset and receiver index of each read; NOWHERE when not registered."""
        building = self.building
        known = building.tag_index
        tags = np.array([known.get(tag, NOWHERE) for tag in arrival.tags], dtype=np.int64)
        asset = np.where(tags == NOWHERE, NOWHERE, np.append(building.tag_asset, NOWHERE)[tags])
        gateway, index = arrival.gateway, building.receiver_index
        receivers = np.array(
            [index.get((gateway, name), NOWHERE) for name in arrival.receivers], dtype=np.int64
        )
        return asset[arrival.tag_index], receivers[arrival.receiver_index]

    def _close_windows(self) -> list[Record]:
        results: list[Record] = []
        for start in self._windows.due(self.watermark_us, self._timing, self._anything_to_expire):
            columns = self._windows.take(start)
            seen = summarise(*columns, receivers=len(self.building.receivers))
            end = start + self._timing.window_us
            self._state, result = advance(
                self.building, self._state, seen, start, end, self._policy
            )
            if result.reads or result.room_visits or result.zone_visits or result.sessions:
                results.append(self._closed(result))
        return results

    def _closed(self, result: WindowResult) -> ClosedWindow:
        unknown = tuple(self._unknown[tag] for tag in sorted(self._unknown))
        closed = ClosedWindow(self.building, result, self.late_reads, self.duplicates, unknown)
        self.late_reads = self.duplicates = 0
        self._unknown = {}
        return closed

    def _anything_to_expire(self) -> bool:
        tracks, fences = self._state.tracks, self._state.fences
        return bool(
            (tracks.room != NOWHERE).any()
            or (tracks.use_state > UNKNOWN).any()
            or (tracks.use_candidate > UNKNOWN).any()
            or (fences.phase != Phase.OUTSIDE).any()
        )

    def _mark(self, arrival: Arrival) -> GatewayMark:
        stream = self._streams[arrival.gateway].boots[arrival.boot]
        return GatewayMark(
            arrival.organization,
            arrival.facility,
            arrival.gateway,
            arrival.boot,
            stream.mark,
            stream.until_us,
        )

    # -- persisted form ---------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Plain, versioned, free of aliases to what will be changed."""
        return {
            "version": SNAPSHOT_VERSION,
            "building": self.building.key,
            "alignment": {
                f.name: b"".join(getattr(self.building.alignment, f.name))
                for f in fields(Alignment)
            },
            "streams": {
                gateway: {
                    boot: (stream.mark, stream.until_us, dict(stream.beyond))
                    for boot, stream in streams.boots.items()
                }
                for gateway, streams in self._streams.items()
            },
            "watermark": (self._watermark.value_us, self._watermark.first_us),
            "windows": {start: list(pieces) for start, pieces in self._windows.open.items()},
            "closed_us": self._windows.closed_us,
            "tracks": _columns(self._state.tracks),
            "fences": _columns(self._state.fences),
            "late_reads": self.late_reads,
            "duplicates": self.duplicates,
            "unknown": {u.tag: (u.first_us, u.last_us, u.reads) for u in self._unknown.values()},
        }

    @classmethod
    def restore(
        cls, snapshot: dict[str, Any], building: Building, timing: Timing, policy: Policy
    ) -> BuildingFlow:
        """The state as it was, moved to the present version of the building.

        Raises SnapshotError when it was written by an incompatible version.
        """
        if snapshot.get("version") != SNAPSHOT_VERSION:
            raise SnapshotError(snapshot.get("version"), SNAPSHOT_VERSION)
        flow = cls(building, timing, policy)
        flow._streams = {
            gateway: Streams(
                {boot: Stream(m, until, dict(beyond)) for boot, (m, until, beyond) in boots.items()}
            )
            for gateway, boots in snapshot["streams"].items()
        }
        flow._watermark = Watermark(*snapshot["watermark"])
        open_windows = {start: list(pieces) for start, pieces in snapshot["windows"].items()}
        flow._windows = Windows(open_windows, snapshot["closed_us"])
        flow._state = BuildingState(Tracks(**snapshot["tracks"]), Fences(**snapshot["fences"]))
        flow.late_reads, flow.duplicates = snapshot["late_reads"], snapshot["duplicates"]
        flow._unknown = {t: UnknownTag(t, *parts) for t, parts in snapshot["unknown"].items()}
        saved = {name: _ids(joined) for name, joined in snapshot["alignment"].items()}
        flow._realign(Alignment(**saved), building)
        return flow

    def _realign(self, old: Alignment, building: Building) -> None:
        new = building.alignment
        self.building = building
        if old == new:
            return
        self._state = self._state.move_to(old, new)
        asset = renumbering(old.assets, new.assets)
        receiver = renumbering(old.receivers, new.receivers)
        for start, pieces in self._windows.open.items():
            self._windows.open[start] = [_renumber(piece, asset, receiver) for piece in pieces]


def _renumber(piece: tuple[Ints, ...], asset: Ints, receiver: Ints) -> Any:
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


def _columns(state: Tracks | Fences) -> dict[str, Any]:
    return {f.name: getattr(state, f.name) for f in fields(state)}


def _ids(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[i : i + 16] for i in range(0, len(joined), 16))
