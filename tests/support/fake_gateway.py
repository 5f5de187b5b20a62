"""A gateway's MQTT connection without an agent: publishes what it is told, collects acks."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.cli.stack import Stack
from pipeline.contracts import codec, topics
from pipeline.contracts.messages import Ack

BOOT = "ab" * 8


def batch(
    sequence: int, start_us: int, *, gateway: str = "gw", boot: str = BOOT, **changes: Any
) -> bytes:
    """A good batch: one tag heard by two receivers at `start_us`; `changes` replace fields."""
    envelope = {
        "gateway": gateway,
        "boot": boot,
        "sequence": sequence,
        "until_us": start_us + 1_000_000,
        "clock": {"synchronised": True},
    } | changes
    return codec.encode_batch(
        codec.build_batch(
            envelope,
            tags=["ble:a4c138000001"] * 2,
            receivers=["ble0", "ble1"],
            time_us=[start_us, start_us + 1000],
            rssi_cdbm=[-6000, -7000],
            peak_cdbm=[-6000, -7000],
            count=[1, 1],
            kind=[1, 1],
        )
    )


class FakeGateway:
    """Context manager; `acks` are the sequences acknowledged so far."""

    def __init__(self, stack: Stack, gateway: str = "gw", facility: str = "north") -> None:
        self.place = ("acme", facility, gateway)
        self.acks: list[int] = []
        self._changed = threading.Condition()
        self.disconnects = 0
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"fake-{facility}-{gateway}")
        assert stack.broker is not None
        user, password = stack.broker.credentials(topics.gateway_user(*self.place))
        client.username_pw_set(user, password)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        client.connect("127.0.0.1", stack.broker.port)
        client.loop_start()
        self.client = client

    def send(self, payload: bytes, *, topic: str | None = None) -> None:
        """Publish at QoS 1; waits until the broker has it."""
        info = self.client.publish(topic or topics.gateway(*self.place, "reads"), payload, qos=1)
        info.wait_for_publish(10)

    def wait_for_ack(self, sequence: int, timeout_s: float = 20.0, *, after: int = 0) -> None:
        """Until an ack of exactly `sequence` arrived beyond the first `after` acks."""
        with self._changed:
            done = self._changed.wait_for(lambda: sequence in self.acks[after:], timeout_s)
        assert done, f"no ack of {sequence}, got {self.acks}"

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe(topics.gateway(*self.place, "ack"), qos=1)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        ack = codec.decode_json(Ack, message.payload)
        with self._changed:
            self.acks.append(ack.sequence)
            self._changed.notify_all()

    def _on_disconnect(self, *_: Any) -> None:
        self.disconnects += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def now_us() -> int:
    return time.time_ns() // 1000
