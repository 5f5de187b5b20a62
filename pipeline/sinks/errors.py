"""Errors of the sinks.

SinkError
└── OutboxError    the outbox cannot be published; carries what to check
"""

from __future__ import annotations


class SinkError(RuntimeError):
    """A durable output failed for good."""


class OutboxError(SinkError):
    """Publishing from the outbox failed for good."""
