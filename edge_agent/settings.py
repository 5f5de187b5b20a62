"""The configuration file: TOML and closed; every mistake is told with the path of its key."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from edge_agent import tag_keys
from edge_agent.decoders.line_format import LineFormat
from edge_agent.decoders.registry_serial import ANY_LINE, PROTOCOLS, SerialProtocol
from edge_agent.errors import ReaderLostError, SettingsError
from edge_agent.readers import ports
from pipeline.contracts.address import Address
from pipeline.contracts.base import Name
from pipeline.contracts.gateway_config import AllowPattern, MergeWindow, RssiFloor
from pipeline.contracts.topics import gateway_user

ADAPTER = r"^(hci[0-9]{1,2}|([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})$"
PASSWORD_VARIABLE = "BIOTRAKR_MQTT_PASSWORD"  # noqa: S105 (a variable's name)
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Broker(_Section):
    """`url`: mqtt://host[:port] or mqtts://host[:port]. Times in seconds."""

    url: str
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    username: str | None = None
    password_file: Path | None = None
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30
    reconnect_s: Seconds = 1.0
    ack_timeout_s: Seconds = 10.0
    max_in_flight: Annotated[int, Field(ge=1, le=1000)] = 100
    live_ahead: Annotated[int, Field(ge=0, le=10_000)] = 5000

    @field_validator("url")
    @classmethod
    def _broker_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("expected mqtt://host[:port] or mqtts://host[:port]")
        if parts.username or parts.password:
            raise ValueError(f"no credentials here: use password_file or {PASSWORD_VARIABLE}")
        if parts.path.strip("/") or parts.query:
            raise ValueError("nothing may follow the port")
        _ = parts.port  # raises ValueError when it is none
        return url

    @field_validator("ca_file", "cert_file", "key_file", "password_file")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is not None and not os.access(path, os.R_OK):
            raise ValueError(f"{path} cannot be read")
        return path

    @model_validator(mode="after")
    def _tls_is_consistent(self) -> Broker:
        files = (self.ca_file, self.cert_file, self.key_file)
        if self.url.startswith("mqtt:") and any(files):
            raise ValueError("certificates need an mqtts:// url")
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file needs cert_file")
        return self


class SpoolSettings(_Section):
    path: Path
    max_bytes: Annotated[int, Field(ge=1 << 16)] = 2 << 30
    max_age_h: Annotated[float, Field(gt=0)] = 720.0


class _Reader(_Section):
    name: Name


class SerialSettings(_Reader):
    """`port`: as in readers.ports. `baudrate`: default that of the protocol; auto: find out.

    `required = false`: a port that is not there yet is waited for instead of refused.
    `silent_after_s`: default 10 s, or never for what is silent when there is nothing to read.
    `gs1` is for scanners, `pattern` and `prefix` for the line protocol.
    """

    kind: Literal["serial"]
    protocol: str
    port: str
    baudrate: int | str | None = None
    antennas: Annotated[list[Annotated[int, Field(ge=1, le=32)]], Field(min_length=1)] = [1]
    power_dbm: Annotated[float, Field(ge=-10, le=33)] | None = None
    region: str | None = None
    silent_after_s: Seconds | None = None
    required: bool = True
    gs1: bool = False
    pattern: Annotated[str, Field(max_length=500)] = ANY_LINE
    prefix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,31}$")] = "line"

    @model_validator(mode="after")
    def _fits_the_protocol(self) -> SerialSettings:
        row = PROTOCOLS.get(self.protocol)
        if row is None or row.host is None:
            known = ", ".join(sorted(name for name, row in PROTOCOLS.items() if row.host))
            raise ValueError(f"protocol: there is no {self.protocol}; there are: {known}")
        self._check_port(row)
        self._check_radio(row)
        low, high = 1200, 4_000_000
        if self.baudrate is not None and self.baudrate != "auto":
            if isinstance(self.baudrate, str) or not low <= self.baudrate <= high:
                raise ValueError(f"baudrate: expected a number from {low} to {high}, or auto")
        elif self.baudrate == "auto" and not row.rates:
            raise ValueError(f"baudrate: {self.protocol} has no checksum to tell by: give a number")
        if self.gs1 and self.protocol != "scanner":
            raise ValueError("gs1: is for the protocol scanner")
        if {"pattern", "prefix"} & self.model_fields_set and self.protocol != "line":
            raise ValueError("pattern: it and prefix are for the protocol line")
        try:
            LineFormat(self.pattern)
        except ValueError as error:
            raise ValueError(f"pattern: {error}") from None
        return self

    def _check_port(self, row: SerialProtocol) -> None:
        if not ports.FORM.fullmatch(self.port):
            raise ValueError(
                "port: expected /dev/.., usb:SERIAL, usb:VID:PID, usb@SOCKET or tcp://"
            )
        try:
            host = ports.host(self.port)
            path = None if host is not None or not self.required else ports.device(self.port)
        except (ValueError, ReaderLostError) as error:
            raise ValueError(f"port: {error}") from None
        if host is not None and host.port is None and row.tcp_port is None:
            raise ValueError(f"port: {self.protocol} has no port of its own: use tcp://host:port")
        if host is not None and self.baudrate is not None:
            raise ValueError("baudrate: a network has none")
        if path is not None and not Path(path).exists():
            raise ValueError(f"port: {self.port} does not exist")

    def _check_radio(self, row: SerialProtocol) -> None:
        if len(set(self.antennas)) != len(self.antennas):
            raise ValueError("antennas: each may be named once")
        if row.most_antennas == 1 and self.antennas != [1]:
            raise ValueError(f"antennas: {self.protocol} goes over one only")
        if max(self.antennas) > row.most_antennas:
            raise ValueError(f"antennas: {self.protocol} has at most {row.most_antennas}")
        if self.power_dbm is not None and row.power_dbm is None:
            raise ValueError(f"power_dbm: cannot be set with {self.protocol}")
        low, high = row.power_dbm or (-10.0, 33.0)
        if self.power_dbm is not None and not low <= self.power_dbm <= high:
            raise ValueError(f"power_dbm: {self.protocol} takes {low:g} to {high:g}")
        regions = ", ".join(row.regions)
        if self.region is not None and self.region not in row.regions:
            told = f"one of {regions}" if regions else f"cannot be set with {self.protocol}"
            raise ValueError(f"region: {told}")
        if self.region is None and row.region_needed:
            raise ValueError(f"region: {self.protocol} needs one, as the country has it: {regions}")


class BleSettings(_Reader):
    """`adapter`: hci0, or its address. `reset_after`: ends in a row after which it is switched off
    and on; `escalate_after`: after which the service manager starts the agent again. 0: never."""

    kind: Literal["ble"]
    adapter: Annotated[str, StringConstraints(pattern=ADAPTER)] = "hci0"
    mode: Literal["auto", "active", "passive"] = "auto"
    silent_after_s: Seconds = 30.0
    reset_after: Annotated[int, Field(ge=0, le=1000)] = 3
    escalate_after: Annotated[int, Field(ge=0, le=1000)] = 10


class ReplaySettings(_Reader):
    """`lateness_s`: how far lines may be out of order in a file without time markers."""

    kind: Literal["replay"]
    path: Path
    follow: bool = True
    lateness_s: Annotated[float, Field(ge=0, le=3600)] = 0.0

    @model_validator(mode="after")
    def _file_is_there(self) -> ReplaySettings:
        if not self.follow and not self.path.is_file():
            raise ValueError(f"path: {self.path} does not exist")
        return self


ReaderSettings = Annotated[
    SerialSettings | BleSettings | ReplaySettings, Field(discriminator="kind")
]


class Settings(_Section):
    organization: Name
    facility: Name
    gateway: Name
    broker: Broker
    spool: SpoolSettings
    readers: Annotated[list[ReaderSettings], Field(min_length=1, max_length=256)]
    merge_window_s: MergeWindow = 1.0
    heartbeat_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    status_s: Annotated[float, Field(ge=0.5, le=3600)] = 10.0
    allow: list[AllowPattern] = []
    min_rssi_dbm: RssiFloor | None = None
    forward_random: bool = False
    sensor_interval_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    sensor_repeat_s: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    tag_keys_file: Path | None = None
    status_file: Path | None = None
    metrics_address: str | None = None

    @field_validator("metrics_address")
    @classmethod
    def _can_be_listened_at(cls, address: str | None) -> str | None:
        if address is not None:
            Address.parse(address)
        return address

    @field_validator("tag_keys_file")
    @classmethod
    def _keys_are_good(cls, path: Path | None) -> Path | None:
        if path is not None:
            tag_keys.load(path)
        return path

    @field_validator("readers")
    @classmethod
    def _names_differ(cls, readers: list[ReaderSettings]) -> list[ReaderSettings]:
        names = [reader.name for reader in readers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two readers are called {', '.join(twice)}")
        return readers

    @property
    def user(self) -> str:
        """The broker's user name and the client id."""
        return self.broker.username or gateway_user(self.organization, self.facility, self.gateway)

    @property
    def window_us(self) -> int:
        return round(self.merge_window_s * 1_000_000)


def load(path: Path) -> Settings:
    """Raises SettingsError with every mistake that is in the file."""
    try:
        content = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: {error}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{path}: not TOML: {error}"]) from None
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        raise SettingsError(list(_mistakes(error))) from None


def _mistakes(error: ValidationError) -> Iterator[str]:
    for item in error.errors(include_url=False, include_input=False):
        text = item["msg"].removeprefix("Value error, ")
        path = _key_path(item["loc"])
        key, _, rest = text.partition(": ")
        # A check over several keys names the one to mend first.
        if rest and key.isidentifier():
            path, text = f"{path}.{key}", rest
        if item["type"].startswith("union_tag"):
            path, text = f"{path}.kind", f"expected one of {_expected_kinds(item)}"
        text = "unknown key" if item["type"] == "extra_forbidden" else text
        yield _one_line(f"{path or 'file'}: {text[:1].lower()}{text[1:]}")


def _expected_kinds(item: Any) -> str:
    kinds = item.get("ctx", {}).get("expected_tags", "'serial', 'ble', 'replay'")
    return str(kinds).replace("'", "")


def _one_line(text: str) -> str:
    """What was entered may be quoted in it."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _key_path(location: Sequence[Any]) -> str:
    """('readers', 1, 'serial', 'port') as readers[1].port: the kind is not a key."""
    path = ""
    for index, part in enumerate(location):
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (index >= 2 and location[0] == "readers" and index == 2):
            path += f".{part}" if path else str(part)
    return path
