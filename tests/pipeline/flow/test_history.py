"""History computed again from raw batches is what an uninterrupted flow would have said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.contracts.transport import Checkpoint, LateBatch, RawBatch, RawMessage
from pipeline.domain.events import ClosedWindow
from pipeline.flow import checkpoint
from pipeline.flow.arrivals import Router
from pipeline.flow.building_logic import BuildingFlow
from pipeline.flow.errors import CheckpointError
from pipeline.flow.history import recompute
from pipeline.registry.directory import StaticDirectory


@pytest.fixture(scope="module")
def place(synthetic, feed):
    """The building with time-outs that the story reaches, and a checkpoint every ten seconds."""
    return synthetic.building()


@pytest.fixture(scope="module")
def timing(feed):
    return replace(feed.TIMING, checkpoint_s=10.0, gateway_timeout_s=5.0)


def run(feed, place, timing, batches):
    flow = BuildingFlow(place, timing, feed.QUICK)
    records = []
    for made in batches:
        records += flow.take([feed.arrival(place, made)])
    return records


def without_counts(records):
    """What windows say, without what depends on the order of arrival."""
    return [r.result for r in records if isinstance(r, ClosedWindow)]


def same(one, two):
    assert [r.end_us for r in one] == [r.end_us for r in two]
    for a, b in zip(one, two, strict=True):
        assert (a.reads, a.room_visits, a.zone_visits, a.sessions, a.alerts) == (
            b.reads, b.room_visits, b.zone_visits, b.sessions, b.alerts,
        )  # fmt: skip
        for name in type(a.positions).__annotations__:
            left, right = getattr(a.positions, name), getattr(b.positions, name)
            assert left.tobytes() == right.tobytes(), name


def again(feed, place, timing, records, start, until_us, **options):
    """Recomputed from the checkpoint `start` with all raw batches of `records`."""
    names = {place.ids[f"gateway/{code}"]: code for code in place.gateways}
    raw = sorted(
        (r for r in records if isinstance(r, RawBatch) and r.last_us >= start.at_us),
        key=lambda r: (r.first_us, r.gateway_id, r.sequence),
    )
    batches = [
        (r.first_us, feed.message(r.payload, names[r.gateway_id], received_us=2**62)) for r in raw
    ]
    route = Router(StaticDirectory([place])).route
    state = checkpoint.decode(start.state)
    rules = (timing, feed.QUICK)
    return list(recompute(place, state, start.at_us, until_us, batches, route, *rules, **options))


@pytest.fixture(scope="module")
def story(feed, place):
    return feed.scenario(3, place)


def test_history_with_late_reads_is_that_without(feed, place, timing, story):
    """gw-b comes when everything else is over; from every checkpoint on history is made whole."""
    whole = run(feed, place, timing, feed.in_order(story))
    assert not [r for r in whole if isinstance(r, LateBatch)]
    held = {name: batches for name, batches in story.items() if name != "gw-b"}
    order = [*feed.in_order(held), *story["gw-b"]]
    records = run(feed, place, timing, order)
    late = [r for r in records if isinstance(r, LateBatch)]
    assert sum(r.late_reads for r in late) > 20
    right = without_counts(whole)
    assert without_counts(records)[5:] != right[5:]
    until_us = max(r.end_us for r in without_counts(records))
    first, *_ = starts = [r for r in records if isinstance(r, Checkpoint)]
    assert len(starts) > 3
    revised = again(feed, place, timing, records, first, until_us)
    same(without_counts(revised), [r for r in right if r.end_us <= until_us])
    kept = {r.at_us: r.state for r in whole if isinstance(r, Checkpoint)}
    made = {r.at_us: r.state for r in revised if isinstance(r, Checkpoint)}
    assert made == {at_us: state for at_us, state in kept.items() if at_us in made}


def test_from_any_checkpoint_on_it_is_the_same(feed, place, timing, story):
    whole = run(feed, place, timing, feed.in_order(story))
    results = without_counts(whole)
    for start in [r for r in whole if isinstance(r, Checkpoint)]:
        until_us = results[-2].end_us
        revised = without_counts(again(feed, place, timing, whole, start, until_us))
        same(revised, [r for r in results if start.at_us < r.end_us <= until_us])


def test_how_the_batches_are_cut_changes_nothing(feed, place, timing, story, monkeypatch):
    whole = run(feed, place, timing, feed.in_order(story))
    start = next(r for r in whole if isinstance(r, Checkpoint))
    until_us = without_counts(whole)[-1].end_us
    at_once = without_counts(again(feed, place, timing, whole, start, until_us))
    monkeypatch.setattr("pipeline.flow.history.CHUNK", 3)
    same(without_counts(again(feed, place, timing, whole, start, until_us)), at_once)


def test_reads_outside_the_stretch_do_not_count(feed, place, timing, story):
    whole = run(feed, place, timing, feed.in_order(story))
    starts = [r for r in whole if isinstance(r, Checkpoint)]
    results = without_counts(whole)
    until_us = starts[2].at_us
    revised = without_counts(again(feed, place, timing, whole, starts[1], until_us))
    same(revised, [r for r in results if starts[1].at_us < r.end_us <= until_us])


def test_batches_of_a_gateway_that_is_gone_are_left_out(feed, place, timing):
    route = Router(StaticDirectory([place])).route
    stranger = RawMessage("biotrakr/v1/acme/north/gateways/gone/reads", b"", 2**62)
    rules = (timing, feed.QUICK)
    found = recompute(place, None, 0, 10_000_000, [(0, stranger)], route, *rules)
    assert without_counts(found) == []


def test_a_checkpoint_comes_back_as_it_was(feed, place, timing, story):
    flow = BuildingFlow(place, timing, feed.QUICK)
    flow.take([feed.arrival(place, b) for b in feed.in_order(story)])
    state = flow.memory.state
    alignment, restored = checkpoint.decode(
        checkpoint.encode(place.alignment, state, flow.memory.windows.closed_us, timing.window_us)
    )
    assert alignment == place.alignment
    for part in ("tracks", "fences"):
        one, two = getattr(state, part), getattr(restored, part)
        for name in type(one).__annotations__:
            before, after = getattr(one, name), getattr(two, name)
            assert (before.dtype, before.shape) == (after.dtype, after.shape)
            assert np.array_equal(before, after, equal_nan=before.dtype.kind == "f")


@pytest.mark.parametrize("data", [b"", b"x", b"\x78\x9c\x03\x00\x00\x00\x00\x01"])
def test_a_checkpoint_that_is_none_is_refused(data):
    with pytest.raises(CheckpointError, match="cannot be used"):
        checkpoint.decode(data)
