"""The read batch: what a gateway heard, as columns (MessagePack) or as rows (JSON).

One schema, two encodings. A batch names its distinct tags and receivers once; each read is then
one entry in every column. Columns are little-endian and all have one entry a read:

| column           | type | unit                                                              |
|------------------|------|-------------------------------------------------------------------|
| `tag_index`      | u16  | index into `tags`                                                 |
| `receiver_index` | u16  | index into `receivers`                                            |
| `offset_us`      | u32  | event time minus `start_us`, microseconds                         |
| `rssi_cdbm`      | i16  | mean RSSI in 0.01 dBm; -32768: the reader gives none              |
| `peak_cdbm`      | i16  | largest RSSI in 0.01 dBm; -32768 likewise                         |
| `count`          | u16  | receptions merged into this read, at least 1                      |
| `kind`           | u8   | 1 BLE, 2 RFID, 3 other                                            |

Whether an index points past the end of its list is not checked here: the flow looks at these
columns as arrays anyway, where it costs next to nothing.

What tags measure may come along in `sensors`, as columns of its own: one entry a value.

| column           | type | unit                                                              |
|------------------|------|-------------------------------------------------------------------|
| `tag_index`      | u16  | index into `tags` of the batch                                    |
| `quantity_index` | u16  | index into `quantities`                                           |
| `offset_us`      | u32  | event time minus `start_us` of the batch, microseconds            |
| `value`          | f64  | in the unit that the quantity's name ends in; flags are 0 and 1   |
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from math import isfinite
from struct import calcsize, unpack
from typing import Annotated, Any, Literal

from pydantic import (
    FailFast,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from pipeline.contracts.base import SCHEMA_VERSION, Boot, Message, Name, Sequence, Time

NO_RSSI = -32768
MAX_READS = 20_000
MAX_EARLIER = 64
MICROSECONDS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = {
    "tag_index": "H",
    "receiver_index": "H",
    "offset_us": "I",
    "rssi_cdbm": "h",
    "peak_cdbm": "h",
    "count": "H",
    "kind": "B",
}
"""Column name -> struct format character of one entry (little-endian)."""
SENSOR_COLUMNS = {"tag_index": "H", "quantity_index": "H", "offset_us": "I", "value": "d"}
"""Likewise, of the values in `sensors`."""
MAX_SENSOR_VALUES = 20_000
MAX_QUANTITIES = 1_000
_WIDTHS = [(name, calcsize(f"<{code}")) for name, code in COLUMNS.items()]

TagName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,31}:[ -~]{1,120}$")]
"""`scheme:value`, lower case: ble:a4c138000001, epc:e200..., ibeacon:<uuid>/<major>/<minor>."""
ReceiverName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}(/[0-9]{1,3})?$")
]
"""A reader of the gateway, or `reader/antenna`."""
Quantity = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""What was measured, the unit last: temperature_c, humidity_percent, battery_mv, motion."""
Column = Annotated[bytes, Field(max_length=4 * MAX_READS)]
Microseconds = Annotated[int, Field(ge=-(2**62), le=2**62)]
"""Since 1970-01-01T00:00:00Z, unless said otherwise."""
Dbm = Annotated[float, Field(ge=-200, le=100)]


Vouch = Callable[[list[Any]], bool]
"""Given what stands for the tags: True when the caller answers for every entry being a TagName."""


def _unless_vouched(
    tags: object, check: ValidatorFunctionWrapHandler, info: ValidationInfo
) -> object:
    vouch: Vouch | None = info.context
    if vouch is not None and type(tags) is list and len(tags) <= MAX_READS and vouch(tags):
        return tags
    return check(tags)


class Kind(IntEnum):
    BLE = 1
    RFID = 2
    OTHER = 3


_KINDS = bytes(Kind)


def _largest(indices: bytes) -> int:
    """Of a u16 column; -1 when it is empty."""
    return max(unpack(f"<{len(indices) // 2}H", indices), default=-1)


class ClockState(Message):
    """How far the event times of a batch can be trusted."""

    synchronised: bool = Field(description="The gateway's clock is set by a time server")
    correction_us: Annotated[int, Field(ge=-(10**13), le=10**13)] | None = Field(
        default=None,
        description="What the receiver must add to every time of the batch, in microseconds: known "
        "once the gateway's clock has been compared with a better one. Null: unknown, add nothing",
    )


class _Envelope(Message):
    """What both encodings say about a batch."""

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, description="Always 1 in v1")
    gateway: Name = Field(description="The gateway of the topic; a batch of another is refused")
    boot: Boot = Field(description="Names one numbering of batches; a new one begins at 1 again")
    sequence: Sequence = Field(description="Counts the batches of one boot from 1 without holes")
    oldest: Sequence = Field(
        default=1,
        description="Smallest sequence of this boot that the gateway still holds: what lies below "
        "is acknowledged or given up, a receiver never waits for it. At most `sequence`",
    )
    sent_us: Microseconds | None = Field(
        default=None,
        description="When it was sent, by the gateway's clock, microseconds since "
        "1970-01-01T00:00:00Z. A receiver that waits for a silent gateway counts the time in which "
        "others were talking, so an outage of all of them sets nobody aside. Null: `until_us`",
    )
    earlier: Annotated[dict[Boot, Sequence], Field(max_length=MAX_EARLIER)] = Field(
        default_factory=dict,
        description="Earlier boots of which the gateway still holds batches, each with its highest "
        "sequence: until those have come, the promise of `until_us` is theirs",
    )
    until_us: Microseconds = Field(
        description="No later batch of this boot holds a read older than this, so event time moves "
        "on even when nothing is heard. Microseconds since 1970-01-01T00:00:00Z; a time before "
        "2015 promises nothing"
    )
    clock: ClockState

    @model_validator(mode="after")
    def _oldest_is_not_newer(self) -> _Envelope:
        if self.oldest > self.sequence:
            raise ValueError("oldest must not be greater than sequence")
        return self


class SensorColumns(Message):
    """What tags of the batch measured, as columns: little-endian, without padding, one entry a
    value. Of one tag and quantity the newest value of about a second.
    """

    quantities: Annotated[list[Quantity], FailFast(), Field(max_length=MAX_QUANTITIES)] = Field(
        description="The distinct quantities, each with its unit last: temperature_c, "
        "humidity_percent, battery_mv. Flags have none: motion, contact_open"
    )
    tag_index: Annotated[bytes, Field(max_length=2 * MAX_SENSOR_VALUES)] = Field(
        description="u16, 2 bytes little-endian a value: index into `tags` of the batch"
    )
    quantity_index: Annotated[bytes, Field(max_length=2 * MAX_SENSOR_VALUES)] = Field(
        description="u16, 2 bytes little-endian a value: index into `quantities`"
    )
    offset_us: Annotated[bytes, Field(max_length=4 * MAX_SENSOR_VALUES)] = Field(
        description="u32, 4 bytes little-endian a value: event time (when it was heard) minus "
        "`start_us` of the batch, in microseconds"
    )
    value: Annotated[bytes, Field(max_length=8 * MAX_SENSOR_VALUES)] = Field(
        description="f64, 8 bytes little-endian a value, finite. Flags are 0 and 1; `button` is 1 "
        "press, 2 double, 3 triple, 4 long, 5 long double, 6 long triple, 128 held, 129 released"
    )

    def __len__(self) -> int:
        """The number of values."""
        return len(self.value) // 8

    @model_validator(mode="after")
    def _columns_agree(self) -> SensorColumns:
        for name, code in SENSOR_COLUMNS.items():
            size, width = len(vars(self)[name]), calcsize(f"<{code}")
            if size != len(self) * width:
                raise ValueError(f"column {name} has {size} bytes, expected {len(self)} x {width}")
        if _largest(self.quantity_index) >= len(self.quantities):
            raise ValueError("column quantity_index points past the end of quantities")
        if not all(map(isfinite, unpack(f"<{len(self)}d", self.value))):
            raise ValueError("column value holds what is no finite number")
        return self


class ReadBatch(_Envelope):
    """What a gateway heard, as columns: one MessagePack map. The columns are values of type bin.

    Each column is little-endian, without padding, and has one entry a read; a read is the entries
    at one place of all columns.
    """

    start_us: Microseconds = Field(
        description="What `offset_us` counts from, microseconds since 1970-01-01T00:00:00Z"
    )
    tags: Annotated[
        list[TagName],
        FailFast(),
        Field(max_length=MAX_READS),
        WrapValidator(_unless_vouched),
    ] = Field(
        description="The distinct tags, `scheme:value`: ble:a4c138000001, epc:e200.., "
        "ibeacon:<uuid>/<major>/<minor>"
    )
    receivers: Annotated[list[ReceiverName], FailFast(), Field(max_length=4096)] = Field(
        description="The distinct receivers: a reader of the gateway, or `reader/antenna`"
    )
    tag_index: Column = Field(description="u16, 2 bytes little-endian a read: index into `tags`")
    receiver_index: Column = Field(
        description="u16, 2 bytes little-endian a read: index into `receivers`"
    )
    offset_us: Column = Field(
        description="u32, 4 bytes little-endian a read: event time (when the tag was heard last) "
        "minus `start_us`, in microseconds"
    )
    rssi_cdbm: Column = Field(
        description="i16, 2 bytes little-endian a read, two's complement: mean RSSI of the merged "
        "receptions in 0.01 dBm; -32768: the reader gives none"
    )
    peak_cdbm: Column = Field(
        description="i16, 2 bytes little-endian a read, two's complement: largest RSSI of the "
        "merged receptions in 0.01 dBm; -32768: the reader gives none"
    )
    count: Column = Field(
        description="u16, 2 bytes little-endian a read: receptions merged into it, at least 1"
    )
    kind: Column = Field(description="u8, 1 byte a read: 1 BLE, 2 RFID, 3 other")
    sensors: SensorColumns | None = Field(
        default=None, description="What tags measured. Null or absent: nothing new"
    )

    def __len__(self) -> int:
        """The number of reads."""
        return len(self.kind)

    @model_validator(mode="after")
    def _columns_agree(self) -> ReadBatch:
        reads, columns = len(self.kind), vars(self)
        for name, width in _WIDTHS:
            size = len(columns[name])
            if size != reads * width:
                raise ValueError(f"column {name} has {size} bytes, expected {reads} x {width}")
        if self.kind.translate(None, _KINDS):
            raise ValueError("column kind has a value other than 1, 2 and 3")
        low = self.count[::2]
        if 0 in low and (0, 0) in zip(low, self.count[1::2], strict=True):
            raise ValueError("column count has a 0")
        if self.sensors is not None and _largest(self.sensors.tag_index) >= len(self.tags):
            raise ValueError("column tag_index of sensors points past the end of tags")
        return self


class Read(Message):
    """A tag heard by a receiver: several receptions within about a second, merged."""

    tag: TagName = Field(description="`scheme:value`, for example ble:a4c138000001")
    receiver: ReceiverName = Field(description="A reader of the gateway, or `reader/antenna`")
    at: Time = Field(description="Event time: when the tag was heard last. Kept to the microsecond")
    rssi_dbm: Dbm | None = Field(
        default=None, description="Mean RSSI in dBm, kept to 0.01. Null: the reader gives none"
    )
    peak_dbm: Dbm | None = Field(
        default=None, description="Largest RSSI in dBm, kept to 0.01. Null: the same as rssi_dbm"
    )
    count: Annotated[int, Field(ge=1, le=65_535)] = Field(
        default=1, description="Receptions merged into this read"
    )
    kind: Literal["ble", "rfid", "other"] = Field(default="ble", description="What was heard")


class SensorValue(Message):
    """What a tag measured."""

    tag: TagName = Field(description="`scheme:value`, as in a read")
    quantity: Quantity = Field(description="What was measured, the unit last: temperature_c")
    at: Time = Field(description="Event time: when it was heard. Kept to the microsecond")
    value: Annotated[float, Field(allow_inf_nan=False)] = Field(
        description="In the unit that `quantity` ends in; flags are 0 and 1"
    )


class ReadBatchRows(_Envelope):
    """The same batch as rows, for people, tests and other systems: JSON only.

    The times of one batch may span up to 71 minutes.
    """

    reads: Annotated[list[Read], FailFast(), Field(max_length=MAX_READS)] = Field(
        description="Empty: nothing was heard, but `until_us` holds"
    )
    sensors: Annotated[list[SensorValue], FailFast(), Field(max_length=MAX_SENSOR_VALUES)] = Field(
        default_factory=list, description="What tags measured"
    )


_TAG_NAMES = TypeAdapter(Annotated[list[TagName], FailFast()])


def are_tag_names(names: list[str]) -> bool:
    try:
        _TAG_NAMES.validate_python(names, strict=True)
    except ValidationError:
        return False
    return True


def to_us(at: datetime) -> int:
    """Microseconds since the epoch, exact (floats lose the last digits). `at` must be aware."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * MICROSECONDS + since.microseconds
