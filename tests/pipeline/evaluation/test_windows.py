"""Reads cut into windows and steps."""

from __future__ import annotations

import numpy as np

from pipeline.evaluation.inputs import Reads
from pipeline.evaluation.windows import MOST_RECEIVERS, cut


def reads(rows: list[tuple[float, int, int, float]]) -> Reads:
    """(time, tag, receiver, RSSI), in order of time."""
    time, tag, receiver, rssi = (np.array(column) for column in zip(*rows, strict=True))
    names = tuple(str(t) for t in range(int(tag.max()) + 1))
    return Reads(
        names, [str(t) for t in time], time.astype(float), tag, receiver, rssi.astype(float)
    )


def test_reads_of_a_receiver_are_averaged_and_the_strongest_comes_first() -> None:
    windows = cut(
        reads([(0.1, 0, 1, -70), (0.2, 0, 0, -50), (0.9, 0, 1, -74), (1.1, 0, 1, -60)]), 1.0
    )
    assert windows.receiver.tolist() == [[0, 1], [1, -1]]
    assert windows.rssi_dbm[0].tolist() == [-50.0, -72.0]
    assert windows.newest.tolist() == [2, 3]


def test_steps_come_in_order_of_time_and_belong_to_their_window() -> None:
    some = reads([(10.0 + 0.1 * i, 0, 0, -50.0 - i) for i in range(20)])
    steps = cut(some, 1.0, 3)
    assert (np.diff(steps.slot) > 0).all()
    assert (np.diff(some.time_s[steps.newest]) > 0).all()
    assert (steps.slot // 3).tolist() == np.floor(some.time_s[steps.newest]).astype(int).tolist()


def test_a_window_of_strangers_is_kept_without_reads() -> None:
    windows = cut(reads([(0.0, 0, -1, -50), (0.0, 1, 2, -50)]), 1.0)
    assert len(windows) == 2 and (windows.receiver[0] == -1).all()


def test_no_more_than_the_strongest_are_used() -> None:
    windows = cut(reads([(0.0, 0, r, -40.0 - r) for r in range(60)]), 1.0)
    assert windows.receiver[0].tolist() == list(range(MOST_RECEIVERS))
