"""From reads to links: one window's reads of a building, summed per (asset, receiver).

Sums are of integers (centi-dBm times receptions), so they do not depend on the order of arrival.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.floorplan import RFID, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.radio import Links

MAX_LINKS = 12
"""Receivers used for one fix: the strongest. More add cost and, being far, little information."""
NO_RSSI = -32768

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Observations:
    """(M,) arrays, sorted by asset, then receiver; one entry a pair that was heard."""

    asset: Ints
    receiver: Ints
    rssi_dbm: Floats
    """Mean; NaN where the reader gives none."""
    receptions: Ints

    def __len__(self) -> int:
        return len(self.asset)


def summarise(
    asset: Ints, receiver: Ints, rssi_cdbm: Ints, receptions: Ints, receivers: int
) -> Observations:
    """Sum reads (each array (reads,)) into one observation a pair; exact, order-independent."""
    key = asset * receivers + receiver
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, int)
    known = (rssi_cdbm != NO_RSSI)[order]
    weight = np.where(known, receptions[order], 0)
    total = _sum_groups(weight * rssi_cdbm[order], starts)
    heard = _sum_groups(weight, starts)
    with np.errstate(invalid="ignore"):
        mean = np.where(heard > 0, total / np.maximum(heard, 1) / 100.0, np.nan)
    pair = key[starts]
    return Observations(
        pair // receivers, pair % receivers, mean, _sum_groups(receptions[order], starts)
    )


def strongest_per_asset(building: Building, seen: Observations) -> tuple[Ints, Ints]:
    """Row numbers of `seen` (BLE and the like, with RSSI) worth using, and their column in (K, N).

    At most MAX_LINKS an asset, by path gain (RSSI minus P0), ties by receiver index.
    """
    receivers = building.receivers
    usable = np.flatnonzero((receivers.kind[seen.receiver] != RFID) & np.isfinite(seen.rssi_dbm))
    gain = seen.rssi_dbm[usable] - receivers.p0_dbm[seen.receiver[usable]]
    order = np.lexsort((seen.receiver[usable], -gain, seen.asset[usable]))
    rank = _rank_in_group(seen.asset[usable][order])
    kept = np.sort(usable[order[rank < MAX_LINKS]])
    return kept, _rank_in_group(seen.asset[kept])


def links(
    building: Building, seen: Observations, assets: Ints, floor: Ints, slab_loss_db: float
) -> Links:
    """The links of `assets` (N,), sorted, each assumed to be on `floor` (N,)."""
    rows, slot = strongest_per_asset(building, seen)
    chosen = np.isin(seen.asset[rows], assets)
    rows, slot = rows[chosen], slot[chosen]
    column = np.searchsorted(assets, seen.asset[rows])
    shape = (int(slot.max()) + 1 if len(slot) else 1, len(assets))
    receiver = np.zeros(shape, dtype=np.int64)
    heard = np.zeros(shape, dtype=bool)
    rssi = np.full(shape, -100.0)
    receiver[slot, column] = seen.receiver[rows]
    heard[slot, column] = True
    rssi[slot, column] = seen.rssi_dbm[rows]
    r = building.receivers
    level = np.array([f.level for f in building.floors], dtype=np.float64)
    slabs = np.abs(level[r.floor[receiver]] - level[floor])
    return Links(
        heard,
        rssi,
        r.position_m[receiver, 0],
        r.position_m[receiver, 1],
        r.position_m[receiver, 2],
        r.p0_dbm[receiver],
        r.path_loss_exponent[receiver],
        r.sigma_db[receiver],
        slabs * slab_loss_db,
        receiver,
        slabs == 0,
        None if building.wall_map.is_flat else building.wall_map,
    )


def _sum_groups(values: Ints, starts: Ints) -> Ints:
    return np.add.reduceat(values, starts) if len(starts) else np.zeros(0, dtype=np.int64)


def _rank_in_group(sorted_groups: Ints) -> Ints:
    """0, 1, 2 ... within each run of equal values."""
    if not len(sorted_groups):
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, sorted_groups[1:] != sorted_groups[:-1]])
    lengths = np.diff(np.r_[starts, len(sorted_groups)])
    ranks: Ints = np.arange(len(sorted_groups)) - np.repeat(starts, lengths)
    return ranks
