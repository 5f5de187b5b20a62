"""A RawMessage as a record of a log, and back. Pure; what bridge and source have in common.

Key: organization/facility, so that a facility's messages keep their order. Value: the payload,
untouched. Headers: the MQTT topic, and when the bridge received it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.contracts.transport import RawMessage

LOG_PART = "log"
"""The source's one partition in the engine's store; its state maps log partitions to offsets."""
TOPIC, RECEIVED = "topic", "received_us"
MAX_RECORD_BYTES = 2 * 1024 * 1024
"""What producer, topic and consumer must take: the largest payload, headers and framing."""


def facility_of(topic: str) -> str:
    """organization/facility of a topic biotrakr/v1/{organization}/{facility}/..."""
    parts = topic.split("/")
    return "/".join(parts[2:4]) if len(parts) > 4 else ""


def headers_of(message: RawMessage) -> list[tuple[str, bytes]]:
    return [(TOPIC, message.topic.encode()), (RECEIVED, str(message.received_us).encode())]


def message_of(
    value: bytes | None, headers: Sequence[tuple[str, bytes | None]] | None, stored_us: int
) -> RawMessage:
    """Never raises: without its topic a record becomes a dead letter further on.

    `stored_us`: when the log took it, used when the bridge's time is missing.
    """
    found = {name: content for name, content in headers or () if content is not None}
    topic = found.get(TOPIC, b"").decode(errors="replace")
    received = found.get(RECEIVED, b"")
    received_us = int(received) if received.isdigit() and len(received) < 18 else stored_us
    return RawMessage(topic, value or b"", received_us)
