"""One window after another: what a whole window says, and that it is a pure function."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.domain.codes import Method, Reason
from pipeline.domain.floorplan import NOWHERE, Fence, Zone
from pipeline.domain.overlay import NOT_LAID
from pipeline.domain.policy import Policy
from pipeline.domain.silence import NOT_DRAWN, Ears
from pipeline.domain.tracking import BuildingState, advance

POLICY = Policy()
WARD_PLACE, STORE_PLACE, ICU_PLACE = (5.0, 3.0, 0), (15.0, 3.0, 0), (4.0, 3.0, 1)


class Hall:
    """A building's windows of one second, told what was heard."""

    def __init__(self, synthetic, site) -> None:
        self.lib, self.site, self.second = synthetic, site, 0
        self.state = BuildingState.empty(site)

    def hear(self, where=None, *, seen=None, seconds=1):
        """`seconds` windows in which the assets are at (x, y, floor); the last one's result."""
        for _ in range(seconds):
            heard = self.lib.heard(self.site, where or {}) if seen is None else seen
            start, end = self.lib.us(self.second), self.lib.us(self.second + 1)
            self.state, result = advance(self.site, self.state, heard, start, end, POLICY)
            self.second += 1
        return result


@pytest.fixture
def hall(synthetic, site):
    return Hall(synthetic, site)


def rows(result) -> list[tuple[int, Method, Reason]]:
    p = result.positions
    return [
        (a, Method(m), Reason(r))
        for a, m, r in zip(p.asset.tolist(), p.method.tolist(), p.reason.tolist(), strict=True)
    ]


def test_first_sight(synthetic, hall):
    result = hall.hear({synthetic.BED: STORE_PLACE, synthetic.PUMP: WARD_PLACE})
    assert rows(result) == [
        (synthetic.PUMP, Method.SOLVE, Reason.FIRST_SIGHT),
        (synthetic.BED, Method.SOLVE, Reason.FIRST_SIGHT),
    ]
    p = result.positions
    assert p.room.tolist() == [synthetic.WARD, synthetic.STORE]
    assert p.floor.tolist() == [0, 0]
    assert p.x_m == pytest.approx([5.0, 15.0], abs=1.0)
    assert p.y_m == pytest.approx([3.0, 3.0], abs=1.0)
    assert p.z_m.tolist() == [1.0, 1.0]
    assert p.receivers.tolist() == [8, 8]
    assert p.reads.tolist() == [8, 8]
    assert (result.reads, result.solved) == (16, 2)
    assert [v.reason for v in result.room_visits] == ["first_sight"] * 2


def test_what_stands_still_is_held_and_gets_a_row_every_thirty_seconds(synthetic, hall):
    """Until it is clear that it stands, and when it is solved anew in the first minute or so, there
    is more to say."""
    found = [hall.hear({synthetic.PUMP: WARD_PLACE}) for _ in range(200)]
    assert [len(result.positions) for result in found[:5]] == [1] * 5
    beats = [second for second in range(75, 200) if len(found[second].positions)]
    assert beats[0] <= 105
    assert set(np.diff(beats)) == {30}
    for beat in beats:
        told = [(synthetic.PUMP, Method.HELD, Reason.STILL_EXPLAINED)]
        assert rows(found[beat]) == told


def test_those_that_stand_still_take_turns(synthetic, site):
    many = tuple(
        replace(site.assets[0], id=synthetic.identity("asset", str(i))) for i in range(300)
    )
    nobody = {"tags": (), "tag_asset": np.zeros(0, np.int64), "rules": ()}
    hall = Hall(synthetic, replace(site, assets=many, **nobody))
    places = dict.fromkeys(range(300), WARD_PLACE)
    again = POLICY.restand_windows
    results = [hall.hear(places) for _ in range(2 * again)]
    written = [len(result.positions) for result in results]
    assert written[0] == 300
    assert max(written[75:]) <= 30
    assert sum(written[75:105]) == sum(written[105:135]) == 300
    solved = [result.solved for result in results]
    assert sum(solved[again - 1 : 2 * again - 1]) == 300
    assert max(solved[again - 1 :]) <= 10


def test_what_moves_gets_a_row_a_window(synthetic, hall):
    hall.hear({synthetic.PUMP: (2.0, 3.0, 0)}, seconds=3)
    found = [hall.hear({synthetic.PUMP: (2.0 + 2 * i, 3.0, 0)}) for i in range(1, 5)]
    assert [len(result.positions) for result in found] == [1] * 4
    assert {rows(result)[0][2] for result in found} <= {Reason.MOVED, Reason.ROOM_CHANGED}
    assert found[-1].positions.moving.tolist() == [True]
    rested = hall.hear({synthetic.PUMP: (10.0, 3.0, 0)}, seconds=20)
    assert hall.state.tracks.moving[synthetic.PUMP] == np.False_
    assert rested.room_visits == ()


def test_what_was_wheeled_away_is_followed_at_once(synthetic, hall):
    """After a minute in one place the belief is narrow; it must not hold the asset back."""
    hall.hear({synthetic.PUMP: (2.0, 3.0, 0)}, seconds=60)
    result = hall.hear({synthetic.PUMP: (18.0, 4.0, 0)}, seconds=2)
    p = result.positions
    away_m = np.hypot(p.x_m[0] - 18, p.y_m[0] - 4)
    assert away_m < 2.5
    assert away_m < p.accuracy_m[0]


def test_another_floor(synthetic, hall):
    hall.hear({synthetic.PUMP: WARD_PLACE}, seconds=3)
    results = [hall.hear({synthetic.PUMP: ICU_PLACE}) for _ in range(6)]
    floors = [result.positions.floor.tolist() for result in results]
    assert floors[-1] in ([1], [])
    changed = [r for r in results if rows(r) and rows(r)[0][2] == Reason.FLOOR_CHANGED]
    assert len(changed) == 1
    assert hall.state.tracks.room[synthetic.PUMP] == synthetic.ICU
    assert changed[0].positions.z_m.tolist() == [4.5]


def test_a_lift_crosses_no_zone(synthetic, site):
    """From one end of the ground floor to the other end of the first, above the gate's strip."""
    gate = synthetic.rectangle(9, -1, 11, 9)
    zone = Zone(synthetic.identity("zone", "g"), "g", "g", 1, gate, Fence(entry_dwell_s=0.0))
    hall = Hall(synthetic, replace(site, zones=(zone,), rules=()))
    hall.hear({synthetic.PUMP: (3.0, 3.0, 0)}, seconds=10)
    found = [hall.hear({synthetic.PUMP: (17.0, 3.0, 1)}) for _ in range(6)]
    assert hall.state.tracks.floor[synthetic.PUMP] == 1
    assert [visit.reason for result in found for visit in result.zone_visits] == []


def test_a_dash_across_a_zone_is_a_crossing(synthetic, site):
    gate = synthetic.rectangle(9.5, -1, 10.5, 9)
    zone = Zone(synthetic.identity("zone", "g"), "g", "g", 0, gate, Fence(entry_dwell_s=0.0))
    hall = Hall(synthetic, replace(site, zones=(zone,), rules=()))
    hall.hear({synthetic.PUMP: (3.0, 3.0, 0)}, seconds=10)
    found = [hall.hear({synthetic.PUMP: (18.0, 3.0, 0)}) for _ in range(3)]
    assert [visit.reason for result in found for visit in result.zone_visits] == ["crossed"]


def test_a_portal_read_puts_it_at_the_door(synthetic, site, hall):
    hall.hear({synthetic.PUMP: WARD_PLACE}, seconds=3)
    result = hall.hear(seen=synthetic.door(site, synthetic.PUMP, 3))
    assert rows(result) == [(synthetic.PUMP, Method.PORTAL, Reason.PORTAL_READ)]
    assert result.positions.room.tolist() == [synthetic.STORE]
    assert (result.positions.x_m[0], result.positions.y_m[0]) == pytest.approx((12, 6), abs=1.5)
    assert [v.reason for v in result.room_visits] == ["moved_on", "portal_read"]


def test_few_receivers_are_a_centroid_with_a_wide_error(synthetic, site, hall):
    seen = synthetic.observations(site, [(synthetic.PUMP, 0, -6500, 1)])
    result = hall.hear(seen=seen)
    assert rows(result) == [(synthetic.PUMP, Method.CENTROID, Reason.FIRST_SIGHT)]
    assert result.positions.accuracy_m[0] > 3.0


def test_a_tag_without_rssi_from_ble_is_not_heard(synthetic, site, hall):
    seen = synthetic.observations(site, [(synthetic.PUMP, 0, synthetic.NO_RSSI, 1)])
    result = hall.hear(seen=seen)
    assert len(result.positions) == 0
    assert result.reads == 1


def test_nothing_heard_is_nothing_said(hall):
    result = hall.hear({})
    assert (len(result.positions), result.reads, result.solved) == (0, 0, 0)
    assert result.room_visits == result.zone_visits == result.sessions == result.alerts == ()


def test_an_alert_says_where_with_its_error(synthetic, site, hall):
    found = [hall.hear({synthetic.PUMP: STORE_PLACE}) for _ in range(8)]
    (opened,) = [alert for result in found for alert in result.alerts]
    assert (opened.state, site.rules[opened.rule].code) == ("open", "no-pumps")
    assert (opened.room, opened.floor, opened.z_m) == (synthetic.STORE, 0, 1.0)
    assert (opened.x_m, opened.y_m) == pytest.approx((15, 3), abs=1.0)
    assert 0.5 < opened.accuracy_m < 10
    assert synthetic.seconds(opened.opened_us) == 0
    assert synthetic.seconds(opened.at_us) == 5


def test_gone_and_everything_times_out_once(synthetic, hall):
    hall.hear({synthetic.PUMP: STORE_PLACE}, seconds=10)
    hall.second = 130
    gone = hall.hear({})
    assert [v.reason for v in gone.room_visits] == ["timeout"]
    assert [v.reason for v in gone.zone_visits] == ["timeout"]
    assert [a.state for a in gone.alerts] == ["resolved"]
    assert gone.alerts[0].room == NOWHERE
    hall.second = 320
    assert [s.state for s in hall.hear({}).sessions] == ["AVAILABLE", "UNKNOWN"]
    quiet = hall.hear({}, seconds=3)
    assert quiet.room_visits == quiet.zone_visits == quiet.sessions == quiet.alerts == ()


def frozen(state: BuildingState) -> list[bytes]:
    return [
        getattr(part, f.name).tobytes()
        for part in (state.tracks, state.fences, state.evidence, state.ears)
        for f in fields(part)
    ]


def test_the_state_that_went_in_is_not_touched(synthetic, site, hall):
    """Everything happens at once: a portal, a move, a departure."""
    hall.hear({0: WARD_PLACE, 1: STORE_PLACE, 2: ICU_PLACE}, seconds=10)
    before, bytes_before = hall.state, frozen(hall.state)
    hall.second = 140
    hall.hear(seen=synthetic.door(site, 0, 3))
    hall.hear({1: WARD_PLACE, 3: STORE_PLACE}, seconds=9)
    assert frozen(before) == bytes_before
    assert frozen(hall.state) != bytes_before


def test_the_same_windows_give_the_same_bytes(synthetic, site):
    def run() -> list[bytes]:
        hall = Hall(synthetic, site)
        for second in range(30):
            noise = np.random.default_rng(second).normal(0, 3, (4, 10))
            seen = synthetic.heard(
                site,
                {0: WARD_PLACE, 1: (2 + second / 2, 3.0, 0), 3: ICU_PLACE},
                {(a, r): noise[a, r] for a in range(4) for r in range(10)},
            )
            hall.hear(seen=seen)
        return frozen(hall.state)

    assert run() == run()


def test_an_asset_does_not_depend_on_who_else_is_heard(synthetic, site):
    """To the last bit, alone or in company."""
    together, alone = Hall(synthetic, site), Hall(synthetic, site)
    for second in range(20):
        noise = np.random.default_rng(second).normal(0, 4, (4, 10))
        spoil = {(a, r): noise[a, r] for a in range(4) for r in range(10)}
        others = {a: WARD_PLACE for a in (0, 1, 3) if (second + a) % 3}
        seen = synthetic.heard(site, {**others, 2: (3 + second / 2, 4.0, 0)}, spoil)
        ours = seen.asset == 2
        together.hear(seen=seen)
        alone.hear(seen=type(seen)(*(getattr(seen, f.name)[ours] for f in fields(seen))))
    for f in fields(together.state.tracks):
        both = (getattr(hall.state.tracks, f.name)[2] for hall in (together, alone))
        assert len({column.tobytes() for column in both}) == 1, f.name


class Crowd:
    """A building of many assets on two floors with walls; its reads, shuffled, window by window."""

    def __init__(self, synthetic, assets: int = 90) -> None:
        whole = synthetic.building(walls=True)
        some = tuple(
            replace(whole.assets[0], id=synthetic.identity("asset", f"a{i}")) for i in range(assets)
        )
        rules = tuple(replace(rule, applies=np.ones(assets, bool)) for rule in whole.rules)
        self.site = replace(whole, assets=some, rules=rules)
        self.rng = np.random.default_rng(12)
        self.place = self.rng.uniform([0, 0], [20, 8], (assets, 2))
        self.floor = self.rng.integers(0, 2, assets)
        self.shadow_db = self.rng.normal(0, 4, (assets, 10))

    def reads(self) -> np.ndarray:
        """(reads, 4) as `observations` takes them; a third of the assets walk, some are silent."""
        rng, assets = self.rng, len(self.place)
        self.place[::3] += rng.normal(0, 1, self.place[::3].shape)
        away = self.site.receivers.position_m - np.array([0.0, 0.0, 1.0])
        offset = away[None, :, :2] - self.place[:, None]
        height = away[None, :, 2] - 3.5 * self.floor[:, None]
        distance = np.sqrt((offset**2).sum(axis=2) + height**2)
        slabs = np.abs(self.site.receivers.floor - self.floor[:, None])
        rssi = -59 - 22 * np.log10(np.maximum(distance, 0.3)) - 15 * slabs + self.shadow_db
        rssi += rng.normal(0, 1, rssi.shape)
        rfid = self.site.receivers.kind == 2
        heard = rng.random(rssi.shape) < np.where(rfid, 0.02, 0.7)
        heard &= (rng.random(assets) < 0.8)[:, None]
        asset, receiver = np.nonzero(np.repeat(heard, 2, axis=1))
        receiver = receiver // 2
        dbm = np.where(rfid[receiver], -327.68, rssi[asset, receiver])
        table = np.stack([asset, receiver, (dbm * 100).astype(int), np.ones_like(asset)], axis=1)
        return rng.permutation(table)


def test_neither_company_nor_order_nor_cut_counts(synthetic):
    """Twelve assets of ninety to the last bit, with portals, lifts, walls and gaps.

    Company does say one thing: which receivers live, and how well they hear. Here all are known to.
    """
    crowd = Crowd(synthetic)
    whole, part = Hall(synthetic, crowd.site), Hall(synthetic, crowd.site)
    known = {"heard_us": np.full(10, synthetic.us(1000)), "faintest_dbm": np.full(10, -120.0)}
    keen = replace(Ears.empty(10), **known)
    ours = np.array([0, 1, 2, 3, 17, 18, 40, 41, 42, 60, 87, 89])
    rng = np.random.default_rng(5)
    for _ in range(25):
        reads = crowd.reads()
        mine = rng.permutation(reads[np.isin(reads[:, 0], ours)])
        for hall in (whole, part):
            hall.state = replace(hall.state, ears=keen)
        whole.hear(seen=synthetic.observations(crowd.site, reads))
        part.hear(seen=synthetic.observations(crowd.site, mine))
        for old, new in (
            (whole.state.tracks, part.state.tracks),
            (whole.state.fences, part.state.fences),
            (whole.state.evidence, part.state.evidence),
        ):
            for f in fields(old):
                axis = 1 if old is whole.state.fences else 0
                both = (getattr(half, f.name).take(ours, axis) for half in (old, new))
                assert len({column.tobytes() for column in both}) == 1, f.name
    tracks = whole.state.tracks
    assert (tracks.room[ours] != NOWHERE).sum() > 8
    assert tracks.moving[ours].any()
    assert not tracks.moving[ours].all()


def test_what_is_kept_to_save_time_changes_nothing(synthetic):
    """A state that forgets it before each window, as after a restart, gives the same bytes."""
    crowd = Crowd(synthetic)
    going, restarted = Hall(synthetic, crowd.site), Hall(synthetic, crowd.site)
    held = told = 0
    for _ in range(25):
        seen = synthetic.observations(crowd.site, crowd.reads())
        restarted.state = replace(restarted.state, overlays=NOT_LAID, quiet=NOT_DRAWN)
        ours, theirs = (hall.hear(seen=seen) for hall in (going, restarted))
        assert frozen(going.state) == frozen(restarted.state)
        for f in fields(ours):
            if f.name != "positions":
                assert getattr(ours, f.name) == getattr(theirs, f.name), f.name
        held += len(np.unique(seen.asset)) - ours.solved
        told += len(ours.room_visits) + len(ours.zone_visits)
    assert held > 100
    assert told > 100


def test_no_error_is_told_that_the_truth_does_not_bear_out(synthetic, site):
    """Noise of the receivers' own sigma: the 90 % radius holds the truth in most windows."""
    rng = np.random.default_rng(1)
    hall, inside, told = Hall(synthetic, site), 0, 0
    for _ in range(150):
        place = (rng.uniform(1, 19), rng.uniform(1, 7), 0)
        hall.state = BuildingState.empty(site)
        noise = {(0, r): rng.normal(0, 4) for r in range(10)}
        p = hall.hear(seen=synthetic.heard(site, {0: place}, noise)).positions
        told += 1
        inside += np.hypot(p.x_m[0] - place[0], p.y_m[0] - place[1]) <= p.accuracy_m[0]
    assert inside / told >= 0.85


@pytest.mark.parametrize("count", [0, 1])
def test_a_building_of_almost_nothing(synthetic, count):
    """No rooms, no zones, no assets or one: windows still close."""
    whole = synthetic.building()
    bare = replace(whole.receivers, room=np.full(10, NOWHERE, dtype=np.int64))
    site = replace(whole, rooms=(), zones=(), rules=(), receivers=bare, assets=whole.assets[:count])
    hall = Hall(synthetic, site)
    result = hall.hear({0: WARD_PLACE} if count else {}, seconds=3)
    assert result.room_visits == ()
    assert hall.state.tracks.room.tolist() == [NOWHERE] * count
