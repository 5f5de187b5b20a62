"""What ops change from afar: checked, laid over the file's settings, kept beside the spool.

A bad one is refused as a whole and the one before stays. The message is kept as it came, so that a
gateway that starts without a broker goes on with it.
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from edge_agent.logs import fields
from edge_agent.settings import ReaderSettings, SerialSettings, Settings
from pipeline.contracts.codec import decode_json
from pipeline.contracts.errors import MessageError
from pipeline.contracts.gateway_config import GatewayConfig
from pipeline.contracts.messages import ConfigReport

log = logging.getLogger("edge.remote")

_OVERLAID = ("allow", "merge_window_s", "min_rssi_dbm", "forward_random")
_MOST_BYTES = 1 << 20


class RemoteConfig:
    """`settings`: in force, the file's with what was sent laid over. `report`: None before
    anything was sent."""

    def __init__(self, own: Settings) -> None:
        self._own = own
        self._path = Path(f"{own.spool.path}.config")
        self._stored: bytes | None = None
        self._in_force: bytes | None = None
        self.settings = own
        self.report: ConfigReport | None = None

    def load(self) -> None:
        """What was kept, at the start. Never fails: what cannot be used any more is reported."""
        try:
            with self._path.open("rb") as file:
                payload = file.read(_MOST_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self._problem(f"what was kept cannot be read: {error}")
            return
        self._stored = payload
        self._take_over(payload)

    def offer(self, payload: bytes) -> bool:
        """A message that came. Returns whether other settings are in force now."""
        if not payload:
            return False  # somebody cleared the retained message
        if payload == self._in_force:
            self._said_again()
            return False
        changed = self._take_over(payload)
        if payload == self._in_force:
            self._keep(payload)
        return changed

    def _said_again(self) -> None:
        """The broker repeats it at each connection; if keeping it failed, now is another time."""
        if self._stored != self._in_force and self._in_force is not None:
            self._keep(self._in_force)

    def _take_over(self, payload: bytes) -> bool:
        digest = digest_of(payload)
        try:
            config = decode_json(GatewayConfig, payload)
            settings = overlaid(self._own, config)
        except MessageError as error:
            self._problem(f"refused: {error.detail}", newest_digest=digest)
            return False
        changed = settings != self.settings
        self.settings, self._in_force = settings, payload
        self.report = ConfigReport(revision=config.revision, digest=digest, newest_digest=digest)
        log.info("configuration in force %s", fields(revision=config.revision, digest=digest))
        return changed

    def _problem(self, text: str, **changes: str) -> None:
        before = self.report or ConfigReport()
        self.report = before.model_copy(update={"problem": text[:500], **changes})
        log.warning("configuration %s", fields(problem=text))

    def _keep(self, payload: bytes) -> None:
        try:
            _replace(self._path, payload)
        except OSError as error:
            self._problem(f"in force, but it will not outlast a restart: {error}")
            return
        self._stored = payload
        if self.report is not None and self.report.problem is not None:
            self.report = self.report.model_copy(update={"problem": None})


def digest_of(payload: bytes) -> str:
    """What the status calls a message by."""
    return hashlib.sha256(payload).hexdigest()[:16]


def overlaid(own: Settings, config: GatewayConfig) -> Settings:
    """`own` with what `config` says. Raises MessageError when it does not fit this gateway."""
    if config.gateway != own.gateway:
        raise MessageError("wrong_gateway", f"gateway: it is for {config.gateway}")
    changes: dict[str, Any] = {
        name: value for name in _OVERLAID if (value := getattr(config, name)) is not None
    }
    if config.power_dbm is not None:
        changes["readers"] = _with_power(own.readers, config.power_dbm)
    return own.model_copy(update=changes)


def _with_power(readers: list[ReaderSettings], power_dbm: dict[str, float]) -> list[ReaderSettings]:
    known = {reader.name: reader for reader in readers if isinstance(reader, SerialSettings)}
    for name, level in power_dbm.items():
        if name not in known:
            there = ", ".join(sorted(known)) or "none"
            raise MessageError(
                "no_such_reader", f"power_dbm.{name}: no reader of adjustable power; there: {there}"
            )
        _check_power(known[name], level)
    return [
        reader.model_copy(update={"power_dbm": power_dbm[reader.name]})
        if reader.name in power_dbm
        else reader
        for reader in readers
    ]


def _check_power(reader: SerialSettings, power_dbm: float) -> None:
    """As in the file; but a reader that is unplugged at the moment is no reason to refuse."""
    content = reader.model_dump(exclude_unset=True) | {"power_dbm": power_dbm, "required": False}
    try:
        SerialSettings.model_validate(content)
    except ValidationError as error:
        text = error.errors()[0]["msg"].rpartition("power_dbm: ")[2]
        raise MessageError("wrong_power", f"power_dbm.{reader.name}: {text}") from None


def _replace(path: Path, content: bytes) -> None:
    """All of it or nothing, also when the power fails meanwhile. Raises OSError."""
    draft = path.with_name(f"{path.name}.draft")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink(missing_ok=True)
