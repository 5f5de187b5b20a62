"""Whatever arrives is refused with a reason and counted, and the next good message is processed."""

from __future__ import annotations

import json
import time

import pytest
from fake_gateway import BOOT, FakeGateway, batch, now_us

from pipeline.cli.stack import Stack
from pipeline.contracts import topics
from pipeline.sinks.event_rows import when

YEAR_1970_US, YEAR_2100_US = 3_600_000_000, 4_102_444_800_000_000


def _wrong_version() -> bytes:
    return json.dumps({"schema_version": 9, "gateway": "gw", "reads": []}).encode()


BAD = {
    "malformed": (lambda: b"\xc1 no MessagePack, no JSON", "malformed"),
    "empty": (lambda: b"", "empty"),
    "half a message": (lambda: batch(900, now_us())[:100], "malformed"),
    "wrong version": (_wrong_version, "wrong_version"),
    "another gateway's batch": (lambda: batch(901, now_us(), gateway="other"), "wrong_gateway"),
    "the year 1970": (lambda: batch(1, YEAR_1970_US, boot="cd" * 8), "time_too_old"),
    "the year 2100": (lambda: batch(1, YEAR_2100_US, boot="ef" * 8), "time_in_future"),
    "more than a mebibyte": (lambda: b"{" + b" " * (1 << 20), "too_large"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_message_is_dead_lettered_and_the_next_is_processed(
    running: Stack, name: str
) -> None:
    make, reason = BAD[name]
    with FakeGateway(running) as gateway:
        before = _count(running, reason)
        gateway.send(make())
        sequence = _next_good(gateway, running)
        gateway.wait_for_ack(sequence)
        assert _count(running, reason) == before + 1


def test_the_same_bad_message_twice_is_one_row_counted_twice(running: Stack) -> None:
    with FakeGateway(running) as gateway:
        for _ in range(2):
            gateway.send(b"the very same rubbish")
        gateway.wait_for_ack(_next_good(gateway, running))
    with running.connect() as connection:
        rows = connection.execute(
            "select times, bytes, detail from pipeline.dead_letter where payload = %s",
            (b"the very same rubbish",),
        ).fetchall()
    assert [(times, size) for times, size, _ in rows] == [(2, 21)]
    assert "MessagePack" in rows[0][2]


def test_fifty_megabytes_are_refused_by_the_broker(running: Stack) -> None:
    with FakeGateway(running) as gateway:
        gateway.client.publish(topics.gateway(*gateway.place, "reads"), bytes(50 << 20), qos=0)
        deadline = time.monotonic() + 20
        while not gateway.disconnects and time.monotonic() < deadline:
            time.sleep(0.05)
        assert gateway.disconnects >= 1
    with FakeGateway(running) as gateway:
        gateway.wait_for_ack(_next_good(gateway, running))


def test_a_gateway_cannot_speak_for_another(running: Stack) -> None:
    """The broker's access list drops it before it reaches the pipeline."""
    with FakeGateway(running) as gateway:
        before = _all(running)
        stolen = topics.gateway("acme", "north", "other", "reads")
        gateway.send(batch(1, now_us(), gateway="other"), topic=stolen)
        gateway.wait_for_ack(_next_good(gateway, running))
        assert _all(running) == before


def test_a_gateway_that_is_not_registered_is_told_apart_and_not_acknowledged(
    running: Stack,
) -> None:
    """Its reads stay in its spool until somebody registers it."""
    with FakeGateway(running, "stranger") as stranger, FakeGateway(running) as gateway:
        stranger.send(batch(1, now_us(), gateway="stranger"))
        gateway.wait_for_ack(_next_good(gateway, running))
        assert _count(running, "unknown_gateway") == 1
        assert stranger.acks == []


def test_a_repeated_batch_counts_once_and_is_acknowledged_again(running: Stack) -> None:
    second_us = 1_000_000
    with FakeGateway(running) as gateway:
        sequence = _sequence(running) + 1
        start_us = (now_us() // second_us + 1) * second_us  # a window of its own
        payload = batch(sequence, start_us)
        gateway.send(payload)
        gateway.wait_for_ack(sequence)
        seen = len(gateway.acks)
        gateway.send(payload)
        gateway.wait_for_ack(sequence, after=seen)
        gateway.send(batch(sequence + 1, start_us + 3 * second_us))  # closes the window
        gateway.wait_for_ack(sequence + 1)
    window = f"select reads from pipeline.window_commit where window_start = '{when(start_us)}'"
    assert _number(running, window) == 2


def _next_good(gateway: FakeGateway, stack: Stack) -> int:
    """Send a good batch that continues the stream; returns its sequence."""
    sequence = _sequence(stack) + 1
    gateway.send(batch(sequence, now_us()))
    return sequence


def _sequence(stack: Stack) -> int:
    query = "select coalesce(max(sequence), 0) from pipeline.gateway_progress where boot = %s"
    with stack.connect() as connection:
        row = connection.execute(query.encode(), (BOOT,)).fetchone()
    assert row is not None
    return int(row[0])


def _count(stack: Stack, reason: str) -> int:
    return int(
        _number(
            stack,
            f"select coalesce(sum(times), 0) from pipeline.dead_letter where reason = '{reason}'",
        )
    )


def _all(stack: Stack) -> int:
    return int(_number(stack, "select coalesce(sum(times), 0) from pipeline.dead_letter"))


def _number(stack: Stack, query: str) -> float:
    with stack.connect() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return float(row[0])
