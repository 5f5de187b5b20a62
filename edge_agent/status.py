"""The status message: what a gateway says about itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from edge_agent.clock import EventClock
from edge_agent.errors import SpoolError
from edge_agent.program import program_version
from edge_agent.publisher import Publisher
from edge_agent.readers.state import ReaderState, from_us
from edge_agent.stores import Stores
from pipeline.contracts.messages import ConfigReport, GatewayStatus, SpoolHealth
from pipeline.contracts.reads import ClockState

_NO_BOOT = "0" * 32


class StatusBuilder:
    """Collects; `build` may be called from any thread."""

    def __init__(
        self, gateway: str, clock: EventClock, stores: Stores, readers: Sequence[ReaderState]
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._stores = stores
        self._readers = readers
        self._started_at = from_us(clock.now_us())
        self._version = program_version()

    def build(
        self,
        state: Literal["online", "offline"],
        *,
        publisher: Publisher | None = None,
        counters: dict[str, int] | None = None,
        config: ConfigReport | None = None,
    ) -> GatewayStatus:
        spool = self._stores.memory or self._stores.disk
        return GatewayStatus(
            gateway=self._gateway,
            state=state,
            version=self._version,
            boot=spool.boot if spool else _NO_BOOT,
            at=from_us(self._clock.now_us()),
            started_at=self._started_at,
            clock=ClockState(synchronised=self._clock.synchronised),
            spool=self._spool(),
            readers=[reader.health() for reader in self._readers],
            counters=(counters or {}) | self._counters(publisher),
            config=config,
        )

    def signature(self) -> tuple[object, ...]:
        """Changes when something happened that people should see at once."""
        return (
            *((reader.state, reader.restarts, reader.error) for reader in self._readers),
            self._stores.error,
            self._clock.synchronised,
        )

    def _spool(self) -> SpoolHealth | None:
        spools = self._stores.spools()
        try:
            depths = [spool.depth() for spool in spools]
            dropped = {
                name: sum(spool.counter(name) for spool in spools)
                for name in ("dropped_batches", "dropped_reads")
            }
        except SpoolError:
            return None
        oldest = [at for depth in depths if (at := depth.oldest_created_us) is not None]
        return SpoolHealth(
            batches=sum(depth.batches for depth in depths),
            bytes=sum(depth.bytes for depth in depths),
            oldest_at=from_us(min(oldest)) if oldest else None,
            **dropped,
        )

    def _counters(self, publisher: Publisher | None) -> dict[str, int]:
        counters = {
            "clock_steps": self._clock.steps,
            "spool_failing": int(self._stores.error is not None),
            "spool_corrupt": self._stores.corruptions,
            "spool_in_memory": int(self._stores.memory is not None),
        }
        if publisher is not None:
            counters |= {
                "batches_sent": publisher.sent,
                "batches_acknowledged": publisher.acknowledged,
                "connects": publisher.connects,
                "resends": publisher.resends,
                "strange_acks": publisher.strange_acks,
            }
        return counters
