"""Between the sink, which commits, and the source, which may acknowledge afterwards.

Whatever the source reads from, a gateway learns over MQTT how far its batches are durable.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from pipeline.contracts import topics
from pipeline.contracts.codec import encode_json
from pipeline.contracts.messages import Ack
from pipeline.contracts.transport import GatewayMark


class AckBoard:
    """The newest mark of each gateway's boot that is committed and not yet acknowledged."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._marks: dict[tuple[str, str, str, str], GatewayMark] = {}

    def put(self, marks: Iterable[GatewayMark]) -> None:
        with self._lock:
            for mark in marks:
                key = (mark.organization, mark.facility, mark.gateway, mark.boot)
                self._marks.pop(key, None)
                self._marks[key] = mark

    def take(self) -> list[GatewayMark]:
        """All marks, in the order in which they were put; they are gone afterwards."""
        with self._lock:
            marks = list(self._marks.values())
            self._marks.clear()
        return marks


class Publisher(Protocol):
    def publish(self, topic: str, payload: bytes, *, retain: bool) -> Any: ...


class AckPublisher:
    """Tells the gateways; for a source to call when the epoch before is durable.

    An ack that does not arrive does no harm: the gateway sends again, and is told again.
    """

    def __init__(
        self,
        board: AckBoard,
        publisher: Publisher,
        fault: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._board, self._publisher, self._fault = board, publisher, fault

    def publish(self) -> None:
        marks = self._board.take()
        if marks:
            self._fault("between-epoch-and-ack")
        for mark in marks:
            ack = Ack(gateway=mark.gateway, boot=mark.boot, sequence=mark.sequence)
            topic = topics.gateway(mark.organization, mark.facility, mark.gateway, "ack")
            self._publisher.publish(topic, encode_json(ack), retain=True)
