"""A Kafka-compatible log as a bytewax source. Needs the extra [kafka].

The offsets are part of the engine's snapshot, so after a restart the flow reads on exactly where
its state ends: the log holds the messages, and exactly once needs no consumer group and no commit.
Gateways are acknowledged over MQTT as ever, when the epoch is durable. Delivery guarantee: exactly
once from the log; the bridge may write twice, which the flow removes.

Not bytewax's own KafkaSource: that one reads every partition of a topic with a consumer for each,
has no place for our acks, and forgets how far it came when a batch ends with an error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import confluent_kafka
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from typing_extensions import override

from pipeline.contracts.transport import RawMessage
from pipeline.sources.errors import LogUnusable
from pipeline.sources.kafka_record import LOG_PART, MAX_RECORD_BYTES, message_of

log = logging.getLogger(__name__)
MAX_BATCH = 500
IDLE = timedelta(milliseconds=10)
METADATA_TIMEOUT_S = 10.0
_FINAL = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError._AUTHENTICATION,
}
"""Errors that no waiting cures. librdkafka goes on by itself after all others."""

Offsets = dict[int, int]
"""Partition -> offset of the next message."""


def count_partitions(
    brokers: str,
    topic: str,
    options: Mapping[str, str],
    timeout_s: float = METADATA_TIMEOUT_S,
) -> int:
    """How many partitions `topic` has. Raises LogUnusable."""
    consumer = Consumer({**_defaults(brokers), **options})
    try:
        found = consumer.list_topics(topic, timeout_s).topics[topic]
    except KafkaException as error:
        raise LogUnusable(topic, str(error.args[0])) from None
    finally:
        consumer.close()
    if found.error is not None:
        raise LogUnusable(topic, str(found.error))
    return len(found.partitions)


class KafkaSource(FixedPartitionedSource[RawMessage, Offsets]):
    """`partitions` of one topic, through one consumer.

    `acknowledge` is called whenever the epoch before is durable. `options` go to librdkafka.
    """

    def __init__(
        self,
        brokers: str,
        topic: str,
        partitions: Sequence[int],
        options: Mapping[str, str],
        acknowledge: Callable[[], None],
    ) -> None:
        self._settings: dict[str, Any] = {**_defaults(brokers), **options}
        self._topic, self._partitions = topic, list(partitions)
        self._acknowledge = acknowledge

    @override
    def list_parts(self) -> list[str]:
        return [LOG_PART]

    @override
    def build_part(self, step_id: str, for_part: str, resume_state: Offsets | None) -> _Partition:
        offsets = {p: (resume_state or {}).get(p, OFFSET_BEGINNING) for p in self._partitions}
        return _Partition(Consumer(self._settings), self._topic, offsets, self._acknowledge)


class _Partition(StatefulSourcePartition[RawMessage, Offsets]):
    def __init__(
        self, consumer: Consumer, topic: str, offsets: Offsets, acknowledge: Callable[[], None]
    ) -> None:
        self._consumer, self._topic, self._acknowledge = consumer, topic, acknowledge
        self._next = {p: offset for p, offset in offsets.items() if offset >= 0}
        self._idle = False
        consumer.assign([TopicPartition(topic, p, offset) for p, offset in offsets.items()])

    @override
    def next_batch(self) -> list[RawMessage]:
        self._acknowledge()
        messages = self._consumer.consume(MAX_BATCH, 0)
        self._idle = not messages
        return [self._take(message) for message in messages if self._is_data(message)]

    @override
    def next_awake(self) -> datetime | None:
        return datetime.now(UTC) + IDLE if self._idle else None

    @override
    def snapshot(self) -> Offsets:
        self._acknowledge()
        return dict(self._next)

    @override
    def close(self) -> None:
        self._consumer.close()

    def _is_data(self, message: confluent_kafka.Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() in _FINAL or error.fatal():
            log.error("%s", LogUnusable(self._topic, str(error)))
            raise LogUnusable(self._topic, str(error))
        log.warning("reading from %s: %s", self._topic, error)
        return False

    def _take(self, message: confluent_kafka.Message) -> RawMessage:
        partition, offset = _place(message)
        expected = self._next.get(partition)
        if expected is not None and offset > expected:
            # Expired, or compacted away. Not lost: it was not acknowledged, so gateways still
            # have it and send it again.
            log.warning(
                "%s[%d]: offsets %d to %d are gone from the log",
                self._topic, partition, expected, offset - 1,
            )  # fmt: skip
        self._next[partition] = offset + 1
        stored_ms = message.timestamp()[1]
        return message_of(message.value(), message.headers(), stored_ms * 1000)  # type: ignore[arg-type]


def _place(message: confluent_kafka.Message) -> tuple[int, int]:
    partition, offset = message.partition(), message.offset()
    assert partition is not None and offset is not None, "a message without error has a place"
    return partition, offset


def _defaults(brokers: str) -> dict[str, Any]:
    return {
        "bootstrap.servers": brokers,
        "client.id": "biotrakr",
        # librdkafka asks for a group; nothing is committed to it.
        "group.id": "biotrakr",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # When what comes next has expired: the oldest that is left. Never the newest.
        "auto.offset.reset": "earliest",
        "fetch.message.max.bytes": MAX_RECORD_BYTES,
        # What waits in the process; the log waits for the rest.
        "queued.max.messages.kbytes": 65_536,
        "error_cb": _tell,
    }


def _tell(error: KafkaError) -> None:
    log.warning("log: %s", error)
