"""Small messages that people and integration engines read: JSON, closed schemas."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from pipeline.contracts.base import SCHEMA_VERSION, Boot, Count, Message, Name, Text
from pipeline.contracts.reads import ClockState, ReceiverName, TagName


class Ack(Message):
    """Cumulative: every batch of `boot` up to `sequence` is durable in the pipeline."""

    schema_version: Literal[1] = SCHEMA_VERSION
    gateway: Name
    boot: Boot
    sequence: Count


class ReaderHealth(Message):
    name: Annotated[str, Field(max_length=63)]
    kind: Annotated[str, Field(max_length=63)]
    state: Literal["starting", "running", "silent", "failed"]
    reads: Count = 0
    restarts: Count = 0
    rejected_bytes: Count = 0
    last_heard_at: AwareDatetime | None = None
    error: Text | None = None


class SpoolHealth(Message):
    batches: Count
    bytes: Count
    oldest_at: AwareDatetime | None = None
    dropped_batches: Count = 0
    dropped_reads: Count = 0


class GatewayStatus(Message):
    """Retained. The last will is the same message with `state` offline."""

    schema_version: Literal[1] = SCHEMA_VERSION
    gateway: Name
    state: Literal["online", "offline"]
    version: Annotated[str, Field(max_length=63)]
    boot: Boot
    at: AwareDatetime
    started_at: AwareDatetime
    clock: ClockState
    spool: SpoolHealth | None = None
    readers: Annotated[list[ReaderHealth], Field(max_length=256)] = Field(default_factory=list)
    counters: dict[Name, Count] = Field(default_factory=dict)


AlertSeverity = Literal["INFO", "WARNING", "ERROR", "CRITICAL"]
AlertState = Literal["open", "updated", "escalated", "acknowledged", "resolved"]


class AlertSubject(Message):
    asset_id: UUID
    asset_tag_number: Annotated[str, Field(max_length=50)]
    equipment_name: Annotated[str, Field(max_length=200)]


class AlertPlace(Message):
    building: Name
    floor: Name | None = None
    room: Name | None = None
    zone: Name | None = None
    x_m: float | None = None
    y_m: float | None = None
    z_m: float | None = None
    accuracy_m: float | None = None


class Alert(Message):
    """One transition of one alert. `(alert_id, revision)` is unique and never changes.

    `alert_id` is a function of rule, asset and event time, so a replay gives the same one.
    `at` is the event time of this transition; `opened_at` that of the first.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    alert_id: UUID
    revision: Annotated[int, Field(ge=1)]
    state: AlertState
    type: Name
    severity: AlertSeverity
    organization: Name
    facility: Name
    rule: Name
    subject: AlertSubject
    place: AlertPlace
    opened_at: AwareDatetime
    at: AwareDatetime
    late: bool = False
    reason: Text
    evidence: dict[str, Any] = Field(default_factory=dict)


class AlertAcknowledgement(Message):
    schema_version: Literal[1] = SCHEMA_VERSION
    alert_id: UUID
    by: Annotated[str, Field(min_length=1, max_length=200)]
    at: AwareDatetime
    note: Text | None = None


class Scan(Message):
    """Somebody says where something is: a QR code, an NFC tap or a manual report."""

    schema_version: Literal[1] = SCHEMA_VERSION
    scan_id: UUID
    at: AwareDatetime
    method: Literal["QR", "NFC", "MANUAL"]
    by: Annotated[str, Field(min_length=1, max_length=200)]
    asset_tag_number: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    tag: TagName | None = None
    room: Name | None = None
    receiver: ReceiverName | None = None
