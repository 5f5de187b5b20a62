"""The broker: users, limits, what survives a kill and what a wipe forgets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.embedded import Broker, ServiceError, StillRunningError, start_broker
from pipeline.embedded.mqtt_probe import connect_code

GATEWAY = "acme/north/gateways/g1"
READS = f"biotrakr/v1/{GATEWAY}/reads"
ACK = f"biotrakr/v1/{GATEWAY}/ack"
NOT_AUTHORIZED = 5
LIMIT = 1024 * 1024

Connect = Callable[..., Any]


@pytest.fixture
def own_broker() -> Iterator[Broker]:
    with start_broker(autosave_s=1) as started:
        yield started


def test_users(broker: Broker) -> None:
    user, password = broker.credentials(GATEWAY)
    assert user == GATEWAY
    assert broker.credentials(GATEWAY).password == password
    assert broker.credentials("acme").password != password
    assert connect_code(broker.port, user, password) == 0
    assert connect_code(broker.port, user, "guess") == NOT_AUTHORIZED
    assert connect_code(broker.port, "stranger", password) == NOT_AUTHORIZED
    assert broker.url == f"mqtt://127.0.0.1:{broker.port}"


def test_anonymous_is_refused(broker: Broker) -> None:
    answers: list[str] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda _c, _u, _f, code, _p: answers.append(str(code))
    client.connect("127.0.0.1", broker.port)
    deadline = time.monotonic() + 5
    while not answers and time.monotonic() < deadline:
        client.loop(0.1)
    client.disconnect()
    assert answers == ["Not authorized"]


def test_given_users_and_a_new_one_while_others_are_connected(connect: Connect) -> None:
    with start_broker(users={"acme": "given"}) as broker:
        assert broker.credentials("acme").password == "given"
        consumer = connect("acme", broker)
        consumer.subscribe("biotrakr/v1/acme/+/alerts/#")
        pipeline = connect("pipeline", broker)  # made now: the broker reads its users again
        pipeline.publish("biotrakr/v1/acme/north/alerts/state/a1")
        assert consumer.next_topic() == "biotrakr/v1/acme/north/alerts/state/a1"
        connect("pipeline", broker)  # leaves the consumer's connection alone
        broker.credentials("late")
        pipeline.publish("biotrakr/v1/acme/north/alerts/state/a2")
        assert consumer.next_topic() == "biotrakr/v1/acme/north/alerts/state/a2"


@pytest.mark.parametrize("name", ["", "a:b", "acme/+/gateways/g1", "#", "a\nb"])
def test_impossible_names(broker: Broker, name: str) -> None:
    with pytest.raises(ServiceError, match="cannot be a user name"):
        broker.credentials(name)
    with pytest.raises(ServiceError, match="cannot be a user name"):
        start_broker(users={name: "x"})


def test_a_message_over_the_limit_is_refused_and_the_next_one_passes(connect: Connect) -> None:
    pipeline = connect("pipeline")
    pipeline.subscribe(READS)
    assert connect(GATEWAY).publish(READS, b"x" * LIMIT) == "Success"
    for size in (LIMIT + 70_000, 50_000_000):
        outcome = connect(GATEWAY).publish(READS, b"x" * size)
        assert outcome != "Success"
    assert connect(GATEWAY).publish(READS, b"next") == "Success"
    sizes = [len(pipeline.received.get(timeout=10).payload) for _ in range(2)]
    assert sizes == [LIMIT, len(b"next")]


def test_more_than_the_default_limits_waits_for_a_pipeline_that_is_away(broker: Broker) -> None:
    """Mosquitto's defaults would acknowledge these and drop all but the first 1020."""
    count = 3_000

    def session() -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="shard-0", clean_session=False)
        client.username_pw_set(*broker.credentials("pipeline"))
        return client

    away = session()
    subscribed: list[int] = []
    away.on_subscribe = lambda *_: subscribed.append(1)
    away.connect("127.0.0.1", broker.port)
    while not away.is_connected():
        away.loop(0.1)
    away.subscribe(READS, qos=1)
    while not subscribed:
        away.loop(0.1)
    away.disconnect()

    gateway = mqtt.Client(CallbackAPIVersion.VERSION2)
    gateway.username_pw_set(*broker.credentials(GATEWAY))
    gateway.connect("127.0.0.1", broker.port)
    gateway.loop_start()
    for number in range(count):
        last = gateway.publish(READS, str(number), qos=1)
    last.wait_for_publish(30)
    gateway.disconnect()
    gateway.loop_stop()

    back = session()
    numbers: list[int] = []
    back.on_message = lambda _c, _u, message: numbers.append(int(message.payload))
    back.connect("127.0.0.1", broker.port)
    deadline = time.monotonic() + 30
    while len(numbers) < count and time.monotonic() < deadline:
        back.loop(0.1)
    back.disconnect()
    assert numbers == list(range(count))


def _retain(connect: Connect, broker: Broker) -> None:
    assert "refused" not in connect("pipeline", broker).publish(ACK, b"7", retain=True)


def _retained(connect: Connect, broker: Broker) -> bytes:
    """The retained message, or what was published after it when there is none."""
    gateway = connect(GATEWAY, broker)
    gateway.subscribe(ACK)
    connect("pipeline", broker).publish(ACK, b"fence")
    return bytes(gateway.received.get(timeout=10).payload)


def test_retained_messages_survive_a_kill_once_saved(own_broker: Broker, connect: Connect) -> None:
    url, pid = own_broker.url, own_broker.pid
    _retain(connect, own_broker)
    saved = own_broker.data_dir / "mosquitto.db"
    deadline = time.monotonic() + 10
    while not saved.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    own_broker.kill()
    assert not Path(f"/proc/{pid}").exists()
    own_broker.start()
    assert own_broker.url == url
    assert _retained(connect, own_broker) == b"7"


def test_a_wipe_forgets(own_broker: Broker, connect: Connect) -> None:
    _retain(connect, own_broker)
    with pytest.raises(StillRunningError, match="kill"):
        own_broker.wipe()
    own_broker.restart()
    assert _retained(connect, own_broker) == b"7"
    own_broker.stop()
    own_broker.wipe()
    own_broker.start()
    assert _retained(connect, own_broker) == b"fence"


def test_a_given_folder_keeps_messages_and_users(folder: Path, connect: Connect) -> None:
    with start_broker(folder / "one") as broker:
        credentials, url = broker.credentials(GATEWAY), broker.url
        _retain(connect, broker)
    with start_broker(folder / "one") as broker:
        assert (broker.credentials(GATEWAY), broker.url) == (credentials, url)
        assert _retained(connect, broker) == b"7"


def test_passwords_are_readable_by_their_users_only(folder: Path) -> None:
    with start_broker(folder / "one", {"acme": "plain-text"}) as broker:
        assert "plain-text" not in (broker.data_dir / "passwords").read_text()
        for path in (broker.data_dir / "passwords", folder / "one/biotrakr.json"):
            assert path.stat().st_mode & 0o077 == 0
        assert broker.data_dir.stat().st_mode & 0o077 == 0
