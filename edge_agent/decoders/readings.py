"""What every decoder gives: readings, and events about the reader itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Frame = dict[str, Any]
"""A decoded frame; `type` says which, the other keys are those of the protocol's documentation."""

ReadingKind = Literal["ble", "rfid", "other"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A tag was heard once. `antenna` counts from 1; None: the reader has only one."""

    tag: str
    rssi_dbm: float | None
    antenna: int | None
    kind: ReadingKind


Value = float | bool | str


@dataclass(frozen=True, slots=True)
class SensorReading:
    """One measurement of a tag. `index` counts sensors of the same quantity in one frame."""

    tag: str
    quantity: str
    value: Value
    index: int = 0


EventName = Literal[
    "antenna_missing",
    "antenna_restored",
    "bad_tag_crc",
    "code_refused",
    "gate",
    "high_return_loss",
    "layout_changed",
    "no_answer",
    "reader_error",
    "reader_reset",
    "reader_restarted",
    "temperature",
    "temperature_throttle",
]


@dataclass(frozen=True, slots=True)
class ReaderEvent:
    """Something about the reader that people must hear of; counted by name in the status."""

    name: EventName
    detail: str
    antenna: int | None = None
    code: int | None = None


Item = Reading | SensorReading | ReaderEvent


class Conversation(Protocol):
    """The host's side of a reader's protocol. It says what to send and when; others do the I/O.

    Times are seconds of any monotonic clock. Usage: write `send(now)`; whenever bytes arrive call
    `receive`; call `send` again after each `receive` and at `wake_at_s` at the latest.
    """

    wake_at_s: float
    frames: int
    """Verified frames received: what a keep-alive watchdog looks at."""

    @property
    def dropped_bytes(self) -> int:
        """Bytes outside verified frames."""
        ...

    def receive(self, data: bytes, now_s: float) -> Sequence[Item]: ...

    def send(self, now_s: float) -> bytes: ...

    def events(self) -> list[ReaderEvent]:
        """What `send` noticed (time-outs, resets) since the last call."""
        ...

    def stop(self) -> bytes:
        """The bytes that make the reader fall silent."""
        ...
