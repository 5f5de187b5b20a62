"""A receiver's silence counts as far as it has heard what it should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.evidence import SLOTS, Evidence
from pipeline.domain.floorplan import BLE, NOWHERE
from pipeline.domain.policy import Policy
from pipeline.domain.silence import Ears, Reception, Silence

POLICY = Policy()
TAGS = 200


def standing(synthetic, site, hears, seed=3):
    """Tracks and evidence of tags all over the ground floor; `hears(receiver, dbm, rank)` tells
    whether a receiver hears a tag, of which it is the rank-strongest (0 first)."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform((0, 0), (20, 8), (TAGS, 2))
    tracks = synthetic.tracks(TAGS, x_m=xy[:, 0], y_m=xy[:, 1], floor=np.zeros(TAGS))
    evidence = Evidence.empty(TAGS)
    receiver, count = evidence.receiver.copy(), evidence.count.copy()
    ble = np.flatnonzero(site.receivers.kind == BLE)
    for tag, (x, y) in enumerate(xy.tolist()):
        dbm = np.array([synthetic.rssi_dbm(site, r, x, y, 0) for r in ble])
        order = np.argsort(-dbm)
        heard = [ble[i] for rank, i in enumerate(order) if hears(int(ble[i]), dbm[i], rank)]
        receiver[tag, : len(heard)] = heard[:SLOTS]
        count[tag, : len(heard)] = 9
    return tracks, replace(evidence, receiver=receiver, count=count)


def trust(synthetic, site, hears, threshold_dbm=-85.0):
    threshold = np.where(site.receivers.kind == BLE, threshold_dbm, np.inf)
    tracks, evidence = standing(synthetic, site, hears)
    ears = Ears.empty(len(site.receivers)).judge(site, threshold, evidence, tracks, POLICY)
    return ears.trust[(site.receivers.kind == BLE) & (site.receivers.floor == 0)]


def test_who_hears_what_it_should_is_trusted(synthetic, site):
    assert trust(synthetic, site, lambda _r, dbm, _rank: dbm > -85.0).min() > 0.8


def test_who_does_not_is_not(synthetic, site):
    """One antenna is behind metal, say; or gateways pass on only what is loudest."""
    deaf = 2
    found = trust(synthetic, site, lambda r, dbm, _rank: dbm > -85.0 and r != deaf)
    on_ground = np.flatnonzero((site.receivers.kind == BLE) & (site.receivers.floor == 0))
    assert found[on_ground == deaf] == 0.0
    assert found[on_ground != deaf].min() > 0.8
    assert trust(synthetic, site, lambda _r, _dbm, rank: rank < 2).max() < 0.5


def test_tags_that_nobody_hears_accuse_nobody(synthetic, site):
    """They may wear no beacon."""
    found = trust(synthetic, site, lambda _r, _dbm, _rank: False)
    assert found.tolist() == [1.0] * len(found)


@pytest.mark.parametrize(("of", "says"), [(1.0, True), (0.0, False)])
def test_silence_of_the_untrusted_says_nothing(site, of, says):
    receivers = len(site.receivers)
    threshold = np.where(site.receivers.kind == BLE, -85.0, np.inf)
    radio = Reception(0.9, POLICY.tag_height_m, POLICY.slab_loss_db)
    drawn = Silence.draw(site, threshold, np.full(receivers, of), radio)
    nobody, one = np.full((1, 1), NOWHERE), np.zeros(1, dtype=np.int64)
    place = np.array([[5.0]]), np.array([[3.0]])
    log_p = drawn.log_p_except(nobody, np.zeros((1, 1), dtype=bool), one, *place)
    assert bool(log_p[0, 0] < -1.0) == says
