"""Merged reads to batches: how many at a time, and what each may promise about event time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_agent.merge import MergedRead
from pipeline.contracts.codec import build_batch, encode_batch
from pipeline.contracts.reads import ClockState

MAX_READS = 2_000
"""Reads a batch: far below the contract's limits in number and in bytes."""
_MAX_SPAN_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A batch before it has a number. `anchor_us`: wall minus monotonic clock of live reads."""

    gateway: str
    reads: Sequence[MergedRead]
    until_us: int
    synchronised: bool
    anchor_us: int | None = None

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
        )
        return encode_batch(batch)


def drafts(
    gateway: str,
    reads: Sequence[MergedRead],
    until_us: int,
    *,
    synchronised: bool,
    anchor_us: int | None = None,
) -> list[Draft]:
    """One draft or more, the last with `until_us`, those before with what still holds after them.

    Without reads one empty draft, which only carries the promise.
    """
    pieces = _pieces(reads) or [[]]
    found: list[Draft] = []
    for piece in reversed(pieces):
        found.append(Draft(gateway, piece, until_us, synchronised, anchor_us))
        until_us = min([until_us, *(read.at_us for read in piece)])
    return found[::-1]


def _pieces(reads: Sequence[MergedRead]) -> list[list[MergedRead]]:
    """Cut where a batch would become too long or span too much time."""
    pieces: list[list[MergedRead]] = []
    first_us = last_us = 0
    for read in reads:
        first_us, last_us = min(first_us, read.at_us), max(last_us, read.at_us)
        if not pieces or len(pieces[-1]) >= MAX_READS or last_us - first_us > _MAX_SPAN_US:
            pieces.append([])
            first_us = last_us = read.at_us
        pieces[-1].append(read)
    return pieces
