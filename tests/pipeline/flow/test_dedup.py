"""Deduplication by sequence: never twice, never past a gap, bounded."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.flow import dedup
from pipeline.flow.dedup import MAX_BOOTS, NEVER_US, Stream, Streams


def accept(stream: Stream, *sequences: int, oldest: int = 1) -> list[bool]:
    """Batches whose promise is ten times their number."""
    return [stream.accept(number, oldest, 10 * number) for number in sequences]


def test_in_order():
    stream = Stream()
    assert accept(stream, 1, 2, 3) == [True, True, True]
    assert (stream.mark, stream.until_us, stream.beyond) == (3, 30, {})


def test_twice():
    stream = Stream()
    assert accept(stream, 1, 1, 2, 1, 2) == [True, False, True, False, False]


def test_a_gap_holds_mark_and_promise_back():
    stream = Stream()
    assert accept(stream, 1, 3, 4, 3) == [True, True, True, False]
    assert (stream.mark, stream.until_us) == (1, 10)
    assert accept(stream, 2) == [True]
    assert (stream.mark, stream.until_us, stream.beyond) == (4, 40, {})


def test_what_a_gateway_has_given_up_is_not_waited_for():
    stream = Stream()
    accept(stream, 1, 5, 6, 9)
    assert accept(stream, 10, oldest=6) == [True]
    assert (stream.mark, stream.until_us, stream.beyond) == (6, 60, {9: 90, 10: 100})
    assert accept(stream, 3, 5) == [False, False]


def test_a_duplicate_too_says_what_was_given_up():
    stream = Stream()
    accept(stream, 5)
    assert accept(stream, 5, oldest=5) == [False]
    assert (stream.mark, stream.until_us) == (5, 50)


def test_a_first_batch_may_be_any_when_the_others_are_acknowledged():
    stream = Stream()
    assert accept(stream, 1_000_000, oldest=1_000_000) == [True]
    assert (stream.mark, stream.until_us) == (1_000_000, 10_000_000)


def test_the_promise_never_goes_back():
    stream = Stream()
    stream.accept(1, 1, 500)
    stream.accept(2, 1, NEVER_US)
    assert (stream.mark, stream.until_us) == (2, 500)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(dedup, "MAX_BEYOND", 4)


def test_too_much_beyond_a_gap_is_refused_and_may_come_again(small):
    stream = Stream()
    assert accept(stream, 2, 3, 4, 5, 6) == [True, True, True, True, False]
    assert not stream.is_known(6)
    assert accept(stream, 1, 6) == [True, True]
    assert stream.mark == 6


def test_what_closes_the_gap_is_always_taken(small):
    """Two are missing; the set is full; the gateway sends the oldest first."""
    stream = Stream()
    assert accept(stream, 3, 4, 5, 6, 7) == [True, True, True, True, False]
    assert accept(stream, 1, 2, 7) == [True, True, True]
    assert (stream.mark, stream.beyond) == (7, {})


calls = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 12)), max_size=80)


@given(calls, st.sampled_from([3, 1000]))
def test_against_a_naive_set(sequence_and_age, most):
    """`oldest` lies some way below the sequence; the naive one remembers everything for ever."""
    stream, seen, given_up, until_us = Stream(), {}, 0, NEVER_US
    with mock.patch.object(dedup, "MAX_BEYOND", most):
        for sequence, age in sequence_and_age:
            oldest = max(1, sequence - age)
            given_up = max(given_up, oldest - 1)
            taken = stream.accept(sequence, oldest, 10 * sequence)
            is_new = sequence not in seen and sequence > given_up
            if most == 1000:
                assert taken == is_new
            else:
                assert is_new or not taken
                assert len(stream.beyond) <= most
            if taken:
                seen[sequence] = 10 * sequence
            mark = given_up
            while mark + 1 in seen:
                mark += 1
            until_us = max([us for number, us in seen.items() if number <= mark] + [NEVER_US])
            assert (stream.mark, stream.until_us) == (mark, until_us)
            assert stream.beyond == {n: us for n, us in seen.items() if n > mark}


def test_boots_are_separate():
    streams = Streams()
    assert accept(streams.stream("a"), 1, 2) == [True, True]
    assert accept(streams.stream("b"), 1) == [True]
    assert accept(streams.stream("a"), 1) == [False]
    assert streams.until_us == 20


def test_the_boots_heard_longest_ago_are_forgotten():
    streams = Streams()
    for i in range(MAX_BOOTS):
        accept(streams.stream(f"boot {i}"), 1)
    streams.stream("boot 0")
    accept(streams.stream("one more"), 1)
    assert len(streams.boots) == MAX_BOOTS
    assert "boot 0" in streams.boots and "boot 1" not in streams.boots


def test_nothing_heard_promises_nothing():
    assert Streams().until_us == NEVER_US


def test_a_copy_goes_its_own_way():
    streams = Streams()
    accept(streams.stream("a"), 1, 3)
    copy = streams.copy()
    accept(streams.stream("a"), 2)
    assert (copy.boots["a"].mark, copy.boots["a"].beyond) == (1, {3: 30})
