"""Settings of the pipeline: a TOML file, overridden by the environment and by options.

Addresses carry passwords, so they may come from the environment or from a file named there
(`BIOTRAKR_DATABASE_URL_FILE`), never from the log.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from pipeline.cli.errors import CliError
from pipeline.contracts.address import Address
from pipeline.domain.policy import Policy
from pipeline.flow.event_time import Timing
from pipeline.registry.sharding import Shard

_POSITIVE = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]
_LEVEL = Annotated[float, Field(ge=-150, le=0)]


def _section(name: str, defaults: Any) -> type[BaseModel]:
    """A closed model with the numeric fields of a dataclass."""
    columns: dict[str, Any] = {f.name: (_kind(f), f.default) for f in fields(defaults)}
    return create_model(name, __config__=ConfigDict(extra="forbid", frozen=True), **columns)


def _kind(field: Any) -> Any:
    if isinstance(field.default, int):
        return Annotated[int, Field(ge=1, le=1000)]
    return _LEVEL if field.name.endswith("_dbm") else _POSITIVE


_Timing = _section("Timing", Timing)
_Policy = _section("Policy", Policy)


class HistorySettings(BaseModel):
    """Of `biotrakr backfill --watch`, and for how long `biotrakr run` keeps what it needs.

    Raw batches and states are kept for `keep_h`. Late reads of a building are taken in once none
    has come for `quiet_s`, or `patience_s` after the first; what follows from them is looked at
    for `settle_s` of event time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_h: Annotated[float, Field(gt=0, le=10_000)] = 24.0
    look_s: Annotated[float, Field(gt=0, le=3600)] = 5.0
    quiet_s: Annotated[float, Field(ge=0, le=86_400)] = 15.0
    patience_s: Annotated[float, Field(ge=0, le=86_400)] = 300.0
    settle_s: Annotated[float, Field(ge=0, le=86_400)] = 600.0


class PipelineSettings(BaseModel):
    """`epoch_s`: how often everything is made durable; acknowledgements follow.

    `shard`: i/n, or the name of a process whose `facilities` were chosen by hand. With
    `kafka_brokers` messages come from the log instead of the broker. `metrics_address`: where
    /metrics and /health are served. `unhealthy_after_s`: how long sink, broker, watermark or loop
    may stand still before /health fails.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    database_url: str | None = None
    mqtt_url: str | None = None
    mqtt_ca_file: Path | None = None
    recovery_directory: Path = Path("recovery")
    facilities: list[str] = Field(default_factory=list)
    shard: Annotated[str, Field(pattern=r"^([a-z0-9-]{1,40}|\d+/\d+)$")] = "all"
    kafka_brokers: str | None = None
    kafka_topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")] = "biotrakr"
    kafka_options: dict[str, str] = Field(default_factory=dict)
    epoch_s: Annotated[float, Field(ge=0.05, le=60)] = 0.5
    metrics_address: str | None = None
    unhealthy_after_s: Annotated[float, Field(gt=0, le=86_400)] = 30.0
    history: HistorySettings = HistorySettings()
    timing: _Timing = _Timing()  # type: ignore[valid-type]
    policy: _Policy = _Policy()  # type: ignore[valid-type]

    @field_validator("metrics_address")
    @classmethod
    def _can_be_listened_at(cls, address: str | None) -> str | None:
        if address is not None:
            Address.parse(address)
        return address

    @model_validator(mode="after")
    def _one_way_to_divide(self) -> Self:
        if "/" in self.shard:
            Shard.parse(self.shard)
            if self.facilities:
                raise ValueError("shard i/n chooses its facilities: leave facilities out")
        return self

    @property
    def numbered_shard(self) -> Shard | None:
        """None when `shard` is a name."""
        return Shard.parse(self.shard) if "/" in self.shard else None

    def timing_values(self) -> Timing:
        return Timing(**self.timing.model_dump())  # type: ignore[attr-defined]

    def policy_values(self) -> Policy:
        return Policy(**self.policy.model_dump())  # type: ignore[attr-defined]


def load_settings(path: Path | None, overrides: dict[str, Any]) -> PipelineSettings:
    """Options over environment over file. Raises CliError that names every wrong key."""
    data: dict[str, Any] = {}
    if path is not None:
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CliError(f"{path}: cannot be read: {error}") from None
    for name in ("database_url", "mqtt_url", "kafka_brokers"):
        value = environment(f"BIOTRAKR_{name.upper()}")
        if value is not None:
            data[name] = value
    if (lines := environment("BIOTRAKR_KAFKA_OPTIONS")) is not None:
        data["kafka_options"] = data.get("kafka_options", {}) | _properties(lines)
    data |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return PipelineSettings.model_validate(data)
    except ValidationError as error:
        where = f"{path}: " if path else ""
        problems = [
            where + ": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"])))
            for e in error.errors(include_input=False)
        ]
        raise CliError("\n".join(problems)) from None


def _properties(text: str) -> dict[str, str]:
    """`key=value` lines, as librdkafka's and Kafka's own tools write them."""
    lines = [line.strip() for line in text.splitlines()]
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    if any(not equals for _, equals, _ in pairs):
        raise CliError("BIOTRAKR_KAFKA_OPTIONS: write one key=value a line")
    return {key.strip(): value.strip() for key, _, value in pairs}


def environment(name: str) -> str | None:
    """The variable, or the content of the file that `<name>_FILE` names. Raises CliError."""
    value = os.environ.get(name)
    if value is None and (file := os.environ.get(f"{name}_FILE")):
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CliError(f"{name}_FILE: cannot be read: {error}") from None
    return value
