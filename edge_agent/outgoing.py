"""The bytes of a stored batch as they go out: what is only known when it is sent is filled in."""

from __future__ import annotations

import msgpack

from edge_agent.clock import EventClock
from edge_agent.spool import Spool, Stored
from pipeline.contracts.codec import with_oldest


def payload_of(batch: Stored, spool: Spool, clock: EventClock) -> bytes:
    """With `oldest`: what lies below is acknowledged or given up. And with the clock's correction,
    when the batch was stored by an unsynchronised clock whose error has become known since."""
    oldest = spool.oldest_sequence(batch.boot) or batch.sequence
    payload = with_oldest(batch.payload, min(oldest, batch.sequence))
    correction_us = clock_correction_us(batch, spool, clock)
    if correction_us is None:
        return payload
    fields = msgpack.unpackb(payload)
    fields["clock"]["correction_us"] = correction_us
    packed: bytes = msgpack.packb(fields, use_bin_type=True)
    return packed


def clock_correction_us(batch: Stored, spool: Spool, clock: EventClock) -> int | None:
    """Within one boot of the kernel the monotonic clock tells how wrong the anchor was."""
    if batch.synchronised or batch.anchor_us is None or not clock.synchronised:
        return None
    if batch.kernel_boot != spool.kernel_boot:
        return None
    return clock.anchor_us - batch.anchor_us
