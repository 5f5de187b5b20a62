"""The flow that one would write first: one JSON read an item, one key a tag, rows by executemany.

It computes the same result as the real flow, with the same functions of the domain called for one
tag at a time, and its windows also close by event time alone (bytewax's windowing operators follow
the wall clock and lose reads of a replay). `bare=True` leaves the domain out: a weighted centroid
in plain Python, no rooms, fences and sessions. It is wrong, and an upper bound of what any
item-at-a-time flow on this engine reaches.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import bytewax.operators as op
import numpy as np
from bench import hospital
from bench.load import Recorded
from bench.naive_sink import ExecutemanySink
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulLogic

from pipeline.contracts import codec
from pipeline.domain.events import ClosedWindow, Positions, WindowResult
from pipeline.domain.floorplan import Building
from pipeline.domain.observations import summarise
from pipeline.domain.policy import Policy
from pipeline.domain.tracking import BuildingState, advance

SECOND_US = 1_000_000
SLACK_US = 2_500_000
"""A window of a tag closes when it is heard this long after its end: gateways send every second."""


def items(recorded: Recorded) -> list[bytes]:
    """Each read of a load as a JSON document of its own."""
    made = []
    for topic, payload, _ in recorded.messages(0, len(recorded)):
        batch = codec.decode_batch(payload)
        facility = topic.split("/")[3]
        index = np.frombuffer(batch.tag_index, "<u2").tolist()
        offset = np.frombuffer(batch.offset_us, "<u4").tolist()
        rssi = np.frombuffer(batch.rssi_cdbm, "<i2").tolist()
        for k, tag in enumerate(index):
            read = {"facility": facility, "gateway": batch.gateway, "tag": batch.tags[tag],
                    "at_us": batch.start_us + offset[k], "rssi_cdbm": rssi[k]}  # fmt: skip
            made.append(json.dumps(read).encode())
    return made


def build(
    made: list[bytes],
    buildings: list[Building],
    policy: Policy,
    connect: Callable[[], Any],
    bare: bool,
) -> Dataflow:
    world = _World(buildings, policy)
    logic = _BareTag if bare else _Tag
    flow = Dataflow("naive")
    documents = op.input("reads", flow, _Items(made))
    reads = op.map("decode", documents, json.loads)
    keyed = op.key_on("tag", reads, lambda read: read["tag"])
    closed = op.stateful("track", keyed, lambda state: logic(world, state))
    op.output("store", closed, ExecutemanySink(connect))
    return flow


class _World:
    """The registry, for one tag at a time."""

    def __init__(self, buildings: list[Building], policy: Policy) -> None:
        self.policy = policy
        self._whole = {b.facility: b for b in buildings}
        self.receiver = {b.facility: b.receiver_index for b in buildings}

    def building_of(self, facility: str, tag: str) -> Building:
        """The building as if it had this one asset."""
        whole = self._whole[facility]
        asset = int(whole.tag_asset[whole.tag_index[tag]])
        one = replace(
            whole,
            assets=(whole.assets[asset],),
            tags=(tag,),
            tag_asset=np.zeros(1, dtype=np.int64),
            rules=tuple(replace(r, applies=r.applies[[asset]]) for r in whole.rules),
        )
        # Drawn once for all: the floor plan is the same.
        vars(one).update(room_map=whole.room_map, wall_map=whole.wall_map)
        return one


@dataclass
class _Windows:
    """The open windows of one tag: start -> its reads."""

    open: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    closed_us: int = 0

    def add(self, read: dict[str, Any]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """File a read; the windows that it closes."""
        at = read["at_us"]
        start = at - at % SECOND_US
        if start + SECOND_US <= self.closed_us:
            raise AssertionError("the naive flow lost a read: SLACK_US is too short for this load")
        self.open.setdefault(start, []).append(read)
        due = [s for s in self.open if s + SECOND_US + SLACK_US <= at]
        return self.close(sorted(due))

    def close(self, due: list[int]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        for start in due:
            self.closed_us = start + SECOND_US
            yield start, self.open.pop(start)


class _Tag(StatefulLogic[dict[str, Any], ClosedWindow, Any]):
    def __init__(self, world: _World, state: Any) -> None:
        self._world = world
        self._windows, self._state = state if state else (_Windows(), None)
        self._building: Building | None = None

    def on_item(self, value: dict[str, Any]) -> tuple[list[ClosedWindow], bool]:
        return [self._close(*due) for due in self._windows.add(value)], StatefulLogic.RETAIN

    def on_eof(self) -> tuple[list[ClosedWindow], bool]:
        due = self._windows.close(sorted(self._windows.open))
        return [self._close(*one) for one in due], StatefulLogic.RETAIN

    def snapshot(self) -> Any:
        windows = _Windows(
            {k: list(v) for k, v in self._windows.open.items()}, self._windows.closed_us
        )
        return windows, self._state

    def _close(self, start: int, reads: list[dict[str, Any]]) -> ClosedWindow:
        facility = reads[0]["facility"]
        building = self._building or self._world.building_of(facility, reads[0]["tag"])
        self._building = building
        receivers = self._world.receiver[facility]
        seen = summarise(
            np.zeros(len(reads), dtype=np.int64),
            np.array([receivers[read["gateway"], hospital.RECEIVER] for read in reads]),
            np.array([read["rssi_cdbm"] for read in reads]),
            np.ones(len(reads), dtype=np.int64),
            receivers=len(building.receivers),
        )
        state = self._state or BuildingState.empty(building)
        end = start + SECOND_US
        self._state, result = advance(building, state, seen, start, end, self._world.policy)
        return ClosedWindow(building, result)


class _BareTag(_Tag):
    def _close(self, start: int, reads: list[dict[str, Any]]) -> ClosedWindow:
        facility = reads[0]["facility"]
        building = self._building or self._world.building_of(facility, reads[0]["tag"])
        self._building = building
        index, place = self._world.receiver[facility], building.receivers.position_m
        total = x = y = 0.0
        for read in reads:
            receiver = index[read["gateway"], hospital.RECEIVER]
            near = 10.0 ** (read["rssi_cdbm"] / 2200.0)
            total, x, y = total + near, x + near * place[receiver, 0], y + near * place[receiver, 1]
        end = start + SECOND_US
        rows = _row(x / total, y / total, len(reads))
        return ClosedWindow(building, WindowResult(building.key, start, end, len(reads), rows))


def _row(x_m: float, y_m: float, reads: int) -> Positions:
    zero, nothing = np.zeros(1), np.zeros(1, dtype=np.int64)
    known = {"x_m": np.array([x_m]), "y_m": np.array([y_m]), "accuracy_m": np.ones(1)}
    whole = {"asset", "method", "reason", "floor"}
    columns = {
        name: nothing if name in whole else known.get(name, zero)
        for name in Positions.__annotations__
    }
    columns |= {
        "room": nothing - 1, "moving": zero.astype(bool),
        "receivers": nothing + reads, "reads": nothing + reads,
    }  # fmt: skip
    return Positions(**columns)


class _Items(FixedPartitionedSource[bytes, None]):
    def __init__(self, made: list[bytes]) -> None:
        self._made = made

    def list_parts(self) -> list[str]:
        return ["reads"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _Partition:
        return _Partition(self._made)


class _Partition(StatefulSourcePartition[bytes, None]):
    def __init__(self, made: list[bytes]) -> None:
        self._made, self._next = made, 0

    def next_batch(self) -> list[bytes]:
        if self._next >= len(self._made):
            raise StopIteration
        first, self._next = self._next, self._next + 1000
        return self._made[first : self._next]

    def snapshot(self) -> None:
        return None
