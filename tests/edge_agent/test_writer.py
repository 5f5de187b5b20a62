"""What a batch may promise when several sources write."""

import asyncio

import pytest

from edge_agent.clock import EventClock
from edge_agent.errors import SpoolError
from edge_agent.merge import MergedRead
from edge_agent.spool import MEMORY, Cursor, Spool
from edge_agent.stores import Stores
from edge_agent.writer import LIVE, BatchWriter


@pytest.fixture
def spool():
    spool = Spool(MEMORY)
    yield spool
    spool.close()


@pytest.fixture
def writer(spool):
    return BatchWriter("g1", Stores(lambda: spool), EventClock())


def read(at_us):
    return MergedRead("epc:1", "r", 2, at_us, 1, -5000, -5000)


def promises(spool):
    return [batch.until_us for batch in spool.after(0, 99)]


def test_a_promise_is_the_minimum_of_what_is_stored(writer, spool):
    async def check():
        writer.register("a")
        writer.register("b", 40)
        writer.register(LIVE)
        await writer.write_live([read(100)], 100, heartbeat=False)  # a has said nothing yet
        await writer.write_replay("a", [read(30)], 30, Cursor("a", "1"))
        await writer.write_live([], 200, heartbeat=True)  # still 30: no batch worth it
        await writer.write_replay("a", [], 90, Cursor("a", "2"))
        await writer.write_replay("b", [read(60)], 70, Cursor("b", "1"))
        writer.finish("a")
        writer.finish("b")
        await writer.write_live([], 300, heartbeat=True)

    asyncio.run(check())
    assert promises(spool) == [0, 30, 40, 70, 300]


def test_heartbeats_only_when_asked_for_and_only_forward(writer, spool):
    async def check():
        writer.register(LIVE)
        await writer.write_live([], 100, heartbeat=False)
        await writer.write_live([], 100, heartbeat=True)
        await writer.write_live([], 100, heartbeat=True)
        await writer.write_live([], 200, heartbeat=True)

    asyncio.run(check())
    assert promises(spool) == [100, 200]


def test_a_cursor_is_stored_without_a_batch_too(writer, spool):
    async def check():
        writer.register("a")
        writer.register("b")  # holds the promise at nothing
        await writer.write_replay("a", [], 90, Cursor("a", "2"))

    asyncio.run(check())
    assert promises(spool) == [] and spool.cursor("a") == "2"


def test_a_failed_write_promises_nothing(writer, spool, monkeypatch):
    async def check():
        writer.register("a")
        writer.register(LIVE)

        def fail(*_):
            raise SpoolError("full")

        with monkeypatch.context() as patch:
            patch.setattr(spool, "append", fail)
            with pytest.raises(SpoolError):
                await writer.write_replay("a", [read(5)], 90, Cursor("a", "1"))
        await writer.write_live([read(100)], 100, heartbeat=False)

    asyncio.run(check())
    assert promises(spool) == [0]


def test_a_new_stream_is_not_bound_by_the_old(writer, spool):
    async def check():
        writer.register(LIVE)
        await writer.write_live([read(1000)], 1000, heartbeat=True)
        await writer.begin_new_streams()
        await writer.write_live([read(10)], 10, heartbeat=True)

    asyncio.run(check())
    assert promises(spool) == [1000, 10]
    assert len({batch.boot for batch in spool.after(0, 9)}) == 2


def test_live_batches_carry_the_clock_and_replayed_ones_are_exact(spool):
    clock = EventClock(synchronised=lambda: False)
    writer = BatchWriter("g1", Stores(lambda: spool), clock)

    async def check():
        writer.register(LIVE)
        writer.register("a")
        await writer.write_live([read(5)], 10, heartbeat=True)
        await writer.write_replay("a", [read(5)], 90, Cursor("a", "1"))

    asyncio.run(check())
    live, replayed = spool.after(0, 9)
    assert (live.synchronised, live.anchor_us) == (0, clock.anchor_us)
    assert (replayed.synchronised, replayed.anchor_us) == (1, None)
