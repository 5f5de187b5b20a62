"""What every message shares: a closed, immutable, strict model and a bounded set of types."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
)

from pipeline.contracts.topics import NAME

SCHEMA_VERSION: Final = 1
MAX_MESSAGE_BYTES = 1 << 20
"""Larger messages are refused by the broker and, should one arrive, dead-lettered."""


def _date(value: object) -> object:
    """Of numbers one could only guess whether they are seconds or milliseconds."""
    if isinstance(value, datetime) or (isinstance(value, str) and value[4:5] == "-"):
        return value
    raise ValueError("expected a date and time of RFC 3339, such as 2026-01-31T12:00:00Z")


def _in_utc(at: datetime) -> datetime:
    """Year 1 east of Greenwich has no counterpart in UTC; whoever converts it would fail."""
    if not 1 < at.year < 9999:
        try:
            at.astimezone(UTC)
        except OverflowError:
            raise ValueError("expected a time within the years 1 to 9999 in UTC") from None
    return at


def _storable(text: str) -> str:
    """PostgreSQL cannot hold a zero character, and the text of an error may have one."""
    return text.replace("\0", "\ufffd")


Name = Annotated[str, StringConstraints(pattern=NAME)]
Text = Annotated[str, StringConstraints(max_length=500), AfterValidator(_storable)]
Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
Sequence = Annotated[int, Field(ge=1, le=2**62)]
Boot = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]
Time = Annotated[AwareDatetime, Strict(False), BeforeValidator(_date), AfterValidator(_in_utc)]
"""A date and time with an offset from UTC."""


class Message(BaseModel):
    """Unknown keys are refused: a misspelt key must not become a silent default.

    So are values of another type ("7", 7.0 or true for 7): what looks right by accident in one
    encoding would be wrong in the other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
