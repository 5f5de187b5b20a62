"""Everything that is told, in one place: the registry, the health rules and the pages."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry, Gauge, Info

from pipeline.contracts.health import Check, Health
from pipeline.contracts.listener import Page, health_page, metrics_page
from pipeline.observability.engine_metrics import LoopMetrics, SinkMetrics
from pipeline.observability.flow_metrics import FlowMetrics
from pipeline.observability.health import Limits, Seen, loop, rules
from pipeline.sinks.outbox import OutboxPublisher
from pipeline.sources.mqtt_client import MqttClient


class Exporter:
    """`flow`, `loop` and `sink` are the observers to put in."""

    def __init__(self, limits: Limits, lateness_us: int) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._limits = limits
        self.flow = FlowMetrics(self.registry, lateness_us, quiet_s=limits.watermark_s)
        self.loop = LoopMetrics(self.registry)
        self.sink = SinkMetrics(self.registry)
        self._broker: MqttClient | None = None
        prometheus_client.ProcessCollector(registry=self.registry)
        prometheus_client.PlatformCollector(registry=self.registry)
        prometheus_client.GCCollector(registry=self.registry)
        Info("biotrakr_build", "The program that runs.", registry=self.registry).info(
            {"version": _version()}
        )

    def watch_broker(self, sender: MqttClient, receiver: MqttClient | None) -> None:
        """`receiver` None: reads come from elsewhere. Health looks at the receiver, else the other;
        both have the same broker."""
        clients = {"outbox": sender} | ({"reads": receiver} if receiver is not None else {})
        self._broker = receiver or sender
        connected = Gauge(
            "biotrakr_broker_connected",
            "1: connected. `reads` receives, `outbox` publishes alerts.",
            ["client"],
            registry=self.registry,
        )
        for name, client in clients.items():
            connected.labels(name).set_function(partial(_is_connected, client))
        if receiver is not None:
            self._gauge(
                "biotrakr_received_messages_waiting",
                "Messages received and not yet taken by the flow.",
                lambda: receiver.waiting,
            )

    def watch_outbox(self, outbox: OutboxPublisher) -> None:
        self._gauge(
            "biotrakr_outbox_unpublished",
            "Alert messages that are committed and not yet published; looked at every few seconds.",
            lambda: outbox.unpublished,
        )
        self._gauge(
            "biotrakr_outbox_oldest_seconds",
            "Age of the oldest of them; 0 when there is none.",
            lambda: outbox.oldest_age_s,
        )

    def watch_recovery(self, directory: Path) -> None:
        self._gauge(
            "biotrakr_recovery_store_bytes",
            "Size of the engine's recovery store on disk.",
            lambda: sum(path.stat().st_size for path in directory.glob("*.sqlite3*")),
        )

    def pages(self) -> dict[str, Page]:
        render = partial(prometheus_client.generate_latest, self.registry)
        return {
            "/metrics": metrics_page(render),
            "/health": health_page(self.health),
            "/ready": health_page(self.ready),
            "/live": health_page(self.live),
        }

    def health(self) -> Health:
        """Whether everything moves."""
        return Health(rules(self._seen(), self._limits))

    def live(self) -> Health:
        """Whether starting the process again could help: only a loop that hangs."""
        return Health([loop(self._seen(), self._limits)])

    def ready(self) -> Health:
        """Whether it has started: state restored, loop turning, broker connected."""
        seen = self._seen()
        started = self.loop.turns > 0
        connected = self._broker is not None and seen.broker_lost_s is None
        return Health(
            [
                _now("loop", started, "turns", "has not turned yet", "wait: state is restored"),
                _now("broker", connected, "connected", seen.broker_problem or "not connected",
                     "see whether the broker runs and accepts the pipeline's user"),
            ]
        )  # fmt: skip

    def _seen(self) -> Seen:
        broker, sink = self._broker, self.sink
        refused = broker.refused if broker is not None else None
        return Seen(
            now_s=time.monotonic(),
            turned_s=self.loop.turned_s,
            committing=sink.committing,
            committed_s=sink.committed_s,
            waiting_s=sink.waiting_s,
            broker_lost_s=broker.lost_s if broker is not None else None,
            broker_problem=str(refused) if refused is not None else None,
            buildings=self.flow.buildings,
        )

    def _gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        Gauge(name, text, registry=self.registry).set_function(value)


def _now(name: str, good: bool, fine: str, problem: str, advice: str) -> Check:
    """A check without patience."""
    return Check(name, 0.0 if good else 1.0, 0.0, fine if good else problem, advice)


def _is_connected(client: MqttClient) -> bool:
    return client.lost_s is None


def _version() -> str:
    try:
        return version("biotrakr")
    except PackageNotFoundError:
        return "0+source"
