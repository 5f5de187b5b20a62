"""Errors of the sources.

SourceError
└── BrokerRefused    the broker answered, and said no
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
