"""Deterministic ids of master data: a function of the natural key, in every database alike.

So loading a file twice finds the same rows, and two systems that never met agree. A key is the
path of codes from the organization down; only its last part may contain a slash.
"""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID, uuid5

NAMESPACE: Final = UUID("4f5b1c1e-6f0e-5d0f-9a53-2f1f6c0e7d11")
"""Never changes: every id depends on it."""

Kind = Literal[
    "organization",  # organization
    "facility",  # organization, facility
    "building",  # organization, facility, building
    "floor",  # organization, facility, building, floor
    "room",  # organization, facility, building, room: its codes are unique in the building
    "zone",  # organization, facility, building, zone
    "gateway",  # organization, facility, gateway
    "receiver",  # organization, facility, gateway, name
    "asset",  # organization, tag number: a transfer between facilities keeps the id
    "tag",  # organization, tag name
    "rule",  # organization, facility, rule
]


def make_id(kind: Kind, *path: str) -> UUID:
    """The id of the `kind` at `path`."""
    return uuid5(NAMESPACE, f"{kind}:{'/'.join(path)}")
