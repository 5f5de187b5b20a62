"""Deterministic ids: what happens twice in the same way has the same name."""

from __future__ import annotations

from hashlib import sha1
from uuid import UUID


def uuid5(namespace: UUID, name: str) -> UUID:
    """As uuid.uuid5 (RFC 9562, version 5), in half the time: a window may name hundreds."""
    digest = bytearray(sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest))
