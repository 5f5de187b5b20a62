"""Adverts as they are heard, to tags and what these measure.

A device repeats itself several times a second, and BlueZ gives all that it ever said with every
advert: so each part is decoded when it changed, and its values are said again now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edge_agent.decoders.ble import beacon_identity, device_identity
from edge_agent.decoders.ble_bthome_order import AdvertOrder
from edge_agent.decoders.ble_sensors import measured
from edge_agent.decoders.readings import Frame, SensorReading
from edge_agent.decoders.registry_ble import Place, decode_part

_BEACON_S = 60.0
"""A beacon that alternates between frames keeps the name of its identity for this long."""
_NOTHING: tuple[SensorReading, ...] = ()


@dataclass(slots=True)
class _Device:
    """What one address said last. `frames`: what is to be said again of each part."""

    manufacturer_data: Mapping[int, bytes] = field(default_factory=dict)
    service_data: Mapping[str, bytes] = field(default_factory=dict)
    tag: str | None = None
    beacon: str | None = None
    beacon_s: float = 0.0
    told_s: float = 0.0
    frames: dict[Place, Frame] = field(default_factory=dict)


class BleTags:
    """Usage: `take` every advert. Times are seconds of any monotonic clock.

    `owner_of(address)`: whose resolvable address it is. `keys`: 12 digits of the address in lower
    case -> the device's own key, 16 bytes. `undecryptable` counts adverts with a missing or wrong
    one.
    """

    def __init__(
        self,
        *,
        forward_random: bool = False,
        owner_of: Callable[[str], str | None] | None = None,
        keys: Mapping[str, bytes] | None = None,
        repeat_s: float = 10.0,
        limit: int = 4096,
    ) -> None:
        self._forward_random = forward_random
        self._owner_of = owner_of
        self._keys = keys or {}
        self._repeat_s = repeat_s
        self._limit = limit
        self._devices: dict[str, _Device] = {}
        self._order = AdvertOrder()
        self.undecryptable = 0

    def take(
        self,
        address: str,
        address_type: str | None,
        manufacturer_data: Mapping[int, bytes],
        service_data: Mapping[str, bytes],
        at_s: float,
    ) -> tuple[str | None, tuple[SensorReading, ...]]:
        """The tag, or None when nothing in it lasts; and what it measures, as far as that is new
        or due to be said again."""
        device = self._devices.get(address)
        if device is None:
            if len(self._devices) >= self._limit:
                self._devices.clear()  # phones change their address: nobody comes back
            device = self._devices[address] = _Device()
        elif device.manufacturer_data == manufacturer_data and device.service_data == service_data:
            return self._again(device, at_s)
        self._name(device, address, address_type, manufacturer_data, service_data, at_s)
        values = _NOTHING
        if device.tag is not None:
            values = self._changed(device, address, manufacturer_data, service_data, at_s)
        device.manufacturer_data, device.service_data = manufacturer_data, service_data
        return device.tag, values

    def _again(self, device: _Device, at_s: float) -> tuple[str | None, tuple[SensorReading, ...]]:
        if device.tag is None or at_s - device.told_s < self._repeat_s:
            return device.tag, _NOTHING
        device.told_s = at_s
        return device.tag, tuple(measured(device.tag, device.frames.values()))

    def _name(
        self,
        device: _Device,
        address: str,
        address_type: str | None,
        manufacturer_data: Mapping[int, bytes],
        service_data: Mapping[str, bytes],
        at_s: float,
    ) -> None:
        beacon = beacon_identity(manufacturer_data, service_data)
        if beacon is not None:
            device.beacon, device.beacon_s = beacon, at_s
        elif device.beacon is not None and at_s - device.beacon_s > _BEACON_S:
            device.beacon = None
        device.tag = device.beacon or device_identity(
            address, address_type, forward_random=self._forward_random, owner_of=self._owner_of
        )

    def _changed(
        self,
        device: _Device,
        address: str,
        manufacturer_data: Mapping[int, bytes],
        service_data: Mapping[str, bytes],
        at_s: float,
    ) -> tuple[SensorReading, ...]:
        frames: dict[Place, Frame] = {}
        companies = sorted(manufacturer_data)
        parts: list[tuple[Place, bytes, bytes | None]] = [
            *((c, manufacturer_data[c], device.manufacturer_data.get(c)) for c in companies),
            *((s, service_data[s], device.service_data.get(s)) for s in sorted(service_data)),
        ]
        for place, data, before in parts:
            frame = device.frames.get(place)
            if data != before:
                frame = self._decode(place, data, address, at_s, frame)
            if frame is not None:
                frames[place] = frame
        device.told_s = at_s
        device.frames = {place: _without_events(frame) for place, frame in frames.items()}
        return tuple(measured(device.tag or "", frames.values()))

    def _decode(
        self, place: Place, data: bytes, address: str, at_s: float, last: Frame | None
    ) -> Frame | None:
        """None: foreign, or not to be read; `last`: a repetition of what was said before."""
        key = self._keys.get(address.replace(":", "").lower())
        found = decode_part(place, data, address, key)
        frame = found.frame
        if frame is None:
            return None
        if frame.get("encrypted") is True and "error" in frame:
            self.undecryptable += 1
            return None
        if found.format == "ble_bthome2" and not self._order.is_new(address, frame, at_s):
            return last
        return frame


def _without_events(frame: Frame) -> Frame:
    """A press of a button happened once; what is measured stays true."""
    values = frame.get("values")
    if not isinstance(values, list):
        return frame
    return frame | {"values": [item for item in values if item[0] != "button"]}
