"""MQTT to a Kafka-compatible log. Needs the extra [kafka].

A message is acknowledged to the MQTT broker only when the log has reported it as stored on all its
in-sync replicas, so nothing is lost when the bridge, or a broker, dies. What was stored and not yet
acknowledged is stored again: the flow removes what comes twice. Delivery guarantee: at least once.

While the log is away nothing is acknowledged; the MQTT broker stops after the number of messages
that it may have in flight, and keeps the rest.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, Producer

from pipeline.registry.sharding import slot
from pipeline.sources.errors import LogUnusable
from pipeline.sources.kafka_record import MAX_RECORD_BYTES, facility_of, headers_of
from pipeline.sources.mqtt_client import Delivery, MqttClient

log = logging.getLogger(__name__)
MAX_BATCH = 500
POLL_S = 0.01


class _Sent:
    """A delivery on its way into the log."""

    __slots__ = ("delivery", "stored")

    def __init__(self, delivery: Delivery) -> None:
        self.delivery, self.stored = delivery, False


class Bridge:
    """`run` moves messages until `stop`. `client` is not started yet; `options`: of librdkafka."""

    def __init__(
        self,
        client: MqttClient,
        brokers: str,
        topic: str,
        partitions: int,
        options: Mapping[str, str],
        fault: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._client, self._topic, self._partitions = client, topic, partitions
        self._producer = Producer({**_defaults(brokers), **options})
        self._fault = fault
        self._sent: deque[_Sent] = deque()
        self._failure: KafkaError | None = None
        self._stopping = threading.Event()
        self.moved = 0
        """Messages stored and acknowledged."""

    def run(self) -> None:
        """Raises LogUnusable when the log refuses a message for good."""
        self._client.start()
        try:
            while not self._stopping.is_set():
                deliveries = self._client.take(MAX_BATCH)
                for delivery in deliveries:
                    self._send(delivery)
                self._producer.poll(0 if deliveries else POLL_S)
                self._acknowledge()
                if self._failure is not None:
                    raise LogUnusable(self._topic, str(self._failure))
        finally:
            self._client.stop()
            self._producer.purge()

    def stop(self) -> None:
        self._stopping.set()

    def _send(self, delivery: Delivery) -> None:
        sent = _Sent(delivery)
        self._sent.append(sent)
        facility = facility_of(delivery.message.topic)
        while not self._stopping.is_set():
            try:
                self._producer.produce(
                    self._topic,
                    delivery.message.payload,
                    key=facility.encode(),
                    partition=slot(facility, self._partitions),
                    headers=list(headers_of(delivery.message)),
                    on_delivery=self._reporter(sent),
                )
                return
            except BufferError:  # librdkafka's queue is full: wait for the log
                self._producer.poll(POLL_S)
                self._acknowledge()
            except KafkaException as error:
                raise LogUnusable(self._topic, str(error.args[0])) from None

    def _reporter(self, sent: _Sent) -> Callable[[KafkaError | None, Any], None]:
        def report(error: KafkaError | None, _message: confluent_kafka.Message) -> None:
            if error is None:
                sent.stored = True
            else:
                self._failure = error

        return report

    def _acknowledge(self) -> None:
        """PUBACK what is stored, in the order in which it came, as MQTT wants it."""
        stored: list[Delivery] = []
        while self._sent and self._sent[0].stored:
            stored.append(self._sent.popleft().delivery)
        if stored:
            self._fault("between-log-and-ack")
            self._client.acknowledge(stored)
            self.moved += len(stored)


def _defaults(brokers: str) -> dict[str, Any]:
    return {
        "bootstrap.servers": brokers,
        "client.id": "biotrakr-bridge",
        "acks": "all",
        "enable.idempotence": True,
        "message.timeout.ms": 0,  # never give a message up
        "linger.ms": 5,
        "compression.type": "lz4",
        "message.max.bytes": MAX_RECORD_BYTES,
        "queue.buffering.max.kbytes": 262_144,
        "error_cb": _tell,
    }


def _tell(error: KafkaError) -> None:
    log.warning("log: %s", error)
