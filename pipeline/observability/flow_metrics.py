"""What the flow does, in numbers, by building.

The flow's thread changes plain attributes, which costs next to nothing; they become samples when
somebody asks. Labels are buildings, of which there are hundreds, and never gateways, of which there
are thousands: `reporting.gateway_health` and each gateway's own /metrics tell about those.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from prometheus_client import CollectorRegistry, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from pipeline.contracts.transport import DeadLetter, LateBatch, StatusReport
from pipeline.domain.events import ClosedWindow, WindowResult
from pipeline.domain.observations import Observations
from pipeline.flow.arrival import Arrival
from pipeline.flow.arrivals import Routed
from pipeline.flow.building_logic import BuildingFlow, Record
from pipeline.flow.event_time import NEVER_US

LOOK_S = 1.0
"""What takes a walk over all gateways of a building is looked at this often."""
WINDOW_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


@dataclass(slots=True)
class Progress:
    """One building. `arrived_s`: when a batch came that promises more than the watermark shows;
    `still_since_s`: since when the watermark has stood still under such batches. Monotonic."""

    key: str
    arrived_s: float
    still_since_s: float
    looked_s: float = -math.inf
    watermark_us: int = NEVER_US
    open_windows: int = 0
    ahead_of_gap: int = 0
    set_aside: int = 0
    batches: int = 0
    windows: int = 0
    receptions: int = 0
    solved: int = 0
    held: int = 0
    late_reads: int = 0
    duplicates: int = 0

    def stood_still_s(self, now_s: float, quiet_s: float) -> float:
        """How long it has stood still under arriving batches; 0 after `quiet_s` without any."""
        if now_s - self.arrived_s > quiet_s:
            return 0.0
        return max(0.0, self.arrived_s - self.still_since_s)


_COUNTERS: tuple[tuple[str, str, str], ...] = (
    ("batches", "biotrakr_batches", "Read batches, repeats included."),
    ("windows", "biotrakr_windows", "Windows worked on."),
    ("receptions", "biotrakr_receptions", "Receptions in closed windows: a tag heard by a "
     "receiver once. A read that an agent merged stands for several."),
    ("late_reads", "biotrakr_late_reads", "Reads whose window was closed already."),
    ("duplicates", "biotrakr_duplicate_batches", "Batches that had come before, up to the last "
     "closed window."),
)  # fmt: skip
_GAUGES: tuple[tuple[str, str, str], ...] = (
    ("open_windows", "biotrakr_open_windows", "Windows that still take reads."),
    ("ahead_of_gap", "biotrakr_batches_ahead_of_gap", "Batches that wait for one before them."),
    ("set_aside", "biotrakr_gateways_set_aside", "Registered gateways that nobody waits for: "
     "silent, or far behind."),
)  # fmt: skip


class FlowMetrics:
    """Implements flow.observer.Observer, and a collector of prometheus_client."""

    def __init__(
        self,
        registry: CollectorRegistry,
        lateness_us: int,
        *,
        quiet_s: float,
        monotonic_s: Callable[[], float] = time.monotonic,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._lateness_us, self._quiet_s = lateness_us, quiet_s
        self._monotonic_s, self._wall_s = monotonic_s, wall_s
        self._buildings: dict[str, Progress] = {}
        self._messages = self._reads = self._statuses = 0
        self._dead: Counter[str] = Counter()
        self._began_s = 0.0
        self._window_s = Histogram(
            "biotrakr_window_seconds",
            "Time to work on one window of a building: solve, rooms, zones, alerts, use.",
            buckets=WINDOW_BUCKETS_S,
            registry=registry,
        )
        registry.register(self)

    @property
    def buildings(self) -> list[Progress]:
        """A copy: another thread may add one."""
        return list(self._buildings.values())

    # -- what the flow tells, in its thread --------------------------------------------------

    def routed(self, messages: int, found: Sequence[Routed]) -> None:
        self._messages += messages
        for _, item in found:
            if isinstance(item, Arrival):
                self._reads += item.reads
            elif isinstance(item, DeadLetter):
                self._dead[item.reason] += 1
            elif isinstance(item, StatusReport):
                self._statuses += 1

    def window_begins(self) -> None:
        self._began_s = time.perf_counter()

    def window_ends(self, building: str, seen: Observations, result: WindowResult) -> None:
        self._window_s.observe(time.perf_counter() - self._began_s)
        progress = self._progress(building)
        # Sorted by asset: heard assets are the places where it changes.
        heard = int(np.count_nonzero(np.diff(seen.asset))) + 1 if len(seen) else 0
        progress.windows += 1
        progress.receptions += result.reads
        progress.solved += result.solved
        progress.held += max(0, heard - result.solved)

    def taken(
        self, flow: BuildingFlow, arrivals: Sequence[Arrival], records: Sequence[Record]
    ) -> None:
        now_s = self._monotonic_s()
        progress = self._progress(flow.building.key)
        promised_us = max(arrival.until_us for arrival in arrivals)
        self._note_watermark(progress, now_s, flow.watermark_us, promised_us)
        progress.batches += len(arrivals)
        progress.open_windows = flow.open_windows
        for record in records:
            if isinstance(record, LateBatch):
                progress.late_reads += record.late_reads
            elif isinstance(record, ClosedWindow):
                progress.duplicates += record.duplicates
        if now_s - progress.looked_s >= LOOK_S:
            progress.looked_s = now_s
            progress.ahead_of_gap, progress.set_aside = flow.ahead_of_gap, flow.gateways_aside

    def _note_watermark(
        self, progress: Progress, now_s: float, watermark_us: int, promised_us: int
    ) -> None:
        if watermark_us != progress.watermark_us:
            progress.watermark_us = watermark_us
            progress.still_since_s = now_s
        if promised_us - self._lateness_us > watermark_us:
            if now_s - progress.arrived_s > self._quiet_s:
                progress.still_since_s = now_s  # it begins again after a silence
            progress.arrived_s = now_s

    def _progress(self, key: str) -> Progress:
        if key not in self._buildings:
            now_s = self._monotonic_s()
            self._buildings[key] = Progress(key, arrived_s=now_s, still_since_s=now_s)
        return self._buildings[key]

    # -- what is told to those who ask -------------------------------------------------------

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "biotrakr_messages", "Messages taken from the broker.", value=self._messages
        )
        yield CounterMetricFamily(
            "biotrakr_reads",
            "Reads in messages of known gateways: a tag at a receiver, merged by the agent.",
            value=self._reads,
        )
        yield CounterMetricFamily(
            "biotrakr_status_messages", "Status messages of gateways.", value=self._statuses
        )
        dead = CounterMetricFamily(
            "biotrakr_dead_letters", "Messages that cannot be used.", labels=["reason"]
        )
        for reason, count in list(self._dead.items()):
            dead.add_metric([reason], count)
        yield dead
        yield from self._of_buildings()

    def _of_buildings(self) -> Iterator[Metric]:
        buildings = self.buildings
        for name, metric, text in _COUNTERS:
            yield _family(CounterMetricFamily, metric, text, name, buildings)
        for name, metric, text in _GAUGES:
            yield _family(GaugeMetricFamily, metric, text, name, buildings)
        tags = CounterMetricFamily(
            "biotrakr_tags_located",
            "Tags in closed windows: solved again, or held because the last position still "
            "explains what was heard.",
            labels=["building", "how"],
        )
        watermark = GaugeMetricFamily(
            "biotrakr_watermark_seconds",
            "Up to where event time has come, seconds since 1970.",
            labels=["building"],
        )
        lag = GaugeMetricFamily(
            "biotrakr_watermark_lag_seconds",
            "How far the watermark is behind the wall clock; grows while nothing is heard.",
            labels=["building"],
        )
        now_s = self._wall_s()
        for one in buildings:
            tags.add_metric([one.key, "solved"], one.solved)
            tags.add_metric([one.key, "held"], one.held)
            if one.watermark_us != NEVER_US:
                watermark.add_metric([one.key], one.watermark_us / 1e6)
                lag.add_metric([one.key], now_s - one.watermark_us / 1e6)
        yield from (tags, watermark, lag)


def _family(
    kind: type[CounterMetricFamily] | type[GaugeMetricFamily],
    metric: str,
    text: str,
    name: str,
    buildings: Sequence[Progress],
) -> Metric:
    family = kind(metric, text, labels=["building"])
    for one in buildings:
        family.add_metric([one.key], getattr(one, name))
    return family
