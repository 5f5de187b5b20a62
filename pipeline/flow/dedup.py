"""Deduplication by (gateway, boot, sequence): a contiguous mark and a bounded set beyond it.

The cumulative acknowledgement never passes a gap. `oldest` in a batch closes gaps that will never
be filled: what lies below it the gateway has had acknowledged or has given up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_BEYOND = 65_536
"""With this many ahead of a gap only what closes it is taken; gateways send the rest again."""
MAX_BOOTS = 64
NEVER_US = -(2**62)


@dataclass
class Stream:
    """One boot of one gateway. `until_us`: the gateway's promise as of the contiguous mark."""

    mark: int = 0
    until_us: int = NEVER_US
    beyond: dict[int, int] = field(default_factory=dict)
    """Sequence -> until_us of batches that arrived ahead of a gap."""

    def accept(self, sequence: int, oldest: int, until_us: int) -> bool:
        """True when the batch is new. A refusal that is no duplicate is told by `is_known`."""
        self._give_up_below(oldest)
        if self.is_known(sequence):
            return False
        if len(self.beyond) >= MAX_BEYOND and sequence != self.mark + 1:
            return False
        self.beyond[sequence] = until_us
        self._absorb()
        return True

    def is_known(self, sequence: int) -> bool:
        return sequence <= self.mark or sequence in self.beyond

    def _give_up_below(self, oldest: int) -> None:
        if oldest - 1 <= self.mark:
            return
        self.mark = oldest - 1
        for sequence in [s for s in self.beyond if s <= self.mark]:
            self.until_us = max(self.until_us, self.beyond.pop(sequence))
        self._absorb()

    def _absorb(self) -> None:
        while self.mark + 1 in self.beyond:
            self.mark += 1
            self.until_us = max(self.until_us, self.beyond.pop(self.mark))

    def copy(self) -> Stream:
        return Stream(self.mark, self.until_us, dict(self.beyond))


@dataclass
class Streams:
    """The boots of one gateway, the most recently heard last."""

    boots: dict[str, Stream] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    """Earlier boots of which the gateway still holds batches: boot -> highest sequence."""

    def stream(self, boot: str) -> Stream:
        found = self.boots.pop(boot, None) or Stream()
        self.boots[boot] = found
        while len(self.boots) > MAX_BOOTS:
            del self.boots[next(iter(self.boots))]
        return found

    @property
    def until_us(self) -> int:
        """No boot will send anything older than this."""
        promises = [self._promise_of(boot, last) for boot, last in self.held.items()]
        newest = max((s.until_us for s in self.boots.values()), default=NEVER_US)
        return min([newest, *(us for us in promises if us is not None)])

    def _promise_of(self, boot: str, last: int) -> int | None:
        """None: everything it held has come."""
        stream = self.boots.get(boot)
        if stream is None:
            return NEVER_US
        return stream.until_us if stream.mark < last else None

    def copy(self) -> Streams:
        boots = {boot: stream.copy() for boot, stream in self.boots.items()}
        return Streams(boots, dict(self.held))
