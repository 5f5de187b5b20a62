"""What has been heard of each asset since it stands where it stands.

Most of a residual is shadowing, which is the same in every window; what changes from window to
window is fading. So an asset that stands still is not compared with the radio model but with its
own past: its reads look like the mean of the earlier ones, or it has moved. The mean itself, free
of fading, says better than any single window where the asset is.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.floorplan import NOWHERE, Alignment, Building
from pipeline.domain.geometry import Floats
from pipeline.domain.observations import Heard, Ints, strongest
from pipeline.domain.policy import Policy
from pipeline.domain.radio import Links
from pipeline.domain.tracks import matching, renumbering

SLOTS = 24
"""Receivers remembered for one asset: those that heard it first, the strongest first."""
FILL_WINDOWS = 12
"""Receivers that first hear an asset after so many windows are not remembered."""
MEMORY_WINDOWS = 240
"""The mean forgets: surroundings change while an asset stands."""
CLIP = 12.0
"""The most that one receiver's squared deviation counts: a person in the way is no motion."""
LEAK, DRIFT = 0.8, 0.3
NOISE_DB2 = 9.0
NOISE_RANGE_DB2 = (2.0, 36.0)
NOISE_WINDOWS = 64
LEARN_FROM = 4


@dataclass(frozen=True)
class Evidence:
    """Arrays over A assets, treated as immutable, like Tracks; those of links are (A, SLOTS)."""

    receiver: NDArray[np.int16]
    """NOWHERE: the slot is free."""
    mean_dbm: NDArray[np.float32]
    count: NDArray[np.int16]
    """In how many windows the receiver heard the asset, MEMORY_WINDOWS at most."""
    age: NDArray[np.int32]
    """(A,) windows since the asset was last seen to move; 0: never heard."""
    unrest: NDArray[np.float32]
    """(A,) how much the latest reads differ from the mean: a leaky sum of standardised chi-squares,
    near 0 for what stands still."""
    noise_db2: NDArray[np.float32]
    """(A,) variance of one window's RSSI about its mean, learned."""

    @property
    def crowded(self) -> NDArray[np.bool_]:
        """(A,) whether more receivers may have heard the asset than are remembered."""
        full: NDArray[np.bool_] = self.receiver[:, -1] != NOWHERE
        return full

    @classmethod
    def empty(cls, assets: int) -> Evidence:
        return cls(
            np.full((assets, SLOTS), NOWHERE, dtype=np.int16),
            np.zeros((assets, SLOTS), dtype=np.float32),
            np.zeros((assets, SLOTS), dtype=np.int16),
            np.zeros(assets, dtype=np.int32),
            np.zeros(assets, dtype=np.float32),
            np.full(assets, NOISE_DB2, dtype=np.float32),
        )

    def at(self, which: Ints) -> Evidence:
        return Evidence(*(getattr(self, f.name).take(which, axis=0) for f in fields(self)))

    def put(self, which: Ints, other: Evidence) -> Evidence:
        """A copy in which the assets `which` have what `other` says."""
        if len(which) == len(self.age) and (which == np.arange(len(which))).all():
            return other
        columns: dict[str, Any] = {f.name: getattr(self, f.name).copy() for f in fields(self)}
        for name, column in columns.items():
            column[which] = getattr(other, name)
        return Evidence(**columns)

    def move_to(self, old: Alignment, new: Alignment) -> Evidence:
        """The same in another alignment; what the new one lacks is dropped."""
        source, target = matching(old.assets, new.assets)
        moved, table = self.at(source), renumbering(old.receivers, new.receivers)
        slots = table[moved.receiver].astype(np.int16)
        return Evidence.empty(len(new.assets)).put(target, replace(moved, receiver=slots))


def observe(
    building: Building, before: Evidence, heard: Heard, policy: Policy
) -> tuple[Evidence, NDArray[np.bool_]]:
    """Take in a window's reads of the heard assets (N,), whose evidence `before` is.

    Returns the evidence after it, and which assets have moved: theirs begins anew.
    """
    rows, _, size = strongest(building, heard, SLOTS)
    column = np.repeat(np.arange(len(size)), size)
    receiver, rssi = heard.seen.receiver[rows], heard.seen.rssi_dbm[rows]
    slot, known = _slots(before, column, receiver)
    where = column[known], slot[known]
    count = before.count[where].astype(np.float64)
    gap = rssi[known] - before.mean_dbm[where]
    noise = before.noise_db2[where[0]].astype(np.float64)
    square = np.minimum(gap * gap / (noise * (1.0 + 1.0 / count)), CLIP)
    links = np.bincount(where[0], minlength=len(size))
    total = np.bincount(where[0], square, minlength=len(size))
    surprise = (total - links) / np.sqrt(2.0 * np.maximum(links, 1))
    unrest = np.maximum(0.0, LEAK * before.unrest + surprise - DRIFT)
    strange = (links == 0) & (before.age > 0) & (size > 0)  # none of the receivers it knew
    moved = strange | (
        unrest
        > np.where(before.age >= policy.young_windows, policy.restless, policy.young_restless)
    )
    learns = (before.age >= LEARN_FROM) & ~moved & (links > 0)
    ratio = np.minimum(total / np.maximum(links, 1), 4.0)
    learned = np.clip(before.noise_db2 * (1.0 + (ratio - 1.0) / NOISE_WINDOWS), *NOISE_RANGE_DB2)

    slots, mean, seen = before.receiver.copy(), before.mean_dbm.copy(), before.count.copy()
    share = 1.0 / np.minimum(count + 1.0, MEMORY_WINDOWS)
    mean[where] += (gap * share).astype(np.float32)
    seen[where] = np.minimum(count + 1, MEMORY_WINDOWS)
    slots[moved], mean[moved], seen[moved] = NOWHERE, 0.0, 0
    # Later newcomers are lucky reads of far receivers: they say little, and would fill the slots.
    fresh = np.flatnonzero((~known & (before.age < FILL_WINDOWS)[column]) | moved[column])
    if len(fresh):
        _fill(slots, mean, seen, column[fresh], receiver[fresh], rssi[fresh])
    after = Evidence(
        slots,
        mean,
        seen,
        np.where(moved, 1, np.minimum(before.age + 1, 2**30)).astype(np.int32),
        np.where(moved, 0.0, unrest).astype(np.float32),
        np.where(learns, learned, before.noise_db2).astype(np.float32),
    )
    return after, moved


def slot_links(building: Building, evidence: Evidence, floor: Ints, policy: Policy) -> Links:
    """All that was heard of assets (N,) on `floor` (N,) while they stood, as links (K, N): as many
    slots as any of them uses.

    Averaging removes fading and leaves shadowing: sigma is what is left of the receiver's.
    """
    used = np.flatnonzero((evidence.receiver != NOWHERE).any(axis=0))
    slots = slice(0, int(used[-1]) + 1 if len(used) else 1)
    heard = (evidence.receiver[:, slots] != NOWHERE).T
    receiver = np.where(heard, evidence.receiver[:, slots].T, 0).astype(np.int64)
    noise, r = evidence.noise_db2.astype(np.float64), building.receivers
    level = np.array([f.level for f in building.floors], dtype=np.float64)
    slabs = np.abs(level[r.floor].take(receiver) - level[floor])
    sigma = remaining_sigma_db(r.sigma_db.take(receiver), noise, evidence.count[:, slots].T, policy)
    return Links(
        heard,
        evidence.mean_dbm[:, slots].T.astype(np.float64),
        r.position_m[:, 0].take(receiver),
        r.position_m[:, 1].take(receiver),
        r.position_m[:, 2].take(receiver),
        r.p0_dbm.take(receiver),
        r.path_loss_exponent.take(receiver),
        sigma,
        slabs * policy.slab_loss_db,
        receiver,
        slabs == 0,
        None if building.wall_map.is_flat else building.wall_map,
    )


def remaining_sigma_db(
    sigma_db: Floats, noise_db2: Floats, count: NDArray[np.integer[Any]], policy: Policy
) -> Floats:
    """Of a receiver's residual, once `count` reads with this noise have been averaged."""
    shadow = np.maximum(sigma_db * sigma_db - noise_db2, policy.least_shadow_db**2)
    left: Floats = np.sqrt(shadow + noise_db2 / np.maximum(count, 1))
    return left


def _slots(evidence: Evidence, column: Ints, receiver: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """The slot of each link (M,), and whether it has one."""
    same = evidence.receiver[column] == receiver[:, None].astype(np.int16)
    slot = same.argmax(axis=1)
    return slot, same[np.arange(len(slot)), slot]


def _fill(
    slots: NDArray[np.int16],
    mean: NDArray[np.float32],
    seen: NDArray[np.int16],
    column: Ints,
    receiver: Ints,
    rssi: Floats,
) -> None:
    """Put links, sorted by asset, into free slots; what finds none is left out."""
    begins = np.flatnonzero(np.concatenate([[True], column[1:] != column[:-1]]))
    sizes = np.diff(np.concatenate([begins, [len(column)]]))
    rank = np.arange(len(column)) - np.repeat(begins, sizes)
    slot = (slots[column] != NOWHERE).sum(axis=1) + rank
    fits = slot < SLOTS
    where = column[fits], slot[fits]
    slots[where], mean[where], seen[where] = receiver[fits], rssi[fits], 1
