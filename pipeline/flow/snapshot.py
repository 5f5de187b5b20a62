"""The persisted form of a building's memory: plain, versioned, free of aliases to live arrays.

A version that was released is read for ever: each is migrated to the next. Anything else is refused
with what to do about it; nothing is ever misread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from pipeline.domain.events import UnknownTag
from pipeline.domain.evidence import Evidence
from pipeline.domain.fences import Fences
from pipeline.domain.floorplan import Alignment, Building
from pipeline.domain.policy import Policy
from pipeline.domain.silence import Ears
from pipeline.domain.tracking import BuildingState
from pipeline.domain.tracks import Tracks
from pipeline.flow.building_logic import BuildingFlow, Memory
from pipeline.flow.dedup import Stream, Streams
from pipeline.flow.errors import SnapshotError
from pipeline.flow.event_time import NEVER_US, Timing, Windows
from pipeline.flow.packing import packed, unpacked, with_no_evidence
from pipeline.flow.watermark import Watermark

VERSION = 3
Snapshot = dict[str, Any]


def take(flow: BuildingFlow) -> Snapshot:
    """What `restore` needs."""
    memory, alignment = flow.memory, flow.building.alignment
    watermark = memory.watermark
    return {
        "version": VERSION,
        "building": flow.building.key,
        "alignment": {f.name: b"".join(getattr(alignment, f.name)) for f in fields(Alignment)},
        "streams": {gateway: _streams(streams) for gateway, streams in memory.streams.items()},
        "watermark": {
            "value_us": watermark.value_us,
            "spoken_us": watermark.spoken_us,
            "sent_us": watermark.sent_us,
            "newest_us": dict(watermark.newest_us),
            "near_us": dict(watermark.near_us),
        },
        "windows": {start: list(pieces) for start, pieces in memory.windows.open.items()},
        "closed_us": memory.windows.closed_us,
        "state": packed(memory.state, memory.windows.closed_us, flow.timing.window_us),
        "late_reads": memory.late_reads,
        "duplicates": memory.duplicates,
        "unknown": {u.tag: (u.first_us, u.last_us, u.reads) for u in memory.unknown.values()},
    }


def restore(snapshot: Snapshot, building: Building, timing: Timing, policy: Policy) -> BuildingFlow:
    """The flow as it was, moved to the present version of the building. Raises SnapshotError."""
    snapshot = _migrated(snapshot)
    watermark = snapshot["watermark"]
    memory = Memory(
        state=unpacked(snapshot["state"]),
        streams={gateway: _restored(saved) for gateway, saved in snapshot["streams"].items()},
        watermark=Watermark(
            watermark["value_us"],
            watermark["spoken_us"],
            watermark["sent_us"],
            dict(watermark["newest_us"]),
            dict(watermark["near_us"]),
        ),
        windows=Windows(
            {start: list(pieces) for start, pieces in snapshot["windows"].items()},
            snapshot["closed_us"],
        ),
        unknown={tag: UnknownTag(tag, *parts) for tag, parts in snapshot["unknown"].items()},
        late_reads=snapshot["late_reads"],
        duplicates=snapshot["duplicates"],
    )
    flow = BuildingFlow(building, timing, policy, memory)
    saved = {name: _ids(joined) for name, joined in snapshot["alignment"].items()}
    flow.realign(Alignment(**saved), building)
    return flow


def _streams(streams: Streams) -> Snapshot:
    boots = {
        boot: (stream.mark, stream.until_us, dict(stream.beyond))
        for boot, stream in streams.boots.items()
    }
    return {"boots": boots, "held": dict(streams.held)}


def _restored(saved: Snapshot) -> Streams:
    boots = {
        boot: Stream(mark, until_us, dict(beyond))
        for boot, (mark, until_us, beyond) in saved["boots"].items()
    }
    return Streams(boots, dict(saved["held"]))


def _migrated(snapshot: Snapshot) -> Snapshot:
    while (version := snapshot.get("version")) != VERSION:
        if version not in _MIGRATIONS:
            raise SnapshotError(version, VERSION)
        snapshot = _MIGRATIONS[version](snapshot)
    return snapshot


def _from_1(old: Snapshot) -> Snapshot:
    """Version 1 knew no talking time: everybody is waited for as if just heard. Its state was not
    packed."""
    tracks, receivers = Tracks(**old["tracks"]), len(_ids(old["alignment"]["receivers"]))
    state = BuildingState(
        tracks, Fences(**old["fences"]), Evidence.empty(len(tracks)), Ears.empty(receivers)
    )
    promises = {
        gateway: max((until_us for _, until_us, _ in boots.values()), default=NEVER_US)
        for gateway, boots in old["streams"].items()
    }
    value_us, _first_us = old["watermark"]
    return old | {
        "version": 2,
        "state": packed(state, old["closed_us"], 1),
        "streams": {
            gateway: {"boots": boots, "held": {}} for gateway, boots in old["streams"].items()
        },
        "watermark": {
            "value_us": value_us,
            "spoken_us": 0,
            "sent_us": NEVER_US,
            "newest_us": promises,
            "near_us": {},
        },
    }


def _from_2(old: Snapshot) -> Snapshot:
    """Version 2 did not remember how standing assets were heard: that begins anew."""
    receivers = len(_ids(old["alignment"]["receivers"]))
    return old | {"version": 3, "state": with_no_evidence(old["state"], receivers)}


_MIGRATIONS: dict[Any, Callable[[Snapshot], Snapshot]] = {1: _from_1, 2: _from_2}


def _ids(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[i : i + 16] for i in range(0, len(joined), 16))
