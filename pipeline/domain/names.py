"""Deterministic ids: what happens twice in the same way has the same name."""

from __future__ import annotations

from hashlib import sha1
from uuid import UUID, SafeUUID

_TAKEN = 0xF << 76 | 0x3 << 62
_VERSION_5 = 0x5 << 76 | 0x2 << 62


def uuid5(namespace: UUID, name: str) -> UUID:
    """As uuid.uuid5 (RFC 9562, version 5), in a third of the time: a window may name hundreds."""
    digest = sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()
    number = int.from_bytes(digest[:16]) & ~_TAKEN | _VERSION_5
    made = object.__new__(UUID)  # its own constructor takes longer than the hash
    object.__setattr__(made, "int", number)
    object.__setattr__(made, "is_safe", SafeUUID.unknown)
    return made
