"""Small messages that people and integration engines read: JSON, closed schemas."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import FailFast, Field

from pipeline.contracts.base import SCHEMA_VERSION, Boot, Count, Message, Name, Text, Time
from pipeline.contracts.reads import ClockState, ReceiverName, TagName

_VERSION = "Always 1 in v1"


class Ack(Message):
    """Cumulative: every batch of `boot` up to `sequence` is durable in the pipeline."""

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, description=_VERSION)
    gateway: Name = Field(description="The gateway of the topic")
    boot: Boot = Field(description="As in the read batches that are acknowledged")
    sequence: Count = Field(description="The highest sequence below which nothing is missing")


class ReaderHealth(Message):
    """One reader of a gateway. The counters are those since the agent started."""

    name: Annotated[str, Field(max_length=63)]
    kind: Annotated[str, Field(max_length=63)] = Field(description="Such as ble, r2000, replay")
    state: Literal["starting", "running", "silent", "failed"] = Field(
        description="silent: nothing was heard for longer than is normal for it"
    )
    reads: Count = Field(default=0, description="Tags heard")
    restarts: Count = Field(default=0, description="How often it was started again")
    rejected_bytes: Count = Field(default=0, description="Bytes that were no frame of its protocol")
    last_heard_at: Time | None = Field(default=None, description="When it last heard a tag")
    error: Text | None = Field(default=None, description="Why it is not running, for people")
    counters: Annotated[dict[Name, Count], Field(max_length=64)] = Field(
        default_factory=dict,
        description="Further counters by name, for people and graphs: events such as "
        "antenna_missing, high_return_loss, adapter_resets; and how it is now: adverts_per_s",
    )


class SpoolHealth(Message):
    """What a gateway keeps until the pipeline has acknowledged it."""

    batches: Count = Field(description="Batches that are not acknowledged")
    bytes: Count = Field(description="Their size in bytes")
    oldest_at: Time | None = Field(default=None, description="When the oldest was stored")
    dropped_batches: Count = Field(default=0, description="Given up so far: the spool was full")
    dropped_reads: Count = Field(default=0, description="Reads in those")


class ConfigReport(Message):
    """What became of the configuration that was sent from afar."""

    revision: Count | None = Field(
        default=None, description="In force; null: none, all is as in the gateway's own file"
    )
    digest: Annotated[str, Field(max_length=16)] | None = Field(
        default=None, description="The first 16 hexadecimal digits of the message's SHA-256"
    )
    newest_digest: Annotated[str, Field(max_length=16)] | None = Field(
        default=None,
        description="The same of the newest message: it is another one if that was refused",
    )
    problem: Text | None = Field(
        default=None,
        description="Why the newest one was refused (the one before stays in force), or why this "
        "one will not outlast a restart",
    )


class GatewayStatus(Message):
    """Retained. The last will is the same message with `state` offline."""

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, description=_VERSION)
    gateway: Name = Field(description="The gateway of the topic; a status of another is refused")
    state: Literal["online", "offline"]
    version: Annotated[str, Field(max_length=63)] = Field(description="Of the agent's program")
    boot: Boot = Field(description="As in its read batches")
    at: Time = Field(
        description="When this was said. A last will was written when the connection was made"
    )
    started_at: Time = Field(description="When the agent's program started")
    clock: ClockState
    spool: SpoolHealth | None = Field(default=None, description="Null: it could not be asked")
    readers: Annotated[list[ReaderHealth], FailFast(), Field(max_length=256)] = Field(
        default_factory=list
    )
    counters: Annotated[dict[Name, Count], Field(max_length=256)] = Field(
        default_factory=dict, description="Further counters by name, for people and graphs"
    )
    config: ConfigReport | None = Field(
        default=None, description="Null: nothing was ever sent to it, or it is too old to know"
    )


AlertSeverity = Literal["INFO", "WARNING", "ERROR", "CRITICAL"]
AlertState = Literal["open", "updated", "escalated", "acknowledged", "resolved"]


class AlertSubject(Message):
    """The equipment that an alert is about."""

    asset_id: UUID
    asset_tag_number: Annotated[str, Field(max_length=50)] = Field(
        description="The inventory number on its label"
    )
    equipment_name: Annotated[str, Field(max_length=200)]


class AlertPlace(Message):
    """Where it is, as codes of the registry and in the building's coordinates."""

    building: Name
    floor: Name | None = Field(default=None, description="Null, as below: not known")
    room: Name | None = None
    zone: Name | None = Field(default=None, description="The zone that the rule is about")
    x_m: float | None = Field(default=None, description="Metres, along the building's x axis")
    y_m: float | None = Field(default=None, description="Metres, along the building's y axis")
    z_m: float | None = Field(default=None, description="Metres, height in the building")
    accuracy_m: float | None = Field(
        default=None,
        description="Metres: how far off the position may be. 0 or null: not stated",
    )


class Alert(Message):
    """One transition of one alert. `(alert_id, revision)` is unique and never changes.

    `alert_id` is a function of rule, asset and event time, so a replay gives the same one: a
    consumer that has seen `(alert_id, revision)` may drop the message. The newest revision counts.
    """

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, description=_VERSION)
    alert_id: UUID = Field(description="Names the alert from opening to resolution")
    revision: Annotated[int, Field(ge=1)] = Field(
        description="Grows with every transition, not always by 1"
    )
    state: AlertState = Field(description="After this transition")
    type: Name = Field(description="Kind of rule, such as forbidden-zone")
    severity: AlertSeverity
    organization: Name
    facility: Name
    rule: Name = Field(description="Code of the rule that was broken")
    subject: AlertSubject
    place: AlertPlace
    opened_at: Time = Field(description="Event time of the alert's first transition")
    at: Time = Field(description="Event time of this transition")
    late: bool = Field(
        default=False,
        description="Found in reads that came after their time: history, do not page anybody",
    )
    reason: Text = Field(description="Why, in a sentence for people")
    evidence: dict[str, Any] = Field(
        default_factory=dict,
        description="What the decision rests on, for people. Its keys depend on `type` and may "
        "grow within v1",
    )


class AlertAcknowledgement(Message):
    """Somebody has taken notice of an alert and takes care of it."""

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, description=_VERSION)
    alert_id: UUID = Field(description="The alert of the topic")
    by: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Who")
    at: Time = Field(description="When")
    note: Text | None = None


class Scan(Message):
    """Somebody says where something is: a QR code, an NFC tap or a manual report.

    What is named by `asset_tag_number` or `tag`, where by `room` or `receiver`.
    """

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, description=_VERSION)
    scan_id: UUID = Field(description="Made by the sender: a scan that comes twice counts once")
    at: Time = Field(description="When it was scanned")
    method: Literal["QR", "NFC", "MANUAL"]
    by: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Who")
    asset_tag_number: Annotated[str, Field(min_length=1, max_length=50)] | None = Field(
        default=None, description="The inventory number on the equipment's label"
    )
    tag: TagName | None = Field(default=None, description="A radio tag: `scheme:value`")
    room: Name | None = Field(default=None, description="Code of the room")
    receiver: ReceiverName | None = Field(default=None, description="A reader with a known place")
