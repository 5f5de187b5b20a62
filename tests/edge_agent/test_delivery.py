"""What is sent when: order, window, resends, and live batches during a drain."""

import pytest

from edge_agent.delivery import Delivery
from edge_agent.spool import MEMORY, Spool


@pytest.fixture
def wall():
    """The wall clock of the spool, in seconds."""
    return [1_700_000_000.0]


@pytest.fixture
def spool(wall):
    spool = Spool(MEMORY, wall_s=lambda: wall[0])
    yield spool
    spool.close()


@pytest.fixture
def fill(spool, draft):
    def fill(number, *, live=False):
        spool.append([draft(anchor_us=1 if live else None) for _ in range(number)])

    return fill


def sent(delivery, now_s=0.0, turns=20):
    """Sequences sent in some turns at one moment."""
    return [b.sequence for _ in range(turns) for b in delivery.next(now_s)]


def test_oldest_first_and_no_more_than_the_window(spool, fill):
    fill(10)
    delivery = Delivery(spool, window=4)
    assert sent(delivery) == [1, 2, 3, 4]
    delivery.acknowledged(spool.boot, 2, 0.0)
    assert sent(delivery) == [5, 6]
    delivery.acknowledged(spool.boot, 6, 0.0)
    assert sent(delivery) == [7, 8, 9, 10]
    assert sent(delivery) == []


def test_the_window_is_bounded_in_bytes_too(spool, draft):
    spool.append([draft(reads=500) for _ in range(5)])
    size = len(spool.after(0, 1)[0].payload)
    delivery = Delivery(spool, window_bytes=round(size * 2.5))
    assert sent(delivery) == [1, 2, 3]


def test_what_is_new_is_seen(spool, fill):
    delivery = Delivery(spool)
    assert sent(delivery) == []
    fill(1)
    assert sent(delivery) == [1]
    fill(2)
    assert sent(delivery) == [2, 3]


def test_nothing_leaves_the_spool_before_the_ack(spool, fill):
    fill(3)
    delivery = Delivery(spool)
    sent(delivery)
    assert spool.depth().batches == 3
    delivery.acknowledged(spool.boot, 2, 0.0)
    assert [batch.sequence for batch in spool.after(0, 9)] == [3]


def test_an_ack_of_something_else_changes_nothing(spool, fill):
    fill(3)
    delivery = Delivery(spool, window=2)
    sent(delivery)
    assert delivery.acknowledged("f" * 32, 3, 0.0) == 0
    assert delivery.acknowledged(spool.boot, 99, 0.0) == 0
    assert spool.depth().batches == 3 and sent(delivery) == []


def test_after_a_reconnect_everything_unacknowledged_goes_again(spool, fill):
    fill(5)
    delivery = Delivery(spool, window=3)
    assert sent(delivery) == [1, 2, 3]
    delivery.acknowledged(spool.boot, 1, 0.0)
    assert sent(delivery) == [4]
    delivery.connected()
    assert sent(delivery) == [2, 3, 4]


def test_a_standing_ack_makes_it_send_again_with_growing_patience(spool, fill):
    fill(2)
    delivery = Delivery(spool, ack_timeout_s=10)
    times = [s for s in range(200) if sent(delivery, now_s=float(s))]
    assert times == [0, 10, 30, 70, 150]
    assert delivery.resends == 4


def test_an_ack_that_moves_keeps_the_rest_waiting(spool, fill):
    fill(50)
    delivery = Delivery(spool, ack_timeout_s=10)
    assert len(sent(delivery)) == 50
    for second in range(1, 50):
        delivery.acknowledged(spool.boot, second, float(second))
        assert sent(delivery, now_s=float(second)) == []
    assert delivery.resends == 0
    assert sent(delivery, now_s=60.0) == [50]


def test_patience_is_back_after_progress(spool, fill):
    fill(3)
    delivery = Delivery(spool, ack_timeout_s=10)
    sent(delivery)
    assert sent(delivery, now_s=10.0) == [1, 2, 3]
    delivery.acknowledged(spool.boot, 1, 12.0)
    assert sent(delivery, now_s=21.0) == []
    assert sent(delivery, now_s=22.0) == [2, 3]


def test_an_old_stream_that_stands_still_is_not_hidden_by_a_lively_one(spool, fill):
    fill(2)
    old = spool.boot
    spool.begin_new_stream()
    delivery = Delivery(spool, ack_timeout_s=10)
    sent(delivery)
    for second in range(1, 10):
        fill(1)
        sent(delivery, now_s=float(second))
        delivery.acknowledged(spool.boot, second, float(second))
    assert [(b.boot, b.sequence) for b in delivery.next(10.0)] == [(old, 1), (old, 2)]


def test_batches_that_were_dropped_in_flight_leave_the_window(spool, fill, draft):
    delivery = Delivery(spool, window=3, ack_timeout_s=10)
    fill(5)
    assert sent(delivery) == [1, 2, 3]
    spool._max_bytes = spool.depth().bytes // 2
    fill(1)
    assert sent(delivery, now_s=10.0) == [b.sequence for b in spool.after(0, 9)][:3]


def test_live_batches_go_ahead_of_a_backlog(spool, fill):
    fill(30)
    delivery = Delivery(spool, window=5)
    fill(2, live=True)
    assert sent(delivery) == [1, 2, 3, 4, 5, 31, 32]
    fill(1, live=True)
    assert sent(delivery) == [33]
    # The backlog goes on, and what went ahead is not sent twice.
    rest = []
    for sequence in range(5, 34, 5):
        delivery.acknowledged(spool.boot, sequence, 0.0)
        rest += sent(delivery)
    assert rest == list(range(6, 31))
    assert delivery.acknowledged(spool.boot, 33, 0.0) == 3 and delivery.in_flight == 0


def test_a_backlog_of_live_reads_is_not_live_any_more(spool, fill, wall):
    fill(30, live=True)
    wall[0] += 60
    fill(2, live=True)
    assert sent(Delivery(spool, window=5)) == [1, 2, 3, 4, 5, 31, 32]


def test_live_ahead_zero_is_strictly_oldest_first(spool, fill):
    fill(30)
    fill(2, live=True)
    assert sent(Delivery(spool, window=5, live_ahead=0)) == [1, 2, 3, 4, 5]


def test_live_ahead_is_bounded(spool, fill):
    fill(10)
    fill(50, live=True)
    assert len(sent(Delivery(spool, window=5, live_ahead=8))) <= 5 + 8 + 4


def test_replayed_history_is_never_live(spool, fill):
    fill(50)
    assert sent(Delivery(spool, window=5)) == [1, 2, 3, 4, 5]
