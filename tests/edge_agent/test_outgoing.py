"""What is filled in when a batch is sent."""

import pytest

from edge_agent.clock import EventClock
from edge_agent.outgoing import payload_of
from edge_agent.spool import MEMORY, Spool
from pipeline.contracts.codec import decode_batch

SECOND = 1_000_000


@pytest.fixture
def spool():
    spool = Spool(MEMORY, kernel_boot="k1")
    yield spool
    spool.close()


def clock_at(wall_us, *, synchronised):
    return EventClock(lambda: 0, lambda: wall_us, lambda: synchronised)


def sent(spool, clock):
    return [decode_batch(payload_of(batch, spool, clock)) for batch in spool.after(0, 9)]


def test_oldest_is_what_is_still_there(spool, draft):
    spool.append([draft(n) for n in range(4)])
    spool.acknowledge(spool.boot, 2)
    batches = sent(spool, clock_at(0, synchronised=True))
    assert [(batch.sequence, batch.oldest) for batch in batches] == [(3, 3), (4, 3)]


def test_oldest_passes_over_what_was_given_up(spool, draft):
    spool.append([draft(n) for n in range(4)])
    spool._max_bytes = spool.depth().bytes
    spool.append([draft(9)])
    assert {batch.oldest for batch in sent(spool, clock_at(0, synchronised=True))} == {2}


def test_a_clock_that_was_wrong_is_corrected_once_that_is_known(spool, draft):
    spool.append([draft(5, synchronised=False, anchor_us=100 * SECOND)])
    (before,) = sent(spool, clock_at(100 * SECOND, synchronised=False))
    assert (before.clock.synchronised, before.clock.correction_us) == (False, None)
    (after,) = sent(spool, clock_at(160 * SECOND, synchronised=True))
    assert (after.clock.synchronised, after.clock.correction_us) == (False, 60 * SECOND)


def test_nothing_is_known_about_another_boot_of_the_kernel(spool, draft):
    spool.append([draft(5, synchronised=False, anchor_us=100 * SECOND)])
    spool.kernel_boot = "k2"
    (batch,) = sent(spool, clock_at(160 * SECOND, synchronised=True))
    assert batch.clock.correction_us is None


def test_a_right_clock_needs_no_correction(spool, draft):
    spool.append([draft(5, anchor_us=100 * SECOND)])
    (batch,) = sent(spool, clock_at(160 * SECOND, synchronised=True))
    assert batch.clock.correction_us is None


def test_when_it_was_sent_comes_out_right_after_the_correction(spool, draft):
    spool.append([draft(5, synchronised=False, anchor_us=100 * SECOND)])
    (right,) = sent(spool, clock_at(160 * SECOND, synchronised=True))
    assert right.sent_us + right.clock.correction_us == 160 * SECOND
    (unknown,) = sent(spool, clock_at(100 * SECOND, synchronised=False))
    assert unknown.sent_us == 100 * SECOND


def test_what_is_held_of_earlier_boots_is_told(spool, draft):
    spool.append([draft(n) for n in range(3)])
    before = spool.boot
    spool.begin_new_stream()
    spool.append([draft(9)])
    clock = clock_at(0, synchronised=True)
    assert [batch.earlier for batch in sent(spool, clock)] == [{before: 3}] * 4
    spool.acknowledge(before, 2)
    assert [batch.earlier for batch in sent(spool, clock)] == [{before: 3}] * 2
    spool.acknowledge(before, 3)
    assert [batch.earlier for batch in sent(spool, clock)] == [{}]
