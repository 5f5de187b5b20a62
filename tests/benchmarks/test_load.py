"""The benchmarks' load is what it says: a benchmark of something else would prove nothing."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from bench import hospital
from bench.load import START_US, Load, Recorded, prepare
from bench.radio import HEARD_BY, SECOND_US, listen

from pipeline.contracts import codec
from pipeline.contracts.reads import ReadBatch

LOAD = Load(buildings=2, tags=200, seconds=5, reads_a_message=10, flush_s=0.5)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return prepare(LOAD, tmp_path_factory.mktemp("load"))


def batches(recorded: Recorded) -> list[tuple[str, ReadBatch, int]]:
    return [
        (topic, codec.decode_batch(payload), ready_us)
        for topic, payload, ready_us in recorded.messages(0, len(recorded))
    ]


def times_us(batch: ReadBatch) -> np.ndarray:
    return np.frombuffer(batch.offset_us, "<u4").astype(np.int64) + batch.start_us


def test_every_tag_is_heard_by_four_receivers_each_second(recorded: Recorded) -> None:
    heard: dict[tuple[str, int], set[str]] = defaultdict(set)
    for topic, batch, _ in batches(recorded):
        seconds = (times_us(batch) - START_US) // SECOND_US
        index = np.frombuffer(batch.tag_index, "<u2").tolist()
        for tag, second in zip(index, seconds.tolist(), strict=True):
            heard[batch.tags[tag], second].add(topic)
    assert len(heard) == LOAD.buildings * LOAD.tags * LOAD.seconds
    assert {len(topics) for topics in heard.values()} == {HEARD_BY}
    assert recorded.reads() == LOAD.reads_a_second * LOAD.seconds


def test_gateways_keep_their_promises_and_count(recorded: Recorded) -> None:
    promised_us: dict[str, int] = {}
    sequence: dict[str, int] = defaultdict(int)
    sent_us = 0
    for topic, batch, ready_us in batches(recorded):
        assert ready_us >= sent_us, "messages are in the order of sending"
        sent_us = ready_us
        assert batch.sequence == sequence[topic] + 1
        sequence[topic] += 1
        times = times_us(batch)
        assert times.min(initial=ready_us) >= promised_us.get(topic, 0)
        assert times.max(initial=0) <= ready_us, "nothing is sent before it is heard"
        promised_us[topic] = batch.until_us
    assert len(promised_us) == LOAD.buildings * hospital.GATEWAYS
    assert min(promised_us.values()) > START_US + LOAD.seconds * SECOND_US, "the tail closes all"


def test_messages_have_the_size_that_was_asked_for(tmp_path: Path) -> None:
    made = prepare(LOAD.changed(tags=2000, seconds=3, flush_s=1.0, reads_a_message=50), tmp_path)
    assert 40 < made.mean_reads_a_message < 60


def test_a_load_is_made_once_and_always_the_same(recorded: Recorded, tmp_path: Path) -> None:
    again = prepare(LOAD, tmp_path)
    one, other = (list(r.messages(0, len(r))) for r in (recorded, again))
    assert one == other
    assert prepare(LOAD, tmp_path).directory == again.directory
    assert prepare(LOAD.changed(seed=2), tmp_path).directory != again.directory


def test_only_the_walkers_move() -> None:
    """Without noise a still tag is heard the same in every second."""
    reads = listen(np.random.default_rng(1), tags=50, moving=5, seconds=20, noise_db=0.0)
    told = defaultdict(set)
    for gateway, tag, rssi in zip(reads.gateway, reads.tag, reads.rssi_dbm, strict=True):
        told[int(tag)].add((int(gateway), float(rssi)))
    changing = {tag for tag, heard in told.items() if len(heard) > HEARD_BY}
    assert changing == set(range(5))


def test_the_site_is_a_whole_hospital() -> None:
    site = hospital.site(3, 30)
    (building,) = site.buildings
    assert sum(len(floor.rooms) for floor in building.floors) == 100
    assert len(building.zones) == 20
    assert len(building.gateways) == hospital.GATEWAYS == 40
    assert [a.tags for a in site.assets][:2] == [[hospital.tag(3, 0)], [hospital.tag(3, 1)]]
    assert sum(a.category == "SURGICAL" for a in site.assets) == 3
