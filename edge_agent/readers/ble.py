"""BLE advertisements through bleak. Imported only where a BLE reader is configured."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from bleak import BleakScanner
from bleak.assigned_numbers import AdvertisementDataType
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from edge_agent.decoders.ble import identity
from edge_agent.decoders.readings import Reading
from edge_agent.errors import ReaderLostError
from edge_agent.readers.state import ReaderState

log = logging.getLogger("edge.reader")

_START_S = 15.0
_STOP_S = 1.0
_PATTERNS = (
    (0, AdvertisementDataType.MANUFACTURER_SPECIFIC_DATA, b"\x4c\x00\x02\x15"),
    (2, AdvertisementDataType.MANUFACTURER_SPECIFIC_DATA, b"\xbe\xac"),
    (0, AdvertisementDataType.SERVICE_DATA_UUID16, b"\xaa\xfe"),
    (0, AdvertisementDataType.FLAGS, b"\x06"),
    (0, AdvertisementDataType.FLAGS, b"\x04"),
)
"""Passive scanning on Linux needs patterns: beacons, and whatever is discoverable over BLE."""


class BleReader:
    """`heard(receiver, reading)` is called for every advertisement that names a tag.

    `run` ends by ReaderLostError when nothing was heard for `silent_after_s` (scans die quietly),
    or by the back end's error when the adapter is missing; call it again to start afresh.
    """

    def __init__(
        self,
        state: ReaderState,
        adapter: str,
        heard: Callable[[str, Reading], None],
        *,
        mode: Literal["active", "passive"] = "active",
        forward_random: bool = False,
        silent_after_s: float = 30.0,
    ) -> None:
        self._state = state
        self._adapter = adapter
        self._heard = heard
        self._mode = mode
        self._forward_random = forward_random
        self._silent_after_s = silent_after_s
        self._advert_s = 0.0

    async def run(self) -> None:
        scanner = self._scanner()
        try:
            async with asyncio.timeout(_START_S):
                await scanner.start()
            self._advert_s = time.monotonic()
            await self._watch()
        finally:
            # The adapter may be gone: what matters is to be able to start again.
            with suppress(Exception):
                async with asyncio.timeout(_STOP_S):
                    await scanner.stop()

    def _scanner(self) -> BleakScanner:
        # Without duplicates BlueZ reports a beacon once and then only when its content changes.
        bluez: Any = {"adapter": self._adapter, "filters": {"DuplicateData": True}}
        if self._mode == "passive":
            bluez["or_patterns"] = list(_PATTERNS)
        return BleakScanner(self._advert, scanning_mode=self._mode, bluez=bluez)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._silent_after_s / 4))
            if time.monotonic() - self._advert_s > self._silent_after_s:
                detail = f"no advertisement for {self._silent_after_s:g} s, scan started again"
                raise ReaderLostError(detail, silent=True)

    def _advert(self, device: BLEDevice, advert: AdvertisementData) -> None:
        _path, properties = advert.platform_data  # of BlueZ, current
        if "RSSI" not in properties:
            return  # a property changed, nothing was received
        self._advert_s = time.monotonic()
        self._state.running()
        tag = identity(
            address=device.address,
            address_type=properties.get("AddressType"),
            manufacturer_data=advert.manufacturer_data,
            service_data=advert.service_data,
            forward_random=self._forward_random,
        )
        if tag is not None:
            self._heard(self._state.name, Reading(tag, float(advert.rssi), None, "ble"))
