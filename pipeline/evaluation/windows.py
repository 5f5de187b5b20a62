"""Reads of a file as windows of a fixed length: one row a tag and window, in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.evaluation.inputs import Reads

MOST_RECEIVERS = 24
"""The strongest that are used of one window; more would add time, not knowledge."""


@dataclass(frozen=True)
class Windows:
    """N rows (tag and window); (N, K) reads padded with receiver -1, the strongest first.

    `newest` is the index of the newest read of the row: its time is the row's time.
    """

    tag: NDArray[np.int64]
    slot: NDArray[np.int64]
    newest: NDArray[np.int64]
    receiver: NDArray[np.int64]
    rssi_dbm: Floats

    def __len__(self) -> int:
        return len(self.tag)

    def by_slot(self) -> Iterator[slice]:
        """The rows of one window after another."""
        edges = np.flatnonzero(np.r_[True, np.diff(self.slot) != 0, True])
        for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            yield slice(first, last)


def cut(reads: Reads, window_s: float, parts: int = 1) -> Windows:
    """Several reads of one receiver in a window count as their mean.

    With `parts`, each window is cut into so many: slot // parts is the slot of the whole.
    """
    share = reads.time_s / window_s
    whole = np.floor(share)
    part = np.minimum(np.floor((share - whole) * parts), parts - 1)
    slot = (whole * parts + part).astype(np.int64)
    order = np.lexsort((np.arange(len(slot)), reads.tag, slot))
    new = np.r_[True, (np.diff(slot[order]) != 0) | (np.diff(reads.tag[order]) != 0)]
    row = np.empty(len(slot), dtype=np.int64)
    row[order] = np.cumsum(new) - 1
    last = np.flatnonzero(np.r_[new[1:], True])
    newest = order[last]
    known = np.flatnonzero(reads.receiver >= 0)
    stride = int(reads.receiver.max(initial=0)) + 1
    pair, which = np.unique(row[known] * stride + reads.receiver[known], return_inverse=True)
    mean = np.bincount(which, reads.rssi_dbm[known]) / np.maximum(np.bincount(which), 1)
    of, receiver = np.divmod(pair, stride)
    ranked = np.lexsort((-mean, of))
    of, receiver, mean = of[ranked], receiver[ranked], mean[ranked]
    rank = np.arange(len(of)) - np.searchsorted(of, of)
    width = max(1, min(MOST_RECEIVERS, int(rank.max(initial=0)) + 1))
    some = rank < width
    table = np.full((len(newest), width), -1, dtype=np.int64)
    level = np.zeros((len(newest), width))
    table[of[some], rank[some]], level[of[some], rank[some]] = receiver[some], mean[some]
    return Windows(reads.tag[newest], slot[newest], newest, table, level)
