"""Calibration: what was true is found, bounds hold, and nothing worse is accepted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.calibration import Calibration, Samples, calibrate, fit

RECEIVERS = 8


def world(seed: int = 1, places: int = 60, *, noise_db: float = 4.0, senders: int = 1):
    """Samples of a survey of a 20 x 15 m floor and the true calibration."""
    rng = np.random.default_rng(seed)
    at = rng.uniform([0, 0], [20, 15], (RECEIVERS, 2))
    true = Calibration(
        rng.normal(-60, 3, RECEIVERS), rng.normal(2.6, 0.2, RECEIVERS), np.full(RECEIVERS, noise_db)
    )
    spot = rng.uniform([0, 0], [20, 15], (places, 2))
    place = np.repeat(np.arange(places), 3 * RECEIVERS)
    receiver = np.tile(np.repeat(np.arange(RECEIVERS), 3), places)
    decades = np.log10(np.hypot(np.linalg.norm(spot[place] - at[receiver], axis=1), 1.5))
    shadow = rng.normal(0, noise_db, (places, RECEIVERS))[place, receiver]
    sender = place % senders
    power = rng.normal(0, 3, senders) if senders > 1 else np.zeros(1)
    rssi = true.p0_dbm[receiver] - 10 * true.exponent[receiver] * decades + shadow + power[sender]
    rssi += rng.normal(0, 2, len(rssi))
    loss = np.zeros(len(rssi))
    return Samples(receiver, decades, loss, rssi, sender, place), true


PRESENT = Calibration(np.full(RECEIVERS, -59.0), np.full(RECEIVERS, 2.2), np.full(RECEIVERS, 6.0))


def test_the_truth_is_found_and_accepted():
    samples, true = world()
    found, quality = calibrate(samples, PRESENT)
    assert quality.accepted
    assert quality.held_out_db < quality.present_db
    near = 10 * np.log10(8.0)  # P0 and exponent trade off: what counts is the level at 8 m
    assert found.p0_dbm - near * found.exponent == pytest.approx(
        true.p0_dbm - near * true.exponent, abs=2.0
    )
    assert not quality.on_bound.any()
    assert (quality.unseen_db > 0).all()


def test_nothing_better_is_not_accepted():
    samples, true = world()
    _, quality = calibrate(samples, true)
    assert (quality.accepted, quality.reason) == (False, "no better on held-out places")


def test_noise_without_distance_ends_on_the_bound():
    samples, _ = world(noise_db=1.0)
    rng = np.random.default_rng(4)
    wild = samples.receiver == 3
    rssi = np.where(
        wild, -90 + 25 * samples.decades + rng.normal(0, 1, len(samples)), samples.rssi_dbm
    )
    found, quality = calibrate(replace(samples, rssi_dbm=rssi), PRESENT)
    assert np.flatnonzero(quality.on_bound).tolist() == [3]
    assert found.exponent[3] == 1.2


def test_senders_of_different_power_do_not_spoil_it():
    samples, true = world(senders=6)
    found = fit(samples, RECEIVERS)
    relative = found.p0_dbm - 9 * found.exponent
    wanted = true.p0_dbm - 9 * true.exponent
    assert relative - relative.mean() == pytest.approx(wanted - wanted.mean(), abs=2.0)


def test_a_receiver_that_heard_little_keeps_what_it_has():
    samples, _ = world()
    few = samples.rows((samples.receiver != 5) | (samples.place < 2))
    found, quality = calibrate(few, PRESENT)
    assert (found.p0_dbm[5], found.exponent[5]) == (-59.0, 2.2)
    assert quality.rows[5] == 6


@pytest.mark.parametrize("places", [0, 1, 4])
def test_too_few_places_to_test_it(places):
    samples, _ = world()
    _, quality = calibrate(samples.rows(samples.place < places), PRESENT)
    assert not quality.accepted
    assert "places" in quality.reason


def test_what_is_no_number_is_left_out():
    samples, _ = world()
    spoiled = replace(samples, rssi_dbm=np.where(samples.place % 7 == 0, np.nan, samples.rssi_dbm))
    found, quality = calibrate(spoiled, PRESENT)
    assert np.isfinite(found.p0_dbm).all()
    assert quality.accepted
