"""Merged reads and measured values to batches: how many at a time, and what each may promise about
event time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_agent.merge import MergedRead
from pipeline.contracts.codec import Measured, build_batch, encode_batch
from pipeline.contracts.reads import ClockState

MAX_READS = 2_000
"""Reads and values a batch: far below the contract's limits in number and in bytes."""
_MAX_SPAN_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A batch before it has a number. `anchor_us`: wall minus monotonic clock of live reads."""

    gateway: str
    reads: Sequence[MergedRead]
    until_us: int
    synchronised: bool
    anchor_us: int | None = None
    values: Sequence[Measured] = ()

    def encode(self, boot: str, sequence: int, until_us: int) -> bytes:
        """MessagePack of the contract."""
        envelope = {
            "gateway": self.gateway,
            "boot": boot,
            "sequence": sequence,
            "oldest": 1,
            "until_us": until_us,
            "clock": ClockState(synchronised=self.synchronised),
        }
        columns = list(zip(*self.reads, strict=True)) or [()] * len(MergedRead._fields)
        tags, receivers, kind, time_us, count, rssi_cdbm, peak_cdbm = columns
        batch = build_batch(
            envelope,
            tags=tags,
            receivers=receivers,
            time_us=time_us,
            rssi_cdbm=rssi_cdbm,
            peak_cdbm=peak_cdbm,
            count=count,
            kind=kind,
            sensors=self.values,
        )
        return encode_batch(batch)


def drafts(
    gateway: str,
    reads: Sequence[MergedRead],
    until_us: int,
    *,
    synchronised: bool,
    anchor_us: int | None = None,
    values: Sequence[Measured] = (),
) -> list[Draft]:
    """One draft or more, the last with `until_us`, those before with what still holds after them.

    Without reads one empty draft, which only carries the promise.
    """
    pieces = _pieces([*reads, *values]) or [[]]
    found: list[Draft] = []
    for piece in reversed(pieces):
        merged = [item for item in piece if isinstance(item, MergedRead)]
        measured = [item for item in piece if isinstance(item, Measured)]
        found.append(Draft(gateway, merged, until_us, synchronised, anchor_us, measured))
        until_us = min([until_us, *(item.at_us for item in piece)])
    return found[::-1]


def _pieces(items: Sequence[MergedRead | Measured]) -> list[list[MergedRead | Measured]]:
    """Cut where a batch would become too long or span too much time."""
    pieces: list[list[MergedRead | Measured]] = []
    first_us = last_us = 0
    for item in items:
        first_us, last_us = min(first_us, item.at_us), max(last_us, item.at_us)
        if not pieces or len(pieces[-1]) >= MAX_READS or last_us - first_us > _MAX_SPAN_US:
            pieces.append([])
            first_us = last_us = item.at_us
        pieces[-1].append(item)
    return pieces
