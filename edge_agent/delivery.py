"""What to send next from one spool, and what to send again. Sans-I/O; times are seconds.

Oldest first, with a bounded number in flight (sent, not yet acknowledged by the pipeline). While a
backlog drains, live batches go ahead of it: they do not use the window, because the cumulative ack
cannot reach them before the backlog is through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_agent.spool import Spool, Stored

LIVE_S = 10.0
"""A batch of live readers is live for so long."""
_LIVE_A_TURN = 4
_MOST_PATIENT = 8
"""Times ack_timeout_s: the longest wait before what may be lost is sent again."""


@dataclass(slots=True)
class _Stream:
    """Of one boot: when its ack last moved on, or sending began; and how patient to be."""

    moved_s: float
    timeout_s: float


class Delivery:
    """`window`: batches in flight; `live_ahead`: live ones sent before an older gap is closed."""

    def __init__(
        self,
        spool: Spool,
        *,
        window: int = 100,
        window_bytes: int = 4 << 20,
        ack_timeout_s: float = 10.0,
        live_ahead: int = 5000,
    ) -> None:
        self._spool = spool
        self._window = window
        self._window_bytes = window_bytes
        self._ack_timeout_s = ack_timeout_s
        self._live_ahead = live_ahead
        self._row = 0  # every batch up to this row was sent
        self._in_flight: dict[int, tuple[str, int, int]] = {}  # row -> boot, sequence, bytes
        self._ahead: dict[int, tuple[str, int, int]] = {}
        self._streams: dict[str, _Stream] = {}
        self._looked_at: int | None = None
        self.resends = 0

    @property
    def in_flight(self) -> int:
        return len(self._in_flight) + len(self._ahead)

    def connected(self) -> None:
        """A new connection: whatever is not acknowledged may have been lost."""
        self._forget_sent()
        self._streams.clear()

    def _forget_sent(self) -> None:
        self._row = 0
        self._in_flight.clear()
        self._ahead.clear()
        self._looked_at = None

    def acknowledged(self, boot: str, sequence: int, now_s: float) -> int:
        """The pipeline holds `boot` up to `sequence`: delete. Returns how many batches went."""
        deleted = self._spool.acknowledge(boot, sequence)
        if not deleted:  # an old ack, or none of ours
            if boot in self._streams:  # the pipeline is there and lacks something: no patience
                self._streams[boot].timeout_s = self._ack_timeout_s
            return 0
        for sent in (self._in_flight, self._ahead):
            for row in [r for r, (b, s, _) in sent.items() if b == boot and s <= sequence]:
                del sent[row]
        self._streams[boot] = _Stream(now_s, self._ack_timeout_s)
        return deleted

    def next(self, now_s: float) -> Sequence[Stored]:
        """The batches to send now, in order; they count as sent."""
        self._resend_if_stuck(now_s)
        if self._looked_at == self._spool.version:
            return ()
        version = self._spool.version
        free = self._window - len(self._in_flight)
        found = self._spool.after(self._row, free) if free > 0 else []
        batches = self._take(found, now_s)
        if free > 0 and not found:
            self._looked_at = version  # nothing is left; look again when the spool changes
        else:
            batches += self._live(now_s)
        return batches

    def _take(self, found: Sequence[Stored], now_s: float) -> list[Stored]:
        batches = []
        size = sum(entry[2] for entry in self._in_flight.values())
        for batch in found:
            if len(self._in_flight) >= self._window or size > self._window_bytes:
                break
            self._row = batch.row
            if batch.row in self._ahead:  # it went before its turn
                self._in_flight[batch.row] = self._ahead.pop(batch.row)
                continue
            size += len(batch.payload)
            self._sent(batch, self._in_flight, now_s)
            batches.append(batch)
        return batches

    def _live(self, now_s: float) -> list[Stored]:
        """The newest batches, while older ones still wait for their turn."""
        if len(self._ahead) >= self._live_ahead:
            return []
        newest = self._spool.newest(self._row, LIVE_S, _LIVE_A_TURN)
        batches = [batch for batch in newest if batch.row not in self._ahead]
        for batch in batches:
            self._sent(batch, self._ahead, now_s)
        return batches

    def _sent(self, batch: Stored, where: dict[int, tuple[str, int, int]], now_s: float) -> None:
        where[batch.row] = (batch.boot, batch.sequence, len(batch.payload))
        if batch.boot not in self._streams:
            self._streams[batch.boot] = _Stream(now_s, self._ack_timeout_s)

    def _resend_if_stuck(self, now_s: float) -> None:
        """An ack that stands still although batches are out: they may be lost. Send them again."""
        waiting = {boot for boot, _, _ in self._in_flight.values()}
        for boot in [boot for boot in self._streams if boot not in waiting]:
            del self._streams[boot]
        stuck = [s for s in self._streams.values() if now_s - s.moved_s >= s.timeout_s]
        if not stuck:
            return
        for stream in stuck:
            stream.moved_s = now_s
            stream.timeout_s = min(stream.timeout_s * 2, _MOST_PATIENT * self._ack_timeout_s)
        self.resends += 1
        self._forget_sent()
