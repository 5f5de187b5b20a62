"""The truth as a file, and the scores of fixes and alerts against it."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.simulation.scenario import MICROSECONDS
from pipeline.simulation.scoring import AlertSpan, score_alerts, score_fixes
from pipeline.simulation.truth import Truth

START_US = 1_767_268_800_000_000


@pytest.fixture(scope="module")
def truth(hospital, walks):
    return Truth.of(hospital, walks, START_US, 600)


@pytest.fixture(scope="module")
def fixes(truth):
    """Perfect fixes of every asset every 2 s, as columns."""
    at = START_US + np.arange(1, 600, 2) * MICROSECONDS
    where = truth.positions(at).reshape(-1, 3)
    rooms = [truth.rooms[i] for i in truth.rooms_at(at).ravel()]
    numbers = [number for number in truth.tag_numbers for _ in at]
    return numbers, np.tile(at, len(truth.tag_numbers)), where, rooms


def perfect_alerts(truth):
    return [
        AlertSpan(e.tag_number, e.zone, e.entered_us + 6 * MICROSECONDS, e.left_us + MICROSECONDS)
        for e in truth.zone_entries()
        if e.rule and e.left_us and e.left_us - e.entered_us > 5 * MICROSECONDS
    ]


def test_saved_and_loaded_it_is_the_same(truth, tmp_path):
    truth.save(tmp_path / "truth.npz")
    loaded = Truth.load(tmp_path / "truth.npz")
    at = START_US + np.arange(0, 600, 7) * MICROSECONDS
    assert (loaded.positions(at) == truth.positions(at)).all()
    assert loaded.visits() == truth.visits()
    assert loaded.zone_entries() == truth.zone_entries()
    assert (loaded.zones, loaded.rules, loaded.floors) == (truth.zones, truth.rules, truth.floors)


def test_perfect_fixes_score_perfectly(truth, fixes):
    numbers, at, where, rooms = fixes
    score = score_fixes(truth, numbers, at, *where.T, rooms)
    assert score.fixes == len(at)
    assert score.median_m == score.p90_m == 0
    assert score.room_accuracy == score.room_accuracy_all == 1
    assert 0 < score.at_doors < 0.3 * len(at)
    assert score.floor_accuracy == 1
    assert "room right 100.0%" in str(score)


def test_errors_are_measured_in_the_plane_and_rooms_by_their_code(truth, fixes):
    numbers, at, where, rooms = fixes
    shifted = where + np.array([3.0, 4.0, 1.0])
    rooms = [None if i % 4 == 0 else room for i, room in enumerate(rooms)]
    score = score_fixes(truth, numbers, at, *shifted.T, rooms)
    assert score.median_m == pytest.approx(5)
    assert score.room_accuracy_all == pytest.approx(0.75, abs=0.001)
    assert score.floor_accuracy > 0.99


def test_the_floor_of_a_fix_without_a_room_follows_from_its_height(truth, fixes):
    numbers, at, where, _ = fixes
    score = score_fixes(truth, numbers, at, *where.T, [None] * len(at))
    assert score.floor_accuracy > 0.98
    upstairs = where + np.array([0, 0, 40.0])
    assert score_fixes(truth, numbers, at, *upstairs.T, [None] * len(at)).floor_accuracy < 0.9


def test_no_fixes_no_numbers(truth):
    score = score_fixes(truth, [], [], [], [], [], [])
    assert score.fixes == 0
    assert np.isnan(score.median_m)


def test_one_alert_an_entry_is_perfect(truth):
    score = score_alerts(truth, perfect_alerts(truth))
    assert score.perfect
    assert len(score.matched) >= len(score.expected) > 8
    assert score.open_delays_s == pytest.approx([6.0] * len(score.matched))
    assert score.resolve_delays_s == pytest.approx([1.0] * len(score.matched))


def test_missed_doubled_unresolved_and_unfounded_alerts_are_told_apart(truth):
    alerts = perfect_alerts(truth)
    missed = alerts.pop(0)
    alerts.append(alerts[0]._replace(opened_us=alerts[0].opened_us + MICROSECONDS))
    alerts[1] = alerts[1]._replace(resolved_us=None)
    short = next(
        e
        for e in truth.zone_entries()
        if e.rule and e.left_us and e.left_us - e.entered_us < 2 * MICROSECONDS
    )
    alerts.append(AlertSpan(short.tag_number, short.zone, short.entered_us, short.left_us))
    score = score_alerts(truth, alerts)
    assert not score.perfect
    assert [entry.tag_number for entry in score.missed] == [missed.tag_number]
    assert [alert for _, alert in score.unresolved] == [alerts[1]]
    assert len(score.extra) == 2


def test_an_entry_cut_off_by_the_end_is_not_held_against_anybody(hospital, walks, truth):
    entry = next(e for e in truth.zone_entries() if e.rule and e.entered_us > START_US)
    seconds = (entry.entered_us - START_US) / MICROSECONDS + 6
    cut = Truth.of(hospital, walks, START_US, seconds)
    assert cut.zone_entries()[-1].left_us is None
    assert score_alerts(cut, []).missed == []
    alert = AlertSpan(entry.tag_number, entry.zone, entry.entered_us + 5 * MICROSECONDS, None)
    assert score_alerts(cut, [alert]).perfect
