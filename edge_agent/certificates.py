"""When a certificate ends: read from its bytes, as the standard library has no way to ask."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

_SEQUENCE, _VERSION, _UTC_TIME = 0x30, 0xA0, 0x17
_AFTER_VERSION = 3
"""Serial number, algorithm and issuer stand before the validity."""


def ends_at(path: Path) -> datetime:
    """Of the first certificate in a PEM file. Raises OSError, ValueError."""
    text = path.read_text()
    begin, end = text.find("-----BEGIN CERTIFICATE"), text.find("-----END CERTIFICATE")
    if begin < 0 or end < begin:
        raise ValueError(f"{path} holds no certificate")
    der = ssl.PEM_cert_to_DER_cert(text[begin:end] + "-----END CERTIFICATE-----\n")
    try:
        return _not_after(der)
    except (IndexError, StopIteration, UnicodeDecodeError):
        raise ValueError(f"{path} holds a damaged certificate") from None


def _not_after(der: bytes) -> datetime:
    _, certificate = next(_parts(der))
    _, signed = next(_parts(certificate))
    parts = [part for part in _parts(signed) if part[0] != _VERSION]
    kind, validity = parts[_AFTER_VERSION]
    if kind != _SEQUENCE:
        raise IndexError
    kind, value = list(_parts(validity))[1]
    form = "%y%m%d%H%M%SZ" if kind == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(value.decode("ascii"), form).replace(tzinfo=UTC)


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element of DER. Raises IndexError when it ends too soon."""
    at = 0
    while at < len(data):
        kind, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise IndexError
        yield kind, data[at : at + length]
        at += length
