"""From a raw message to something the building's state can take: decode, check, route.

Sans-I/O: `Router.route` is what the dataflow's first step calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import codec, topics
from pipeline.contracts.errors import MessageError, TopicError
from pipeline.contracts.messages import GatewayStatus
from pipeline.contracts.reads import ReadBatch, to_us
from pipeline.contracts.transport import DeadLetter, RawMessage, StatusReport
from pipeline.domain.floorplan import Building

Ints = NDArray[np.int64]
OLDEST_US = 1_420_070_400_000_000
"""2015-01-01: a clock that says less has never been set."""
NEVER_US = -(2**62)
FUTURE_US = 10_000_000
"""A time farther ahead than this of the host that received it comes from a wrong clock."""


class Directory(Protocol):
    """What the flow asks the registry. Implementations may refresh themselves between calls."""

    def building_of(self, organization: str, facility: str, gateway: str) -> str | None:
        """Key of the building a gateway is registered in."""

    def building(self, key: str) -> Building:
        """The newest version of a building."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A checked read batch. Times already carry the gateway's clock correction; columns (reads,).

    `reads_refused`: the batch counts for deduplication only, its reads were dead-lettered.
    """

    building: str
    organization: str
    facility: str
    gateway: str
    boot: str
    sequence: int
    oldest: int
    until_us: int
    tags: list[str]
    receivers: list[str]
    tag_index: Ints
    receiver_index: Ints
    time_us: Ints
    rssi_cdbm: Ints
    receptions: Ints
    payload: bytes
    reads_refused: bool = False


Routed = tuple[str, Arrival | DeadLetter | StatusReport]


class Router:
    """Tells arrivals, status reports and dead letters apart; nothing raises."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def route(self, messages: Iterable[RawMessage]) -> list[Routed]:
        """(building key, arrival) for batches, ("", record) for what goes straight to the sink."""
        routed: list[Routed] = []
        for message in messages:
            try:
                routed += self._one(message)
            except TopicError as error:
                routed.append(("", DeadLetter.of(message, "wrong_topic", str(error))))
            except MessageError as error:
                routed.append(("", DeadLetter.of(message, error.reason, error.detail)))
        return routed

    def _one(self, message: RawMessage) -> list[Routed]:
        topic = topics.parse_gateway(message.topic)
        if topic.channel == "status":
            return [("", _status(topic, message))]
        if topic.channel != "reads":
            raise MessageError("wrong_topic", f"nothing is read from {topic.channel!r}")
        batch = codec.decode_batch(message.payload)
        if batch.gateway != topic.gateway:
            raise MessageError("wrong_gateway", f"the batch says it is from {batch.gateway!r}")
        building = self._directory.building_of(topic.organization, topic.facility, topic.gateway)
        if building is None:
            raise MessageError(
                "unknown_gateway", f"{topic.gateway!r} is not registered; register it"
            )
        arrival = _arrival(building, topic, batch, message.payload)
        problem = _time_problem(arrival, message.received_us)
        if problem is None:
            return [(building, arrival)]
        return [
            ("", DeadLetter.of(message, *problem)),
            (building, _without_reads(arrival)),
        ]


def _status(topic: topics.GatewayTopic, message: RawMessage) -> StatusReport:
    status = codec.decode_json(GatewayStatus, message.payload)
    if status.gateway != topic.gateway:
        raise MessageError("wrong_gateway", f"the status says it is from {status.gateway!r}")
    return StatusReport(
        topic.organization,
        topic.facility,
        topic.gateway,
        status.state == "online",
        to_us(status.at),
        message.payload,
    )


def _arrival(
    building: str, topic: topics.GatewayTopic, batch: ReadBatch, payload: bytes
) -> Arrival:
    correction = batch.clock.correction_us or 0
    tag_index = _column(batch.tag_index, "<u2")
    receiver_index = _column(batch.receiver_index, "<u2")
    if len(batch) and (
        tag_index.max() >= len(batch.tags) or receiver_index.max() >= len(batch.receivers)
    ):
        raise MessageError("malformed", "an index points past the end of tags or receivers")
    return Arrival(
        building=building,
        organization=topic.organization,
        facility=topic.facility,
        gateway=topic.gateway,
        boot=batch.boot,
        sequence=batch.sequence,
        oldest=batch.oldest,
        until_us=batch.until_us + correction if batch.until_us >= OLDEST_US else NEVER_US,
        tags=batch.tags,
        receivers=batch.receivers,
        tag_index=tag_index,
        receiver_index=receiver_index,
        time_us=_column(batch.offset_us, "<u4") + (batch.start_us + correction),
        rssi_cdbm=_column(batch.rssi_cdbm, "<i2"),
        receptions=_column(batch.count, "<u2"),
        payload=payload,
    )


def _column(data: bytes, dtype: str) -> Ints:
    return np.frombuffer(data, dtype=dtype).astype(np.int64)


def _time_problem(arrival: Arrival, received_us: int) -> tuple[str, str] | None:
    """Why the times of a batch cannot be right, or None.

    An `until_us` before OLDEST_US is no time but "nothing is promised yet".
    """
    newest = max(arrival.until_us, int(arrival.time_us.max(initial=arrival.until_us)))
    if newest > received_us + FUTURE_US:
        ahead_s = (newest - received_us) / 1e6
        return "time_in_future", f"newest time is {ahead_s:.0f} s ahead; set the gateway's clock"
    if int(arrival.time_us.min(initial=OLDEST_US)) < OLDEST_US:
        return "time_too_old", "times before 2015; set the gateway's clock"
    return None


def _without_reads(arrival: Arrival) -> Arrival:
    nothing = np.zeros(0, dtype=np.int64)
    return Arrival(
        building=arrival.building,
        organization=arrival.organization,
        facility=arrival.facility,
        gateway=arrival.gateway,
        boot=arrival.boot,
        sequence=arrival.sequence,
        oldest=arrival.oldest,
        until_us=NEVER_US,
        tags=[],
        receivers=[],
        tag_index=nothing,
        receiver_index=nothing,
        time_us=nothing,
        rssi_cdbm=nothing,
        receptions=nothing,
        payload=b"",
        reads_refused=True,
    )
