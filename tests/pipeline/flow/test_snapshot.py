"""The persisted form of a building's state: every released version loads for ever.

`snapshot_v1.pickle` is what version 1 wrote (the engine pickles snapshots), and so on:

    pickle.dumps(snapshots.take(written(feed, place)), protocol=4)

A change of the form needs a new version with a file of its own; these stay as they are.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.events import ClosedWindow
from pipeline.flow import snapshot as snapshots
from pipeline.flow.building_logic import BuildingFlow
from pipeline.flow.event_time import Timing

GOLDEN = {n: Path(__file__).with_name(f"snapshot_v{n}.pickle") for n in (1, 2, 3)}
TIMING = Timing(window_s=1.0, allowed_lateness_s=0.5, gateway_timeout_s=30.0, tick_s=10.0)


@pytest.fixture(scope="module")
def place(synthetic):
    return synthetic.building(gateways=("gw-a",))


def near(second: float, tag: str) -> list[tuple[float, str, str, float]]:
    return [(second, tag, name, dbm) for name, dbm in (("r1", -60.0), ("r2", -70.0), ("r3", -75.0))]


def written(feed, place) -> BuildingFlow:
    """The pump has been in the ward for 20 s, the bed was just heard; a batch is missing."""
    flow = BuildingFlow(place, TIMING, feed.Policy())
    batches = [feed.batch("gw-a", i, i, near(i - 0.5, "ble:aa01")) for i in range(1, 21)]
    flow.take([feed.arrival(place, b) for b in batches])
    ahead = feed.batch("gw-a", 22, 22, [*near(21.5, "ble:aa02"), (21, "ble:z", "r1", -9)])
    flow.take([feed.arrival(place, ahead)])
    return flow


@pytest.fixture(params=GOLDEN)
def golden(request: pytest.FixtureRequest) -> dict:
    return pickle.loads(GOLDEN[request.param].read_bytes())


def test_they_are_small():
    for version, path in GOLDEN.items():
        assert pickle.loads(path.read_bytes())["version"] == version
        assert path.stat().st_size < 12_000


def test_every_version_loads_and_goes_on(feed, synthetic, place, golden):
    """The missing batch arrives; then both fall silent and everything times out."""
    flow = snapshots.restore(golden, place, TIMING, feed.Policy())
    assert synthetic.seconds(flow.watermark_us) == 19.5
    assert flow.open_windows == 2
    rest = [feed.batch("gw-a", 21, 21, near(20.5, "ble:aa01")), feed.batch("gw-a", 23, 600, [])]
    records = flow.take([feed.arrival(place, b) for b in [*rest, rest[0]]])
    closed = [r for r in records if isinstance(r, ClosedWindow)]
    seconds, codes = synthetic.seconds, [asset.tag_number for asset in place.assets]
    visits = [
        (codes[v.asset], v.reason, seconds(v.entered_us), seconds(v.left_us))
        for c in closed for v in c.result.room_visits
    ]  # fmt: skip
    assert visits == [
        ("bed-1", "first_sight", 21, None),
        ("pump-1", "timeout", 0, 21),
        ("bed-1", "timeout", 21, 22),
    ]
    sessions = [
        (codes[s.asset], s.state, seconds(s.started_us), seconds(s.ended_us))
        for c in closed for s in c.result.sessions
    ]  # fmt: skip
    assert sessions == [
        ("bed-1", "IN_USE", 21, None),
        ("pump-1", "IN_USE", 0, 21),
        ("pump-1", "UNKNOWN", 21, None),
        ("bed-1", "IN_USE", 21, 22),
        ("bed-1", "UNKNOWN", 22, None),
    ]
    assert [c.result.reads for c in closed if c.result.reads] == [3, 3, 3]
    assert closed[0].unknown_tags[0].tag == "ble:z"
    assert flow.memory.duplicates + sum(c.duplicates for c in closed) == 1


def shape(value: object) -> object:
    """What a snapshot is made of, without its values."""
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.ndim)
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [shape(part) for part in value]
    return type(value).__name__


def test_todays_form_is_that_of_its_version(feed, place):
    """A column more or another type is another version, even if this one can read both."""
    assert max(GOLDEN) == snapshots.VERSION
    newest = pickle.loads(GOLDEN[snapshots.VERSION].read_bytes())
    assert shape(snapshots.take(written(feed, place))) == shape(newest)


def plain(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf"
    if isinstance(value, dict):
        return all(map(plain, value)) and all(map(plain, value.values()))
    if isinstance(value, list | tuple):
        return all(map(plain, value))
    return value is None or type(value) in {int, float, str, bytes, bool}


def test_a_snapshot_is_plain(feed, place):
    """No class of ours is pickled: a renamed module must not make old state unreadable."""
    snapshot = snapshots.take(written(feed, place))
    assert plain(snapshot)
    assert b"pipeline." not in pickle.dumps(snapshot)
