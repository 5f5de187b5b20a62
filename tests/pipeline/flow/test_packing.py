"""The packed state is the state, to the last bit, whatever is in it."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.domain.evidence import Evidence
from pipeline.domain.fences import Fences
from pipeline.domain.silence import Ears
from pipeline.domain.tracking import BuildingState
from pipeline.domain.tracks import NEVER_US, Tracks
from pipeline.flow.building_logic import BuildingFlow
from pipeline.flow.packing import packed, unpacked

SECOND = 1_000_000


def same(one: BuildingState, two: BuildingState) -> None:
    for part in ("tracks", "fences", "evidence", "ears"):
        a, b = getattr(one, part), getattr(two, part)
        for f in fields(a):
            x, y = getattr(a, f.name), getattr(b, f.name)
            assert (x.dtype, x.shape) == (y.dtype, y.shape), f.name
            assert np.array_equal(x, y, equal_nan=x.dtype.kind == "f"), f.name


def size(content: object) -> int:
    if isinstance(content, np.ndarray):
        return content.nbytes
    if isinstance(content, dict):
        return sum(map(size, content.values()))
    return sum(map(size, content)) if isinstance(content, tuple) else 0


@pytest.fixture(scope="module")
def lived(synthetic, feed):
    """A state after a story, and the end of its last window."""
    place = synthetic.building()
    flow = BuildingFlow(place, feed.TIMING, feed.QUICK)
    story = feed.in_order(feed.scenario(1, place))
    flow.take([feed.arrival(place, b) for b in story[: len(story) // 2]])
    return flow.memory.state, flow.memory.windows.closed_us


def test_it_comes_back(lived):
    state, closed_us = lived
    same(unpacked(packed(state, closed_us, SECOND)), state)
    assert (state.fences.phase != 0).any()


def test_nothing_yet(synthetic):
    state = BuildingState.empty(synthetic.building())
    same(unpacked(packed(state, NEVER_US, SECOND)), state)


@pytest.mark.parametrize("off_the_grid_us", [1, 2**61, -(2**61), 2**31 * SECOND])
def test_what_does_not_fit_is_kept_as_it_is(lived, off_the_grid_us):
    state, closed_us = lived
    tracks = replace(state.tracks, heard_us=state.tracks.heard_us + off_the_grid_us)
    tracks = replace(tracks, room=tracks.room + 40_000)
    state = replace(state, tracks=tracks)
    same(unpacked(packed(state, closed_us, SECOND)), state)


def test_it_is_small():
    """The engine stores it in every epoch."""
    tags, zones = 5_000, 20
    evidence = Evidence.empty(tags)
    evidence.receiver[:, :8] = np.arange(8)
    ears = Ears.empty(100)
    state = BuildingState(Tracks.empty(tags), Fences.empty(zones, tags), evidence, ears)
    assert size(packed(state, 0, SECOND)) < 280 * tags


def test_it_has_no_alias_in_the_state(lived):
    state, closed_us = lived
    content = packed(state, closed_us, SECOND)
    again = unpacked(content)
    for part in ("tracks", "fences", "ears"):
        for name in type(getattr(state, part)).__annotations__:
            kept = getattr(getattr(state, part), name)
            assert not np.shares_memory(kept, getattr(getattr(again, part), name))
            assert not np.shares_memory(kept, content[part][name][1])
    for name in type(state.evidence).__annotations__:
        kept = getattr(state.evidence, name)
        assert not np.shares_memory(kept, getattr(again.evidence, name))
    assert not np.shares_memory(state.evidence.age, content["evidence"]["assets"]["age"])
