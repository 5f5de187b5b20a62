"""Keys of tags: identity resolving keys (IRK) and keys of encrypted sensors, from a file of their
own that only the agent may read. Nothing here is ever logged."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_KEY = re.compile(r"[0-9a-fA-F]{32}")
_ADDRESS = re.compile(r"(?:[0-9a-fA-F]{2}:?){5}[0-9a-fA-F]{2}")
_OWNER = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_FORBIDDEN_MODE = 0o027
"""Others may not read it, nobody but its owner may write it."""
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class TagKeys:
    """`irks`: owner -> 16 bytes. `sensors`: 12 digits of the address in lower case -> 16 bytes."""

    irks: dict[str, bytes] = field(default_factory=dict, repr=False)
    sensors: dict[str, bytes] = field(default_factory=dict, repr=False)


def load(path: Path) -> TagKeys:
    """Raises ValueError with what to do; it never holds a key.

    [irk]
    nurse-phone-7 = "ec0234a357c8ad05341010a60a397d9b"
    [sensors]
    "54:48:E6:8F:80:A5" = "231d39c1d7cc1ab1aee224cd096db932"
    """
    mode = _mode(path)
    if mode & _FORBIDDEN_MODE:
        raise ValueError(f"{path} has mode {mode:04o}, others could read it: chmod 640 {path}")
    content = _content(path)
    unknown = ", ".join(sorted(content.keys() - {"irk", "sensors"}))
    if unknown:
        raise ValueError(f"{path}: no section {unknown}; there are irk and sensors")
    irks = dict(_entries(path, content, "irk", _OWNER, "a name of a-z 0-9 _ -"))
    sensors = dict(_entries(path, content, "sensors", _ADDRESS, "an address such as 54:48:E6:..."))
    digits = {name.replace(":", "").lower(): key for name, key in sensors.items()}
    if len(digits) != len(sensors):
        raise ValueError(f"{path}: an address in sensors is there twice")
    return TagKeys(irks, digits)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None


def _content(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.loads(file.read(_MOST_BYTES).decode())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # it quotes no more than a character
        raise ValueError(f"{path}: not TOML: {error}") from None


def _entries(
    path: Path, content: dict[str, Any], section: str, name_form: re.Pattern[str], told: str
) -> Iterator[tuple[str, bytes]]:
    entries = content.get(section, {})
    if not isinstance(entries, dict):
        raise ValueError(f"{path}: {section} is not a section")
    for name, key in entries.items():
        if not name_form.fullmatch(name):
            raise ValueError(f"{path}: {section}: {name!r:.40} is not {told}")
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise ValueError(f"{path}: {section}: the key of {name} is not 32 hexadecimal digits")
        yield name, bytes.fromhex(key)
