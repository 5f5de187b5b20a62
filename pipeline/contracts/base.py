"""What every message shares: a closed, immutable model and a bounded set of types."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pipeline.contracts.topics import NAME

SCHEMA_VERSION: Final = 1
MAX_MESSAGE_BYTES = 1 << 20
"""Larger messages are refused by the broker and, should one arrive, dead-lettered."""

Name = Annotated[str, StringConstraints(pattern=NAME)]
Text = Annotated[str, StringConstraints(max_length=500)]
Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
Sequence = Annotated[int, Field(ge=1, le=2**62)]
Boot = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]


class Message(BaseModel):
    """Unknown keys are refused: a misspelt key must not become a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)
