"""Live reads: stamped, merged, written once a window, whatever the clock does."""

import asyncio
from array import array
from itertools import pairwise

import pytest

from edge_agent.allow import AllowList
from edge_agent.clock import EventClock
from edge_agent.decoders.readings import Reading, SensorReading
from edge_agent.live import LiveReads
from edge_agent.readers.state import ReaderState
from edge_agent.spool import MEMORY, Spool
from edge_agent.stores import Stores
from edge_agent.writer import LIVE, BatchWriter
from pipeline.contracts.codec import decode_batch
from pipeline.contracts.reads import NO_RSSI

W = 1_000_000
T0 = 1_700_000_000 * W


class Gateway:
    """Live reads over a clock that stands still unless the test moves it."""

    def __init__(self, allow=()):
        self.monotonic_us, self.wall_us, self.online = 0, T0, True
        self.clock = EventClock(lambda: self.monotonic_us, lambda: self.wall_us, lambda: True)
        self.spool = Spool(MEMORY)
        writer = BatchWriter("g1", Stores(lambda: self.spool), self.clock)
        writer.register(LIVE)
        self.state = ReaderState("ward", "ble")
        self.live = LiveReads(
            self.clock,
            writer,
            AllowList(allow),
            window_us=W,
            heartbeat_us=W,
            listened_to=lambda: self.online,
        )

    def pass_us(self, us):
        self.monotonic_us += us
        self.wall_us += us

    def hear(self, tag="ble:c4a138000001", dbm=-60.0):
        self.live.heard(self.state, "ward", Reading(tag, dbm, None, "ble"))

    def measure(self, value, tag="ble:c4a138000001", quantity="temperature_c", index=0):
        self.live.measured(SensorReading(tag, quantity, value, index))

    def write(self):
        asyncio.run(self.live.write())

    def batches(self):
        return [decode_batch(stored.payload) for stored in self.spool.after(0, 99)]


@pytest.fixture
def gateway():
    gateway = Gateway()
    yield gateway
    gateway.spool.close()


def test_a_window_is_one_batch(gateway):
    gateway.hear()
    gateway.pass_us(400_000)
    gateway.hear(dbm=-70.0)
    gateway.pass_us(700_000)
    gateway.write()
    (batch,) = gateway.batches()
    assert (batch.start_us, batch.until_us) == (T0 + 400_000, T0 + W)
    assert array("h", batch.rssi_cdbm)[0] == -6500 and array("H", batch.count)[0] == 2


def test_silence_still_moves_event_time(gateway):
    for _ in range(3):
        gateway.pass_us(W)
        gateway.pass_us(60_000)
        gateway.write()
    assert [(len(batch), batch.until_us) for batch in gateway.batches()] == [
        (0, T0 + W),
        (0, T0 + 2 * W),
        (0, T0 + 3 * W),
    ]


def test_silence_while_offline_is_not_spooled(gateway):
    gateway.online = False
    for _ in range(3):
        gateway.pass_us(W)
        gateway.write()
    assert gateway.batches() == []
    gateway.online = True
    gateway.pass_us(W)
    gateway.write()
    assert [batch.until_us for batch in gateway.batches()] == [T0 + 3 * W]


@pytest.mark.parametrize("dbm", [None, -127.0, 127.0])
def test_a_level_the_radio_does_not_know_is_none(gateway, dbm):
    gateway.hear(dbm=dbm)
    gateway.pass_us(2 * W)
    gateway.write()
    assert array("h", gateway.batches()[0].rssi_cdbm)[0] == NO_RSSI


def test_the_allow_list_filters(gateway):
    picky = Gateway(allow=["epc:*"])
    picky.hear()
    picky.pass_us(2 * W)
    picky.write()
    assert len(picky.batches()[0]) == 0 and picky.state.reads == 1
    picky.spool.close()


def test_closing_writes_the_open_window_but_does_not_promise_it(gateway):
    gateway.pass_us(300_000)
    gateway.hear()
    asyncio.run(gateway.live.close())
    (batch,) = gateway.batches()
    assert len(batch) == 1 and batch.until_us <= T0


def test_a_clock_that_is_set_forward(gateway):
    gateway.hear()
    gateway.wall_us += 3600 * W
    gateway.write()
    gateway.hear()
    gateway.pass_us(2 * W)
    gateway.write()
    assert [batch.start_us for batch in gateway.batches() if len(batch)] == [T0, T0 + 3600 * W]


def test_a_clock_that_is_set_far_back_begins_a_new_stream(gateway):
    gateway.pass_us(2 * W)
    gateway.hear()
    gateway.pass_us(W)
    gateway.write()
    gateway.hear()
    gateway.wall_us -= 3600 * W
    gateway.write()
    gateway.hear()
    gateway.pass_us(2 * W)
    gateway.write()
    old, new = {}, {}
    boots = list(dict.fromkeys(batch.boot for batch in gateway.batches()))
    assert len(boots) == 2
    for batch in gateway.batches():
        (old if batch.boot == boots[0] else new)[batch.sequence] = batch
    assert sum(len(batch) for batch in old.values()) == 2
    assert sum(len(batch) for batch in new.values()) == 1
    for stream in (old, new):  # every promise is kept
        for sequence, batch in stream.items():
            later = [b.start_us for s, b in stream.items() if s > sequence and len(b)]
            assert all(start_us >= batch.until_us for start_us in later)


def measured_in(batch):
    s = batch.sensors
    columns = (array("H", s.tag_index), array("H", s.quantity_index), array("d", s.value))
    return [
        (batch.tags[tag], s.quantities[q], value) for tag, q, value in zip(*columns, strict=True)
    ]


def test_what_a_tag_measures_goes_with_the_reads(gateway):
    gateway.hear()
    gateway.measure(4.5)
    gateway.measure(True, quantity="motion")
    gateway.measure(19.0, index=1)
    gateway.measure("long_press", quantity="button")
    gateway.pass_us(1_100_000)
    gateway.write()
    (batch,) = gateway.batches()
    tag = "ble:c4a138000001"
    assert len(batch) == 1 and measured_in(batch) == [
        (tag, "temperature_c", 4.5),
        (tag, "motion", 1.0),
        (tag, "temperature_c_2", 19.0),
        (tag, "button", 4.0),
    ]


def test_what_was_measured_alone_is_a_batch(gateway):
    gateway.online = False  # no heartbeat
    gateway.measure(4.5)
    gateway.pass_us(1_100_000)
    gateway.write()
    (batch,) = gateway.batches()
    assert len(batch) == 0 and len(measured_in(batch)) == 1
    assert batch.start_us == T0


def test_the_end_keeps_what_was_measured(gateway):
    gateway.measure(4.5)
    asyncio.run(gateway.live.close())
    (batch,) = gateway.batches()
    assert len(measured_in(batch)) == 1 and batch.until_us <= T0


def test_the_allow_list_is_for_values_too():
    gateway = Gateway(allow=["epc:*"])
    gateway.measure(4.5)
    gateway.pass_us(1_100_000)
    gateway.write()
    assert [batch.sensors for batch in gateway.batches()] == [None]
    gateway.spool.close()


def configure(gateway, allow=(), window_us=W, min_rssi_dbm=None):
    gateway.live.configure(AllowList(allow), window_us=window_us, min_rssi_dbm=min_rssi_dbm)


def heard(gateway):
    """(tag, receptions) of all that was written, in order."""
    return [
        (batch.tags[tag], count)
        for batch in gateway.batches()
        for tag, count in zip(array("H", batch.tag_index), array("H", batch.count), strict=True)
    ]


def test_a_window_of_another_length_loses_nothing_and_breaks_no_promise(gateway):
    gateway.pass_us(300_000)
    gateway.hear()
    gateway.hear()
    configure(gateway, window_us=W // 4)
    gateway.hear()
    gateway.pass_us(W)
    gateway.write()
    assert heard(gateway) == [("ble:c4a138000001", 2), ("ble:c4a138000001", 1)]
    configure(gateway, window_us=10 * W)
    gateway.hear()
    for _ in range(12):
        gateway.pass_us(W)
        gateway.write()
    assert sum(count for _, count in heard(gateway)) == 4
    untils = [batch.until_us for batch in gateway.batches()]
    assert untils == sorted(untils)
    for batch, following in pairwise(gateway.batches()):
        assert len(following) == 0 or following.start_us >= batch.until_us


def test_an_allow_list_and_a_floor_take_effect_at_once(gateway):
    configure(gateway, allow=["epc:*"])
    gateway.hear()
    gateway.hear("epc:1")
    configure(gateway, min_rssi_dbm=-70.0)
    gateway.hear("epc:2", -70.0)
    gateway.hear("epc:3", -70.5)
    gateway.hear("epc:4", None)  # has no level: cannot be too weak
    gateway.pass_us(2 * W)
    gateway.write()
    assert heard(gateway) == [("epc:1", 1), ("epc:2", 1), ("epc:4", 1)]
