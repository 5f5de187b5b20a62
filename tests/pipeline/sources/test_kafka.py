"""The log as a source: every message once, in order, from where the state ends; then the bridge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Timer
from typing import Any

import pytest
from kafka_log import PARTITIONS, TOPIC

confluent_kafka = pytest.importorskip("confluent_kafka", reason="needs the extra [kafka]")

from pipeline.contracts.transport import RawMessage  # noqa: E402
from pipeline.registry.sharding import slot  # noqa: E402
from pipeline.sources.errors import LogUnusable  # noqa: E402
from pipeline.sources.kafka import KafkaSource, count_partitions  # noqa: E402
from pipeline.sources.kafka_bridge import Bridge  # noqa: E402
from pipeline.sources.kafka_record import MAX_RECORD_BYTES  # noqa: E402
from pipeline.sources.mqtt_client import Delivery  # noqa: E402


def message(facility: str, number: int, payload: bytes = b"\x01\x00\xff") -> RawMessage:
    return RawMessage(f"biotrakr/v1/{facility}/gateways/gw/reads", payload, 1_000_000 + number)


class FakeBroker:
    """Stands for the MQTT session: gives messages out, notes what is acknowledged."""

    def __init__(self, messages: list[RawMessage]) -> None:
        self.waiting = [Delivery(1, mid, 1, m) for mid, m in enumerate(messages, 1)]
        self.acknowledged: list[int] = []
        self.all_done: Callable[[], None] = lambda: None
        self.wanted = len(messages)

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def take(self, limit: int) -> list[Delivery]:
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return taken

    def acknowledge(self, deliveries: list[Delivery]) -> None:
        self.acknowledged += [d.mid for d in deliveries]
        if len(self.acknowledged) >= self.wanted:
            self.all_done()


def bridge_all(brokers: str, messages: list[RawMessage], **options: str) -> FakeBroker:
    broker: Any = FakeBroker(messages)
    bridge = Bridge(broker, brokers, TOPIC, PARTITIONS, options)
    broker.all_done = bridge.stop
    bridge.run()
    return broker


def read(part: Any, count: int) -> list[RawMessage]:
    """`count` messages, and nothing more for a moment."""
    got: list[RawMessage] = []
    deadline = time.monotonic() + 20
    while len(got) < count and time.monotonic() < deadline:
        got += part.next_batch()
    quiet = time.monotonic() + 0.3
    while time.monotonic() < quiet:
        got += part.next_batch()
    return got


@pytest.fixture
def opened(brokers: str) -> Iterator[Callable[..., Any]]:
    """Opens source partitions: opened(partitions, resume_state)."""
    parts = []

    def open_(partitions: Any = range(PARTITIONS), state: Any = None, told: Any = None) -> Any:
        source = KafkaSource(brokers, TOPIC, partitions, {}, told or (lambda: None))
        (name,) = source.list_parts()
        parts.append(source.build_part("messages", name, state))
        return parts[-1]

    yield open_
    for part in parts:
        part.close()


def test_what_the_bridge_was_given_comes_out_unchanged(brokers: str, opened: Any) -> None:
    sent = [message(f"acme/f{n % 7}", n, bytes([n % 256]) * (n % 50)) for n in range(300)]
    broker = bridge_all(brokers, sent)
    assert broker.acknowledged == list(range(1, 301)), "acknowledged in the order of arrival"
    got = read(opened(), 300)
    assert sorted(got, key=lambda m: m.received_us) == sent
    for facility in {m.topic for m in sent}:
        times = [m.received_us for m in got if m.topic == facility]
        assert times == sorted(times), "a facility's messages keep their order"


def test_a_facility_is_in_the_partition_that_its_shard_reads(brokers: str, opened: Any) -> None:
    facilities = [f"acme/f{n}" for n in range(20)]
    bridge_all(brokers, [message(f, n) for n, f in enumerate(facilities)])
    for partition in range(PARTITIONS):
        own = [f for f in facilities if slot(f, PARTITIONS) == partition]
        got = read(opened([partition]), len(own))
        assert sorted(m.topic.split("/")[3] for m in got) == sorted(f[5:] for f in own)


def test_it_goes_on_exactly_where_the_state_ends(brokers: str, opened: Any) -> None:
    sent = [message(f"acme/f{n}", n) for n in range(100)]
    bridge_all(brokers, sent)
    first = opened()
    before: list[RawMessage] = []
    while len(before) < 40:
        before += first.next_batch()
    state = first.snapshot()
    lost = first.next_batch()  # not in the state: the process dies here
    after = read(opened(state=state), len(sent) - len(before))
    assert sorted(before + after, key=lambda m: m.received_us) == sent
    assert all(m in after for m in lost)


def test_nothing_is_skipped_when_the_state_knows_only_some_partitions(
    brokers: str, opened: Any
) -> None:
    sent = [message(f"acme/f{n}", n) for n in range(40)]
    bridge_all(brokers, sent)
    partition = slot("acme/f0", PARTITIONS)
    own = [m for n, m in enumerate(sent) if slot(f"acme/f{n}", PARTITIONS) == partition]
    got = read(opened(state={partition: len(own)}), len(sent) - len(own))
    assert sorted(got + own, key=lambda m: m.received_us) == sent


def test_an_offset_beyond_the_end_starts_at_the_oldest(brokers: str, opened: Any) -> None:
    """The topic was made anew: gateways were not acknowledged, so nothing may be passed over."""
    sent = [message("acme/f0", n) for n in range(10)]
    bridge_all(brokers, sent)
    part = opened(state=dict.fromkeys(range(PARTITIONS), 1000))
    assert read(part, 10) == sent


def test_gateways_are_acknowledged_at_every_call(opened: Any) -> None:
    """After `snapshot` the next call is the one at which the epoch is durable."""
    calls = []
    part = opened(told=lambda: calls.append(1))
    part.snapshot()
    part.next_batch()
    assert len(calls) == 2


def test_a_message_from_elsewhere_gets_no_topic(brokers: str, opened: Any) -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": brokers})
    producer.produce(TOPIC, b"?", partition=0, headers=[("received_us", b"soon")])
    producer.flush(10)
    (got,) = read(opened([0]), 1)
    assert (got.topic, got.payload) == ("", b"?")
    assert abs(got.received_us / 1e6 - time.time()) < 60


def test_a_topic_that_is_not_there(brokers: str) -> None:
    assert count_partitions(brokers, TOPIC, {}) == PARTITIONS
    with pytest.raises(LogUnusable, match="nowhere"):
        count_partitions("127.0.0.1:1", "nowhere", {}, 0.5)


def test_what_the_log_refuses_for_good_is_not_acknowledged(brokers: str) -> None:
    broker: Any = FakeBroker([message("acme/f0", 1, bytes(MAX_RECORD_BYTES + 1))])
    with pytest.raises(LogUnusable, match="size"):
        Bridge(broker, brokers, TOPIC, PARTITIONS, {}).run()
    assert broker.acknowledged == []


def test_nothing_is_acknowledged_before_the_log_has_it(brokers: str) -> None:
    broker: Any = FakeBroker([message("acme/f0", n) for n in range(5)])
    away = Bridge(broker, "127.0.0.1:1", TOPIC, PARTITIONS, {"log_level": "0"})
    Timer(1.0, away.stop).start()
    away.run()
    assert broker.acknowledged == []


def test_what_the_log_gives_up_is_not_acknowledged() -> None:
    broker: Any = FakeBroker([message("acme/f0", 1)])
    given_up = {"message.timeout.ms": "300", "log_level": "0"}
    bridge = Bridge(broker, "127.0.0.1:1", TOPIC, PARTITIONS, given_up)
    broker.all_done = bridge.stop
    with pytest.raises(LogUnusable, match="timed out"):
        bridge.run()
    assert broker.acknowledged == []
