"""Which Bluetooth devices are in the air, and what they are."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from edge_agent.decoders.ble import identity
from edge_agent.decoders.ble_advert import Advert
from edge_agent.decoders.registry_ble import decode_all

_MOST_DEVICES = 5000
_START_S = 10.0


@dataclass
class Device:
    """`tag`: what its reads would be called; None: it has no identity that lasts (a phone)."""

    address: str
    address_type: str
    name: str = ""
    tag: str | None = None
    kinds: Counter[str] = field(default_factory=Counter)
    foreign: set[str] = field(default_factory=set)
    adverts: int = 0
    strongest_dbm: int = -127

    @property
    def kind(self) -> str:
        if self.kinds:
            return ", ".join(sorted(name.removeprefix("ble_") for name in self.kinds))
        if self.foreign:
            return "unknown (" + ", ".join(sorted(self.foreign)) + ")"
        return "address only" if self.tag else "random address"


class Air:
    """Adverts gathered by device."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}

    def heard(self, device: BLEDevice, advert: AdvertisementData) -> None:
        _path, properties = advert.platform_data
        if "RSSI" not in properties:
            return  # a property changed, nothing was received
        if device.address not in self.devices and len(self.devices) >= _MOST_DEVICES:
            return
        kind = str(properties.get("AddressType", "public"))
        entry = self.devices.setdefault(device.address, Device(device.address, kind))
        entry.adverts += 1
        entry.strongest_dbm = max(entry.strongest_dbm, advert.rssi)
        entry.name = advert.local_name or entry.name
        self._identify(entry, advert)

    def _identify(self, entry: Device, advert: AdvertisementData) -> None:
        company, service = advert.manufacturer_data, advert.service_data
        entry.tag = (
            identity(
                address=entry.address,
                address_type=entry.address_type,
                manufacturer_data=company,
                service_data=service,
            )
            or entry.tag
        )
        address = entry.address.replace(":", "").lower()
        for found in decode_all(Advert(company, service, address, None)):
            if found.format is not None:
                entry.kinds[found.format] += 1
            else:
                entry.foreign.add(found.part)

    def by_strength(self) -> list[Device]:
        return sorted(self.devices.values(), key=lambda d: (-d.strongest_dbm, d.address))


async def scan(adapter: str | None, seconds: float) -> Air:
    """Raises the back end's error when there is no adapter, or none that is on."""
    air = Air()
    bluez: Any = {"filters": {"DuplicateData": True}}
    if adapter is not None:
        bluez["adapter"] = adapter
    scanner = BleakScanner(air.heard, scanning_mode="active", bluez=bluez)
    async with asyncio.timeout(_START_S):
        await scanner.start()
    try:
        await asyncio.sleep(seconds)
    finally:
        await scanner.stop()
    return air
