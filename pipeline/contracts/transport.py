"""Envelopes between a source, the flow and a sink. They never leave the process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

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
class LateBatch:
    """A batch with reads whose window was closed already; kept whole, to be reconciled."""

    organization: str
    facility: str
    gateway: str
    building: str
    boot: str
    sequence: int
    late_reads: int
    payload: bytes
