"""Errors of the contracts.

ContractError
├── TopicError       a topic that is not one of ours, or a name that cannot stand in one
└── MessageError     a payload that cannot be accepted; carries a machine-readable `reason`
"""

from __future__ import annotations


class ContractError(ValueError):
    """Something that crossed MQTT does not keep the contract."""


class TopicError(ContractError):
    def __init__(self, topic: str, problem: str) -> None:
        super().__init__(f"topic {topic!r}: {problem}")
        self.topic = topic


class MessageError(ContractError):
    """`reason` is a stable slug for counting; `detail` is for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
