"""The pipeline's connection to the broker: a persistent QoS 1 session with deferred PUBACKs.

paho's thread fills a queue; `acknowledge` is called when the messages are durable. The broker
holds at most RECEIVE_MAXIMUM messages unacknowledged, which bounds the queue.
"""

from __future__ import annotations

import itertools
import logging
import ssl
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from pipeline.contracts.base import MAX_MESSAGE_BYTES
from pipeline.contracts.transport import RawMessage
from pipeline.sources.errors import BrokerRefused

log = logging.getLogger(__name__)
RECEIVE_MAXIMUM = 20_000
SESSION_EXPIRY_S = 7 * 24 * 3600
KEEP_ALIVE_S = 20


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is and how to be let in. `ca_file` None with TLS: the system's roots."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: bool = False
    ca_file: str | None = None

    @classmethod
    def parse(cls, url: str, ca_file: str | None = None) -> BrokerAddress:
        """mqtt://user:password@host:port or mqtts://...; ValueError says what is wrong."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("the broker's address must look like mqtt://user@host:1883")
        tls = parts.scheme == "mqtts"
        return cls(
            parts.hostname,
            parts.port or (8883 if tls else 1883),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            tls,
            ca_file,
        )


class Delivery(NamedTuple):
    """A received message and what is needed to acknowledge it on its connection."""

    connection: int
    mid: int
    qos: int
    message: RawMessage


class MqttClient:
    """Thread-safe: paho's thread receives, the flow's thread takes and acknowledges."""

    def __init__(
        self, address: BrokerAddress, client_id: str, subscriptions: Sequence[str]
    ) -> None:
        self._address, self._subscriptions = address, list(subscriptions)
        self._queue: deque[Delivery] = deque()
        self._connection = 0
        self._counter = itertools.count(1)
        self.refused: BrokerRefused | None = None
        self.lost_s: float | None = time.monotonic()
        """Since when there is no connection (monotonic); None: there is one."""
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
        )
        if address.username is not None:
            client.username_pw_set(address.username, address.password)
        if address.tls:
            client.tls_set(ca_certs=address.ca_file, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        client.reconnect_delay_set(min_delay=1, max_delay=30)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        self._client = client

    def start(self, session_expiry_s: int = SESSION_EXPIRY_S) -> None:
        """Connect in the background; keeps trying while the broker is away."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = session_expiry_s
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = 2 * MAX_MESSAGE_BYTES
        self._client.connect_async(
            self._address.host,
            self._address.port,
            keepalive=KEEP_ALIVE_S,
            clean_start=False,
            properties=properties,
        )
        self._client.loop_start()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def waiting(self) -> int:
        """Messages received and not yet taken."""
        return len(self._queue)

    def follow(self, subscriptions: Sequence[str]) -> None:
        """Subscribe to these from now on, and to nothing else. From any thread, at any time."""
        before, self._subscriptions = set(self._subscriptions), list(subscriptions)
        if not self._client.is_connected():
            return  # `_on_connect` subscribes to the new list
        added = [topic for topic in subscriptions if topic not in before]
        dropped = list(before.difference(subscriptions))
        if added:
            self._client.subscribe([(topic, 1) for topic in added])
        if dropped:
            self._client.unsubscribe(dropped)

    def take(self, limit: int) -> list[Delivery]:
        """Up to `limit` deliveries, in order of arrival; empty when there are none."""
        queue = self._queue
        taken: list[Delivery] = []
        while queue and len(taken) < limit:
            taken.append(queue.popleft())
        return taken

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """PUBACK what came over the present connection; the broker sends the rest again."""
        for delivery in deliveries:
            if delivery.connection == self._connection:
                self._client.ack(delivery.mid, delivery.qos)

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> mqtt.MQTTMessageInfo:
        return self._client.publish(topic, payload, qos=1, retain=retain)

    def _on_connect(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self.refused = BrokerRefused(self._address.host, self._address.port, str(reason))
            log.error("%s", self.refused)
            return
        self.refused = self.lost_s = None
        self._connection = next(self._counter)
        log.info("connected to the broker at %s:%s", self._address.host, self._address.port)
        if self._subscriptions:
            client.subscribe([(topic, 1) for topic in self._subscriptions])

    def _on_disconnect(
        self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self.lost_s = time.monotonic()
        if reason.is_failure:
            log.warning("connection to the broker lost: %s", reason)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        raw = RawMessage(message.topic, bytes(message.payload), time.time_ns() // 1000)
        self._queue.append(Delivery(self._connection, message.mid, message.qos, raw))
