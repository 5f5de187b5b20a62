"""The benchmarks' runs, small: every read arrives, and the naive flow says the same as ours.

Nothing about time is asserted. The figures: `python tests/benchmarks/report.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import broker_run, measures
from bench.load import Load, Recorded, prepare
from bench.naive_run import run_naive
from bench.naive_sink import differences, sizes
from bench.realtime import delay
from bench.replay_run import replay
from bench.services import Services

from pipeline.database.connect import connect
from pipeline.flow.event_time import Timing

LOAD = Load(buildings=2, tags=12, seconds=10, noise_db=2.0, moving=0.5)


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with Services() as started:
        yield started


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return prepare(LOAD, tmp_path_factory.mktemp("load"))


def test_the_naive_flow_gives_the_same_rows(services: Services, recorded: Recorded) -> None:
    with services.fresh(2, LOAD.tags) as ours, services.fresh(2, LOAD.tags) as theirs:
        found = replay(recorded, ours, store=True, warm_s=0.0)
        assert run_naive(recorded, theirs)["reads"] == found["all_reads"] == recorded.reads()
        with connect(ours) as one, connect(theirs) as other:
            assert set(differences(one, other).values()) == {0}
            rows = sizes(one)
            assert rows["telemetry.location_history"] == found["rows"] > 2 * LOAD.tags
            assert min(rows["tracking.room_visit"], rows["tracking.usage_session"]) > 0
            # The comparison can tell a difference.
            other.execute("update telemetry.location_history set x_m = x_m + 0.001 "
                          "where asset_id = (select min(asset_id::text)::uuid "
                          "from telemetry.location_history)")  # fmt: skip
            assert differences(one, other)["telemetry.location_history"] > 0


def test_a_replay_counts_what_it_does(services: Services, recorded: Recorded) -> None:
    with services.fresh(2, LOAD.tags) as url:
        found = replay(recorded, url, store=False, warm_s=4.0)
        with connect(url) as connection:
            assert set(sizes(connection).values()) == {0}, "a null sink stores nothing"
    assert found["all_reads"] == found["sent"] == recorded.reads()
    assert found["reads"] == LOAD.reads_a_second * (LOAD.seconds - 4)
    assert found["windows"] == LOAD.buildings * (LOAD.seconds - 4)
    assert (found["refused"], found["late_reads"]) == (0, 0)
    assert 0 < found["solved_share"] <= 1
    assert found["seconds"] > 0


@pytest.mark.parametrize("shards", [1, 2])
def test_everything_arrives_through_the_broker(
    services: Services, recorded: Recorded, shards: int
) -> None:
    """`run` itself fails when a read is missing."""
    found = broker_run.run(services, recorded, 2000.0, shards=shards, warm_s=3.0)
    sent = recorded.reads(recorded.first_after(3.0))
    assert found["measured_reads"] == sent
    assert 0 < found["reads_per_s"] <= 2000 * 1.05
    assert all(spent >= 0 for spent in found["cpu_s"].values())
    assert found["cpu_s"]["pipeline"] > 0
    assert found["memory_mib"] > 20


def test_lost_reads_end_a_benchmark(services: Services, tmp_path: Path) -> None:
    """A load whose messages the pipeline refuses must not become a figure."""
    ahead = prepare(Load(buildings=1, tags=10, seconds=2), tmp_path)
    ahead.topics[:] = [topic.replace("/g00/", "/nobody/") for topic in ahead.topics]
    told = ahead.directory / "load.json"
    told.write_text(told.read_text().replace("/g00/", "/nobody/"))
    with (
        services.fresh(1, 10) as url,
        pytest.raises(AssertionError, match="messages refused"),
    ):
        measures.whole(replay(ahead, url, store=False, warm_s=0.0))


@pytest.mark.long
def test_delays_are_those_of_a_load_in_real_time(services: Services) -> None:
    load = Load(buildings=1, tags=20, seconds=8, flush_s=0.25)
    found = delay(services, load, warm_s=3.0)
    # Nothing can be stored before its gateways have sent what comes after the allowed lateness.
    assert Timing().allowed_lateness_s < found["latency_p50_s"] <= found["latency_p99_s"]
    assert found["latency_p99_s"] < 60, "the delay is counted from the wall clock's event time"
