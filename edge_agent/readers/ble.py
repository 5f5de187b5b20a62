"""BLE advertisements through bleak. Imported only where a BLE reader is configured."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from bleak import BleakScanner
from bleak.assigned_numbers import AdvertisementDataType
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakDBusError, BleakError

from edge_agent.decoders.ble_tags import BleTags
from edge_agent.decoders.readings import Reading, SensorReading
from edge_agent.decoders.registry_ble import ANY, FORMATS
from edge_agent.errors import ReaderLostError
from edge_agent.logs import fields
from edge_agent.readers import bluez
from edge_agent.readers.state import ReaderState

log = logging.getLogger("edge.reader")

Mode = Literal["auto", "active", "passive"]
_START_S = 15.0
_STOP_S = 1.0
_RATE_S = 10
_REFUSALS = (
    "org.bluez.Error",
    "org.freedesktop.DBus.Error.UnknownInterface",
    "org.freedesktop.DBus.Error.UnknownMethod",
)
_HCI = re.compile(r"hci[0-9]{1,2}")


def _patterns() -> list[tuple[int, AdvertisementDataType, bytes]]:
    """Passive scanning on Linux needs patterns: all formats that are known, and whatever says that
    it is discoverable or speaks BLE only."""
    manufacturer = AdvertisementDataType.MANUFACTURER_SPECIFIC_DATA
    service = AdvertisementDataType.SERVICE_DATA_UUID16
    companies = {f.company for f in FORMATS.values() if f.company not in (None, ANY)}
    services = {f.service for f in FORMATS.values() if f.service is not None}
    return [
        (2, manufacturer, b"\xbe\xac"),  # AltBeacon: any company
        *((0, manufacturer, (number or 0).to_bytes(2, "little")) for number in sorted(companies)),
        *((0, service, number.to_bytes(2, "little")) for number in sorted(services)),
        *((0, AdvertisementDataType.FLAGS, bytes((flags,))) for flags in (4, 5, 6, 0x1A)),
    ]


class BleReader:
    """`heard(receiver, reading)` is called for every advertisement that names a tag,
    `measured(reading)` for what it says that is new.

    `adapter`: hci0, or an adapter's address. `mode` auto: passive where the adapter can, else
    active. `run` ends by ReaderLostError when nothing was heard for `silent_after_s` (scans die
    quietly), or by the back end's error when the adapter is missing; call it again to start afresh.
    Every `reset_after` ends in a row the adapter is switched off and on. After `escalate_after`
    `escalate(reason)` is called, but only if adverts were heard before: where there never were any,
    starting the agent again would not help either.
    """

    def __init__(
        self,
        state: ReaderState,
        adapter: str,
        heard: Callable[[str, Reading], None],
        *,
        measured: Callable[[SensorReading], None] = lambda _: None,
        tags: BleTags | None = None,
        mode: Mode = "auto",
        silent_after_s: float = 30.0,
        reset_after: int = 3,
        escalate_after: int = 10,
        escalate: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._state = state
        self._adapter = adapter
        self._heard = heard
        self._measured = measured
        self._tags = tags or BleTags()
        self._mode = mode
        self._passive = mode != "active"
        self._silent_after_s = silent_after_s
        self._reset_after = reset_after
        self._escalate_after = escalate_after
        self._escalate = escalate
        self._advert_s = 0.0
        self._adverts = 0
        self._failures = 0

    async def run(self) -> None:
        adapter = self._adapter
        try:
            if not _HCI.fullmatch(adapter):
                adapter = await bluez.adapter_with(adapter)
            await self._scan(adapter)
        except Exception as error:
            self._state.figures["adverts_per_s"] = 0
            await self._failed(adapter, error)
            raise

    async def _scan(self, adapter: str) -> None:
        scanner = self._scanner(adapter)
        try:
            async with asyncio.timeout(_START_S):
                if await self._is_refused(scanner):
                    scanner = self._scanner(adapter)
                    await scanner.start()
            self._state.figures["passive"] = int(self._passive)
            self._advert_s = time.monotonic()
            await self._watch()
        finally:
            # The adapter may be gone: what matters is to be able to start again.
            with suppress(Exception):
                async with asyncio.timeout(_STOP_S):
                    await scanner.stop()

    async def _is_refused(self, scanner: BleakScanner) -> bool:
        """Starts. In mode auto a refusal to scan passively is no error: then actively."""
        try:
            await scanner.start()
        except BleakError as error:
            if not (self._passive and self._mode == "auto" and _is_about_passive(error)):
                raise
            self._scan_actively(error)
            return True
        return False

    def _scan_actively(self, error: Exception) -> None:
        self._passive = False
        log.info("scans actively from now on %s", fields(reader=self._state.name, error=error))

    async def _failed(self, adapter: str, error: Exception) -> None:
        """What helps is tried in this order: another mode, the adapter, the whole program."""
        self._failures += 1
        if self._passive and self._mode == "auto" and getattr(error, "silent", False):
            self._scan_actively(error)
        if self._reset_after and self._failures % self._reset_after == 0:
            await self._reset(adapter)
        if self._escalate_after and self._failures >= self._escalate_after and self._adverts:
            self._failures = self._adverts = 0
            self._escalate(f"reader {self._state.name}: {error}")

    async def _reset(self, adapter: str) -> None:
        log.warning("adapter is switched off and on %s", fields(adapter=adapter))
        self._state.count("adapter_resets")
        try:
            await bluez.power_cycle(adapter)
        except ReaderLostError as error:
            log.warning("adapter was not reset %s", fields(adapter=adapter, error=error))

    def _scanner(self, adapter: str) -> BleakScanner:
        # Without duplicates BlueZ reports a beacon once and then only when its content changes.
        options: Any = {"adapter": adapter, "filters": {"DuplicateData": True}}
        if self._passive:
            options["or_patterns"] = _patterns()
        mode: Literal["active", "passive"] = "passive" if self._passive else "active"
        return BleakScanner(self._advert, scanning_mode=mode, bluez=options)

    async def _watch(self) -> None:
        counted: deque[tuple[float, int]] = deque(maxlen=_RATE_S + 1)
        while True:
            self._state.turned()
            now_s = time.monotonic()
            counted.append((now_s, self._adverts))
            since_s, before = counted[0]
            if now_s > since_s:
                rate = (self._adverts - before) / (now_s - since_s)
                self._state.figures["adverts_per_s"] = round(rate)
            self._state.figures["undecryptable"] = self._tags.undecryptable
            if now_s - self._advert_s > self._silent_after_s:
                detail = f"no advertisement for {self._silent_after_s:g} s, scan started again"
                raise ReaderLostError(detail, silent=True)
            await asyncio.sleep(min(1.0, self._silent_after_s / 4))

    def _advert(self, device: BLEDevice, advert: AdvertisementData) -> None:
        _path, properties = advert.platform_data  # of BlueZ, current
        if "RSSI" not in properties:
            return  # a property changed, nothing was received
        now_s = time.monotonic()
        self._advert_s = now_s
        self._adverts += 1
        self._failures = 0
        self._state.running()
        tag, values = self._tags.take(
            device.address,
            properties.get("AddressType"),
            advert.manufacturer_data,
            advert.service_data,
            now_s,
        )
        if tag is not None:
            self._heard(self._state.name, Reading(tag, float(advert.rssi), None, "ble"))
            for value in values:
                self._measured(value)


def _is_about_passive(error: BleakError) -> bool:
    """Whether active scanning may help: a refusal, not a missing adapter or service."""
    name = error.dbus_error if isinstance(error, BleakDBusError) else str(error)
    return "passive" in name or name.startswith(_REFUSALS)
