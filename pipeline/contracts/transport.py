"""Envelopes between a source, the flow and a sink. They never leave the process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

KEPT_BYTES = 4096
"""A dead letter keeps this much of its payload: enough to see what it was."""


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as it came; `received_us` is the wall clock of the host that received it."""

    topic: str
    payload: bytes
    received_us: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that cannot be used. `reason` is a stable slug, `detail` is for people."""

    topic: str
    reason: str
    detail: str
    payload: bytes
    size: int
    sha256: bytes
    received_us: int

    @classmethod
    def of(cls, message: RawMessage, reason: str, detail: str) -> DeadLetter:
        return cls(
            message.topic[:500],
            reason,
            detail[:500],
            message.payload[:KEPT_BYTES],
            len(message.payload),
            hashlib.sha256(message.payload).digest(),
            message.received_us,
        )


@dataclass(frozen=True, slots=True)
class GatewayMark:
    """Every batch of `boot` up to `sequence` is in the pipeline's state; durable with its epoch."""

    organization: str
    facility: str
    gateway: str
    boot: str
    sequence: int
    until_us: int


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A gateway's status message that has been checked."""

    organization: str
    facility: str
    gateway: str
    online: bool
    at_us: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class RawBatch:
    """A batch as it came, new and right. Event times of its oldest and newest read."""

    gateway_id: UUID
    building_id: UUID
    boot: str
    sequence: int
    first_us: int
    last_us: int
    until_us: int
    reads: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Measurements:
    """What tags of one batch measured: (tag, quantity, event time in microseconds, value)."""

    organization_id: UUID
    values: tuple[tuple[str, str, int, float], ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a building when every window up to `at_us` was closed (flow.checkpoint)."""

    building_id: UUID
    at_us: int
    state: bytes


@dataclass(frozen=True, slots=True)
class LateBatch:
    """A batch with reads whose window was closed already; kept whole, to be reconciled.

    `first_us`, `last_us`: event times of the oldest and newest late read.
    """

    organization: str
    facility: str
    gateway: str
    building: str
    boot: str
    sequence: int
    late_reads: int
    first_us: int
    last_us: int
    payload: bytes
