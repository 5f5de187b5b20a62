"""ELA Innovation (Blue Puck, Blue Coin), company 1879: type byte, value; sometimes two of them."""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.decoders.ble_fields import s16le, u16le
from edge_agent.decoders.readings import Frame

COMPANY = 0x0757


def _state(name: str) -> Callable[[bytes], Frame]:
    """Bit 0 is the state, the rest counts the changes."""
    return lambda value: {name: bool(value[0] & 1), "count": u16le(value, 0) >> 1}


_TYPES: dict[int, tuple[int, Callable[[bytes], Frame]]] = {
    0x12: (2, lambda value: {"temperature_c": s16le(value, 0) / 100}),
    0x21: (1, lambda value: {"humidity": value[0]}),
    0x32: (2, _state("magnet")),
    0x42: (2, _state("moving")),
    0x56: (6, lambda value: {"acc_mg": [s16le(value, at) for at in (0, 2, 4)]}),
    0x62: (2, _state("input")),
    0x92: (2, _state("pir")),
    0xB2: (2, _state("button")),
    0xF1: (1, lambda value: {"battery": value[0]}),
    0xF2: (2, lambda value: {"battery_mv": u16le(value, 0)}),
}
"""Type -> bytes of the value, decoder. 62 input, 92 infrared, B2 touch: from public decoders."""


def decode(data: bytes) -> Frame | None:
    frame: Frame = {}
    at = 0
    while at < len(data):
        size, decoder = _TYPES.get(data[at], (0, None))
        value = data[at + 1 : at + 1 + size]
        if decoder is None or len(value) != size:
            return None
        frame |= decoder(value)
        at += 1 + size
    return frame or None
