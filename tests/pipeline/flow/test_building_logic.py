"""Event time decides: order of arrival, chunks, duplicates and restarts change nothing."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from pipeline.contracts.transport import GatewayMark, LateBatch, RawBatch
from pipeline.domain.events import ClosedWindow
from pipeline.domain.floorplan import Fence, Zone
from pipeline.flow import building_logic, dedup
from pipeline.flow import snapshot as snapshots
from pipeline.flow.building_logic import BuildingFlow
from pipeline.flow.errors import SnapshotError

SEEDS = [1, 2, 3]


@pytest.fixture(scope="module")
def quick(synthetic):
    """The building with fences that time out within the scenario."""
    site = synthetic.building()
    zones = tuple(
        replace(z, fence=replace(z.fence, timeout_s=6.0 if i % 2 else 20.0, entry_dwell_s=i % 3))
        for i, z in enumerate(site.zones)
    )
    return replace(site, zones=zones)


@pytest.fixture(scope="module")
def run(feed, quick):
    """Records of a new flow that takes these batches in these chunks."""

    def go(batches, chunks=None, flow=None):
        flow = flow or BuildingFlow(quick, feed.TIMING, feed.QUICK)
        arrivals = [feed.arrival(quick, b) for b in batches]
        records, at = [], 0
        for size in chunks or [1] * len(arrivals):
            records += flow.take(arrivals[at : at + size])
            at += size
        assert at >= len(arrivals)
        return records

    return go


@pytest.fixture(scope="module", params=SEEDS)
def story(request, feed, quick, run):
    """(what the gateways sent, what the run in perfect order tells, its last marks)"""
    sent = feed.scenario(request.param, quick)
    records = run(feed.in_order(sent))
    return sent, feed.told(records), last_marks(records)


def last_marks(records) -> dict[tuple[str, str], tuple[int, int]]:
    return {
        (r.gateway, r.boot): (r.sequence, r.until_us) for r in records if isinstance(r, GatewayMark)
    }


def cuts(rng: np.random.Generator, total: int, most: int) -> list[int]:
    sizes = []
    while sum(sizes) < total:
        sizes.append(int(rng.integers(1, most + 1)))
    return sizes


def test_the_scenario_is_worth_the_trouble(story):
    """Otherwise the tests below would compare nothing with nothing."""
    sent, told, marks = story
    visits = [v for window in told for v in window[5]]
    zone_visits = [v for window in told for v in window[6]]
    sessions = [s for window in told for s in window[7]]
    alerts = [a for window in told for a in window[8]]
    assert len(told) > 50
    assert {"first_sight", "moved_on", "won_by_margin", "timeout", "seen_again"} <= {
        v.reason for v in visits
    }
    assert {"dwell", "timeout"} <= {v.reason for v in zone_visits}
    assert {"UNKNOWN", "IN_USE", "AVAILABLE"} <= {s.state for s in sessions}
    assert {a.state for a in alerts} == {"open", "resolved"}
    assert len(marks) >= len(sent)


def test_any_interleaving_of_gateways(feed, run, story):
    sent, told, marks = story
    for seed in range(3):
        order = feed.interleaved(sent, np.random.default_rng(seed), limit_s=25.0)
        records = run(order)
        assert not [r for r in records if isinstance(r, LateBatch)]
        assert feed.told(records) == told
        assert last_marks(records) == marks


def test_any_chunking(feed, run, story):
    sent, told, _ = story
    order = feed.in_order(sent)
    rng = np.random.default_rng(1)
    for chunks in ([len(order)], cuts(rng, len(order), 4), cuts(rng, len(order), 40)):
        assert feed.told(run(order, chunks)) == told


def test_duplicates(feed, run, story):
    """Every third batch comes again, at once or after everything else."""
    sent, told, marks = story
    order = []
    for i, made in enumerate(feed.in_order(sent)):
        order += [made, made] if i % 3 == 0 else [made]
    again = [*order, *feed.in_order(sent)[::5]]
    records = run(again)
    assert feed.told(records) == told
    assert last_marks(records) == marks


def test_batches_of_one_gateway_out_of_order(feed, run, story):
    sent, told, marks = story
    for seed in range(2):
        rng = np.random.default_rng(seed)
        mixed = {name: feed.shuffled_nearby(batches, rng) for name, batches in sent.items()}
        assert mixed != sent
        records = run(feed.interleaved(mixed, rng, limit_s=25.0))
        assert not [r for r in records if isinstance(r, LateBatch)]
        assert feed.told(records) == told
        assert last_marks(records) == marks


def test_restarts_from_a_snapshot(feed, quick, run, story):
    """At random points the flow is pickled and a new one goes on from what was read back."""
    sent, told, _ = story
    rng = np.random.default_rng(2)
    order = feed.interleaved(sent, rng, limit_s=25.0)
    flow, records, at = BuildingFlow(quick, feed.TIMING, feed.QUICK), [], 0
    for size in cuts(rng, len(order), 6):
        records += run(order[at : at + size], flow=flow)
        at += size
        kept = pickle.loads(pickle.dumps(snapshots.take(flow)))
        flow = snapshots.restore(kept, quick, feed.TIMING, feed.QUICK)
    assert feed.told(records) == told


def test_everything_at_once(feed, quick, run, story):
    """Interleaved, in chunks, with duplicates, out of order and restarted."""
    sent, told, _ = story
    rng = np.random.default_rng(3)
    mixed = {name: feed.shuffled_nearby(batches, rng) for name, batches in sent.items()}
    order = []
    for made in feed.interleaved(mixed, rng, limit_s=25.0):
        order += [made] * int(rng.integers(1, 3))
    flow, records, at = BuildingFlow(quick, feed.TIMING, feed.QUICK), [], 0
    for size in cuts(rng, len(order), 10):
        chunk = order[at : at + size]
        records += run(chunk, cuts(rng, len(chunk), 5), flow=flow)
        at += size
        kept = pickle.loads(pickle.dumps(snapshots.take(flow)))
        flow = snapshots.restore(kept, quick, feed.TIMING, feed.QUICK)
    assert feed.told(records) == told


def test_a_backlog_of_a_whole_building_taken_at_once(feed, run, story):
    """One gateway after another, as after an outage: late by arrival, all of it in one chunk.

    What is late is kept and counted; nothing is lost on the way.
    """
    sent, _, marks = story
    order = [b for batches in sent.values() for b in batches]
    records = run(order, [len(order)])
    filed = sum(w[2] for w in feed.told(records))
    late = sum(r.late_reads for r in records if isinstance(r, LateBatch))
    strangers = sum(
        tag.reads for r in records if isinstance(r, ClosedWindow) for tag in r.unknown_tags
    )
    assert filed + late + strangers == sum(len(b) for b in order)
    assert late > 0
    assert last_marks(records) == marks


# -- by hand -------------------------------------------------------------------------------------


@pytest.fixture
def flow(feed, site):
    return BuildingFlow(site, feed.TIMING, feed.QUICK)


@pytest.fixture
def take(feed, site, flow):
    return lambda *batches: flow.take([feed.arrival(site, b) for b in batches])


@pytest.fixture
def alone(feed, synthetic):
    """A flow of which only gw-a is registered, and its batches."""
    site = synthetic.building(gateways=("gw-a",))
    flow = BuildingFlow(site, feed.TIMING, feed.QUICK)
    return flow, lambda *batches: flow.take([feed.arrival(site, b) for b in batches])


def near(second: float, tag: str = "ble:aa01") -> list[tuple[float, str, str, float]]:
    return [(second, tag, name, dbm) for name, dbm in (("r1", -60.0), ("r2", -70.0), ("r3", -75.0))]


def windows(records) -> list[ClosedWindow]:
    return [r for r in records if isinstance(r, ClosedWindow)]


def test_a_window_closes_when_the_watermark_has_passed_it(feed, synthetic, alone):
    flow, take = alone
    assert windows(take(feed.batch("gw-a", 1, 1.4, near(0.5)))) == []
    (closed,) = windows(take(feed.batch("gw-a", 2, 1.5, [])))
    assert (closed.result.start_us, closed.result.end_us) == (synthetic.us(0), synthetic.us(1))
    assert closed.result.reads == 3
    assert flow.watermark_us == synthetic.us(1)
    assert flow.open_windows == 0


def test_a_batch_is_marked_once_it_is_in_the_state(feed, synthetic, alone):
    _, take = alone
    raw, *marks = take(feed.batch("gw-a", 1, 1, near(0.5)), feed.batch("gw-a", 3, 3, []))
    assert isinstance(raw, RawBatch)
    assert marks == [GatewayMark("acme", "north", "gw-a", feed.BOOT, 1, synthetic.us(1))]
    (mark,) = [r for r in take(feed.batch("gw-a", 2, 2, [])) if isinstance(r, GatewayMark)]
    assert (mark.sequence, mark.until_us) == (3, synthetic.us(3))


def test_a_duplicate_is_counted_marked_and_nothing_else(feed, alone):
    flow, take = alone
    take(feed.batch("gw-a", 1, 1, near(0.5)))
    records = take(feed.batch("gw-a", 1, 1, near(0.5)))
    assert [type(r) for r in records] == [GatewayMark]
    assert flow.memory.duplicates == 1
    (closed,) = windows(take(feed.batch("gw-a", 2, 9, [])))
    assert (closed.result.reads, closed.duplicates) == (3, 1)
    assert flow.memory.duplicates == 0


def test_late_reads_are_kept_with_their_batch_and_counted(feed, synthetic, alone):
    _, take = alone
    take(feed.batch("gw-a", 1, 60, near(59.5)))
    late = feed.batch("gw-a", 2, 61, [*near(10.0), *near(60.5)])
    records = take(late)
    (kept,) = [r for r in records if isinstance(r, LateBatch)]
    assert (kept.late_reads, kept.sequence, kept.gateway) == (3, 2, "gw-a")
    assert kept.payload == feed.message(late).payload
    assert (kept.building, kept.organization, kept.facility) == ("acme/north/main", "acme", "north")
    (closed,) = windows(records)
    assert (synthetic.seconds(closed.result.start_us), closed.late_reads) == (59, 3)
    again = windows(take(feed.batch("gw-a", 3, 99, [])))
    assert [(w.result.reads, w.late_reads) for w in again if w.result.reads] == [(3, 0)]


def test_what_was_closed_without_a_gateway_stays_closed_when_it_returns(feed, synthetic):
    """gw-b falls 38 s behind and is set aside; what it sends from then is late, no new window."""
    site = synthetic.building(gateways=("gw-a", "gw-b"))
    flow = BuildingFlow(site, feed.TIMING, feed.QUICK)
    sent = [
        feed.batch("gw-a", 1, 1.5, near(0.5)),
        feed.batch("gw-b", 1, 1.5),
        feed.batch("gw-a", 2, 40, near(21.5)),
        feed.batch("gw-b", 2, 20),
        feed.batch("gw-b", 3, 25, near(21.5)),
        feed.batch("gw-b", 4, 40),
    ]
    records = flow.take([feed.arrival(site, b) for b in sent])
    assert [r.late_reads for r in records if isinstance(r, LateBatch)] == [3]
    starts = [w.result.start_us for w in windows(records)]
    assert starts == sorted(set(starts))
    assert flow.watermark_us == synthetic.us(39.5)


def test_strangers_are_reported_and_do_not_count(feed, synthetic, alone):
    _, take = alone
    reads = [
        (0.2, "ble:zz", "r1", -50.0),
        (0.7, "ble:zz", "r1", -50.0),
        (0.5, "ble:yy", "r1", -5.0),
    ]
    (closed,) = windows(take(feed.batch("gw-a", 1, 9, [*near(0.5), *reads])))
    assert closed.result.reads == 3
    assert [(u.tag, u.first_us, u.last_us, u.reads) for u in closed.unknown_tags] == [
        ("ble:yy", synthetic.us(0.5), synthetic.us(0.5), 1),
        ("ble:zz", synthetic.us(0.2), synthetic.us(0.7), 2),
    ]


def test_the_number_of_strangers_is_bounded(feed, alone, monkeypatch):
    monkeypatch.setattr(building_logic, "MAX_UNKNOWN_TAGS", 3)
    _, take = alone
    reads = [(0.5, f"ble:z{i}", "r1", -50.0) for i in range(9)]
    (closed,) = windows(take(feed.batch("gw-a", 1, 9, [*near(0.5), *reads])))
    assert [u.tag for u in closed.unknown_tags] == ["ble:z0", "ble:z1", "ble:z2"]


def test_reads_of_an_unregistered_receiver_are_left_out(feed, alone):
    _, take = alone
    reads = [*near(0.5), (0.5, "ble:aa01", "attic", -20.0)]
    (closed,) = windows(take(feed.batch("gw-a", 1, 9, reads)))
    assert closed.result.reads == 3


def test_a_gateway_hears_with_its_own_receivers_only(feed, synthetic, alone):
    """r2 of gw-a and r2 of gw-c stand on different floors."""
    _, take = alone
    (closed,) = windows(take(feed.batch("gw-a", 1, 9, [(0.5, "ble:aa01", "r2", -40.0)])))
    assert closed.result.positions.floor.tolist() == [0]


def test_both_tags_of_an_asset_are_one_asset(feed, alone, synthetic):
    _, take = alone
    reads = [*near(0.5, "ble:aa03"), *near(0.6, "ble:aa04")]
    (closed,) = windows(take(feed.batch("gw-a", 1, 9, reads)))
    assert closed.result.positions.asset.tolist() == [synthetic.MONITOR]
    assert closed.result.positions.reads.tolist() == [6]


def test_time_outs_pass_while_nothing_is_heard(feed, synthetic, alone):
    """Visits and sessions end although no window has reads: at ticks, as of when last heard."""
    _, take = alone
    take(feed.batch("gw-a", 1, 1.5, near(0.5)))
    quiet = windows(take(feed.batch("gw-a", 2, 60, [])))
    assert [w.result.reads for w in quiet] == [0, 0]
    left, unknown = quiet
    assert synthetic.seconds(left.result.end_us) == 10
    assert [(v.reason, synthetic.seconds(v.left_us)) for v in left.result.room_visits] == [
        ("timeout", 1)
    ]
    assert synthetic.seconds(unknown.result.end_us) == 20
    assert [s.state for s in unknown.result.sessions] == ["IN_USE", "UNKNOWN"]


def test_time_outs_pass_within_one_take_as_well(feed, synthetic, alone):
    """The same, but all of it arrives at once."""
    _, take = alone
    records = take(feed.batch("gw-a", 1, 1.5, near(0.5)), feed.batch("gw-a", 2, 60, []))
    assert [synthetic.seconds(w.result.end_us) for w in windows(records)] == [1, 10, 20]


def test_a_fence_times_out_although_nothing_else_can_any_more(feed, synthetic):
    """The fence waits longer than room and use do; only this asset was ever heard."""
    fence = Fence(entry_dwell_s=0.0, timeout_s=100.0)
    polygon = synthetic.rectangle(-1, -1, 10, 9)
    zone = Zone(synthetic.identity("zone", "west"), "west", "the west", 0, polygon, fence)
    site = synthetic.building(gateways=("gw-a",), zones=(zone,), rules=())
    flow = BuildingFlow(site, feed.TIMING, feed.QUICK)
    first = flow.take([feed.arrival(site, feed.batch("gw-a", 1, 1.5, near(0.5)))])
    assert [v.reason for w in windows(first) for v in w.result.zone_visits] == ["dwell"]
    later = []
    for i, until_s in enumerate(range(10, 200, 10)):
        later += flow.take([feed.arrival(site, feed.batch("gw-a", 2 + i, until_s, []))])
    ends = [v for w in windows(later) for v in w.result.zone_visits]
    assert [(v.reason, synthetic.seconds(v.left_us)) for v in ends] == [("timeout", 1)]


def test_a_long_silence_costs_no_ticks_once_nothing_is_left_to_expire(feed, alone, monkeypatch):
    _, take = alone
    take(feed.batch("gw-a", 1, 1.5, near(0.5)))
    calls = []
    real = building_logic.advance

    def counting(*args):
        calls.append(args)
        return real(*args)

    monkeypatch.setattr(building_logic, "advance", counting)
    take(feed.batch("gw-a", 2, 3500, near(3499.0)))
    # The visit, the session and the fences (120 s) expire; then there is the one with reads.
    assert len(calls) < 30


def test_a_wrong_version_of_state_is_refused_with_what_to_do(feed, site, flow):
    snapshot = snapshots.take(flow) | {"version": 99}
    with pytest.raises(SnapshotError, match="state of version 99") as refused:
        snapshots.restore(snapshot, site, feed.TIMING, feed.QUICK)
    assert "start with an empty recovery directory" in str(refused.value)
    assert refused.value.found == 99
    with pytest.raises(SnapshotError, match="state of version None"):
        snapshots.restore({}, site, feed.TIMING, feed.QUICK)


def frozen(value: object) -> object:
    """A snapshot, or a part of it, as a value that nobody can change."""
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, dict):
        return {key: frozen(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    return value


def test_a_snapshot_does_not_change_when_the_flow_goes_on(feed, quick, run):
    """The engine pickles it at the end of the epoch, after more may have been taken."""
    sent = feed.in_order(feed.scenario(4, quick))
    flow = BuildingFlow(quick, feed.TIMING, feed.QUICK)
    half = len(sent) // 2
    # Some batches are missing, so that streams are ahead of a gap and windows are open.
    run([b for i, b in enumerate(sent[:half]) if i not in {half - 6, half - 7}], flow=flow)
    snapshot = snapshots.take(flow)
    before = frozen(snapshot)
    assert snapshot["windows"] and any(
        beyond for kept in snapshot["streams"].values() for *_, beyond in kept["boots"].values()
    )
    run(sent[half:], flow=flow)
    assert frozen(snapshot) == before
    assert frozen(pickle.loads(pickle.dumps(snapshot))) == before
    restored = snapshots.restore(snapshot, quick, feed.TIMING, feed.QUICK)
    run(sent[half:], flow=restored)
    assert frozen(snapshot) == before


def test_more_boots_than_are_remembered_in_one_chunk(feed, site, flow):
    """A gateway that crashed 80 times sends all of it after an outage."""
    boots = [f"{i:08x}" for i in range(80)]
    batches = [feed.batch("gw-a", 1, i, near(i), boot=boot) for i, boot in enumerate(boots)]
    records = flow.take([feed.arrival(site, b) for b in batches])
    marked = [r.boot for r in records if isinstance(r, GatewayMark)]
    assert marked == boots[-dedup.MAX_BOOTS :]


# -- the registry changes ------------------------------------------------------------------------


def test_state_and_open_windows_follow_their_ids(feed, synthetic):
    """Assets and receivers change places while a window is open: the same positions as before."""
    site = synthetic.building(gateways=("gw-a",), version=1)
    order = np.arange(10)[::-1]
    old = site.receivers
    columns = {
        name: getattr(old, name)[order]
        for name in ("position_m", "floor", "room", "kind", "p0_dbm", "path_loss_exponent",
                     "sigma_db", "range_m")
    }  # fmt: skip
    turned = replace(
        site,
        version=2,
        assets=site.assets[::-1],
        tag_asset=len(site.assets) - 1 - site.tag_asset,
        receivers=type(old)(ids=old.ids[::-1], names=old.names[::-1], **columns),
    )
    batches = [feed.batch("gw-a", i + 1, i + 1.2, near(i + 0.5)) for i in range(4)]

    def positions(versions) -> list[tuple[str, float, float]]:
        flow, found = BuildingFlow(site, feed.TIMING, feed.QUICK), []
        for version, made in zip(versions, batches, strict=True):
            flow.adopt(version)
            for w in windows(flow.take([feed.arrival(version, made)])):
                p = w.result.positions
                found += [
                    (w.building.assets[a].tag_number, round(x, 6), round(y, 6))
                    for a, x, y in zip(p.asset.tolist(), p.x_m, p.y_m, strict=True)
                ]
        return found

    assert positions([site, turned, site, turned]) == positions([site] * 4)


def test_an_asset_that_is_gone_takes_its_open_reads_with_it(feed, synthetic):
    site = synthetic.building(gateways=("gw-a",), version=1)
    flow = BuildingFlow(site, feed.TIMING, feed.QUICK)
    flow.take([feed.arrival(site, feed.batch("gw-a", 1, 1, [*near(0.5), *near(0.6, "ble:aa02")]))])
    without = replace(
        site,
        version=2,
        assets=site.assets[1:],
        tags=site.tags[2:],
        tag_asset=site.tag_asset[2:] - 1,
        rules=(),
    )
    flow.adopt(without)
    (closed,) = windows(flow.take([feed.arrival(without, feed.batch("gw-a", 2, 9, []))]))
    assert closed.result.reads == 3
    assert [without.assets[a].tag_number for a in closed.result.positions.asset] == ["bed-1"]


def test_the_same_version_is_not_looked_at(site, flow):
    flow.adopt(replace(site, assets=()))
    assert flow.building is site


def test_restore_moves_the_state_to_the_present_building(feed, synthetic):
    site = synthetic.building(gateways=("gw-a",), version=1)
    flow = BuildingFlow(site, feed.TIMING, feed.QUICK)
    flow.take([feed.arrival(site, feed.batch("gw-a", 1, 3, near(0.5, "ble:aa02")))])
    turned = replace(site, version=7, rooms=site.rooms[::-1], zones=(), rules=())
    kept = pickle.loads(pickle.dumps(snapshots.take(flow)))
    again = snapshots.restore(kept, turned, feed.TIMING, feed.QUICK)
    assert again.building is turned
    records = again.take([feed.arrival(turned, feed.batch("gw-a", 2, 60, []))])
    left = [v for w in windows(records) for v in w.result.room_visits]
    assert [(turned.rooms[v.place].code, v.reason) for v in left] == [("ward", "timeout")]
