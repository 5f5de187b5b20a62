"""Serial ports: which there are, what they are called for good, and who has them open."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_BY_ID = Path("/dev/serial/by-id")
_PROC = Path("/proc")
_CONSOLES = Path("/proc/consoles")


@dataclass(frozen=True, slots=True)
class Port:
    """`name`: to be written into the settings; it stays the same when plugged elsewhere."""

    device: str
    name: str
    hardware: str


def ports() -> list[Port]:
    """Of this machine, by pyserial: USB adapters and the board's own that have a driver."""
    from serial.tools.list_ports import comports  # noqa: PLC0415

    names = stable_names()
    found = []
    for info in sorted(comports()):
        device = os.path.realpath(info.device)
        parts = [info.manufacturer, info.product or info.description, info.serial_number]
        hardware = " ".join(part for part in parts if part and part != "n/a")
        found.append(Port(device, names.get(device, info.device), hardware))
    return found


def stable_names(folder: Path = _BY_ID) -> dict[str, str]:
    """Device -> its link by serial number, as udev makes it."""
    try:
        links = sorted(folder.iterdir())
    except OSError:
        return {}
    return {os.path.realpath(link): str(link) for link in links}


def named(paths: Iterable[str]) -> list[Port]:
    return [Port(os.path.realpath(path), path, "") for path in paths]


def holder(device: str) -> str | None:
    """Who has it open; None: nobody, as far as this user may see. Opens nothing."""
    if Path(device).name in _consoles():
        return "the system's console"
    for process, name in _openers(device):
        return f"{name} (process {process})"
    lock = _lock_holder(device)
    return None if lock is None else f"process {lock}"


def _consoles() -> set[str]:
    try:
        return {line.split()[0] for line in _CONSOLES.read_text().splitlines() if line.strip()}
    except OSError:
        return set()


def _openers(device: str) -> Iterator[tuple[int, str]]:
    """Without root, only of processes of the same user."""
    for process in _PROC.iterdir():
        if not process.name.isdecimal() or int(process.name) == os.getpid():
            continue
        try:
            for descriptor in (process / "fd").iterdir():
                if str(descriptor.readlink()) == device:
                    yield int(process.name), (process / "comm").read_text().strip()
        except OSError:
            continue  # not ours to see, or ended meanwhile


def _lock_holder(device: str) -> int | None:
    """Whoever holds the lock that pyserial and others take; everybody may see locks."""
    try:
        at = Path(device).stat()
        lines = (_PROC / "locks").read_text().splitlines()
    except OSError:
        return None
    place = f"{os.major(at.st_dev):02x}:{os.minor(at.st_dev):02x}:{at.st_ino}"
    for line in lines:
        words = line.split()
        if len(words) > 5 and words[1] == "FLOCK" and words[5] == place:
            process = int(words[4])
            if process != os.getpid():
                return process
    return None
