"""/metrics and /health of one gateway: the numbers of its status message, and a few of the moment.

Imported only where `metrics_address` is set. Receptions a second by Bluetooth are
rate(biotrakr_agent_reads_total{kind="ble"}[1m]).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from functools import partial

import prometheus_client
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from edge_agent.agent import Agent
from edge_agent.clock import EventClock
from edge_agent.health import health_of
from edge_agent.logs import fields
from edge_agent.publisher import Publisher
from pipeline.contracts.address import Address
from pipeline.contracts.listener import (
    Listener,
    ListenError,
    Page,
    health_page,
    metrics_page,
)
from pipeline.contracts.messages import GatewayStatus, ReaderHealth, SpoolHealth

log = logging.getLogger("edge.metrics")

_STATES = ("starting", "running", "silent", "failed")
_COUNTERS = {
    "batches_sent": "Batches given to the broker, repeats included.",
    "batches_acknowledged": "Batches that the pipeline has acknowledged.",
    "connects": "Connections made to the broker.",
    "resends": "Times that unacknowledged batches were sent again.",
    "strange_acks": "Acknowledgements that were refused.",
    "clock_steps": "Steps of the wall clock that were taken over.",
    "spool_corrupt": "Spools that could not be read and were moved aside.",
    "replay_bad_lines": "Lines of replay files that could not be read.",
    "replay_late_reads": "Reads of replay files behind what was promised already.",
    "unidentified": "Receptions in replay files that name no tag.",
}
_GAUGES = {
    "spool_failing": "1: the spool cannot be written, reads are kept in memory.",
    "spool_in_memory": "1: the spool in memory holds batches.",
}


def listen(agent: Agent, address: str) -> Listener | None:
    """Serve until the process ends. A gateway that cannot be asked still reads: None, and a log
    line."""
    try:
        listener = Listener(Address.parse(address), pages_of(agent))
    except ListenError as error:
        log.error("no metrics %s", fields(error=error))
        return None
    listener.start()
    log.info("metrics %s", fields(address=listener.address))
    return listener


def pages_of(agent: Agent) -> dict[str, Page]:
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    registry.register(AgentCollector(agent.report, agent.publisher, agent.clock))
    prometheus_client.ProcessCollector(registry=registry)
    prometheus_client.GCCollector(registry=registry)
    return {
        "/metrics": metrics_page(partial(prometheus_client.generate_latest, registry)),
        "/health": health_page(lambda: health_of(agent)),
    }


class AgentCollector(Collector):
    """`report` builds a status message."""

    def __init__(
        self, report: Callable[[], GatewayStatus], publisher: Publisher, clock: EventClock
    ) -> None:
        self._report, self._publisher, self._clock = report, publisher, clock

    def collect(self) -> Iterator[Metric]:
        status = self._report()
        yield from _of_readers(status.readers)
        if status.spool is not None:
            yield from _of_spool(status.spool)
        for name, text in _COUNTERS.items():
            yield _counter(name, text, status.counters.get(name, 0))
        for name, text in _GAUGES.items():
            yield _gauge(name, text, status.counters.get(name, 0))
        yield _gauge("connected", "1: connected to the broker.", self._publisher.connected)
        yield _gauge(
            "clock_synchronised",
            "1: the kernel counts its clock as synchronised.",
            status.clock.synchronised,
        )
        offset_s = self._clock.now_us() / 1e6 - time.time()
        yield _gauge(
            "clock_offset_seconds", "Event time minus the wall clock: a step not taken over yet.",
            offset_s,
        )  # fmt: skip

    def describe(self) -> Iterator[Metric]:
        """Nothing is asked before somebody asks us."""
        return iter(())


def _of_readers(readers: list[ReaderHealth]) -> Iterator[Metric]:
    labels = ["reader", "kind"]
    reads = CounterMetricFamily("biotrakr_agent_reads", "Receptions of tags.", labels=labels)
    restarts = CounterMetricFamily(
        "biotrakr_agent_reader_restarts", "Times that it was started again.", labels=labels
    )
    rejected = CounterMetricFamily(
        "biotrakr_agent_reader_rejected_bytes", "Bytes that were no frame.", labels=labels
    )
    heard = GaugeMetricFamily(
        "biotrakr_agent_reader_last_heard_seconds",
        "When it last heard a tag, seconds since 1970.",
        labels=labels,
    )
    state = GaugeMetricFamily(
        "biotrakr_agent_reader_state", "1 for the state it is in.", labels=["reader", "state"]
    )
    for reader in readers:
        who = [reader.name, reader.kind]
        reads.add_metric(who, reader.reads)
        restarts.add_metric(who, reader.restarts)
        rejected.add_metric(who, reader.rejected_bytes)
        if reader.last_heard_at is not None:
            heard.add_metric(who, reader.last_heard_at.timestamp())
        for name in _STATES:
            state.add_metric([reader.name, name], float(reader.state == name))
    yield from (reads, restarts, rejected, heard, state, _counted(readers))


def _counted(readers: list[ReaderHealth]) -> Metric:
    """One family for all: which there are depends on what is plugged in."""
    family = GaugeMetricFamily(
        "biotrakr_agent_reader_counter",
        "What it counts itself: events by name since the start, adverts_per_s as it is now.",
        labels=["reader", "counter"],
    )
    for reader in readers:
        for name, value in reader.counters.items():
            family.add_metric([reader.name, name], value)
    return family


def _of_spool(spool: SpoolHealth) -> Iterator[Metric]:
    yield _gauge("spool_batches", "Batches that are not acknowledged.", spool.batches)
    yield _gauge("spool_bytes", "Their size.", spool.bytes)
    oldest = spool.oldest_at
    age_s = 0.0 if oldest is None else max(0.0, time.time() - oldest.timestamp())
    yield _gauge("spool_oldest_seconds", "Age of the oldest; 0 when there is none.", age_s)
    yield _counter(
        "dropped_batches", "Batches given up: the spool was full.", spool.dropped_batches
    )
    yield _counter("dropped_reads", "Reads in those.", spool.dropped_reads)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"biotrakr_agent_{name}", text, value=value)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"biotrakr_agent_{name}", text, value=float(value))
