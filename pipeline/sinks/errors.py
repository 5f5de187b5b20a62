"""Errors of the sinks.

SinkError
├── OutboxError    the outbox cannot be published; carries what to check
└── ScratchError   a scratch schema cannot be made, used or dropped
"""

from __future__ import annotations


class SinkError(RuntimeError):
    """A durable output failed for good."""


class OutboxError(SinkError):
    """Publishing from the outbox failed for good."""


class ScratchError(SinkError):
    """What to change about the scratch schema, in one line."""
