"""Sums that do not depend on order, reads without RSSI, and which receivers a fix uses."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.observations import (
    MAX_LINKS,
    NO_RSSI,
    Heard,
    Observations,
    links,
    strongest,
    summarise,
)

reads = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.integers(0, 9),
        st.one_of(st.just(NO_RSSI), st.integers(-12_800, 2_000)),
        st.integers(1, 65_535),
    ),
    max_size=60,
)


def summed(rows: list[tuple[int, int, int, int]]) -> Observations:
    return summarise(*np.array(rows, dtype=np.int64).reshape(-1, 4).T, receivers=10)


def as_bytes(seen: Observations) -> list[bytes]:
    return [getattr(seen, f.name).tobytes() for f in fields(seen)]


def test_by_hand():
    seen = summed([(1, 3, -7000, 1), (0, 9, -6000, 2), (1, 3, -6001, 3), (1, 2, NO_RSSI, 4)])
    assert seen.asset.tolist() == [0, 1, 1]
    assert seen.receiver.tolist() == [9, 2, 3]
    assert seen.receptions.tolist() == [2, 4, 4]
    assert seen.rssi_dbm[[0, 2]].tolist() == [-60.0, (-7000 - 3 * 6001) / 4 / 100]
    assert np.isnan(seen.rssi_dbm[1])


def test_a_read_without_rssi_counts_as_reception_and_leaves_the_mean_alone():
    seen = summed([(0, 0, -5000, 1), (0, 0, NO_RSSI, 1000)])
    assert (seen.rssi_dbm.tolist(), seen.receptions.tolist()) == ([-50.0], [1001])


def test_nothing_heard():
    seen = summed([])
    assert len(seen) == 0
    assert [getattr(seen, f.name).tolist() for f in fields(seen)] == [[], [], [], []]


@given(reads, st.randoms(use_true_random=False))
def test_order_does_not_change_a_bit(rows, random):
    expected = as_bytes(summed(rows))
    random.shuffle(rows)
    assert as_bytes(summed(rows)) == expected


@given(reads, st.integers(1, 7))
def test_the_sum_of_many_reads_is_the_sum_of_their_merged_parts(rows, times):
    """A gateway may merge n receptions into one read, or send them one by one."""
    merged = [(a, r, rssi, times) for a, r, rssi, _ in rows]
    single = [(a, r, rssi, 1) for a, r, rssi, _ in rows for _ in range(times)]
    assert as_bytes(summed(single)) == as_bytes(summed(merged))


@given(reads)
def test_sorted_by_asset_then_receiver_and_nothing_is_lost(rows):
    seen = summed(rows)
    pairs = list(zip(seen.asset.tolist(), seen.receiver.tolist(), strict=True))
    assert pairs == sorted({(a, r) for a, r, _, _ in rows})
    assert seen.receptions.sum() == sum(count for *_, count in rows)
    with_rssi = {(a, r) for a, r, rssi, _ in rows if rssi != NO_RSSI}
    heard = {pairs[i] for i in np.flatnonzero(np.isfinite(seen.rssi_dbm))}
    assert heard == with_rssi


@pytest.fixture
def wide(synthetic):
    """A building with 20 BLE receivers and an RFID antenna (the last), all with P0 = -59."""
    some = synthetic.receivers()
    many = np.r_[np.tile([0, 1, 2, 4], 5), 3]
    kept = {f.name: getattr(some, f.name)[many] for f in fields(some) if f.name not in NAMES}
    names = tuple(("gw", f"r{i}") for i in range(21))
    ids = tuple(synthetic.identity("receiver", name) for _, name in names)
    return synthetic.building(receivers=type(some)(ids=ids, names=names, **kept))


NAMES = ("ids", "names")


def test_the_strongest_are_used_at_most_twelve(synthetic, wide):
    """Receiver i is heard at -40 - i dBm, the antenna loudest of all, one receiver without RSSI."""
    rows = [(0, r, -4000 - 100 * r, 1) for r in range(20)] + [(0, 20, -100, 1), (1, 5, NO_RSSI, 1)]
    seen = synthetic.observations(wide, rows)
    kept, first, count = strongest(wide, Heard.of(wide, seen))
    assert MAX_LINKS == 12
    assert seen.receiver[kept].tolist() == list(range(12))
    assert (first.tolist(), count.tolist()) == ([0], [12])


def test_what_counts_is_path_gain_not_rssi(synthetic, wide):
    """The first twelve are loud receivers (P0 = -30), so hearing them well says less."""
    p0 = np.where(np.arange(21) < 12, -30.0, -59.0)
    loud = synthetic.building(
        receivers=type(wide.receivers)(**{**vars(wide.receivers), "p0_dbm": p0})
    )
    seen = synthetic.observations(loud, [(0, r, -6000 if r < 12 else -7000, 1) for r in range(20)])
    kept, *_ = strongest(loud, Heard.of(loud, seen))
    assert seen.receiver[kept].tolist() == [0, 1, 2, 3, 12, 13, 14, 15, 16, 17, 18, 19]


def test_ties_are_broken_by_receiver_index_per_asset(synthetic, wide):
    rows = [(asset, r, -6000, 1) for asset in (0, 2) for r in range(20)]
    rows += [(1, r, -6000, 1) for r in (3, 8)]
    kept, first, count = strongest(wide, Heard.of(wide, synthetic.observations(wide, rows)))
    assert kept.tolist() == [*range(12), 20, 21, *range(22, 34)]
    assert (first.tolist(), count.tolist()) == ([0, 12, 14], [12, 2, 12])


def test_who_is_heard_and_by_what(synthetic, site):
    """Asset 1 only by a beacon receiver without RSSI: nothing says where it is."""
    rows = [(0, 0, -6000, 2), (0, 3, NO_RSSI, 5), (1, 1, NO_RSSI, 1), (2, 7, -3000, 1)]
    heard = Heard.of(site, synthetic.observations(site, [*rows, (3, 9, -8000, 4)]))
    assert heard.assets.tolist() == [0, 2, 3]
    assert heard.signals.tolist() == [0, 4]
    assert heard.portal_rows.tolist() == [1, 3]
    assert heard.signal_count.tolist() == [1, 0, 1]
    assert heard.signal_column.tolist() == [0, 2]
    assert heard.column(heard.portal_rows).tolist() == [0, 1]
    receivers, receptions = heard.totals(heard.assets)
    assert (receivers.tolist(), receptions.tolist()) == ([2, 1, 1], [7, 1, 4])


def test_links_hold_each_asset_in_its_column_with_slabs_between_floors(synthetic, site):
    seen = synthetic.heard(site, {1: (5.0, 3.0, 0), 3: (5.0, 3.0, 1)})
    table = links(site, Heard.of(site, seen), np.array([0, 1]), slab_loss_db=15.0)
    assert table.heard.shape == (8, 2)
    assert table.heard.all()
    assert table.receiver[:, 0].tolist() == [0, 1, 2, 4, 5, 6, 8, 9]
    assert table.floor_loss_db[:, 0].tolist() == [0, 0, 0, 0, 0, 0, 15, 15]
    assert table.floor_loss_db[:, 1].tolist() == [15, 15, 15, 15, 15, 15, 0, 0]
    assert table.same_floor.tolist() == (table.floor_loss_db == 0).tolist()
    assert table.walls is None
    assert table.z_m[:, 1].tolist() == [2.5] * 6 + [6.0] * 2


def test_links_of_unlike_assets_are_padded(synthetic, site):
    rows = [(0, 0, -6000, 1), (0, 4, -7000, 1), (1, 3, NO_RSSI, 1), (2, 9, -8000, 1)]
    seen = synthetic.observations(site, rows)
    table = links(site, Heard.of(site, seen), np.array([0, 0, 1]), slab_loss_db=15.0)
    assert table.heard.tolist() == [[True, False, True], [True, False, False]]
    assert table.rssi_dbm[table.heard].tolist() == [-60.0, -80.0, -70.0]


def test_links_of_assets_that_only_a_portal_read_are_empty_but_there(synthetic, site):
    seen = synthetic.door(site, 0, 3)
    table = links(site, Heard.of(site, seen), np.array([0]), slab_loss_db=15.0)
    assert table.heard.tolist() == [[False]]


def test_walls_come_along_when_there_are_any(synthetic):
    walled = synthetic.building(walls=True)
    seen = synthetic.heard(walled, {0: (5.0, 3.0, 0)})
    assert links(walled, Heard.of(walled, seen), np.array([0]), 15.0).walls is walled.wall_map
