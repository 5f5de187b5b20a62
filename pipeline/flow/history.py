"""A stretch of a building's history again, from the batches as they came.

The same windows through the same domain as the live flow; only nothing is late, because everything
is there. Memory is bounded by the batches that overlap in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from pipeline.contracts.transport import Checkpoint, RawMessage
from pipeline.domain.events import ClosedWindow
from pipeline.domain.floorplan import Alignment, Building
from pipeline.domain.policy import Policy
from pipeline.domain.tracking import BuildingState
from pipeline.flow.arrival import Arrival
from pipeline.flow.arrivals import Routed
from pipeline.flow.building_logic import BuildingFlow, Memory
from pipeline.flow.event_time import Timing, Windows
from pipeline.flow.watermark import Watermark

CHUNK = 500
Batch = tuple[int, RawMessage]
"""Event time of the oldest read in it, and the message."""
Route = Callable[[Iterable[RawMessage]], list[Routed]]


def recompute(
    building: Building,
    state: tuple[Alignment, BuildingState] | None,
    from_us: int,
    until_us: int,
    batches: Iterable[Batch],
    route: Route,
    timing: Timing,
    policy: Policy,
) -> Iterator[ClosedWindow | Checkpoint]:
    """Windows from `from_us` (the end of a window) up to `until_us`, in order.

    `state` is what was known at `from_us`; None: nothing. `batches` hold every read of the stretch,
    sorted by the oldest read in each. Reads outside the stretch do not count.
    """
    memory = Memory(
        state=BuildingState.empty(building) if state is None else state[1],
        watermark=Watermark(from_us),
        windows=Windows(closed_us=from_us),
    )
    flow = BuildingFlow(building, timing, policy, memory)
    if state is not None:
        flow.realign(state[0], building)
    rest = iter(batches)
    chunk = list(islice(rest, CHUNK))
    while chunk:
        following = list(islice(rest, CHUNK))
        arrivals = _arrivals(route, building.key, (message for _, message in chunk))
        reached_us = min(following[0][0], until_us) if following else until_us
        yield from _outcome(flow, arrivals, reached_us)
        chunk = following
    yield from _outcome(flow, (), until_us)


def _arrivals(route: Route, building: str, messages: Iterable[RawMessage]) -> Iterator[Arrival]:
    """Those of gateways that are still in this building."""
    for key, item in route(messages):
        if key == building and isinstance(item, Arrival):
            yield item


def _outcome(
    flow: BuildingFlow, arrivals: Iterable[Arrival], reached_us: int
) -> Iterator[ClosedWindow | Checkpoint]:
    for record in flow.retake(arrivals, reached_us):
        if isinstance(record, ClosedWindow | Checkpoint):
            yield record
