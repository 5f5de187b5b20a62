"""The watermark follows the data alone, and waits for gateways as long as that makes sense."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.flow.event_time import NEVER_US, Timing
from pipeline.flow.watermark import LONGEST_PAUSE_US, Watermark

SECOND = 1_000_000
TIMING = Timing(window_s=1.0, allowed_lateness_s=0.5, gateway_timeout_s=15.0, tick_s=10.0)
NAMES = ("a", "b", "c")
Step = tuple[str, float, float | None]
"""gateway, what it promises, when it was sent (None: not told), in seconds"""


def us(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * SECOND)


def walk(steps: list[Step], registered: tuple[str, ...] = ("a", "b")) -> list[float]:
    """The watermark in seconds after each step; -1: there is none yet."""
    watermark, values = Watermark(), []
    for gateway, until_s, sent_s in steps:
        until_us = NEVER_US if until_s < 0 else us(until_s)
        value = watermark.hear(gateway, until_us, us(sent_s), registered, TIMING)
        values.append(-1.0 if value == NEVER_US else value / SECOND)
    return values


def live(gateway: str, *moments: float) -> list[Step]:
    """Sent when they were promised."""
    return [(gateway, s, s) for s in moments]


def both(first: int, last: int) -> list[Step]:
    return [step for s in range(first, last + 1) for step in live("a", s) + live("b", s)]


def drained(gateway: str, first: int, last: int, sent: float) -> list[Step]:
    """A backlog, a thousand batches a second."""
    return [(gateway, s, sent + (s - first) / 1000) for s in range(first, last + 1)]


@pytest.mark.parametrize(
    ("steps", "values"),
    [
        pytest.param([*live("a", 10), *live("b", 12)], [-1, 9.5], id="the slower, minus lateness"),
        pytest.param(live("a", 10), [-1], id="a registered gateway is waited for"),
        pytest.param(
            [*live("a", *range(10, 26))][-2:], [-1, -1], id="two steps are little talk"
        ),
        pytest.param([("a", 10, 10), ("b", -1, 11)], [-1, -1], id="no promise, no watermark"),
        pytest.param([("a", -1, 10)], [-1], id="nothing is promised"),
        pytest.param(
            [*live("a", 10), *live("b", 11), *live("x", 3)], [-1, 9.5, 9.5],
            id="never back, not for a stranger either",
        ),
        pytest.param(
            [("a", 10, None), ("b", 10, None), ("a", 25, None), ("a", 25.1, None)],
            [-1, 9.5, 9.5, 24.6], id="not told when it was sent: as if when it promises",
        ),
    ],
)  # fmt: skip
def test_watermark(steps, values):
    assert walk(steps) == values


def test_one_that_never_comes_is_waited_for_but_not_for_ever():
    values = walk(live("a", *range(10, 28)))
    assert values[:15] == [-1] * 15
    assert values[15:] == [24.5, 25.5, 26.5]


def test_one_that_falls_silent_is_set_aside_after_the_time_out():
    values = walk(both(10, 20) + live("a", *range(21, 40)))
    assert values[-19:-4] == [19.5] * 15
    assert values[-4:] == [35.5, 36.5, 37.5, 38.5]


def test_an_outage_of_all_sets_nobody_aside():
    """An hour without broker; b comes back seven seconds after a has sent all it had."""
    back = 3_620
    steps = both(10, 20) + drained("a", 21, back, sent=back)
    steps += live("a", *range(back + 4, back + 12))
    assert walk(steps)[-1] == 19.5
    assert walk([*steps, *drained("b", 21, back + 11, sent=back + 11)])[-1] == back + 10.5


def test_one_that_returns_after_an_hour_does_not_hold_the_others_back():
    steps = both(10, 20) + live("a", *range(21, 3_600))
    assert walk(steps)[-1] == 3_598.5
    for s in range(3_600, 3_640):  # its backlog, and a goes on
        steps += [("b", 21 + 90 * (s - 3_600), s + 0.5), *live("a", s)]
    values = walk(steps)
    assert values[-1] == 3_638.5 or values[-1] == 21 + 90 * 39 - 0.5
    assert values[-40] > 3_590


def test_a_clock_that_is_behind_delays_only_itself():
    """b is five minutes behind and talks all the time."""
    steps = [step for s in range(1000, 1040) for step in [("a", s, s), ("b", s - 300, s - 300)]]
    values = walk(steps)
    assert values[-1] == 1038.5
    assert max(values[: 2 * 14]) < 800


def test_who_is_aside():
    watermark = Watermark()
    for gateway, until_s, sent_s in both(10, 20) + live("a", *range(21, 40)):
        watermark.hear(gateway, us(until_s), us(sent_s), ("a", "b"), TIMING)
    assert watermark.aside(("a", "b", "never"), TIMING) == ["b", "never"]
    assert Watermark().aside(("a",), TIMING) == []


def test_without_registered_gateways_there_is_nobody_to_wait_for():
    assert walk(live("a", 10), registered=()) == [9.5]


def test_a_pause_counts_little():
    watermark = Watermark()
    for s in (0, 1, 1000, 1001):
        watermark.hear("a", us(s), us(s), NAMES, TIMING)
    assert watermark.spoken_us == 2 * SECOND + LONGEST_PAUSE_US


moments = st.integers(0, 90)
steps = st.lists(st.tuples(st.sampled_from(NAMES), moments, st.none() | moments), max_size=40)


@given(steps)
def test_the_watermark_never_goes_back_and_is_never_ahead_of_all(heard):
    values = walk(heard, NAMES)
    assert values == sorted(values)
    newest = 0.0
    for (_, until_s, _), value in zip(heard, values, strict=True):
        newest = max(newest, until_s)
        assert value <= newest - 0.5


@given(steps)
def test_the_watermark_is_a_function_of_the_data(heard):
    """One that is stored and restored in between is no other."""
    one, other = Watermark(), Watermark()
    for gateway, until_s, sent_s in heard:
        one.hear(gateway, us(until_s), us(sent_s), NAMES, TIMING)
        other = copy.deepcopy(other)
        other.hear(gateway, us(until_s), us(sent_s), tuple(reversed(NAMES)), TIMING)
        assert one == other
