"""A checked read batch as arrays, and when its times cannot be right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import topics
from pipeline.contracts.reads import ReadBatch, SensorColumns
from pipeline.domain.floorplan import NOWHERE
from pipeline.flow.names import Found, Names, Numbers

Ints = NDArray[np.int64]
Column = NDArray[np.integer[Any]]
Measured = tuple[str, str, int, float]
"""Tag, quantity, event time in microseconds, value."""
_U2, _U4, _I2, _F8 = np.dtype("<u2"), np.dtype("<u4"), np.dtype("<i2"), np.dtype("<f8")
OLDEST_US = 1_420_070_400_000_000
"""2015-01-01: a clock that says less has never been set."""
NEVER_US = -(2**62)
NONE: Numbers = np.zeros(0, dtype=np.int32)
FUTURE_US = 10_000_000
"""A time farther ahead than this of the host that received it comes from a wrong clock."""


@dataclass(slots=True)
class Arrival:
    """A checked read batch. Times already carry the gateway's clock correction; columns (reads,).

    Columns are as narrow as in the message: who computes with them widens them, once a window.
    `asset` and `receiver` are indices in the building's `version`; `registered`: none is NOWHERE.
    `first_us` and `last_us`: the oldest and the newest read. `reads_refused`: the batch counts for
    deduplication only, its reads were dead-lettered.
    """

    building: str
    organization: str
    facility: str
    gateway: str
    boot: str
    sequence: int
    oldest: int
    until_us: int
    sent_us: int | None
    earlier: dict[str, int]
    tags: list[str]
    receivers: list[str]
    tag_index: Column
    receiver_index: Column
    start_us: int
    offset_us: Column
    rssi_cdbm: Column
    receptions: Column
    asset: Numbers
    receiver: Numbers
    payload: bytes
    measured: tuple[Measured, ...] = ()
    first_us: int = NEVER_US
    last_us: int = NEVER_US
    version: int = 0
    registered: bool = True
    reads_refused: bool = False

    @property
    def reads(self) -> int:
        return len(self.offset_us)

    @property
    def time_us(self) -> Ints:
        return self.offset_us.astype(np.int64) + self.start_us

    def number(self, names: Names, found: Found | None = None) -> None:
        """Number assets and receivers; `found`: what `names` says about `tags`, if known.

        Raises IndexError when an index points past the end of its list.
        """
        asset, strangers = found or next(names.find([(names.words(self.tags), self.tags)]))
        known = names.receivers.get(self.gateway, {})
        receivers = [known.get(name, NOWHERE) for name in self.receivers]
        self.asset = asset.take(self.tag_index)
        self.receiver = np.array(receivers, dtype=np.int32).take(self.receiver_index)
        self.registered = not strangers and NOWHERE not in receivers
        self.version = names.version


def arrange(building: str, topic: topics.GatewayTopic, batch: ReadBatch, payload: bytes) -> Arrival:
    """The batch as an arrival whose assets and receivers are not numbered yet."""
    correction = batch.clock.correction_us or 0
    start_us = batch.start_us + correction
    offset_us = np.frombuffer(batch.offset_us, _U4)
    arrival = Arrival(
        building,
        topic.organization,
        topic.facility,
        topic.gateway,
        batch.boot,
        batch.sequence,
        batch.oldest,
        batch.until_us + correction if batch.until_us >= OLDEST_US else NEVER_US,
        None if batch.sent_us is None else batch.sent_us + correction,
        batch.earlier,
        batch.tags,
        batch.receivers,
        np.frombuffer(batch.tag_index, _U2),
        np.frombuffer(batch.receiver_index, _U2),
        start_us,
        offset_us,
        np.frombuffer(batch.rssi_cdbm, _I2),
        np.frombuffer(batch.count, _U2),
        NONE,
        NONE,
        payload,
        () if batch.sensors is None else _measured(batch.tags, batch.sensors, start_us),
    )
    if len(offset_us):
        arrival.first_us = start_us + int(np.minimum.reduce(offset_us))
        arrival.last_us = start_us + int(np.maximum.reduce(offset_us))
    return arrival


def _measured(tags: list[str], sensors: SensorColumns, start_us: int) -> tuple[Measured, ...]:
    """A few values a batch: tuples are good enough."""
    quantities = sensors.quantities
    columns = (
        np.frombuffer(sensors.tag_index, _U2).tolist(),
        np.frombuffer(sensors.quantity_index, _U2).tolist(),
        np.frombuffer(sensors.offset_us, _U4).tolist(),
        np.frombuffer(sensors.value, _F8).tolist(),
    )
    return tuple(
        (tags[tag], quantities[quantity], start_us + offset, value)
        for tag, quantity, offset, value in zip(*columns, strict=True)
    )


def time_problem(arrival: Arrival, received_us: int) -> tuple[str, str] | None:
    """Why the times of a batch cannot be right, or None.

    An `until_us` before OLDEST_US is no time but "nothing is promised yet".
    """
    times = [at_us for _, _, at_us, _ in arrival.measured]
    newest = max(arrival.until_us, arrival.sent_us or 0, arrival.last_us, *times)
    if newest > received_us + FUTURE_US:
        ahead_s = (newest - received_us) / 1e6
        return "time_in_future", f"newest time is {ahead_s:.0f} s ahead; set the gateway's clock"
    if min([*times, arrival.first_us] if arrival.reads else times, default=OLDEST_US) < OLDEST_US:
        return "time_too_old", "times before 2015; set the gateway's clock"
    return None


def without_reads(arrival: Arrival) -> Arrival:
    return replace(
        arrival,
        until_us=NEVER_US,
        sent_us=None,
        earlier={},
        tags=[],
        receivers=[],
        tag_index=NONE,
        receiver_index=NONE,
        offset_us=NONE,
        rssi_cdbm=NONE,
        receptions=NONE,
        payload=b"",
        measured=(),
        first_us=NEVER_US,
        last_us=NEVER_US,
        asset=NONE,
        receiver=NONE,
        registered=True,
        reads_refused=True,
    )
