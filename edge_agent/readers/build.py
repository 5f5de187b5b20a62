"""From a reader's settings to something that runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from edge_agent.decoders.ble_rpa import Resolver
from edge_agent.decoders.ble_tags import BleTags
from edge_agent.decoders.readings import Conversation, Reading, SensorReading
from edge_agent.decoders.registry_serial import PROTOCOLS, HostOptions
from edge_agent.readers.state import ReaderState
from edge_agent.settings import BleSettings, SerialSettings
from edge_agent.tag_keys import TagKeys

_Run = Callable[[], Awaitable[None]]
_SILENT_AFTER_S = 10.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every reader is given. `heard(receiver, reading)` takes tags, `measured` what they
    measure; `escalate(reason)` asks the service manager to start the agent again."""

    gateway: str
    heard: Callable[[str, Reading], None]
    measured: Callable[[SensorReading], None] = lambda _: None
    escalate: Callable[[str], None] = lambda _: None
    forward_random: bool = False
    keys: TagKeys = field(default_factory=TagKeys)


def conversation(settings: SerialSettings, gateway: str) -> Conversation:
    make = PROTOCOLS[settings.protocol].host
    assert make is not None, "the settings take only protocols with a host's side"
    return make(
        HostOptions(
            antennas=tuple(settings.antennas),
            power_dbm=settings.power_dbm,
            region=settings.region,
            name=f"{gateway}/{settings.name}",
            gs1=settings.gs1,
            pattern=settings.pattern,
            prefix=settings.prefix,
            current_year=lambda: datetime.now(UTC).year,
        )
    )


def live_reader(
    settings: SerialSettings | BleSettings, state: ReaderState, around: Surroundings
) -> _Run:
    """What the supervisor runs. Drivers are imported here: who has no BLE reader needs no bleak."""
    if isinstance(settings, SerialSettings):
        return _serial(settings, state, around)
    return _ble(settings, state, around)


def _serial(settings: SerialSettings, state: ReaderState, around: Surroundings) -> _Run:
    from edge_agent.readers.serial import SerialReader  # noqa: PLC0415

    row = PROTOCOLS[settings.protocol]
    silent_after_s = settings.silent_after_s
    if silent_after_s is None and not row.silence_is_normal:
        silent_after_s = _SILENT_AFTER_S
    return SerialReader(
        state,
        settings.port,
        settings.baudrate or row.baudrate,
        lambda: conversation(settings, around.gateway),
        around.heard,
        measured=around.measured,
        rates=row.rates,
        silent_after_s=silent_after_s,
        tcp_port=row.tcp_port,
    ).run


def _ble(settings: BleSettings, state: ReaderState, around: Surroundings) -> _Run:
    from edge_agent.readers.ble import BleReader  # noqa: PLC0415

    tags = BleTags(
        forward_random=around.forward_random,
        owner_of=Resolver(around.keys.irks).name_of if around.keys.irks else None,
        keys=around.keys.sensors,
    )
    return BleReader(
        state,
        settings.adapter,
        around.heard,
        measured=around.measured,
        tags=tags,
        mode=settings.mode,
        silent_after_s=settings.silent_after_s,
        reset_after=settings.reset_after,
        escalate_after=settings.escalate_after,
        escalate=around.escalate,
    ).run
