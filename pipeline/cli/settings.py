"""Settings of the pipeline: a TOML file, overridden by the environment and by options.

Addresses carry passwords, so they may come from the environment or from a file named there
(`BIOTRAKR_DATABASE_URL_FILE`), never from the log.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from pipeline.cli.errors import CliError
from pipeline.domain.policy import Policy
from pipeline.flow.event_time import Timing

_POSITIVE = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]


def _section(name: str, defaults: Any) -> type[BaseModel]:
    """A closed model with the numeric fields of a dataclass."""
    columns: dict[str, Any] = {
        f.name: (
            Annotated[int, Field(ge=1, le=1000)] if isinstance(f.default, int) else _POSITIVE,
            f.default,
        )
        for f in fields(defaults)
    }
    return create_model(name, __config__=ConfigDict(extra="forbid", frozen=True), **columns)


_Timing = _section("Timing", Timing)
_Policy = _section("Policy", Policy)


class PipelineSettings(BaseModel):
    """`epoch_s`: how often everything is made durable; acknowledgements follow."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database_url: str | None = None
    mqtt_url: str | None = None
    mqtt_ca_file: Path | None = None
    recovery_directory: Path = Path("recovery")
    facilities: list[str] = Field(default_factory=list)
    shard: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = "all"
    epoch_s: Annotated[float, Field(ge=0.05, le=60)] = 0.5
    timing: _Timing = _Timing()  # type: ignore[valid-type]
    policy: _Policy = _Policy()  # type: ignore[valid-type]

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
    for name in ("database_url", "mqtt_url"):
        value = environment(f"BIOTRAKR_{name.upper()}")
        if value is not None:
            data[name] = value
    data |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return PipelineSettings.model_validate(data)
    except ValidationError as error:
        where = f"{path}: " if path else ""
        lines = [
            f"{where}{'.'.join(str(p) for p in e['loc'])}: {e['msg']}"
            for e in error.errors(include_input=False)
        ]
        raise CliError("\n".join(lines)) from None


def environment(name: str) -> str | None:
    """The variable, or the content of the file that `<name>_FILE` names. Raises CliError."""
    value = os.environ.get(name)
    if value is None and (file := os.environ.get(f"{name}_FILE")):
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CliError(f"{name}_FILE: cannot be read: {error}") from None
    return value
