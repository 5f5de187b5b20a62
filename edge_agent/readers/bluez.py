"""What BlueZ has to be asked beside scanning: which adapter is which, and to switch one off and on.

Over the system's D-Bus; the user of the service has to be in the group `bluetooth`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from edge_agent.errors import ReaderLostError

_ADAPTER = "org.bluez.Adapter1"
_CALL_S = 10.0
_OFF_S = 0.5
"""What a dongle needs between off and on."""


async def adapter_with(address: str) -> str:
    """The name (hci0) of the adapter that has this address: names change places, addresses do not.

    Raises ReaderLostError when it is not plugged in.
    """
    async with _bus() as bus:
        objects = await _call(bus, "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    found = {}
    for path, interfaces in objects.items():
        if _ADAPTER in interfaces:
            found[interfaces[_ADAPTER]["Address"].value.lower()] = path.rpartition("/")[2]
    if address.lower() not in found:
        there = ", ".join(f"{name} {at.upper()}" for at, name in sorted(found.items())) or "none"
        raise ReaderLostError(f"no adapter {address.upper()}; there are: {there}")
    return str(found[address.lower()])


async def power_cycle(adapter: str, off_s: float = _OFF_S) -> None:
    """Off and on again: what helps a controller that has stopped listening.

    Raises ReaderLostError when BlueZ refuses.
    """
    async with _bus() as bus:
        await _set_powered(bus, adapter, False)
        await asyncio.sleep(off_s)
        await _set_powered(bus, adapter, True)


async def _set_powered(bus: MessageBus, adapter: str, on: bool) -> None:
    body = [_ADAPTER, "Powered", Variant("b", on)]
    path, interface = f"/org/bluez/{adapter}", "org.freedesktop.DBus.Properties"
    await _call(bus, path, interface, "Set", "ssv", body)


@asynccontextmanager
async def _bus() -> AsyncIterator[MessageBus]:
    try:
        async with asyncio.timeout(_CALL_S):
            bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    except (OSError, TimeoutError) as error:
        raise ReaderLostError(f"no system bus: {error}") from error
    try:
        yield bus
    finally:
        bus.disconnect()


async def _call(
    bus: MessageBus,
    path: str,
    interface: str,
    member: str,
    signature: str = "",
    body: list[Any] | None = None,
) -> Any:
    message = Message("org.bluez", path, interface, member, signature=signature, body=body or [])
    try:
        async with asyncio.timeout(_CALL_S):
            reply = await bus.call(message)
    except TimeoutError:
        raise ReaderLostError(f"BlueZ did not answer {member} within {_CALL_S:g} s") from None
    if reply is None or reply.message_type == MessageType.ERROR:
        said = reply.body[0] if reply is not None and reply.body else "no reason given"
        raise ReaderLostError(f"BlueZ refused {member}: {said}")
    return reply.body[0] if reply.body else None
