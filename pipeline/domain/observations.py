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
    order = _by_pair(asset, receiver)
    asset, receiver, rssi = asset[order], receiver[order], rssi_cdbm[order]
    count = receptions[order].astype(np.int64)
    starts = _starts(asset * receivers + receiver)
    weight = np.where(rssi != NO_RSSI, count, 0)
    total = _sum_groups(weight * rssi, starts)
    heard = _sum_groups(weight, starts)
    with np.errstate(invalid="ignore"):
        mean = np.where(heard > 0, total / np.maximum(heard, 1) / 100.0, np.nan)
    return Observations(
        asset[starts].astype(np.int64),
        receiver[starts].astype(np.int64),
        mean,
        _sum_groups(count, starts),
    )


@dataclass(frozen=True)
class Heard:
    """What a window says about places, by asset: (N,) `assets`, sorted, and rows of `seen`.

    `signals` are the rows with an RSSI from BLE and the like, those of one asset next to each
    other from `first_signal` on, `signal_count` of them; `portal_rows` are those of RFID readers.
    """

    seen: Observations
    assets: Ints
    signals: Ints
    first_signal: Ints
    """(N,) indices into `signals`."""
    signal_count: Ints
    portal_rows: Ints

    @classmethod
    def of(cls, building: Building, seen: Observations) -> Heard:
        """Leaves out assets of which nothing says where they are: no RSSI, no RFID reader."""
        rfid = building.receivers.kind.take(seen.receiver) == RFID
        signal = np.isfinite(seen.rssi_dbm) & ~rfid
        telling = seen.asset[signal | rfid]
        assets = telling[_starts(telling)]
        signals = np.flatnonzero(signal)
        count = np.bincount(seen.asset[signals], minlength=len(building.assets))[assets]
        first = np.cumsum(count) - count
        return cls(seen, assets, signals, first, count, np.flatnonzero(rfid))

    def column(self, rows: Ints) -> Ints:
        """Index into `assets` of the asset of each of these rows of `seen`."""
        return np.searchsorted(self.assets, self.seen.asset[rows])

    @property
    def signal_column(self) -> Ints:
        """Index into `assets` of each of `signals`."""
        return np.repeat(np.arange(len(self.assets)), self.signal_count)

    def totals(self, assets: Ints) -> tuple[Ints, Ints]:
        """How many receivers heard each of these assets, RFID readers included, and how often."""
        starts = np.searchsorted(self.seen.asset, assets)
        ends = np.searchsorted(self.seen.asset, assets, side="right")
        total = np.concatenate([[0], np.cumsum(self.seen.receptions)])
        return ends - starts, total[ends] - total[starts]


def strongest(building: Building, heard: Heard, limit: int = MAX_LINKS) -> tuple[Ints, Ints, Ints]:
    """The signals worth using: rows of `seen`, and where each asset's begin and how many there are.

    At most `limit` an asset, by path gain (RSSI minus P0), ties by receiver index.
    """
    if not len(heard.signals) or heard.signal_count.max() <= limit:
        return heard.signals, heard.first_signal, heard.signal_count
    seen, receivers = heard.seen, building.receivers
    column = heard.signal_column
    keep = np.ones(len(heard.signals), dtype=bool)
    crowded = np.flatnonzero((heard.signal_count > limit)[column])
    rows = heard.signals[crowded]
    gain = seen.rssi_dbm[rows] - receivers.p0_dbm[seen.receiver[rows]]
    order = np.lexsort((-gain, column[crowded]))  # stable: rows are in order of their receiver
    group = column[crowded]
    rank = np.arange(len(group)) - np.repeat(_starts(group), np.diff(_bounds(group)))
    keep[crowded[order[rank >= limit]]] = False
    count = np.minimum(heard.signal_count, limit)
    return heard.signals[keep], np.cumsum(count) - count, count


def links(
    building: Building, heard: Heard, floor: Ints, slab_loss_db: float, which: Ints | None = None
) -> Links:
    """The links of the heard assets (N,), or of `which` (N,) of them, each assumed to be on
    `floor` (N,)."""
    rows, first, count = strongest(building, heard)
    if which is not None:
        first, count = first[which], count[which]
    depth = np.arange(max(1, int(count.max(initial=0))))[:, None]
    valid = depth < count
    if len(rows):
        cell = rows.take(np.where(valid, first + depth, 0))
        receiver = heard.seen.receiver.take(cell)
        rssi = heard.seen.rssi_dbm.take(cell)
    else:
        receiver, rssi = np.zeros(valid.shape, dtype=np.int64), np.full(valid.shape, -100.0)
    r = building.receivers
    level = np.array([f.level for f in building.floors], dtype=np.float64)
    slabs = np.abs(level[r.floor].take(receiver) - level[floor])
    return Links(
        valid,
        rssi,
        r.position_m[:, 0].take(receiver),
        r.position_m[:, 1].take(receiver),
        r.position_m[:, 2].take(receiver),
        r.p0_dbm.take(receiver),
        r.path_loss_exponent.take(receiver),
        r.sigma_db.take(receiver),
        slabs * slab_loss_db,
        receiver,
        slabs == 0,
        None if building.wall_map.is_flat else building.wall_map,
    )


def receptions(building: Building, heard: Heard, which: Ints) -> Ints:
    """How many reads stand behind each of `links` of the heard assets `which`: (K, N)."""
    rows, first, count = strongest(building, heard)
    first, count = first[which], count[which]
    depth = np.arange(max(1, int(count.max(initial=0))))[:, None]
    if not len(rows):
        return np.zeros((len(depth), len(which)), dtype=np.int64)
    return heard.seen.receptions.take(rows.take(np.where(depth < count, first + depth, 0)))


def _by_pair(asset: Ints, receiver: Ints) -> Ints:
    """Order by asset, then receiver: two stable sorts, of numbers as narrow as they fit, because
    numpy sorts up to 16 bits by counting."""
    order = np.argsort(_narrow(receiver), kind="stable")
    return order[np.argsort(_narrow(asset)[order], kind="stable")]


def _narrow(index: Ints) -> NDArray[np.unsignedinteger]:
    return index.astype(np.min_scalar_type(int(index.max(initial=0))))


def _starts(groups: Ints) -> Ints:
    """Where the runs of equal values begin."""
    return _bounds(groups)[:-1]


def _bounds(groups: Ints) -> Ints:
    """Where the runs of equal values begin, and the length."""
    if not len(groups):
        return np.zeros(1, dtype=np.int64)
    change = np.flatnonzero(groups[1:] != groups[:-1]) + 1
    return np.concatenate([[0], change, [len(groups)]])


def _sum_groups(values: Ints, starts: Ints) -> Ints:
    if len(starts) == len(values):
        return values
    return np.add.reduceat(values, starts)
