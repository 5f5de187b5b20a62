"""Feasycom beacons, service data FFF0 (which others use too: only known models are taken)."""

from __future__ import annotations

from edge_agent.decoders.ble_fields import mac
from edge_agent.decoders.readings import Frame

SERVICE = 0xFFF0
_SIZE = 11
_EXTERNAL_POWER = 0x65
_MODELS = {
    0x15: "BP102",
    0x19: "BP109",
    0x1A: "BP103",
    0x1B: "BP104",
    0x1C: "BP201",
    0x1D: "BP106",
    0x1E: "BP101",
    0x24: "BP120",
    0x27: "BP108",
    0x28: "BP108N",
    0x29: "BP103B",
}


def decode(data: bytes) -> Frame | None:
    if len(data) != _SIZE or data[0] not in _MODELS or data[10] > _EXTERNAL_POWER:
        return None
    plugged_in = data[10] == _EXTERNAL_POWER
    return {
        "model": _MODELS[data[0]],
        "version": data[1:3].hex(),
        "flags": data[3],
        "mac": mac(data, 4),
        "battery": None if plugged_in else data[10],
        "plugged_in": plugged_in,
    }
