"""Where a reader is plugged in: a device file, a USB device by what stays the same, or a network.

- `/dev/ttyAMA0`, `/dev/serial/by-id/...`
- `usb:A50285BI` by the device's serial number, `usb:0403:6001` by vendor and product,
  `usb:0403:6001:A50285BI` by all of them
- `usb@1-1.4` by the socket, for devices that cannot be told apart otherwise
- `tcp://192.168.1.50:2022`

Device files of USB are numbered as they appear, so a device that is unplugged may come back as
another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from edge_agent.errors import ReaderLostError

FORM = re.compile(r"/[!-~]{1,200}|usb[:@][!-~]{1,120}|tcp://[!-~]{1,200}")
_IDS = re.compile(r"([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::(.+))?")
_TCP = re.compile(r"tcp://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?")


class Host(NamedTuple):
    """A reader in the network."""

    name: str
    port: int | None


class UsbPort(Protocol):
    """What pyserial says about a port; numbers and texts are None for what is not USB."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    location: str | None


def host(port: str) -> Host | None:
    """The host and port of tcp://..; None when it is something else. Raises ValueError."""
    if not port.startswith("tcp:"):
        return None
    match = _TCP.fullmatch(port)
    if match is None or not 0 < int(match[2] or 1) < 65_536:
        raise ValueError("expected tcp://host[:port]")
    return Host(match[1].strip("[]"), int(match[2]) if match[2] else None)


def device(port: str) -> str:
    """The device file that `port` is now. Raises ReaderLostError, telling what there is."""
    if not port.startswith("usb"):
        return port
    there = [found for found in _comports() if found.vid is not None]
    fitting = sorted({found.device for found in there if _fits(port, found)})
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise ReaderLostError(f"{port} is several: {', '.join(fitting)}; use usb@ and its socket")
    names = ", ".join(sorted(stable_name(found, there) for found in there)) or "none"
    raise ReaderLostError(f"{port} is not plugged in; there are: {names}")


def stable_name(found: UsbPort, among: Iterable[UsbPort]) -> str:
    """What to write into the settings for a port that was found."""
    if found.vid is None:
        return found.device
    same = [other for other in among if other.serial_number == found.serial_number]
    if found.serial_number and len(same) == 1:
        return f"usb:{found.serial_number}"
    ids = f"usb:{found.vid:04x}:{found.pid or 0:04x}"
    socket = (found.location or "").partition(":")[0]
    there = [other for other in among if (other.location or "").partition(":")[0] == socket]
    alike = [other for other in among if (other.vid, other.pid) == (found.vid, found.pid)]
    if len(alike) == 1 or not socket:
        return ids
    return f"usb@{socket if len(there) == 1 else found.location}"  # one device may have more ports


def _fits(port: str, found: UsbPort) -> bool:
    wanted = port[4:]
    if port[3] == "@":
        location = found.location or ""
        return wanted in (location, location.partition(":")[0])
    ids = _IDS.fullmatch(wanted)
    if ids is None:
        return found.serial_number == wanted
    same = (int(ids[1], 16), int(ids[2], 16)) == (found.vid, found.pid)
    return same and (ids[3] is None or found.serial_number == ids[3])


def _comports() -> list[UsbPort]:
    # Only who asks for USB devices needs to look through all of them.
    from serial.tools.list_ports import comports  # noqa: PLC0415

    return list(comports())
