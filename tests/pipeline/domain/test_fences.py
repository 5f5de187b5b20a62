"""Fences as stories: a line of seconds and places, and what the fence says.

The zone is the square from 0 to 10 m; the asset walks on the line y = 5, so a place is its x. In a
room zone the place is the room that the room decision gives.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.fences import Fences, Sighting, visit_id
from pipeline.domain.floorplan import NOWHERE, Fence, Zone
from pipeline.domain.overlay import Overlay
from pipeline.domain.tracks import NEVER_US
from pipeline.domain.watching import watch

QUIET = "-"
"""Nothing is heard of the asset in this window."""
INF = float("inf")


class Story:
    """One zone and one asset, told window by window; the fence's answers in scenario seconds."""

    def __init__(self, synthetic, *, room: int = NOWHERE, **fence: float) -> None:
        self.lib = synthetic
        defaults = {"entry_dwell_s": 5.0, "exit_tolerance_m": 1.0, "tolerance_timeout_s": 10.0,
                    "exit_delay_s": 3.0, "timeout_s": 120.0}  # fmt: skip
        square = synthetic.rectangle(0, 0, 10, 10)
        zone = Zone(
            synthetic.identity("zone", "z"), "z", "z", 0, square, Fence(**defaults | fence), room
        )
        whole = synthetic.building()
        self.site = replace(whole, zones=(zone,), assets=whole.assets[:1], rules=())
        self.fences = Fences.empty(1, 1)
        self.heard_us = np.array([NEVER_US])
        self.last = np.zeros((1, 2))
        self.room, self.room_entered_us = NOWHERE, NEVER_US
        self.visits = []

    def at(self, second: float, where: float | str, *, sigma=0.1, floor=0, y=5.0) -> None:
        """One window that ends at `second` with the asset at `where`: x in metres, or QUIET."""
        end = self.lib.us(second)
        seen = self._quiet() if where == QUIET else self._sighting(end, where, y, sigma, floor)
        self.fences, visits = watch(self.site, self.fences, seen, self.heard_us, end)
        self.visits += visits

    def in_room(self, second: float, room: int | str, floor: int = 0) -> None:
        """The same, with the asset in the middle of the square or 20 m away."""
        if room != QUIET and room != self.room:
            self.room, self.room_entered_us = room, self.lib.us(second - 1)
        inside = room == self.site.zones[0].room
        self.at(second, QUIET if room == QUIET else (5.0 if inside else 30.0), floor=floor)

    def _sighting(self, end: int, x: float, y: float, sigma: float, floor: int) -> Sighting:
        first, before = self.heard_us == NEVER_US, self.last
        self.heard_us, self.last = np.array([end]), np.array([[x, y]])
        at = self.lib.tracks(
            1, x_m=[x], y_m=[y], cxx=[sigma**2], cyy=[sigma**2], floor=[floor], room=[self.room],
            room_entered_us=[self.room_entered_us],
        )  # fmt: skip
        overlay = Overlay.lay(self.site, at)
        return Sighting(np.array([0]), at, before, overlay.zone_points, first)

    def _quiet(self) -> Sighting:
        none, nowhere = np.zeros(0, dtype=np.int64), np.zeros((0, 2))
        points = np.zeros((0, 1), dtype=np.uint8)
        return Sighting(none, self.lib.tracks(0), nowhere, points, none.astype(bool))

    @property
    def told(self) -> list[str]:
        words = []
        for v in self.visits:
            if v.left_us is None:
                first = " first seen" if v.initial else ""
                words.append(f"enters {self.lib.seconds(v.entered_us):g}{first}")
            elif v.reason == "crossed":
                words.append(f"crosses {self.lib.seconds(v.left_us):g}")
            else:
                words.append(f"leaves {self.lib.seconds(v.left_us):g} {v.reason}")
        return words


def tell(story: Story, *steps: tuple[range | int, float | str]) -> list[str]:
    """Steps are (second or seconds, place)."""
    for when, where in steps:
        for second in [when] if isinstance(when, int) else when:
            story.at(second, where)
    return story.told


OUT, IN, NEAR, FAR = 30.0, 5.0, 10.5, 15.0
"""Within the tolerance of 1 m is NEAR, beyond it FAR."""


@pytest.mark.parametrize(
    ("fence", "steps", "told"),
    [
        pytest.param({}, [(range(0, 9), OUT)], [], id="never inside"),
        pytest.param({}, [(0, OUT), (range(1, 6), IN), (6, OUT)], [], id="dwell not reached"),
        pytest.param(
            {}, [(0, OUT), (range(1, 60), IN)], ["enters 1"],
            id="dwell reached, once, from when it came in",
        ),
        pytest.param(
            {}, [(0, OUT), (range(1, 5), IN), (5, OUT), (range(6, 12), IN)], ["enters 6"],
            id="dwell starts again after being outside",
        ),
        pytest.param(
            {}, [(0, OUT), (1, IN), (range(2, 6), QUIET), (6, IN)], ["enters 1"],
            id="dwell across a short silence",
        ),
        pytest.param(
            {}, [(range(0, 9), IN)], ["enters 0 first seen"], id="initial entry",
        ),
        pytest.param(
            {"entry_dwell_s": 0.0}, [(0, OUT), (1, IN), (2, IN)], ["enters 1"], id="no dwell",
        ),
        pytest.param(
            {"entry_dwell_s": INF}, [(range(0, 900, 10), IN)], [], id="infinite dwell",
        ),
        pytest.param(
            {}, [(range(0, 9), IN), (range(9, 40), FAR)],
            ["enters 0 first seen", "leaves 9 left"],
            id="far out leaves as of when it went out",
        ),
        pytest.param(
            {}, [(range(0, 9), IN), (range(9, 12), FAR), (range(12, 30), IN)],
            ["enters 0 first seen"], id="back within the exit delay",
        ),
        pytest.param(
            {}, [(range(0, 9), IN), (range(9, 12), FAR), (12, IN), (range(13, 16), FAR), (16, IN)],
            ["enters 0 first seen"], id="the exit delay starts again",
        ),
        pytest.param(
            {"exit_delay_s": 0.0}, [(range(0, 9), IN), (9, FAR)],
            ["enters 0 first seen", "leaves 9 left"], id="no exit delay",
        ),
        pytest.param(
            {}, [(range(0, 9), IN), (range(9, 22), NEAR), (22, IN)],
            ["enters 0 first seen"], id="within the tolerance for less than its time-out",
        ),
        pytest.param(
            {}, [(range(0, 9), IN), (range(9, 60), NEAR)],
            ["enters 0 first seen", "leaves 9 tolerance_timeout"],
            id="within the tolerance for too long",
        ),
        pytest.param(
            {"tolerance_timeout_s": INF}, [(range(0, 9), IN), (range(9, 900, 10), NEAR)],
            ["enters 0 first seen"], id="within the tolerance for ever",
        ),
        pytest.param(
            {}, [(range(0, 9), IN), (range(9, 14), NEAR), (range(14, 30), FAR)],
            ["enters 0 first seen", "leaves 9 left"], id="near, then far",
        ),
        pytest.param(
            {}, [(range(0, 9), IN), (9, FAR), (10, NEAR), (11, FAR), (12, NEAR), (13, FAR),
                 (14, NEAR), (15, IN)],
            ["enters 0 first seen"], id="the exit delay needs being far without a break",
        ),
        pytest.param(
            {}, [(range(0, 9), IN), (range(9, 20), FAR), (range(20, 30), IN), (range(30, 40), FAR)],
            ["enters 0 first seen", "leaves 9 left", "enters 20", "leaves 30 left"],
            id="out and in and out",
        ),
        pytest.param(
            {}, [(range(0, 9), IN), (128, QUIET), (129, QUIET), (200, QUIET)],
            ["enters 0 first seen", "leaves 8 timeout"], id="unheard: left when last heard",
        ),
        pytest.param(
            {}, [(range(0, 9), IN), (128, QUIET), (128, IN)],
            ["enters 0 first seen"], id="heard again just in time",
        ),
        pytest.param(
            {}, [(0, IN), (1, IN), (range(100, 500, 100), QUIET)], [],
            id="only fences that were entered expire",
        ),
        pytest.param(
            {}, [(0, IN), (1, IN), (130, QUIET), (131, IN), (135, IN)], [],
            id="a silence breaks the dwell",
        ),
        pytest.param(
            {}, [(range(0, 9), IN), (9, FAR), (130, QUIET)],
            ["enters 0 first seen", "leaves 9 timeout"], id="unheard while leaving",
        ),
        pytest.param(
            {}, [(range(0, 9), IN), (130, QUIET), (range(131, 140), IN)],
            ["enters 0 first seen", "leaves 8 timeout", "enters 131"], id="seen again",
        ),
        pytest.param(
            {"timeout_s": INF}, [(range(0, 9), IN), (900_000, QUIET)],
            ["enters 0 first seen"], id="infinite time-out",
        ),
    ],
)  # fmt: skip
def test_polygon_zone(synthetic, fence, steps, told):
    assert tell(Story(synthetic, **fence), *steps) == told


# -- error-aware -----------------------------------------------------------------------------


def test_half_of_the_probability_inside_counts_as_inside(synthetic):
    """With an error of 3 m a fix 1.5 m outside has less than half inside, one 2 m inside more."""
    outside, inside = (Story(synthetic, entry_dwell_s=0.0) for _ in range(2))
    outside.at(0, 11.5, sigma=3.0)
    inside.at(0, 8.0, sigma=3.0)
    assert outside.told == []
    assert inside.told == ["enters 0 first seen"]
    assert 0.5 <= inside.visits[0].confidence < 0.9


def test_one_overconfident_fix_opens_nothing(synthetic):
    story = Story(synthetic)
    for second in range(20):
        story.at(second, IN if second == 10 else OUT, sigma=0.01 if second == 10 else 3.0)
    assert story.told == []


def test_one_overconfident_fix_closes_nothing(synthetic):
    story = Story(synthetic)
    for second in range(40):
        story.at(second, OUT if second == 20 else IN, sigma=0.01 if second == 20 else 1.0)
    assert story.told == ["enters 0 first seen"]


def test_on_another_floor_is_outside_however_near(synthetic):
    story = Story(synthetic)
    for second in range(10):
        story.at(second, IN, floor=1)
    for second in range(10, 20):
        story.at(second, IN)
    for second in range(20, 30):
        story.at(second, IN, floor=1)
    assert story.told == ["enters 10", "leaves 20 left"]


# -- crossing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fence", "before", "after", "told"),
    [
        ({"entry_dwell_s": 0.0}, -20.0, 30.0, ["crosses 1"]),
        ({"entry_dwell_s": 1.0}, -20.0, 30.0, []),
        ({"entry_dwell_s": 0.0}, -20.0, -10.0, []),
        ({"entry_dwell_s": 0.0}, -20.0, 5.0, ["enters 1"]),
    ],
    ids=["through", "a zone with dwell does not see it", "not reached", "stays inside"],
)
def test_crossing_between_two_fixes(synthetic, fence, before, after, told):
    story = Story(synthetic, **fence)
    story.at(0, before)
    story.at(1, after)
    story.at(2, after)
    assert story.told == told


def test_a_crossing_is_an_entry_and_an_exit_at_once(synthetic):
    story = Story(synthetic, entry_dwell_s=0.0)
    story.at(0, -20.0)
    story.at(1, 30.0)
    (visit,) = story.visits
    assert visit.entered_us == visit.left_us == synthetic.us(1)
    assert not visit.initial


def test_first_sight_on_the_far_side_is_no_crossing(synthetic):
    """There is no fix before the first, whatever stands in its place."""
    story = Story(synthetic, entry_dwell_s=0.0)
    story.last = np.array([[-20.0, 5.0]])
    story.at(0, 30.0)
    assert story.told == []


def test_leaving_is_no_crossing(synthetic):
    """It was inside: the line from there to the far side meets the border twice in an L."""
    story = Story(synthetic, entry_dwell_s=0.0, exit_delay_s=0.0)
    story.at(0, 5.0)
    story.at(1, 30.0)
    assert story.told == ["enters 0 first seen", "leaves 1 left"]


# -- zones that are rooms ----------------------------------------------------------------------

HERE, ELSEWHERE = 2, 1


@pytest.mark.parametrize(
    ("fence", "steps", "told"),
    [
        pytest.param(
            {}, [(range(1, 9), HERE)], ["enters 0 first seen"],
            id="entered when the room was entered",
        ),
        pytest.param(
            {}, [(range(1, 9), HERE), (range(9, 20), ELSEWHERE)],
            ["enters 0 first seen", "leaves 9 left"], id="left for another room",
        ),
        pytest.param(
            {}, [(1, ELSEWHERE), (range(2, 6), HERE), (6, ELSEWHERE)], [], id="dwell not reached",
        ),
        pytest.param(
            {}, [(range(1, 9), HERE), (range(9, 11), ELSEWHERE), (range(11, 20), HERE)],
            ["enters 0 first seen"], id="back within the exit delay",
        ),
        pytest.param(
            {}, [(range(1, 9), HERE), (range(9, 20), ELSEWHERE), (range(20, 30), HERE)],
            ["enters 0 first seen", "leaves 9 left", "enters 19"], id="again",
        ),
        pytest.param(
            {"timeout_s": 30.0}, [(range(1, 9), HERE), (60, QUIET), (range(70, 80), HERE)],
            ["enters 0 first seen", "leaves 8 timeout", "enters 70"],
            id="unheard and heard again while its room still stands",
        ),
    ],
)  # fmt: skip
def test_room_zone(synthetic, fence, steps, told):
    story = Story(synthetic, room=HERE, **fence)
    for when, room in steps:
        for second in [when] if isinstance(when, int) else when:
            story.in_room(second, room)
    assert story.told == told


def test_a_room_zone_left_by_a_lift_and_entered_again_is_a_new_visit(synthetic):
    """The floor decides before the room: the room still stands while the floor is another."""
    story = Story(synthetic, room=HERE)
    for second in range(1, 30):
        story.in_room(second, HERE, floor=1 if 10 <= second < 20 else 0)
    assert story.told == ["enters 0 first seen", "leaves 10 left", "enters 20"]
    first, _, again = story.visits
    assert first.id != again.id


# -- properties ----------------------------------------------------------------------------------

fences = st.fixed_dictionaries(
    {
        "entry_dwell_s": st.sampled_from([0.0, 2.0, 5.0]),
        "exit_tolerance_m": st.sampled_from([0.0, 1.0]),
        "tolerance_timeout_s": st.sampled_from([0.0, 4.0, INF]),
        "exit_delay_s": st.sampled_from([0.0, 3.0]),
        "timeout_s": st.sampled_from([8.0, 60.0, INF]),
    }
)
walks = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 2, 7, 20]),
        st.sampled_from([QUIET, -20.0, 2.0, 5.0, 9.9, 10.5, 30.0]),
        st.sampled_from([0, 0, 0, 0, 1]),
    ),
    max_size=60,
)


@given(fences, walks, st.booleans())
def test_entries_and_exits_alternate_and_belong_together(synthetic, fence, walk, is_room):
    story = Story(synthetic, room=HERE if is_room else NOWHERE, **fence)
    second = 0
    for step, where, floor in walk:
        second += step
        if is_room and where != QUIET:
            story.in_room(second, HERE if where in {2.0, 5.0} else ELSEWHERE, floor)
        else:
            story.at(second, where, floor=floor)
    entered, ids, last_left_us = None, [], NEVER_US
    for visit in story.visits:
        assert visit.id == visit_id(
            story.site.assets[0].id, story.site.zones[0].id, visit.entered_us
        )
        if visit.reason == "crossed":
            assert entered is None
            assert visit.left_us == visit.entered_us
            ids.append(visit.id)
        elif visit.left_us is None:
            assert entered is None
            assert visit.entered_us >= last_left_us
            entered = visit
            ids.append(visit.id)
        else:
            assert entered is not None
            assert (visit.id, visit.entered_us) == (entered.id, entered.entered_us)
            assert visit.entered_us <= visit.left_us <= visit.decided_us
            last_left_us, entered = visit.left_us, None
    assert len(set(ids)) == len(ids)
