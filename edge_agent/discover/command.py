"""`biotrakr-edge discover`: what answers on the serial ports, and what is in the air.

Ports are listened to first; then readers are asked who they are, which changes nothing in them. A
port that another program has open is not touched.

Exit status: 0 something was found, 1 nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edge_agent.discover.ports import Port, named, ports
from edge_agent.discover.serial_ports import Found, look
from edge_agent.status_command import table

if TYPE_CHECKING:
    from edge_agent.discover.air import Air, Device

_AT_ONCE = 8
_ANSWERED = ("answers", "heard", "text")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--port", action="append", help="look at this one only; repeat")
    parser.add_argument("--listen-only", action="store_true", help="send nothing to any port")
    parser.add_argument("--no-serial", action="store_true")
    parser.add_argument("--no-ble", action="store_true")
    parser.add_argument("--adapter", help="such as hci1; default: the first")
    parser.add_argument("--seconds", type=float, default=10.0,
                        help="how long to listen to the air; default: 10")  # fmt: skip
    parser.add_argument("--json", action="store_true")


def main(options: Namespace) -> int:
    found: list[Found] | None = None
    if not options.no_serial:
        found = look_at(
            named(options.port) if options.port else ports(), ask=not options.listen_only
        )
    air, problem = (None, None) if options.no_ble or options.port else _scan(options)
    if options.json:
        print(json.dumps(_as_json(found, air, problem), indent=2))
    else:
        print("\n".join(_lines(found, air)))
    if problem is not None:
        print(f"biotrakr-edge: no Bluetooth: {problem}", file=sys.stderr)
    there = any(row.state in _ANSWERED for row in found or ()) or bool(air and air.devices)
    return 0 if there else 1


def look_at(wanted: Sequence[Port], *, ask: bool) -> list[Found]:
    """All at once: a port that is silent takes its full time."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda port: look(port, ask=ask), wanted))


def _scan(options: Namespace) -> tuple[Air | None, str | None]:
    from edge_agent.discover.air import scan  # noqa: PLC0415 (loads bleak)

    try:
        return asyncio.run(scan(options.adapter, options.seconds)), None
    except Exception as error:  # whatever the back end raises: no adapter, no D-Bus, switched off
        return None, _without_bluetooth(error)


def _without_bluetooth(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "the system has no D-Bus: install and start the package bluez"
    if isinstance(error, TimeoutError):
        return "the Bluetooth service does not answer: systemctl status bluetooth"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _lines(found: Iterable[Found] | None, air: Air | None) -> Iterator[str]:
    if found is not None:
        yield "Serial ports"
        yield from _ports([*found])
    if air is not None:
        yield "Bluetooth, strongest first"
        yield from _devices(air.by_strength())


def _ports(found: Sequence[Found]) -> Iterator[str]:
    if not found:
        yield "  none: is the adapter plugged in?"
        return
    rows: list[tuple[str, ...]] = [("port", "state", "protocol", "baud", "firmware", "hardware")]
    for row in found:
        rate = str(row.baudrate) if row.baudrate is not None else ""
        told = row.firmware or row.detail
        rows.append((row.port, row.state, row.protocol or "", rate, told, row.hardware))
    yield from table(rows)


def _devices(devices: Sequence[Device]) -> Iterator[str]:
    if not devices:
        yield "  none"
        return
    rows: list[tuple[str, ...]] = [("address", "dBm", "adverts", "kind", "name", "tag")]
    rows += [
        (
            device.address,
            str(device.strongest_dbm),
            str(device.adverts),
            device.kind,
            _shown(device.name),
            device.tag or "-",
        )
        for device in devices
    ]
    yield from table(rows)


def _shown(name: str) -> str:
    """Names come out of the air: nothing of them may steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in name)[:32]


def _as_json(found: list[Found] | None, air: Air | None, problem: str | None) -> dict[str, Any]:
    devices = air.by_strength() if air is not None else []
    return {
        "serial": None if found is None else [asdict(row) for row in found],
        "ble": None
        if air is None
        else [
            {
                "address": device.address,
                "address_type": device.address_type,
                "name": device.name,
                "kind": sorted(device.kinds),
                "tag": device.tag,
                "adverts": device.adverts,
                "strongest_dbm": device.strongest_dbm,
            }
            for device in devices
        ],
        "ble_problem": problem,
    }
