"""Which BTHome adverts are new: a device repeats each several times, and others may replay them."""

from __future__ import annotations

from edge_agent.decoders.readings import Frame

_RESTART_FALL = 10_000
_FORGET_S = 3600.0
_MEMORY = 10_000
_REPEAT_S = 30.0
"""A packet id is one byte: after this time the same one is a new packet."""


class AdvertOrder:
    """`is_new(address, frame, at_s)`; times in seconds of any monotonic clock.

    An encrypted advert whose counter goes back is dropped, except after a restart (a large fall)
    or a long silence. An advert with the packet id of the last one is a repetition.
    """

    def __init__(self, *, restart_fall: int = _RESTART_FALL, forget_s: float = _FORGET_S) -> None:
        self._restart_fall = restart_fall
        self._forget_s = forget_s
        self._counters: dict[str, tuple[int, float]] = {}
        self._packets: dict[str, tuple[int, float]] = {}

    def is_new(self, address: str, frame: Frame, at_s: float) -> bool:
        if "error" in frame and frame["encrypted"]:
            return False
        counter = frame.get("counter")
        if counter is not None and not self._forward(address, counter, at_s):
            return False
        packet = next((value for name, value in frame["values"] if name == "packet_id"), None)
        return packet is None or self._other(address, packet, at_s)

    def _forward(self, address: str, counter: int, at_s: float) -> bool:
        last, last_s = self._counters.get(address, (-1, at_s))
        fall = last - counter
        if 0 < fall < self._restart_fall and at_s - last_s < self._forget_s:
            return False
        _remember(self._counters, address, (counter, at_s))
        return fall != 0

    def _other(self, address: str, packet: int, at_s: float) -> bool:
        last, last_s = self._packets.get(address, (-1, at_s))
        _remember(self._packets, address, (packet, at_s))
        return packet != last or at_s - last_s > _REPEAT_S


def _remember(memory: dict[str, tuple[int, float]], address: str, item: tuple[int, float]) -> None:
    if address not in memory and len(memory) >= _MEMORY:
        memory.clear()
    memory[address] = item
