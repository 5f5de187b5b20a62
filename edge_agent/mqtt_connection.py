"""One connection to the broker, from connect to its end, driven by the caller's loop.

Every connection has a fresh client object, so nothing of an earlier one is sent by surprise; the
session at the broker is persistent, so acks that come while we are away wait for us.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.settings import PASSWORD_VARIABLE, Broker, Settings

_CONNECT_S = 10.0
_IN_FLIGHT = 1000


class Connection:
    """`open`, then `turn` until it returns False; `ready` once the broker accepted us."""

    def __init__(self, settings: Settings, *, will: tuple[str, bytes]) -> None:
        self._settings = settings
        self._callbacks: dict[str, Callable[[bytes], None]] = {}
        self.ready = False
        self.problem: str | None = None
        self.unconfirmed: set[int] = set()
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.user,
            clean_session=False,
            protocol=mqtt.MQTTv311,
        )
        client.connect_timeout = _CONNECT_S
        client.max_inflight_messages_set(_IN_FLIGHT)
        client.username_pw_set(settings.user, password(settings.broker))
        client.will_set(*will, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_log = self._on_log
        self._client = client

    def subscribe(self, callbacks: dict[str, Callable[[bytes], None]]) -> None:
        """Topic -> what is called with the payload. Before `open`."""
        self._callbacks = callbacks
        self._client.on_message = self._on_message

    def open(self) -> None:
        """Blocks for at most ten seconds. Raises OSError, ssl.SSLError, ValueError."""
        broker = self._settings.broker
        url = urlsplit(broker.url)
        secure = url.scheme == "mqtts"
        if secure:
            self._client.tls_set_context(_tls(broker))
        port = url.port or (8883 if secure else 1883)
        self._client.connect(url.hostname or "", port, keepalive=broker.keepalive_s)

    def turn(self, timeout_s: float) -> bool:
        """Read, write and call back once; False when the connection has ended."""
        return self._client.loop(timeout_s) == mqtt.MQTT_ERR_SUCCESS

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        self.unconfirmed.add(info.mid)

    def close(self) -> None:
        self._client.disconnect()
        self.ready = False

    def _on_connect(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self.problem = f"the broker refused us: {reason}"
            return
        if self._callbacks:
            client.subscribe([(topic, 1) for topic in self._callbacks])
        self.ready = True

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        callback = self._callbacks.get(message.topic)
        if callback is not None:
            callback(bytes(message.payload))

    def _on_log(self, _client: Any, _data: Any, level: int, text: str) -> None:
        """Why a connection ended is told nowhere else."""
        if level == mqtt.MQTT_LOG_ERR and self.problem is None:
            self.problem = text

    def _on_publish(self, _client: Any, _data: Any, mid: int, *_rest: Any) -> None:
        self.unconfirmed.discard(mid)


def explained(error: object) -> str:
    """What a failed connection means to whoever has to mend it, with the error's own words."""
    text = str(error) or type(error).__name__
    low = text.lower()
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not trusted, see ca_file and the clock ({text})"
    if "alert" in low and ("certificate" in low or "unknown ca" in low):
        return (
            "the broker refuses this gateway's certificate, have it signed (biotrakr keys sign): "
            + text
        )
    if "violation of protocol" in low:
        return (
            "the broker ended the connection while it was made, see whether the port is the one "
            f"for TLS and this gateway's certificate is accepted ({text})"
        )
    if isinstance(error, socket.gaierror):
        return f"the broker's name cannot be looked up, see url and the network's DNS ({text})"
    return text


def password(broker: Broker) -> str | None:
    """From the environment or the file, read anew each time so that it can be rotated."""
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    if broker.password_file is None:
        return None
    return Path(broker.password_file).read_text().strip("\r\n")


def _tls(broker: Broker) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=broker.ca_file and str(broker.ca_file))
    if broker.cert_file is not None:
        context.load_cert_chain(broker.cert_file, broker.key_file)
    return context
