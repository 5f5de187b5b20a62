"""Errors of the sources.

SourceError
├── BrokerRefused    the broker answered, and said no
├── LogUnusable      the Kafka-compatible log refuses, or lacks the topic
└── CaptureError     a capture file that cannot be written, or that is none
    └── CaptureDamaged   a record in its middle is not what was written
"""

from __future__ import annotations


class SourceError(RuntimeError):
    """Messages cannot be received."""


class BrokerRefused(SourceError):
    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"the broker at {host}:{port} refuses the pipeline: {reason}. Check the user name, "
            "the password and the broker's access list; trying again"
        )
        self.reason = reason


class LogUnusable(SourceError):
    """`topic` and what the log said."""

    def __init__(self, topic: str, problem: str) -> None:
        super().__init__(
            f"the log's topic {topic!r} cannot be used: {problem}. Check kafka_brokers, the topic "
            "(its partitions and max.message.bytes) and the access rights"
        )
        self.topic = topic


class CaptureError(SourceError):
    """`path` and what to do about it."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


class CaptureDamaged(CaptureError):
    """Everything before byte `offset` is whole."""

    def __init__(self, path: str, offset: int) -> None:
        super().__init__(
            path,
            f"the record at byte {offset} is damaged and others follow; to use what stands "
            f"before it: head -c {offset} FILE > WHOLE",
        )
        self.offset = offset
