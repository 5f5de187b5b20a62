"""Xiaomi MiBeacon, service data FE95. Little endian.

Encrypted adverts (versions 4 and 5) need the device's key; `error` says what was wrong.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from edge_agent.decoders.ble_aes import BLOCK, decrypt_ccm
from edge_agent.decoders.ble_fields import s16le, u16le
from edge_agent.decoders.ble_rpa import address_bytes
from edge_agent.decoders.readings import Frame

SERVICE = 0xFE95
_ENCRYPTED, _HAS_MAC, _HAS_CAPABILITY, _HAS_OBJECT = 0x08, 0x10, 0x20, 0x40
_EXTENDED_CAPABILITY = 0x20
_HEAD, _MAC_BYTES = 5, 6
_COUNTER_BYTES, _TAG_BYTES = 3, 4
_ASSOCIATED = b"\x11"
_CCM_VERSIONS = (4, 5)


def decode(data: bytes, address: str | None = None, key: bytes | None = None) -> Frame | None:
    if len(data) < _HEAD:
        return None
    control, at = u16le(data, 0), _HEAD
    sender = address_bytes(address or "")
    if control & _HAS_MAC:
        named = data[at : at + _MAC_BYTES][::-1]
        at += _MAC_BYTES
        # Another device's frame, relayed, would be put down to the wrong tag.
        if sender is not None and named != sender:
            return None
        sender = named
    if control & _HAS_CAPABILITY:
        at += 2 if at < len(data) and data[at] & _EXTENDED_CAPABILITY else 1
    if at > len(data):
        return None
    frame: Frame = {
        "version": control >> 12,
        "product": u16le(data, 2),
        "counter": data[4],
        "encrypted": bool(control & _ENCRYPTED),
    }
    if sender is not None:
        frame["mac"] = sender.hex()
    if not control & _HAS_OBJECT or at == len(data):
        return frame | {"no_object": True}
    if not control & _ENCRYPTED:
        return frame | _objects(data[at:])
    return frame | _decrypted(frame["version"], data[2:5], data[at:], sender, key)


def _decrypted(
    version: int, product_and_counter: bytes, body: bytes, sender: bytes | None, key: bytes | None
) -> Frame:
    at = len(body) - _COUNTER_BYTES - _TAG_BYTES
    if at < 0:
        return {"error": "truncated"}
    if version not in _CCM_VERSIONS:
        return {"error": "unsupported_encryption"}
    if key is None or len(key) != BLOCK:
        return {"error": "no_key"}
    if sender is None:
        return {"error": "no_address"}
    counter, tag = body[at : at + _COUNTER_BYTES], body[at + _COUNTER_BYTES :]
    nonce = sender[::-1] + product_and_counter + counter
    plain = decrypt_ccm(key, nonce, body[:at], tag, _ASSOCIATED)
    return {"error": "mic"} if plain is None else _objects(plain)


def _objects(body: bytes) -> Frame:
    """Type, length, value; a type that is not in the table is named and skipped."""
    frame: Frame = {}
    unknown: list[str] = []
    at = 0
    while at < len(body):
        end = at + 3 + (body[at + 2] if at + 3 <= len(body) else 0)
        if at + 3 > len(body) or end > len(body):
            frame["error"] = "truncated"
            break
        size, decoder = _TYPES.get(u16le(body, at), (0, None))
        value = body[at + 3 : end]
        if decoder and len(value) == size:
            frame |= decoder(value)
        else:
            unknown.append(f"{u16le(body, at):04x}")
        at = end
    return frame | ({"unknown_objects": unknown} if unknown else {})


def _temperature(value: bytes) -> Frame:
    return {"temperature_c": s16le(value, 0) / 10}


def _humidity(value: bytes) -> Frame:
    return {"humidity": u16le(value, 0) / 10}


def _whole_humidity(value: bytes) -> Frame:
    return {"humidity": value[0]}


def _battery(value: bytes) -> Frame:
    return {"battery": value[0]}


def _float_temperature(value: bytes) -> Frame:
    degrees: float = struct.unpack("<f", value)[0]
    return {"temperature_c": round(degrees, 3) if math.isfinite(degrees) else None}


_TYPES: dict[int, tuple[int, Callable[[bytes], Frame]]] = {
    0x1004: (2, _temperature),
    0x1006: (2, _humidity),
    0x1007: (3, lambda value: {"illuminance_lx": int.from_bytes(value, "little")}),
    0x1008: (1, lambda value: {"moisture": value[0]}),
    0x1009: (2, lambda value: {"conductivity": u16le(value, 0)}),
    0x100A: (1, _battery),
    0x100D: (4, lambda value: _temperature(value) | _humidity(value[2:])),
    0x4803: (1, _battery),
    0x4C01: (4, _float_temperature),
    0x4C02: (1, _whole_humidity),
    0x4C08: (1, _whole_humidity),
}
"""Type -> bytes, decoder: the subset that climate sensors and plant probes send."""
