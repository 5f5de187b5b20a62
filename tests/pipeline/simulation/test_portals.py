"""Which tags the antennas at a door read, and when."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pipeline.simulation.portals import LiveField, portal_reads
from pipeline.simulation.scenario import MICROSECONDS

END_US = 600 * MICROSECONDS


@pytest.fixture(scope="module")
def reads(hospital, walks):
    return portal_reads(hospital, walks, 0, END_US)


def test_reads_are_seeded_ordered_and_do_not_depend_on_how_time_is_cut(hospital, walks, reads):
    cuts = [0, 17_777_777, 200_000_001, END_US]
    parts = [portal_reads(hospital, walks, a, b) for a, b in pairwise(cuts)]
    for name in ("at_us", "reader", "antenna", "asset", "rssi_dbm"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert (joined == getattr(reads, name)).all()
    assert (np.diff(reads.at_us) >= 0).all()
    assert reads.at_us[-1] < END_US


def test_only_tagged_assets_within_range_are_read(hospital, walks, reads):
    where, _ = walks.at(reads.asset, reads.at_us)
    for reader in range(len(hospital.readers)):
        for number, antenna in enumerate(hospital.readers[reader].antennas):
            mine = (reads.reader == reader) & (reads.antenna == number)
            gap = where[mine, :2] - [antenna.x_m, antenna.y_m]
            assert (np.linalg.norm(gap, axis=1) <= hospital.scenario.portals.range_m).all()
    assert all(hospital.fleet.epcs[asset] for asset in np.unique(reads.asset))


def test_the_antenna_that_reads_is_nearly_always_on_the_tags_side(hospital, walks, reads):
    _, space = walks.at(reads.asset, reads.at_us)
    looks_into = np.array(
        [
            hospital.readers[r].antennas[a].space
            for r, a in zip(reads.reader, reads.antenna, strict=True)
        ]
    )
    assert 0.9 < (space == looks_into).mean() < 1


def test_walking_through_a_door_is_read_several_times_outside_then_inside(hospital, walks, reads):
    visits = walks.visits
    portal = next(r for r, reader in enumerate(hospital.readers) if reader.name == "portal-mri")
    room = hospital.space_index["mri"]
    entered = [
        (asset, at)
        for asset, space, at in zip(visits.asset, visits.space, visits.entered_us, strict=True)
        if space == room and at > 0 and hospital.fleet.epcs[asset]
    ]
    assert entered
    for asset, at in entered:
        mine = (reads.reader == portal) & (reads.asset == asset)
        for number, start, end in ((0, at - 2_000_000, at), (1, at, at + 2_000_000)):
            seen = mine & (reads.antenna == number)
            assert (seen & (reads.at_us >= start) & (reads.at_us <= end)).sum() >= 2


def test_a_live_field_reads_what_stands_before_the_antenna(hospital, walks, reads):
    k = int(np.argmax(reads.rssi_dbm))
    reader, antenna = int(reads.reader[k]), int(reads.antenna[k])
    field = LiveField(hospital, walks, hospital.readers[reader])
    echoes = [echo for _ in range(20) for echo in field(antenna, int(reads.at_us[k]))]
    found = [e for e in echoes if e.epc.hex() == hospital.fleet.epcs[reads.asset[k]]]
    assert len(found) >= 8
    assert all(-75 < echo.rssi_dbm < -40 for echo in found)
    assert field(3, int(reads.at_us[k])) == []
