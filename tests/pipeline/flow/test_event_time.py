"""Windows open, close and tick at their boundaries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.flow.event_time import NEVER_US, Timing, Windows, pick

SECOND = 1_000_000
TIMING = Timing(window_s=1.0, allowed_lateness_s=0.5, gateway_timeout_s=15.0, tick_s=10.0)

# -- windows -------------------------------------------------------------------------------------


def columns(n: int, first: int = 0) -> tuple[np.ndarray, ...]:
    numbers = np.arange(first, first + n, dtype=np.int64)
    return numbers, numbers + 100, numbers + 200, numbers + 300


def add(windows: Windows, times_s: list[float], watermark_s: float = -1.0, first: int = 0) -> int:
    times = np.array([round(s * SECOND) for s in times_s], dtype=np.int64)
    watermark = NEVER_US if watermark_s < 0 else round(watermark_s * SECOND)
    return windows.add(times, columns(len(times_s), first), watermark, TIMING.window_us)


def due(windows: Windows, watermark_s: float, expiring: bool = False) -> list[float]:
    found = windows.due(round(watermark_s * SECOND), TIMING, lambda: expiring)
    return [start / SECOND for start in found]


def test_reads_are_filed_under_the_second_they_were_heard_in():
    windows = Windows()
    assert add(windows, [0.0, 0.999999, 1.0, 5.5, 1.999999]) == 0
    assert {start // SECOND: len(windows.take(start)[0]) for start in list(windows.open)} == {
        0: 2, 1: 2, 5: 1
    }  # fmt: skip
    assert windows.open == {}


def test_times_before_1970_have_windows_too():
    windows = Windows()
    add(windows, [-0.5])
    assert list(windows.open) == [-SECOND]


@pytest.mark.parametrize(
    ("watermark_s", "late"), [(0.0, 0), (0.999999, 0), (1.0, 2), (1.5, 2), (2.0, 3), (9.0, 4)]
)
def test_late_is_what_falls_into_a_window_that_the_watermark_has_passed(watermark_s, late):
    windows = Windows()
    assert add(windows, [0.0, 0.999999, 1.0, 2.5], watermark_s) == late
    filed = sum(len(piece[0]) for pieces in windows.open.values() for piece in pieces)
    assert filed == 4 - late


@given(st.lists(st.integers(0, 5000), max_size=40), st.integers(0, 5000))
def test_every_read_is_filed_or_counted_as_late(times_ms, watermark_ms):
    windows = Windows()
    late = add(windows, [ms / 1000 for ms in times_ms], watermark_ms / 1000)
    filed = {
        start // SECOND: sorted(windows.take(start)[0].tolist()) for start in list(windows.open)
    }
    expected: dict[int, list[int]] = {}
    for number, ms in enumerate(times_ms):
        if (ms // 1000 + 1) * 1000 > watermark_ms:
            expected.setdefault(ms // 1000, []).append(number)
    assert filed == expected
    assert late == len(times_ms) - sum(map(len, expected.values()))


def test_a_window_is_the_sum_of_its_pieces_in_order_of_arrival():
    windows = Windows()
    add(windows, [0.5, 0.6])
    add(windows, [0.1], first=7)
    taken = windows.take(0)
    assert [column.tolist() for column in taken] == [
        [0, 1, 7], [100, 101, 107], [200, 201, 207], [300, 301, 307]
    ]  # fmt: skip
    assert [len(column) for column in windows.take(0)] == [0, 0, 0, 0]


def test_windows_close_in_order_up_to_the_watermark():
    windows = Windows()
    add(windows, [3.5, 0.5, 1.5, 2.5])
    assert due(windows, 0.999) == []
    assert due(windows, 1.0) == [0]
    windows.take(0)
    assert due(windows, 3.7) == [1, 2]
    assert windows.closed_us == 3 * SECOND


def test_nothing_closes_when_the_watermark_stands_still():
    windows = Windows()
    add(windows, [0.5])
    assert due(windows, 1.0) == [0]
    windows.take(0)
    assert due(windows, 1.0) == []
    assert due(windows, NEVER_US / SECOND) == []
    assert windows.closed_us == SECOND


def test_ticks_between_windows_while_something_can_expire():
    windows = Windows()
    add(windows, [8.5, 29.5, 31.5])
    assert due(windows, 9.0, expiring=True) == [8]
    windows.take(8 * SECOND)
    # Ticks end at whole tens; the window that ends at 30 is one already.
    assert due(windows, 45.0, expiring=True) == [9, 19, 29, 31, 39]
    assert windows.closed_us == 45 * SECOND


def test_no_ticks_when_nothing_can_expire():
    windows = Windows()
    add(windows, [8.5, 31.5])
    assert due(windows, 45.0) == [8, 31]
    assert windows.closed_us == 45 * SECOND


def test_no_ticks_before_the_first_window():
    windows = Windows()
    assert due(windows, 1_700_000_000.0, expiring=True) == []
    windows = Windows()
    add(windows, [1_700_000_000.5])
    assert due(windows, 1_700_000_001.0, expiring=True) == [1_700_000_000]


def test_it_is_asked_again_before_each_tick():
    windows = Windows(closed_us=0)
    answers = iter([True, True, False])
    found = windows.due(60 * SECOND, TIMING, lambda: next(answers))
    assert [start // SECOND for start in found] == [9, 19]


@given(
    st.sets(st.integers(0, 99), max_size=12), st.lists(st.integers(1, 100), max_size=6).map(sorted)
)
def test_ticks_do_not_depend_on_how_many_windows_close_at_once(starts, watermarks):
    """In steps or in one go; something can expire after a window with an even start."""

    def closed(steps: list[int]) -> list[int]:
        windows, order = Windows(), []
        add(windows, [start + 0.5 for start in sorted(starts)])
        for step in steps:
            for start in windows.due(
                step * SECOND, TIMING, lambda: bool(order) and real(order)[-1] % 2 == 0
            ):
                windows.take(start)
                order.append(start // SECOND)
        return order

    def real(order: list[int]) -> list[int]:
        return [start for start in order if start in starts] or [1]

    assert closed([*watermarks, 100]) == closed([100])


def test_the_tick_is_a_whole_number_of_windows():
    assert Timing(window_s=0.75, tick_s=10.0).tick_us == 13 * 750_000
    assert Timing(window_s=20.0, tick_s=10.0).tick_us == 20 * SECOND


def test_pick():
    piece = columns(3)
    assert [column.tolist() for column in pick(piece, np.array([True, False, True]))] == [
        [0, 2], [100, 102], [200, 202], [300, 302]
    ]  # fmt: skip
