"""From a raw message to something the building's state can take: decode, check, route.

Sans-I/O: `Router.route` is what the dataflow's first step calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from pipeline.contracts import codec, topics
from pipeline.contracts.errors import MessageError, TopicError
from pipeline.contracts.messages import GatewayStatus
from pipeline.contracts.reads import to_us
from pipeline.contracts.transport import DeadLetter, RawMessage, StatusReport
from pipeline.domain.floorplan import Building
from pipeline.flow.arrival import Arrival, arrange, time_problem, without_reads
from pipeline.flow.names import Names
from pipeline.flow.opening import Opened, find_tags

T = TypeVar("T")
R = TypeVar("R")
MAX_TOPICS = 16_384
"""Remembered as parsed; 16,384 gateways a process is far more than it could serve."""


class Directory(Protocol):
    """What the flow asks the registry. Implementations may refresh themselves between calls."""

    def building_of(self, organization: str, facility: str, gateway: str) -> str | None:
        """Key of the building a gateway is registered in."""

    def building(self, key: str) -> Building:
        """The newest version of a building."""


Routed = tuple[str, Arrival | DeadLetter | StatusReport]


class Router:
    """Tells arrivals, status reports and dead letters apart; nothing raises."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._names: dict[str, Names] = {}
        self._topics: dict[str, topics.GatewayTopic] = {}

    def route(self, messages: Iterable[RawMessage]) -> list[Routed]:
        """(building key, arrival) for batches, ("", record) for what goes straight to the sink."""
        steps = [_safely(message, self._open, message) for message in messages]
        find_tags(step for step in steps if isinstance(step, Opened))
        routed: list[Routed] = []
        for step in steps:
            done = _safely(step.message, _finished, step) if isinstance(step, Opened) else step
            routed += done
        return routed

    def _open(self, message: RawMessage) -> Opened | list[Routed]:
        topic = self._topics.get(message.topic) or topics.parse_gateway(message.topic)
        if topic.channel == "status":
            return [("", _status(topic, message))]
        if topic.channel != "reads":
            raise MessageError("wrong_topic", f"nothing is read from {topic.channel!r}")
        self._remember(message.topic, topic)
        building = self._directory.building_of(topic.organization, topic.facility, topic.gateway)
        names = None if building is None else self._names_of(building)
        return Opened.of(message, topic, building, names)

    def _names_of(self, key: str) -> Names:
        building, names = self._directory.building(key), self._names.get(key)
        if names is None or names.version != building.version:
            names = self._names[key] = Names(building)
        return names

    def _remember(self, text: str, topic: topics.GatewayTopic) -> None:
        if text not in self._topics:
            if len(self._topics) >= MAX_TOPICS:
                self._topics.clear()
            self._topics[text] = topic


def _safely(message: RawMessage, step: Callable[[T], R], what: T) -> R | list[Routed]:
    try:
        return step(what)
    except TopicError as error:
        return [("", DeadLetter.of(message, "wrong_topic", str(error)))]
    except MessageError as error:
        return [("", DeadLetter.of(message, error.reason, error.detail))]


def _finished(opened: Opened) -> list[Routed]:
    topic, batch, message = opened.topic, opened.checked_batch(), opened.message
    if batch.gateway != topic.gateway:
        raise MessageError("wrong_gateway", f"the batch says it is from {batch.gateway!r}")
    building, names = opened.building, opened.names
    if building is None or names is None:
        raise MessageError("unknown_gateway", f"{topic.gateway!r} is not registered; register it")
    arrival = arrange(building, topic, batch, message.payload)
    try:
        arrival.number(names, opened.found)
    except IndexError:
        detail = "an index points past the end of tags or receivers"
        raise MessageError("malformed", detail) from None
    problem = time_problem(arrival, message.received_us)
    if problem is None:
        return [(building, arrival)]
    return [("", DeadLetter.of(message, *problem)), (building, without_reads(arrival))]


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
