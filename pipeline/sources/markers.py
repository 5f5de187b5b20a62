"""Time markers: batches without reads that say how far event time has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.contracts import codec, topics
from pipeline.contracts.reads import ClockState
from pipeline.contracts.transport import RawMessage
from pipeline.sources.envelope import NEVER_US

BOOT = "00000000"
"""A numbering of its own, which no gateway draws."""
Gateway = tuple[str, str, str]
"""Organization, facility, gateway."""


@dataclass
class Reached:
    """How far a gateway has come: its newest promise and its newest read, us since 1970."""

    until_us: int = NEVER_US
    newest_us: int = NEVER_US

    def advance(self, until_us: int, newest_us: int) -> None:
        self.until_us = max(self.until_us, until_us)
        self.newest_us = max(self.newest_us, newest_us)


def marker(gateway: Gateway, sequence: int, until_us: int) -> RawMessage:
    envelope = {
        "gateway": gateway[2],
        "boot": BOOT,
        "sequence": sequence,
        "oldest": sequence,
        "until_us": until_us,
        "clock": ClockState(synchronised=True),
    }
    batch = codec.build_batch(
        envelope, tags=(), receivers=(), time_us=(), rssi_cdbm=(), peak_cdbm=(), count=(), kind=()
    )
    topic = topics.gateway(*gateway, "reads")
    return RawMessage(topic, codec.encode_batch(batch), until_us)


@dataclass(frozen=True)
class Drain:
    """What is appended to an input so that its last windows close.

    Every gateway of a building that was heard at all promises what the most advanced one has
    promised, or the end of the last window with a read, whichever is later. It follows from the
    messages alone, one building at a time. `buildings`: their registered gateways.
    """

    buildings: Sequence[Sequence[Gateway]]
    window_us: int
    allowed_lateness_us: int

    def markers(self, reached: Mapping[Gateway, Reached], sequence: int) -> list[RawMessage]:
        """The last messages; `sequence` follows the markers that were sent before."""
        messages = []
        for gateways in self.buildings:
            heard = [reached[gateway] for gateway in gateways if gateway in reached]
            until_us = max((r.until_us for r in heard), default=NEVER_US)
            newest_us = max((r.newest_us for r in heard), default=NEVER_US)
            if newest_us != NEVER_US:
                end_us = newest_us - newest_us % self.window_us + self.window_us
                until_us = max(until_us, end_us + self.allowed_lateness_us)
            if until_us != NEVER_US:
                messages += [marker(gateway, sequence, until_us) for gateway in gateways]
        return messages
