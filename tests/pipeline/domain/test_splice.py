"""At the seam the present wins, nothing overlaps, and nothing of the stretch's own is lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.splice import Stay, overlaps, splice

UNTIL = 100


def stay(number: int, place: str, start: int, end: int | None, track: str = "a") -> Stay:
    return Stay(UUID(int=number), (track,), (place,), start, end)


def brief(kept: dict[UUID, Stay]) -> list[tuple[int, str, int, int | None, bool]]:
    return sorted((s.id.int, s.place[0], s.start_us, s.end_us, s.revised) for s in kept.values())


def test_what_history_no_longer_knows_goes():
    kept, gone = splice([stay(1, "x", 10, 20)], [stay(2, "y", 12, 20)], UNTIL)
    assert brief(kept) == [(2, "y", 12, 20, False)]
    assert gone == {UUID(int=1)}


def test_one_that_goes_on_keeps_the_id_it_will_be_ended_by():
    kept, gone = splice([stay(1, "x", 50, None)], [stay(2, "x", 10, None)], UNTIL)
    assert brief(kept) == [(1, "x", 10, None, False)]
    assert gone == set()


def test_one_that_was_ended_after_the_seam_keeps_its_end():
    kept, _ = splice([stay(1, "x", 50, 140)], [stay(2, "x", 10, None)], UNTIL)
    assert brief(kept) == [(1, "x", 10, 140, False)]


def test_in_another_place_at_the_seam_the_present_wins():
    kept, gone = splice([stay(1, "x", 50, None)], [stay(2, "y", 10, None)], UNTIL)
    assert brief(kept) == [(1, "x", 100, None, False), (2, "y", 10, 100, True)]
    assert gone == set()


def test_one_that_history_interrupts_is_two():
    """The present was in x all the time; history says it was in y for a while."""
    new = [stay(1, "x", 10, 40), stay(2, "y", 40, 60), stay(3, "x", 60, None)]
    kept, gone = splice([stay(1, "x", 10, None)], new, UNTIL)
    by_start = sorted(kept.values(), key=lambda s: s.start_us)
    assert [(s.place, s.start_us, s.end_us) for s in by_start] == [
        (("x",), 10, 40), (("y",), 40, 60), (("x",), 60, None)
    ]  # fmt: skip
    assert by_start[2].id == UUID(int=1)
    assert (by_start[0].said, by_start[2].said) == (UUID(int=1), UUID(int=3))
    assert gone == set()
    assert splice(kept.values(), new, UNTIL) == (kept, set())


def test_two_places_under_one_id():
    """Of a session the id does not tell the room."""
    kept, gone = splice([stay(1, "x", 10, None)], [stay(1, "y", 10, None)], UNTIL)
    assert sorted((s.place, s.start_us, s.end_us) for s in kept.values()) == [
        (("x",), 100, None), (("y",), 10, 100)
    ]  # fmt: skip
    assert kept[UUID(int=1)].place == ("x",)
    assert gone == set()


def test_what_only_history_knows_ends_at_the_seam():
    assert brief(splice([], [stay(2, "y", 10, None)], UNTIL)[0]) == [(2, "y", 10, 100, True)]


def test_what_only_the_present_knows_begins_at_the_seam():
    kept, gone = splice([stay(1, "x", 50, None)], [], UNTIL)
    assert brief(kept) == [(1, "x", 100, None, False)]
    assert gone == set()


def test_one_that_began_at_the_seam_is_no_history():
    assert splice([], [stay(2, "y", 100, None)], UNTIL) == ({}, set())


@st.composite
def lines(draw: st.DrawFn) -> list[Stay]:
    """Stays of two tracks that follow each other; the last of a track may be open.

    The id follows from track, place and beginning, as in the dataflow.
    """
    found = []
    for track in ("a", "b"):
        at = draw(st.integers(0, 60))
        for _ in range(draw(st.integers(0, 4))):
            if at >= UNTIL:
                break
            length = draw(st.integers(0, 80))
            is_last = draw(st.booleans())
            end = None if is_last and draw(st.booleans()) else at + length
            place = draw(st.sampled_from("xyz"))
            found.append(stay(hash((track, place, at)) % 2**64, place, at, end, track))
            if end is None or is_last:
                break
            at = end + draw(st.integers(0, 20))
    return found


def reaching_the_seam(line: list[Stay]) -> list[Stay]:
    """As a revision knows them: nothing of what comes after."""
    return [s if s.end_us is None or s.end_us <= UNTIL else replace(s, end_us=None) for s in line]


def seconds(stays: Iterable[Stay]) -> set[tuple[object, object, int]]:
    """Who was where, second by second, up to the seam."""
    ends = ((s, UNTIL if s.end_us is None else min(UNTIL, s.end_us)) for s in stays)
    return {(s.track, s.place, t) for s, end in ends for t in range(s.start_us, end)}


@given(lines(), lines())
def test_no_overlap_and_nothing_of_history_is_lost(old: list[Stay], new: list[Stay]):
    new = reaching_the_seam(new)
    kept, gone = splice(old, new, UNTIL)
    assert overlaps(kept.values()) == []
    assert {s.id for s in old} == gone | (kept.keys() & {s.id for s in old})
    assert seconds(kept.values()) == seconds(new)


@given(lines())
def test_the_same_history_changes_nothing(old: list[Stay]):
    kept, gone = splice(old, reaching_the_seam(old), UNTIL)
    assert gone == set()
    assert kept == {s.id: s for s in old}
