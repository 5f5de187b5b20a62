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
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from pipeline.contracts.base import SCHEMA_VERSION, Boot, Message, Name, Sequence

NO_RSSI = -32768
MAX_READS = 20_000
MICROSECONDS = 1_000_000
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
_SIZE = {"H": 2, "I": 4, "h": 2, "B": 1}

TagName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+:[ -~]{1,120}$")]
"""`scheme:value`, lower case: ble:a4c138000001, epc:e200..., ibeacon:<uuid>/<major>/<minor>."""
ReceiverName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}(/[0-9]{1,3})?$")
]
"""A reader of the gateway, or `reader/antenna`."""
Column = Annotated[bytes, Field(max_length=4 * MAX_READS)]
Microseconds = Annotated[int, Field(ge=-(2**62), le=2**62)]
"""Since 1970-01-01T00:00:00Z, unless said otherwise."""


class Kind(IntEnum):
    BLE = 1
    RFID = 2
    OTHER = 3


class ClockState(Message):
    """How far the event times of a batch can be trusted.

    `correction_us` is what the receiver of the batch must add to every time in it (known once the
    gateway's clock has been compared with a better one); None: unknown, nothing is added.
    """

    synchronised: bool
    correction_us: Annotated[int, Field(ge=-(10**13), le=10**13)] | None = None


class _Envelope(Message):
    """What both encodings say about a batch.

    `sequence` counts the batches of one `boot` of the gateway from 1 without holes. `oldest` is the
    smallest sequence of that boot which the gateway still holds: what lies below it has been
    acknowledged or given up, so a receiver never waits for it. `until_us`: no later batch of this
    boot holds a read older than this, so event time can move on even when nothing is heard.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    gateway: Name
    boot: Boot
    sequence: Sequence
    oldest: Sequence = 1
    until_us: Microseconds
    clock: ClockState

    @model_validator(mode="after")
    def _oldest_is_not_newer(self) -> _Envelope:
        if self.oldest > self.sequence:
            raise ValueError("oldest must not be greater than sequence")
        return self


class ReadBatch(_Envelope):
    """A read batch as columns (see the module's table). `len(batch)` is the number of reads."""

    start_us: Microseconds
    tags: Annotated[list[TagName], Field(max_length=MAX_READS)]
    receivers: Annotated[list[ReceiverName], Field(max_length=4096)]
    tag_index: Column
    receiver_index: Column
    offset_us: Column
    rssi_cdbm: Column
    peak_cdbm: Column
    count: Column
    kind: Column

    def __len__(self) -> int:
        return len(self.kind)

    @model_validator(mode="after")
    def _columns_agree(self) -> ReadBatch:
        reads = len(self.kind)
        for name, code in COLUMNS.items():
            size = len(getattr(self, name))
            if size != reads * _SIZE[code]:
                raise ValueError(
                    f"column {name} has {size} bytes, expected {reads} x {_SIZE[code]}"
                )
        return self


class Read(Message):
    """One row of the JSON form."""

    tag: TagName
    receiver: ReceiverName
    at: AwareDatetime
    rssi_dbm: Annotated[float, Field(ge=-200, le=100)] | None = None
    peak_dbm: Annotated[float, Field(ge=-200, le=100)] | None = None
    count: Annotated[int, Field(ge=1, le=65_535)] = 1
    kind: Literal["ble", "rfid", "other"] = "ble"


class ReadBatchRows(_Envelope):
    """The same batch as rows, for people, tests and other systems. JSON only."""

    reads: Annotated[list[Read], Field(max_length=MAX_READS)]


def to_us(at: datetime) -> int:
    """Microseconds since the epoch, exact (floats lose the last digits)."""
    whole = int(at.replace(microsecond=0).timestamp())
    return whole * MICROSECONDS + at.microsecond
