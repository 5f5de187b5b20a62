"""The bytes of a stored batch as they go out: what is only known when it is sent is filled in."""

from __future__ import annotations

from edge_agent.clock import EventClock
from edge_agent.spool import Spool, Stored
from pipeline.contracts.codec import stamped


def payload_of(batch: Stored, spool: Spool, clock: EventClock) -> bytes:
    """With when it is sent; with what is still held, so that nobody waits for what will never come
    or goes on without what will; and with the clock's correction, when the batch was stored by an
    unsynchronised clock whose error has become known since."""
    oldest = spool.oldest_sequence(batch.boot) or batch.sequence
    correction_us = clock_correction_us(batch, spool, clock)
    return stamped(
        batch.payload,
        oldest=min(oldest, batch.sequence),
        # The receiver adds the correction to every time, so what is right already must lack it.
        sent_us=clock.now_us() - (correction_us or 0),
        earlier=spool.earlier(),
        correction_us=correction_us,
    )


def clock_correction_us(batch: Stored, spool: Spool, clock: EventClock) -> int | None:
    """Within one boot of the kernel the monotonic clock tells how wrong the anchor was."""
    if batch.synchronised or batch.anchor_us is None or not clock.synchronised:
        return None
    if batch.kernel_boot != spool.kernel_boot:
        return None
    return clock.anchor_us - batch.anchor_us
