"""The dataflow, from top to bottom like the picture in the README."""

from __future__ import annotations

from typing import Any, cast

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import Source
from bytewax.operators import KeyedStream, StatefulBatchLogic
from bytewax.outputs import Sink
from typing_extensions import override

from pipeline.contracts.transport import RawMessage
from pipeline.domain.policy import Policy
from pipeline.flow import snapshot
from pipeline.flow.arrival import Arrival
from pipeline.flow.arrivals import Directory, Routed, Router
from pipeline.flow.building_logic import BuildingFlow, Record
from pipeline.flow.event_time import Timing
from pipeline.flow.observer import SILENT, Observer


def build(
    source: Source[Any],
    sink: Sink[Any],
    directory: Directory,
    timing: Timing,
    policy: Policy,
    observer: Observer = SILENT,
) -> Dataflow:
    """The whole pipeline between a source of RawMessage and a sink of records."""
    router = Router(directory)

    def route(messages: list[RawMessage]) -> list[Routed]:
        routed = router.route(messages)
        observer.routed(len(messages), routed)
        return routed

    flow = Dataflow("biotrakr")
    messages = op.input("messages", flow, source)
    # RawMessage(topic, payload, received_us)
    routed = op.flat_map_batch("decode", messages, route)
    # (building key, Arrival) | ("", DeadLetter | StatusReport)
    lanes = op.branch("route", routed, _is_arrival)
    arrivals = cast("KeyedStream[Arrival]", lanes.trues)
    # (building key, Arrival)
    tracked = op.stateful_batch(
        "track", arrivals, lambda state: _BuildingLogic(state, directory, timing, policy, observer)
    )
    # (building key, ClosedWindow | GatewayMark | LateBatch | RawBatch | Checkpoint | Measurements)
    records = op.merge("records", tracked, lanes.falses)
    op.output("store", records, sink)
    return flow


def _is_arrival(item: Routed) -> bool:
    return isinstance(item[1], Arrival)


class _BuildingLogic(StatefulBatchLogic[Arrival, Record, dict[str, Any]]):
    """Thin adapter: bytewax on the outside, BuildingFlow on the inside."""

    def __init__(
        self,
        state: dict[str, Any] | None,
        directory: Directory,
        timing: Timing,
        policy: Policy,
        observer: Observer,
    ) -> None:
        self._directory, self._timing, self._policy = directory, timing, policy
        self._observer = observer
        self._flow: BuildingFlow | None = None
        if state is not None:
            building = directory.building(state["building"])
            self._flow = snapshot.restore(state, building, timing, policy)

    @override
    def on_batch(self, values: list[Arrival]) -> tuple[list[Record], bool]:
        building = self._directory.building(values[0].building)
        if self._flow is None:
            self._flow = BuildingFlow(building, self._timing, self._policy)
        self._flow.adopt(building)
        self._flow.observer = self._observer
        records = self._flow.take(values)
        self._observer.taken(self._flow, values, records)
        return records, StatefulBatchLogic.RETAIN

    @override
    def snapshot(self) -> dict[str, Any]:
        assert self._flow is not None, "the engine only snapshots keys that had input"
        return snapshot.take(self._flow)
