"""Scores of positions whose errors are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.evaluation.inputs import Track
from pipeline.evaluation.report import table
from pipeline.evaluation.scoring import score, truth_at


def track(
    rows: list[tuple[str, float, float, float]],
    radius: float = 1.0,
    rooms: list[str] | None = None,
) -> Track:
    place = np.array([[x, y, np.nan] for _, _, x, y in rows])
    return Track(
        [tag for tag, *_ in rows], np.array([t for _, t, *_ in rows], dtype=float), place,
        np.full(len(rows), radius), rooms or [""] * len(rows),
    )  # fmt: skip


def test_errors_bias_and_calibration() -> None:
    truth = track([("a", t, 0.0, 0.0) for t in range(10)])
    found = track([("a", t, 0.1 * t, 0.0) for t in range(10)], radius=0.45)
    scored = score("x", found, truth_at(truth, found))
    assert scored is not None
    assert scored.median_m == pytest.approx(0.45)
    assert scored.bias_m == pytest.approx((0.45, 0.0))
    assert scored.holds_90 == pytest.approx(0.5)
    assert "0.45" in table([scored], None)


def test_the_truth_is_interpolated_and_unknown_beyond_its_gaps() -> None:
    truth = track([("a", 0, 0.0, 0.0), ("a", 2, 2.0, 0.0), ("a", 100, 9.0, 0.0)])
    found = track([("a", 1, 0.0, 0.0), ("a", 50, 0.0, 0.0), ("b", 1, 0.0, 0.0)])
    place = truth_at(truth, found).place_m
    assert place[0, 0] == pytest.approx(1.0)
    assert np.isnan(place[1:, 0]).all()


def test_a_tag_that_never_moves_needs_one_truth() -> None:
    truth = track([("a", 0, 3.0, 4.0)])
    found = track([("a", 5000, 0.0, 0.0)])
    scored = score("x", found, truth_at(truth, found))
    assert scored is not None and scored.median_m == pytest.approx(5.0)


def test_rooms_flaps_and_confusion() -> None:
    truth = track([("a", 600 * t, 0, 0) for t in range(7)], rooms=["A"] * 7)
    found = track(
        [("a", 600 * t, 0, 0) for t in range(7)], rooms=["A", "A", "B", "A", "A", "A", "A"]
    )
    scored = score("x", found, truth_at(truth, found))
    assert scored is not None
    assert scored.rooms_right == pytest.approx(6 / 7)
    assert scored.flaps_per_hour == pytest.approx(2.0)
    assert scored.confusion == {"A": {"A": 6, "B": 1}}


def test_unknown_positions_are_counted_not_scored() -> None:
    truth = track([("a", t, 0.0, 0.0) for t in range(3)])
    found = track([("a", 0, 1.0, 0.0), ("a", 1, np.nan, np.nan), ("a", 2, 1.0, 0.0)])
    scored = score("x", found, truth_at(truth, found))
    assert scored is not None and scored.fixes == 2 and scored.unknown == 1
