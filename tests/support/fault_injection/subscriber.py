"""An alert consumer: a real subscriber with the organization's credentials."""

from __future__ import annotations

import threading
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.contracts.topics import ROOT
from pipeline.embedded import Broker


class AlertSubscriber:
    """Remembers every alert message (not the retained states), with repeats counted once."""

    def __init__(self, broker: Broker, organization: str) -> None:
        self.alerts: set[tuple[str, bytes]] = set()
        self._subscribed = threading.Event()
        self._topic = f"{ROOT}/{organization}/+/alerts/+/+"
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="alert-consumer", clean_session=False
        )
        client.username_pw_set(*broker.credentials(organization))
        client.reconnect_delay_set(0.05, 0.05)  # type: ignore[arg-type] seconds, whole or not
        client.on_connect = self._on_connect
        client.on_subscribe = lambda *_: self._subscribed.set()
        client.on_disconnect = lambda *_: self._subscribed.clear()
        client.on_message = self._on_message
        client.connect("127.0.0.1", broker.port, keepalive=60)
        client.loop_start()
        self._client = client

    def wait(self, timeout_s: float = 10.0) -> None:
        """Until the broker has our subscription (again)."""
        assert self._subscribed.wait(timeout_s), "the alert subscriber is not subscribed"

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe(self._topic, qos=1)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if "/alerts/state/" not in message.topic:
            self.alerts.add((message.topic, bytes(message.payload)))
