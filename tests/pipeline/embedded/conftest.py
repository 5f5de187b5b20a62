"""Fixtures: one real database and one real broker for the whole session."""

from __future__ import annotations

import queue
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.embedded import Broker, Database, Installation, prepare, start_broker, start_database

SPY = "spy"  # sees and may write everything


@pytest.fixture(scope="session")
def installation() -> Installation:
    return prepare()


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    with start_database() as started:
        yield started


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    with start_broker(acl=f"user {SPY}\ntopic readwrite #") as started:
        yield started


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the servers' user can reach, which pytest's own are not for root."""
    path = Path(tempfile.mkdtemp(prefix="biotrakr-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def ask() -> Callable[..., list[tuple[object, ...]]]:
    """Run one statement on a connection of its own and return its rows."""

    def run(url: str, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return run


class Mqtt:
    """A connected MQTT 5 client that says what became of each publication."""

    def __init__(self, broker: Broker, user: str) -> None:
        self.received: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self._outcomes: queue.Queue[str] = queue.Queue()
        self._granted: queue.Queue[None] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.username_pw_set(*broker.credentials(user))
        self._client.on_message = lambda _c, _u, message: self.received.put(message)
        self._client.on_publish = lambda _c, _u, _id, code, _p: self._outcomes.put(str(code))
        self._client.on_subscribe = lambda *_: self._granted.put(None)
        self._client.on_disconnect = lambda _c, _u, _f, code, _p: self._outcomes.put(str(code))
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> str:
        """Publish with QoS 1; the broker's answer, or why it disconnected us."""
        self._client.publish(topic, payload, qos=1, retain=retain)
        return self._outcomes.get(timeout=10)

    def subscribe(self, topic: str) -> None:
        self._client.subscribe(topic, qos=1)
        self._granted.get(timeout=10)

    def next_topic(self) -> str:
        return self.received.get(timeout=10).topic

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def connect(broker: Broker) -> Iterator[Callable[..., Mqtt]]:
    """Connect as a user, to the session's broker or to another."""
    clients: list[Mqtt] = []

    def run(user: str, to: Broker = broker) -> Mqtt:
        clients.append(Mqtt(to, user))
        return clients[-1]

    yield run
    for client in clients:
        client.close()
