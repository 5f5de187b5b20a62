"""From a reader's settings to something that runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from edge_agent.decoders.m100_host import M100Conversation
from edge_agent.decoders.r2000_host import R2000Conversation
from edge_agent.decoders.readings import Conversation, Reading
from edge_agent.readers.state import ReaderState
from edge_agent.settings import BleSettings, SerialSettings


def conversation(settings: SerialSettings) -> Conversation:
    if settings.protocol == "r2000":
        return R2000Conversation(settings.antennas, power_dbm=settings.power_dbm)
    return M100Conversation(power_dbm=settings.power_dbm)


def live_reader(
    settings: SerialSettings | BleSettings,
    state: ReaderState,
    heard: Callable[[str, Reading], None],
    *,
    forward_random: bool,
) -> Callable[[], Awaitable[None]]:
    """What the supervisor runs. Drivers are imported here: who has no BLE reader needs no bleak."""
    if isinstance(settings, SerialSettings):
        from edge_agent.readers.serial import SerialReader  # noqa: PLC0415

        return SerialReader(
            state,
            settings.port,
            settings.baudrate,
            lambda: conversation(settings),
            heard,
            silent_after_s=settings.silent_after_s,
        ).run
    from edge_agent.readers.ble import BleReader  # noqa: PLC0415

    return BleReader(
        state,
        settings.adapter,
        heard,
        mode=settings.mode,
        forward_random=forward_random,
        silent_after_s=settings.silent_after_s,
    ).run
