"""Random addresses, and whose they are through an identity resolving key (IRK).

hash = last three bytes of AES-128(IRK, 13 zero bytes + first three bytes of the address).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from edge_agent.decoders.ble_aes import BLOCK, encrypt_block
from edge_agent.decoders.readings import Frame

AddressKind = Literal["static", "resolvable", "non_resolvable", "reserved"]
_KINDS: tuple[AddressKind, ...] = ("non_resolvable", "resolvable", "reserved", "static")
_MEMORY = 10_000
"""Addresses whose owner is remembered: a phone changes its own about every 15 minutes."""


def address_bytes(address: str) -> bytes | None:
    """Six bytes in printed order, or None for what is no address (macOS gives made-up UUIDs)."""
    digits = address.replace(":", "")
    if len(digits) != 12 or not set(digits) <= set("0123456789abcdefABCDEF"):
        return None
    return bytes.fromhex(digits)


def address_kind(address: bytes) -> AddressKind:
    """By the top two bits. Means something only for addresses that are marked random."""
    return _KINDS[address[0] >> 6]


def matches(irk: bytes, address: bytes) -> bool:
    """Whether a resolvable address was made with `irk` (16 bytes, most significant first)."""
    if address_kind(address) != "resolvable":
        return False
    return encrypt_block(irk, bytes(BLOCK - 3) + address[:3])[-3:] == address[3:]


def decode(address: str, irk: bytes | None) -> Frame | None:
    """`match` is None without a key. `match_reversed`: the key was printed the other way round."""
    octets = address_bytes(address)
    if octets is None:
        return None
    usable = irk if irk is not None and len(irk) == BLOCK else None
    return {
        "kind": address_kind(octets),
        "resolvable": address_kind(octets) == "resolvable",
        "match": None if usable is None else matches(usable, octets),
        "match_reversed": None if usable is None else matches(usable[::-1], octets),
    }


class Resolver:
    """`name_of(address)`: whose resolvable address it is. `irks`: name -> key of 16 bytes.

    Keys are taken in both byte orders, because tools print both; 24 bits of hash leave one chance
    in 8 million of a wrong match per key.
    """

    def __init__(self, irks: Mapping[str, bytes]) -> None:
        for name, irk in irks.items():
            if len(irk) != BLOCK:
                raise ValueError(f"the key of {name} has {len(irk)} bytes, not 16")
        self._keys = [(name, key) for name, irk in irks.items() for key in {irk, irk[::-1]}]
        self._owners: dict[bytes, str | None] = {}

    def name_of(self, address: str) -> str | None:
        octets = address_bytes(address)
        if octets is None or address_kind(octets) != "resolvable":
            return None
        if octets not in self._owners:
            if len(self._owners) >= _MEMORY:
                self._owners.clear()
            found = (name for name, key in self._keys if matches(key, octets))
            self._owners[octets] = next(found, None)
        return self._owners[octets]
