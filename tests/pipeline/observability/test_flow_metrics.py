"""What the flow tells becomes samples; when a watermark counts as standing still."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from pipeline.flow.event_time import NEVER_US
from pipeline.observability.flow_metrics import FlowMetrics

SECOND_US = 1_000_000
QUIET_S = 50.0


@dataclass
class Scene:
    """A building whose batches and watermark are made up, second by second."""

    now_s: float = 1000.0
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.metrics = FlowMetrics(
            self.registry,
            SECOND_US // 2,
            quiet_s=QUIET_S,
            monotonic_s=lambda: self.now_s,
            wall_s=lambda: 5000.0,
        )

    def arrives(self, promise_s: float, watermark_s: float | None, *, key: str = "a") -> None:
        flow: Any = SimpleNamespace(
            building=SimpleNamespace(key=key),
            watermark_us=NEVER_US if watermark_s is None else round(watermark_s * SECOND_US),
            open_windows=3,
            ahead_of_gap=2,
            gateways_aside=1,
        )
        arrival: Any = SimpleNamespace(until_us=round(promise_s * SECOND_US))
        self.metrics.taken(flow, [arrival], [])

    def stood_still_s(self) -> float:
        (one,) = self.metrics.buildings
        return one.stood_still_s(self.now_s, QUIET_S)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, {"building": "a"} | labels)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_watermark_that_moves(scene: Scene) -> None:
    for second in range(100):
        scene.now_s += 1
        scene.arrives(second + 2, second)  # another gateway promises less
        assert scene.stood_still_s() == 0.0


def test_one_that_stands_still_under_promises(scene: Scene) -> None:
    scene.arrives(1.0, 0.5)
    for second in range(100):
        scene.now_s += 1
        scene.arrives(second + 2, 0.5)
    assert scene.stood_still_s() == 100.0
    scene.now_s += 1
    scene.arrives(103.0, 102.5)
    assert scene.stood_still_s() == 0.0


def test_a_backlog_that_promises_nothing_new_is_no_fault(scene: Scene) -> None:
    """A gateway that returns after an hour, while nobody else is on."""
    scene.arrives(3600.0, 3599.5)
    for second in range(100):
        scene.now_s += 1
        scene.arrives(second, 3599.5)
    assert scene.stood_still_s() == 0.0


def test_after_a_silence_it_gets_its_time_again(scene: Scene) -> None:
    scene.arrives(10.0, 5.0)
    scene.now_s += 1
    scene.arrives(11.0, 5.0)
    scene.now_s += QUIET_S + 1
    assert scene.stood_still_s() == 0.0  # idle
    scene.arrives(12.0, 5.0)
    assert scene.stood_still_s() == 0.0
    scene.now_s += 10
    scene.arrives(13.0, 5.0)
    assert scene.stood_still_s() == 10.0


def test_samples(scene: Scene) -> None:
    scene.arrives(4001.0, 4000.5)
    assert scene.value("biotrakr_watermark_seconds") == 4000.5
    assert scene.value("biotrakr_watermark_lag_seconds") == 999.5
    assert scene.value("biotrakr_batches_total") == 1
    assert scene.value("biotrakr_open_windows") == 3
    assert scene.value("biotrakr_batches_ahead_of_gap") == 2
    assert scene.value("biotrakr_gateways_set_aside") == 1


def test_no_watermark_yet_is_no_sample(scene: Scene) -> None:
    scene.arrives(1.0, None)
    assert scene.value("biotrakr_watermark_seconds") is None
    assert scene.value("biotrakr_open_windows") == 3
