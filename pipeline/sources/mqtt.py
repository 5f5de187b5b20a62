"""MQTT as a bytewax source: messages are acknowledged when their epoch is durable.

After `snapshot` the engine does not call a source partition before that epoch is stored, and the
sink's transaction is part of it. So the first call afterwards is the moment to send the PUBACKs to
the broker and the pipeline's own cumulative acks to the gateways. Delivery guarantee: at least
once; the flow removes what comes twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from typing_extensions import override

from pipeline.contracts.transport import RawMessage
from pipeline.sources.mqtt_client import Delivery, MqttClient

BROKER_PART = "broker"
"""The one partition of the source in the engine's store."""
MAX_BATCH = 500
IDLE = timedelta(milliseconds=10)


class MqttSource(FixedPartitionedSource[RawMessage, None]):
    """One partition: one persistent session with one client id.

    `acknowledge_gateways` is called whenever the epoch before is durable.
    """

    def __init__(
        self, connect: Callable[[], MqttClient], acknowledge_gateways: Callable[[], None]
    ) -> None:
        self._connect, self._acknowledge_gateways = connect, acknowledge_gateways

    @override
    def list_parts(self) -> list[str]:
        return [BROKER_PART]

    @override
    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _Partition:
        return _Partition(self._connect(), self._acknowledge_gateways)


class _Partition(StatefulSourcePartition[RawMessage, None]):
    def __init__(self, client: MqttClient, acknowledge_gateways: Callable[[], None]) -> None:
        self._client, self._acknowledge_gateways = client, acknowledge_gateways
        self._emitted: list[Delivery] = []
        self._durable_soon: list[Delivery] = []
        self._idle = False
        client.start()

    @override
    def next_batch(self) -> list[RawMessage]:
        self._acknowledge()
        deliveries = self._client.take(MAX_BATCH)
        self._emitted += deliveries
        self._idle = not deliveries
        return [delivery.message for delivery in deliveries]

    @override
    def next_awake(self) -> datetime | None:
        return datetime.now(UTC) + IDLE if self._idle else None

    @override
    def snapshot(self) -> None:
        self._acknowledge()
        self._durable_soon, self._emitted = self._emitted, []

    @override
    def close(self) -> None:
        self._client.stop()

    def _acknowledge(self) -> None:
        """The epoch of the last snapshot is durable: tell the gateways, then the broker."""
        self._acknowledge_gateways()
        self._client.acknowledge(self._durable_soon)
        self._durable_soon = []
