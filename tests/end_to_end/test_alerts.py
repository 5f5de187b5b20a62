"""A forbidden-zone alert as its consumers see it: opened, kept while open, resolved, cleared."""

from __future__ import annotations

import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
from fake_gateway import FakeGateway, now_us
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.cli.stack import Stack
from pipeline.contracts import codec
from pipeline.contracts.messages import Alert

BOOT = "12" * 8
ALERTS = "biotrakr/v1/acme/+/alerts/#"
SECOND_US = 1_000_000


class Consumer:
    """An alert consumer of one organization: everything it is sent, in order."""

    def __init__(self, stack: Stack, organization: str = "acme") -> None:
        assert stack.broker is not None
        self.messages: list[tuple[str, bytes, bool]] = []
        self._changed = threading.Condition()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"consumer-{time.time_ns()}")
        client.username_pw_set(*stack.broker.credentials(organization))
        client.on_message = self._on_message
        subscribed = threading.Event()
        client.on_connect = lambda c, *_: c.subscribe(ALERTS, qos=1)
        client.on_subscribe = lambda *_: subscribed.set()
        client.connect("127.0.0.1", stack.broker.port)
        client.loop_start()
        assert subscribed.wait(10)
        self.client = client

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        with self._changed:
            self.messages.append((message.topic, bytes(message.payload), message.retain))
            self._changed.notify_all()

    def wait_for(self, count: int, timeout_s: float = 20.0) -> None:
        with self._changed:
            done = self._changed.wait_for(lambda: len(self.messages) >= count, timeout_s)
        assert done, self.messages

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def _send(gateway: FakeGateway, sequence: int, at_us: int, tag: str, receiver: str) -> None:
    """One second in which one tag was heard by one receiver."""
    envelope = {
        "gateway": "gw",
        "boot": BOOT,
        "sequence": sequence,
        "until_us": at_us + SECOND_US,
        "clock": {"synchronised": True},
    }
    kind = 2 if tag.startswith("epc") else 1
    gateway.send(
        codec.encode_batch(
            codec.build_batch(
                envelope,
                tags=[tag],
                receivers=[receiver],
                time_us=[at_us + 500_000],
                rssi_cdbm=[-5500],
                peak_cdbm=[-5500],
                count=[3],
                kind=[kind],
            )
        )
    )


def test_from_entry_to_resolution(running: Stack) -> None:
    start_us = (now_us() - 120 * SECOND_US) // SECOND_US * SECOND_US
    early, other = Consumer(running), Consumer(running, "globex")
    with FakeGateway(running) as gateway:
        for second in range(10):  # at the vault's door, inside: longer than the dwell of 5 s
            _send(gateway, second + 1, start_us + second * SECOND_US, "epc:e2000001", "door/1")
        early.wait_for(2)
        late = Consumer(running)
        late.wait_for(1)
        for second in range(10, 50):  # back in the ward
            _send(gateway, second + 1, start_us + second * SECOND_US, "ble:a4c138000001", "ble0")
        early.wait_for(4)
    after = Consumer(running)
    time.sleep(1.0)
    for consumer in (early, late, after, other):
        consumer.close()

    topics = [topic for topic, _, _ in early.messages]
    opened = codec.decode_json(Alert, early.messages[0][1])
    resolved = codec.decode_json(Alert, early.messages[2][1])
    state_topic = f"biotrakr/v1/acme/north/alerts/state/{opened.alert_id}"
    event_topic = "biotrakr/v1/acme/north/alerts/critical/forbidden-zone"
    assert topics == [event_topic, state_topic, event_topic, state_topic]
    assert (opened.state, opened.revision) == ("open", 1)
    assert (resolved.state, resolved.revision) == ("resolved", 2)
    assert resolved.alert_id == opened.alert_id
    assert opened.subject.asset_tag_number == "P-1"
    assert opened.place.zone == "vault"
    assert opened.place.room == "vault"
    assert "at least 5 s" in opened.reason
    assert (opened.at - opened.opened_at).total_seconds() >= 5
    assert resolved.evidence["visit_id"] == opened.evidence["visit_id"]
    assert early.messages[3][1] == b"", "the retained state is cleared"
    assert late.messages[0] == (state_topic, early.messages[1][1], True), "it knew what is open"
    assert after.messages == [], "nothing is open any more"
    assert other.messages == [], "another organization hears nothing"
    with running.connect() as connection:
        rows = connection.execute(
            "select state, reason from tracking.alert_event order by revision"
        ).fetchall()
    assert [state for state, _ in rows] == ["open", "resolved"]
