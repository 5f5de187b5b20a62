"""The room of an asset: it does not flicker, moves with a reason, leaves when unheard."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.domain.floorplan import NOWHERE
from pipeline.domain.overlay import Overlay
from pipeline.domain.policy import Policy
from pipeline.domain.presence import decide_room, departures

DOOR_STORE, DOOR_SHOP = 3, 7


class Story:
    """One asset, fixed window by window; collects its visits in scenario seconds."""

    def __init__(self, synthetic, site, **policy: float) -> None:
        quick = {"room_margin": 0.25, "room_streak_still": 1, "room_streak_moving": 1}
        self.lib, self.site = synthetic, site
        self.policy = replace(Policy(), **(quick | policy))
        self.tracks = synthetic.tracks(len(site.assets))
        self.visits = []
        self.asset = np.array([synthetic.PUMP])

    def fix(
        self, second: int, x: float, y: float, *, sigma=0.5, floor=0, portal=NOWHERE, moving=False
    ) -> None:
        """The window [second, second + 1) puts the asset at (x, y)."""
        first = self.tracks.heard_us[self.asset] < 0
        end = self.lib.us(second + 1)
        place = {"x_m": x, "y_m": y, "cxx": sigma**2, "cyy": sigma**2, "cxy": 0.0, "floor": floor,
                 "moving": moving}  # fmt: skip
        columns = {name: np.array([value]) for name, value in place.items()}
        self.tracks = self.tracks.put(self.asset, heard_us=np.array([end]), **columns)
        at = self.tracks.at(self.asset)
        at, visits = decide_room(
            self.site, at, Overlay.lay(self.site, at), self.asset, np.array([portal]), first,
            self.lib.us(second), end, self.policy,
        )  # fmt: skip
        self.tracks = self.tracks.put(self.asset, **vars(at))
        self.visits += visits
        self.pass_time(second + 1)

    def pass_time(self, second: int) -> None:
        """Nothing is heard until then."""
        at = self.lib.us(second)
        self.tracks, gone = departures(self.site, self.tracks, at, self.policy)
        self.visits += gone

    @property
    def told(self) -> list[tuple[str, float, str, str]]:
        """(enters or leaves, scenario second, room, reason) of each visit."""
        return [
            ("enters" if v.left_us is None else "leaves",
             self.lib.seconds(v.entered_us if v.left_us is None else v.left_us),
             self.site.rooms[v.place].code, v.reason)
            for v in self.visits
        ]  # fmt: skip


@pytest.fixture
def story(synthetic, site):
    return Story(synthetic, site)


def test_first_sight(story):
    story.fix(0, 5, 3)
    assert story.told == [("enters", 0, "ward", "first_sight")]
    (visit,) = story.visits
    assert visit.initial
    assert visit.confidence == 1.0
    assert visit.contenders == ((0, 1.0),)
    assert story.lib.seconds(visit.decided_us) == 1


def test_first_sight_outside_every_room_is_no_visit(story):
    story.fix(0, -0.9, -0.9, sigma=0.1)
    story.fix(1, 5, 3)
    assert story.told == [("enters", 1, "ward", "seen_again")]


def test_flicker_across_the_wall_does_not_move_it(story):
    """Fixes on either side of the wall with an honest error: the margin is never won."""
    for second in range(60):
        story.fix(second, 9.8 if second % 2 else 10.2, 2, sigma=2.0)
    assert [told[0] for told in story.told] == ["enters"]


@pytest.mark.parametrize("moving", [False, True])
def test_flicker_of_certain_fixes_does_not_move_it_either(synthetic, site, moving):
    """With the thresholds as delivered: every second fix is surely on the other side."""
    shipped = Policy()
    story = Story(synthetic, site, **{f.name: getattr(shipped, f.name) for f in fields(Policy)})
    for second in range(60):
        story.fix(second, 9 if second % 2 else 11, 2, sigma=0.1, moving=moving)
    assert [told[0] for told in story.told] == ["enters"]


def test_a_clear_move_says_when_why_and_against_whom(story):
    story.fix(0, 5, 3)
    story.fix(1, 9.0, 3, sigma=1.0)
    story.fix(2, 11.0, 3, sigma=1.0)
    story.fix(3, 15, 3)
    assert story.told == [
        ("enters", 0, "ward", "first_sight"),
        ("leaves", 2, "ward", "moved_on"),
        ("enters", 2, "store", "won_by_margin"),
    ]
    began, ended, moved = story.visits
    assert ended.id == began.id != moved.id
    assert not moved.initial
    assert [room for room, _ in moved.contenders] == [1, 0]
    assert moved.confidence == moved.contenders[0][1] == pytest.approx(0.92, abs=0.05)


def test_a_longer_run_counts_from_its_first_window(synthetic, site):
    story = Story(synthetic, site, room_streak_still=3)
    for second, x in enumerate([5, 15, 5, 15, 15, 15, 15]):
        story.fix(second, x, 3)
    assert story.told[1:] == [
        ("leaves", 3, "ward", "moved_on"),
        ("enters", 3, "store", "won_by_margin"),
    ]
    assert story.lib.seconds(story.visits[-1].decided_us) == 6


def test_what_moves_changes_rooms_sooner_than_what_stands_still(synthetic, site):
    entered = {}
    for moving in (False, True):
        story = Story(synthetic, site, room_streak_still=4, room_streak_moving=2)
        story.fix(0, 5, 3)
        for second in range(1, 9):
            story.fix(second, 15, 3, moving=moving)
        entered[moving] = synthetic.seconds(story.visits[-1].decided_us)
    assert entered == {False: 5, True: 3}


def test_outside_every_room_it_stays_where_it_was(story):
    story.fix(0, 5, 3)
    for second in range(1, 30):
        story.fix(second, -0.9, -0.9, sigma=0.1)
    assert len(story.told) == 1


def test_a_portal_read_decides_at_once(synthetic, site):
    story = Story(synthetic, site, room_streak_still=5)
    story.fix(0, 5, 3)
    story.fix(1, 8, 3, portal=DOOR_STORE)
    assert story.told[1:] == [
        ("leaves", 1, "ward", "moved_on"),
        ("enters", 1, "store", "portal_read"),
    ]
    assert story.visits[-1].confidence == 0.95


def test_a_portal_read_at_first_sight(story):
    story.fix(0, 12, 6, floor=1, portal=DOOR_SHOP)
    assert story.told == [("enters", 0, "shop", "first_sight")]


def test_a_portal_of_its_own_room_keeps_it_there(story):
    """The fix has run off into the ward; the door says store."""
    story.fix(0, 15, 3)
    story.fix(1, 3, 3, sigma=0.1, portal=DOOR_STORE)
    assert len(story.told) == 1
    assert story.tracks.room_confidence[story.asset] == 0.95


def test_a_portal_interrupts_a_challenger(synthetic, site):
    """What the challenger won before the door spoke does not count afterwards."""
    story = Story(synthetic, site, room_streak_still=4)
    story.fix(0, 15, 3)
    story.fix(1, 5, 3)
    story.fix(2, 5, 3)
    story.fix(3, 5, 3, portal=DOOR_STORE)
    for second in (4, 5, 6):
        story.fix(second, 5, 3)
    assert len(story.told) == 1
    story.fix(7, 5, 3)
    assert story.told[1:] == [
        ("leaves", 4, "store", "moved_on"),
        ("enters", 4, "ward", "won_by_margin"),
    ]


def test_departed_when_unheard_and_seen_again(story):
    story.fix(0, 5, 3)
    story.pass_time(121)
    assert len(story.told) == 1
    story.pass_time(122)
    story.pass_time(500)
    story.fix(600, 5, 3)
    assert story.told == [
        ("enters", 0, "ward", "first_sight"),
        ("leaves", 1, "ward", "timeout"),
        ("enters", 600, "ward", "seen_again"),
    ]
    first, left, again = story.visits
    assert left.id == first.id != again.id
    assert not again.initial


def test_nobody_is_in_two_rooms_at_once(synthetic, site):
    """A random walk with portals, silence and jumps: visits of an asset follow one another."""
    rng = np.random.default_rng(5)
    story = Story(synthetic, site)
    second = 0
    for _ in range(300):
        second += 1 if rng.random() < 0.95 else int(rng.integers(2, 200))
        story.pass_time(second)
        portal = DOOR_STORE if rng.random() < 0.05 else NOWHERE
        x, y = rng.uniform(-1, 21), rng.uniform(-1, 9)
        story.fix(second, x, y, sigma=rng.uniform(0.1, 3), portal=portal)
    story.pass_time(second + 1000)
    assert len(story.visits) > 50
    assert len(story.visits) % 2 == 0
    left_before = -1
    for began, ended in zip(story.visits[::2], story.visits[1::2], strict=True):
        assert (began.left_us, began.id, began.place) == (None, ended.id, ended.place)
        assert left_before <= began.entered_us == ended.entered_us <= ended.left_us
        left_before = ended.left_us
    assert len({v.id for v in story.visits}) == len(story.visits) // 2
