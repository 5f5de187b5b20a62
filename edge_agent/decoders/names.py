"""Names of tags, `scheme:value`: at most 120 printable ASCII characters of value."""

from __future__ import annotations

import hashlib

_LONGEST = 120
_DIGEST_DIGITS = 16


def tag_name(scheme: str, value: str) -> str:
    """What is too long (an EPC may have 124 digits) ends in a digest of the whole, so different
    values stay different."""
    if len(value) > _LONGEST:
        digest = hashlib.sha256(value.encode()).hexdigest()[:_DIGEST_DIGITS]
        value = f"{value[: _LONGEST - _DIGEST_DIGITS - 1]}~{digest}"
    return f"{scheme}:{value}"


def epc_name(epc: str) -> str:
    """`epc`: hex digits."""
    return tag_name("epc", epc)
