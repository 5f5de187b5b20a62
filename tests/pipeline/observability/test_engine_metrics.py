"""Turns and epochs of the loop, transactions of the sink, with times made up."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import input as input_
from bytewax.operators import output
from bytewax.testing import TestingSink, TestingSource, run_main
from prometheus_client import CollectorRegistry

from pipeline.observability.engine_metrics import LoopMetrics, ObservedSource, SinkMetrics
from pipeline.sinks.transaction import Epoch


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_epochs(registry: CollectorRegistry) -> None:
    clock = Clock()
    loop = LoopMetrics(registry, clock)
    for length_s, closing_s in ((5.0, 0.2), (0.5, 0.3), (0.7, 0.1)):
        clock.now_s += length_s
        loop.epoch_ends()
        clock.now_s += closing_s
        loop.turned()
        assert loop.turned_s == clock.now_s
        clock.now_s += 0.05
        loop.turned()  # has nothing to do with closing any more
        clock.now_s -= 0.05
    value = registry.get_sample_value
    assert value("biotrakr_epoch_close_seconds_count") == 3
    assert value("biotrakr_epoch_close_seconds_sum") == pytest.approx(0.6)
    # The first epoch began before we looked.
    assert value("biotrakr_epoch_seconds_count") == 2
    assert value("biotrakr_epoch_seconds_sum") == pytest.approx(0.5 + 0.2 + 0.7 + 0.3)


def test_a_source_that_is_observed_does_what_it_did(registry: CollectorRegistry) -> None:
    """Under the engine: every item, in order, once; its state is asked for and given back."""
    loop = LoopMetrics(registry)
    out: list[int] = []
    flow = Dataflow("observed")
    source = ObservedSource(TestingSource(range(100), batch_size=7), loop)
    output("out", input_("in", flow, source), TestingSink(out))
    run_main(flow, epoch_interval=timedelta(0))
    assert out == list(range(100))
    assert loop.turns > 100 / 7


def test_it_hands_everything_through(registry: CollectorRegistry) -> None:
    told: list[Any] = []

    class Part(StatefulSourcePartition[int, str]):
        def next_batch(self) -> list[int]:
            return [1]

        def next_awake(self) -> Any:
            return "soon"

        def snapshot(self) -> str:
            return "state"

        def close(self) -> None:
            told.append("closed")

    class Source(FixedPartitionedSource[int, str]):
        def list_parts(self) -> list[str]:
            return ["a"]

        def build_part(self, step_id: str, for_part: str, resume_state: str | None) -> Part:
            told.append((step_id, for_part, resume_state))
            return Part()

    source = ObservedSource(Source(), LoopMetrics(registry))
    assert source.list_parts() == ["a"]
    part = source.build_part("step", "a", "before")
    assert (part.next_batch(), part.next_awake(), part.snapshot()) == ([1], "soon", "state")
    part.close()
    assert told == [("step", "a", "before"), "closed"]


def test_transactions(registry: CollectorRegistry) -> None:
    clock = Clock()
    sink = SinkMetrics(registry, clock, wall_s=lambda: 2000.0)
    value = registry.get_sample_value
    sink.buffered()
    clock.now_s += 1
    sink.buffered()
    assert sink.waiting_s == 100.0
    sink.begins()
    assert sink.committing
    sink.failed()
    assert value("biotrakr_database_connected") == 0
    assert sink.waiting_s == 100.0
    clock.now_s += 10
    sink.begins()
    clock.now_s += 0.25
    building = UUID(int=1)
    epoch = Epoch(windows=[closed(building, 1_000_000_000), closed(building, 1_998_000_000)])
    # The first was written before a crash: it is skipped, and has no lag.
    sink.committed(epoch, {building: 1_000_000_000}, {"a.b": 3})
    assert (sink.waiting_s, sink.committing) == (None, False)
    assert value("biotrakr_database_connected") == 1
    assert value("biotrakr_transaction_failures_total") == 1
    assert value("biotrakr_transaction_seconds_sum") == 0.25
    assert value("biotrakr_commit_lag_seconds_count", {"building": "b"}) == 1
    assert value("biotrakr_commit_lag_seconds_sum", {"building": "b"}) == 2.0
    assert value("biotrakr_rows_written_total", {"table": "a.b"}) == 3


def closed(building: UUID, end_us: int) -> Any:
    place = SimpleNamespace(ids={"building": building}, key="b")
    return SimpleNamespace(building=place, result=SimpleNamespace(end_us=end_us))
