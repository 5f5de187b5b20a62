"""The MQTT side: one thread that connects, sends from the spools and takes in the pipeline's acks.

Guarantee: at least once. A batch leaves the spool at the pipeline's ack and never at the broker's
PUBACK; a repeated batch has the same (boot, sequence), which is what the pipeline drops it by.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from edge_agent import faults
from edge_agent.clock import EventClock
from edge_agent.delivery import Delivery
from edge_agent.errors import SpoolError
from edge_agent.logs import fields
from edge_agent.mqtt_connection import Connection, explained
from edge_agent.outgoing import payload_of
from edge_agent.readers.supervise import Backoff
from edge_agent.settings import Settings
from edge_agent.spool import Spool
from pipeline.contracts.codec import decode_json, encode_json
from pipeline.contracts.errors import MessageError
from pipeline.contracts.messages import Ack, GatewayStatus
from pipeline.contracts.topics import gateway as gateway_topic

log = logging.getLogger("edge.publisher")

_CHANNELS = ("reads", "status", "ack", "config")
_TURN_S = 0.1
_STABLE_S = 5.0


class Publisher:
    """`spools()` gives what is to be drained; `offline` is the last will.

    Thread-safe: `show`, `start`, `stop`, and reading the counters.
    """

    def __init__(
        self,
        settings: Settings,
        spools: Callable[[], Sequence[Spool]],
        clock: EventClock,
        offline: Callable[[], GatewayStatus],
        *,
        configured: Callable[[bytes], None] = lambda _payload: None,
        turned: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._spools = spools
        self._clock = clock
        self._offline = offline
        self._configured = configured
        self._turned = turned
        where = (settings.organization, settings.facility, settings.gateway)
        self._topics = {name: gateway_topic(*where, name) for name in _CHANNELS}
        self._deliveries: dict[Spool, Delivery] = {}
        self._status: GatewayStatus | None = None
        self._status_changed = threading.Event()
        self._stopping = threading.Event()
        self._drained_by_s = 0.0
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self.connected = False
        self.lost_s: float | None = time.monotonic()
        """Since when there is no connection (monotonic); None: there is one."""
        self.error: str | None = None
        self.acknowledged_s: float | None = None
        """When the pipeline last acknowledged something (monotonic); None: never."""
        self._waiting_since_s = time.monotonic()
        self.sent = self.acknowledged = self.connects = self.strange_acks = 0

    @property
    def resends(self) -> int:
        return sum(delivery.resends for delivery in list(self._deliveries.values()))

    def unanswered_s(self) -> float:
        """Seconds since an acknowledgement came, or since there is a connection to bring one."""
        return time.monotonic() - max(self._waiting_since_s, self.acknowledged_s or 0.0)

    def start(self) -> None:
        self._thread.start()

    def show(self, status: GatewayStatus) -> None:
        """Publish this status, now if connected and on every later connection."""
        self._status = status
        self._status_changed.set()

    def stop(self, *, within_s: float = 1.0) -> None:
        """Send what can still be sent, say offline, disconnect."""
        self._drained_by_s = time.monotonic() + within_s / 2
        self._stopping.set()
        self._thread.join(within_s)

    def _run(self) -> None:
        backoff = Backoff(first_s=self._settings.broker.reconnect_s, most_s=30.0)
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                self._session()
            except Exception as error:  # whatever the network did, try again
                self._failed(explained(error))
            self.connected = False
            self.lost_s = time.monotonic() if self.lost_s is None else self.lost_s
            if time.monotonic() - began_s >= _STABLE_S:
                backoff.reset()
            self._turned()
            self._stopping.wait(backoff.pause_s())

    def _failed(self, error: str) -> None:
        if error != self.error:
            url = self._settings.broker.url
            log.warning("no connection to the broker %s", fields(broker=url, error=error))
        self.error = error

    def _session(self) -> None:
        """One connection, from connect to its end. Raises OSError and its kin."""
        connection = Connection(
            self._settings, will=(self._topics["status"], encode_json(self._offline()))
        )
        callbacks = {"ack": self._on_ack, "config": self._configured}
        connection.subscribe({self._topics[name]: call for name, call in callbacks.items()})
        try:
            connection.open()
            while connection.turn(_TURN_S):
                self._turned()
                if connection.ready:
                    self._serve(connection)
                    if self._stopping.is_set() and self._is_drained():
                        self._goodbye(connection)
                        return
                elif self._stopping.is_set():
                    return
        finally:
            connection.close()
        raise ConnectionError(connection.problem or "connection lost")

    def _serve(self, connection: Connection) -> None:
        if not self.connected:
            self._greet()
        if self._status is not None and self._status_changed.is_set():
            self._status_changed.clear()
            connection.publish(self._topics["status"], encode_json(self._status), retain=True)
        for spool in self._spools():
            self._send_from(spool, connection)

    def _greet(self) -> None:
        self.connected, self.error, self.lost_s = True, None, None
        self._waiting_since_s = time.monotonic()
        self.connects += 1
        self._status_changed.set()
        spools = set(self._spools())
        self._deliveries = {s: d for s, d in self._deliveries.items() if s in spools}
        for delivery in self._deliveries.values():
            delivery.connected()
        log.info("connected %s", fields(broker=self._settings.broker.url))

    def _send_from(self, spool: Spool, connection: Connection) -> None:
        delivery = self._delivery(spool)
        try:
            for batch in delivery.next(time.monotonic()):
                try:
                    payload = payload_of(batch, spool, self._clock)
                except MessageError as error:
                    log.error("unreadable batch given up %s", fields(row=batch.row, error=error))
                    spool.give_up(batch.row)
                    continue
                connection.publish(self._topics["reads"], payload)
                self.sent += 1
                faults.passing("published")
        except SpoolError as error:
            log.warning("cannot read the spool %s", fields(error=error))

    def _delivery(self, spool: Spool) -> Delivery:
        if spool not in self._deliveries:
            broker = self._settings.broker
            self._deliveries[spool] = Delivery(
                spool,
                window=broker.max_in_flight,
                ack_timeout_s=broker.ack_timeout_s,
                live_ahead=broker.live_ahead,
            )
        return self._deliveries[spool]

    def _on_ack(self, payload: bytes) -> None:
        if not payload:
            return  # somebody cleared the retained message
        try:
            ack = decode_json(Ack, payload)
        except MessageError as error:
            self._refuse_ack(str(error))
            return
        if ack.gateway != self._settings.gateway:
            self._refuse_ack(f"it is for gateway {ack.gateway}")
            return
        faults.passing("ack-received")
        before = self.acknowledged
        for spool in self._spools():
            try:
                delivery = self._delivery(spool)
                self.acknowledged += delivery.acknowledged(ack.boot, ack.sequence, time.monotonic())
            except SpoolError as error:
                log.warning("ack not taken in %s", fields(error=error))
        if self.acknowledged != before:
            self.acknowledged_s = time.monotonic()

    def _refuse_ack(self, problem: str) -> None:
        self.strange_acks += 1
        log.warning("ack refused %s", fields(problem=problem))

    def _is_drained(self) -> bool:
        return time.monotonic() >= self._drained_by_s or all(
            spool.depth().batches == 0 for spool in self._spools()
        )

    def _goodbye(self, connection: Connection) -> None:
        connection.publish(self._topics["status"], encode_json(self._offline()), retain=True)
        until_s = time.monotonic() + 0.3
        while connection.unconfirmed and time.monotonic() < until_s and connection.turn(0.05):
            pass
