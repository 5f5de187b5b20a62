"""Errors of the domain.

DomainError
├── GeometryError    a polygon or position that describes no place
└── SnapshotError    persisted state that this version cannot read
"""

from __future__ import annotations


class DomainError(ValueError):
    """Input from which the domain cannot compute."""


class GeometryError(DomainError):
    """`problem` says what is wrong with the shape."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class SnapshotError(DomainError):
    """State of another version; the message says what to do."""
