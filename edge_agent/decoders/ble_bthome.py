"""BTHome version 2, service data FCD2: flags, then objects of id and value. Little endian.

Encrypted adverts need the device's key and address; `error` says what was missing or wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge_agent.decoders import ble_bthome_objects as objects
from edge_agent.decoders.ble_aes import BLOCK, decrypt_ccm
from edge_agent.decoders.ble_fields import mac_reversed, text
from edge_agent.decoders.ble_rpa import address_bytes
from edge_agent.decoders.readings import Frame

SERVICE = 0xFCD2
_VERSION = 2
_ENCRYPTED, _HAS_MAC, _TRIGGERED = 1, 2, 4
_MAC_BYTES, _COUNTER_BYTES, _TAG_BYTES = 6, 4, 4
_NONCE_SERVICE = b"\xd2\xfc"


def decode(data: bytes, address: str | None = None, key: bytes | None = None) -> Frame | None:
    if not data or data[0] >> 5 != _VERSION:
        return None
    flags = data[0]
    frame: Frame = {
        "version": _VERSION,
        "encrypted": bool(flags & _ENCRYPTED),
        "trigger_based": bool(flags & _TRIGGERED),
        "values": [],
    }
    body = data[1:]
    if flags & _HAS_MAC:
        if len(body) < _MAC_BYTES:
            return frame | {"error": "truncated"}
        frame["mac"] = mac_reversed(body, 0)
        body = body[_MAC_BYTES:]
    if flags & _ENCRYPTED:
        return frame | _decrypted(flags, body, frame.get("mac", address), key)
    return frame | _objects(body)


def _decrypted(flags: int, body: bytes, address: str | None, key: bytes | None) -> Frame:
    at = len(body) - _COUNTER_BYTES - _TAG_BYTES
    if at < 0:
        return {"error": "truncated"}
    counter, tag = body[at : at + _COUNTER_BYTES], body[at + _COUNTER_BYTES :]
    head: Frame = {"counter": int.from_bytes(counter, "little")}
    sender = address_bytes(address or "")
    if key is None or len(key) != BLOCK:
        return head | {"error": "no_key"}
    if sender is None:
        return head | {"error": "no_address"}
    nonce = sender + _NONCE_SERVICE + bytes((flags,)) + counter
    plain = decrypt_ccm(key, nonce, body[:at], tag)
    return head | ({"error": "mic"} if plain is None else _objects(plain))


def _objects(body: bytes) -> Frame:
    """All values up to the first id that is unknown or cut short."""
    values: list[list[Any]] = []
    at = 0
    while at < len(body):
        size = _size(body, at)
        if size == 0:
            return {"values": values, "unknown_object": body[at]}
        end = at + 1 + size
        if size < 0 or end > len(body):
            return {"values": values, "error": "truncated"}
        values.append(_value(body[at], body[at + 1 : end]))
        at = end
    return {"values": values}


def _size(body: bytes, at: int) -> int:
    """Bytes after the id: 0 for an unknown id, -1 when the length byte itself is missing."""
    kind = body[at]
    if kind in objects.NUMBERS:
        return objects.NUMBERS[kind].size
    if kind in objects.BOOLEANS:
        return 1
    if kind in objects.SIZES:
        return objects.SIZES[kind]
    if kind not in (objects.TEXT, objects.RAW, objects.COMMAND):
        return 0
    if at + 1 >= len(body):
        return -1
    length = body[at + 1]
    return 2 + (length & 0x1F) if kind == objects.COMMAND else 1 + length


def _value(kind: int, data: bytes) -> list[Any]:
    """[name, value]: a list, because the same name may come more than once."""
    if number := objects.NUMBERS.get(kind):
        raw = int.from_bytes(data, "little", signed=number.signed)
        value = raw if number.factor == 1 else round(raw * number.factor, 6)
        return [number.name, value]
    if name := objects.BOOLEANS.get(kind):
        return [name, bool(data[0])]
    return _SPECIAL[kind](data)


def _button(data: bytes) -> list[Any]:
    return ["button", objects.BUTTON_EVENTS.get(data[0], f"event_{data[0]:02x}")]


def _dimmer(data: bytes) -> list[Any]:
    direction = objects.DIRECTIONS.get(data[0], f"direction_{data[0]:02x}")
    return ["dimmer", {"direction": direction, "steps": data[1]}]


def _command(data: bytes) -> list[Any]:
    name = objects.COMMANDS.get(data[1], f"command_{data[1]:02x}")
    return ["command", {"command": name, "arguments": data[2:].hex()}]


def _firmware(data: bytes) -> list[Any]:
    return ["firmware_version", ".".join(str(byte) for byte in reversed(data))]


_SPECIAL: dict[int, Callable[[bytes], list[Any]]] = {
    objects.BUTTON: _button,
    objects.COMMAND: _command,
    objects.DIMMER: _dimmer,
    objects.TEXT: lambda data: ["text", text(data[1:])],
    objects.RAW: lambda data: ["raw", data[1:].hex()],
    objects.FIRMWARE_4: _firmware,
    objects.FIRMWARE_3: _firmware,
}
