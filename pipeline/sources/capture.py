"""Records what gateways send: a second subscriber, which takes nothing away from the pipeline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.sources.capture_file import CaptureWriter
from pipeline.sources.errors import SourceError
from pipeline.sources.mqtt_client import Delivery, MqttClient

MAX_BATCH = 500
FLUSH_S = 0.25
IDLE_S = 0.01
PROGRESS_S = 2.0
CONNECT_S = 15.0
SESSION_EXPIRY_S = 60
"""A short loss of the connection loses nothing; the broker forgets us soon after the end."""


@dataclass
class Recorded:
    """`lost`: how often the connection was; after a long loss messages are missing."""

    messages: int = 0
    bytes: int = 0
    lost: int = 0


class Recorder:
    """Messages are acknowledged when they are in the file: the broker holds back the rest, so at
    most the session's receive maximum is in memory."""

    def __init__(self, client: MqttClient, writer: CaptureWriter) -> None:
        self._client, self._writer = client, writer
        self._pending: list[Delivery] = []
        self.recorded = Recorded()

    def run(
        self,
        stopping: threading.Event,
        seconds: float | None,
        progress: Callable[[Recorded], None],
    ) -> None:
        """Until `stopping` is set or `seconds` have passed since the broker let us in.

        Raises CaptureError when the disk is full, SourceError when the broker does not let us in.
        """
        self._client.start(session_expiry_s=SESSION_EXPIRY_S)
        try:
            self._connect(stopping)
            began = flushed = told = time.monotonic()
            connected = True
            while not stopping.is_set():
                now = time.monotonic()
                if seconds is not None and now - began >= seconds:
                    break
                if not self._take():
                    time.sleep(IDLE_S)
                if now - flushed >= FLUSH_S:
                    self._flush()
                    flushed = now
                if now - told >= PROGRESS_S:
                    progress(self.recorded)
                    told = now
                before, connected = connected, self._client.lost_s is None
                self.recorded.lost += before and not connected
            while self._take():
                pass
            self._flush()
        finally:
            self._client.stop()

    def _connect(self, stopping: threading.Event) -> None:
        deadline = time.monotonic() + CONNECT_S
        while self._client.lost_s is not None and not stopping.is_set():
            if self._client.refused is not None:
                raise SourceError(f"nothing recorded: {self._client.refused}")
            if time.monotonic() > deadline:
                raise SourceError(f"nothing recorded: no broker answered in {CONNECT_S:.0f} s")
            time.sleep(IDLE_S)

    def _take(self) -> bool:
        deliveries = self._client.take(MAX_BATCH)
        for delivery in deliveries:
            self._writer.write(delivery.message)
            self.recorded.messages += 1
            self.recorded.bytes += len(delivery.message.payload)
        self._pending += deliveries
        return bool(deliveries)

    def _flush(self) -> None:
        self._writer.flush()
        self._client.acknowledge(self._pending)
        self._pending = []
