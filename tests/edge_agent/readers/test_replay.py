"""Replay files: what is read comes out once, in the same order, however often the agent dies."""

import asyncio
import contextlib
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.clock import EventClock
from edge_agent.readers import replay as replay_module
from edge_agent.readers.replay import ReplayReader
from edge_agent.readers.state import ReaderState
from edge_agent.spool import MEMORY, Spool
from edge_agent.stores import Stores
from edge_agent.writer import BatchWriter
from pipeline.contracts.codec import decode_batch

W = 1_000_000


def line(at_us, tag="epc:1", receiver="r/1", dbm=-50):
    return {"at_us": at_us, "receiver": receiver, "tag": tag, "rssi_dbm": dbm}


def write(path, records, mode="w"):
    with path.open(mode) as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def rows_of(batch):
    """(tag, receiver, event time, count) of every read."""
    return [
        (batch.tags[tag], batch.receivers[receiver], batch.start_us + offset_us, count)
        for tag, receiver, offset_us, count in zip(
            memoryview(batch.tag_index).cast("H"),
            memoryview(batch.receiver_index).cast("H"),
            memoryview(batch.offset_us).cast("I"),
            memoryview(batch.count).cast("H"),
            strict=True,
        )
    ]


class Bench:
    """A replay reader on a spool in memory; `run(seconds)` starts it, as a fresh process would."""

    def __init__(self, path, **options):
        self.path, self.options = path, options
        self.spool = Spool(MEMORY)
        self.stores = Stores(lambda: self.spool)
        self.reader = None

    def run(self, seconds=0.35, follow=False, stop_after=None):
        async def replay():
            writer = BatchWriter("g1", self.stores, EventClock())
            self.reader = ReplayReader(
                ReaderState("sim", "replay"),
                self.path,
                writer,
                stored_cursor=self.spool.cursor,
                window_us=W,
                admit=self.options.get("admit", lambda tag: True),
                room=self.options.get("room", lambda: True),
                follow=follow,
                lateness_us=self.options.get("lateness_us", 0),
                heartbeat_s=0.1,
            )
            if stop_after is not None:
                self._stop_after(stop_after)
            with contextlib.suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(self.reader.run(), seconds if follow else 20)

        asyncio.run(replay())
        return self

    def _stop_after(self, lines):
        """Die in the middle: cancelled while taking in the given line, or before a cut."""
        taken, take = [0], self.reader._line

        def counting(text):
            taken[0] += 1
            if taken[0] > lines:
                raise asyncio.CancelledError
            take(text)

        self.reader._line = counting

    def batches(self):
        return [decode_batch(stored.payload) for stored in self.spool.after(0, 10_000)]

    def reads(self):
        return [row for batch in self.batches() for row in rows_of(batch)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.jsonl"


def test_a_finished_file_comes_out_whole(path):
    write(path, [line(100), line(200), line(W + 5), line(300, tag="epc:late")])
    bench = Bench(path).run()
    assert bench.reads() == [
        ("epc:1", "r/1", 200, 2),
        ("epc:late", "r/1", 300, 1),
        ("epc:1", "r/1", W + 5, 1),
    ]
    assert bench.batches()[-1].until_us == 2 * W
    assert bench.reader.late == 1


def test_the_last_line_needs_no_newline(path):
    path.write_text(json.dumps(line(100)))
    assert len(Bench(path).run().reads()) == 1


def test_following_waits_for_the_window_to_end(path):
    write(path, [line(100), line(W + 5)])
    bench = Bench(path).run(follow=True)
    assert bench.reads() == [("epc:1", "r/1", 100, 1)]
    assert bench.batches()[-1].until_us == W
    write(path, [{"until_us": 5 * W}], "a")
    bench.run(follow=True)
    assert [row[2] for row in bench.reads()] == [100, W + 5]
    assert bench.batches()[-1].until_us == 5 * W


def test_half_a_line_waits_for_its_other_half(path):
    text = json.dumps(line(100)) + "\n" + json.dumps({"until_us": 2 * W}) + "\n"
    path.write_text(text[:20])
    bench = Bench(path).run(follow=True)
    assert bench.reads() == []
    with path.open("a") as file:
        file.write(text[20:])
    assert len(bench.run(follow=True).reads()) == 1


def test_a_marker_alone_moves_the_promise(path):
    write(path, [{"until_us": 7 * W + 3}])
    (batch,) = Bench(path).run(follow=True).batches()
    assert (len(batch), batch.until_us) == (0, 7 * W)


def test_nothing_new_makes_no_batch(path):
    write(path, [line(1), {"until_us": 2 * W}])
    bench = Bench(path).run(follow=True)
    before = len(bench.batches())
    bench.run(follow=True).run(follow=True)
    assert len(bench.batches()) == before


def test_bad_lines_are_counted_and_skipped(path, caplog):
    write(path, [line(1)])
    with path.open("a") as file:
        file.write('garbage\n{"at_us": 1}\n\n[]\n' + "x" * 300_000 + "\n")
    write(path, [line(2)], "a")
    bench = Bench(path).run()
    assert bench.reads() == [("epc:1", "r/1", 2, 2)]
    assert bench.reader.bad_lines == 4
    assert len(caplog.records) <= 4


def test_the_allow_list_filters_but_time_goes_on(path):
    write(path, [line(1, "epc:1"), line(2, "epc:2"), line(3 * W, "epc:2")])
    bench = Bench(path, admit=lambda tag: tag == "epc:1").run(follow=True)
    assert [row[0] for row in bench.reads()] == ["epc:1"]
    assert bench.batches()[-1].until_us == 3 * W


def test_lateness_waits_for_lines_out_of_order(path):
    write(path, [line(W - 1), line(W + 1), line(W - 5), line(2 * W), line(3 * W)])
    bench = Bench(path, lateness_us=W).run(follow=True)
    assert bench.reads()[0] == ("epc:1", "r/1", W - 1, 2)
    assert bench.reader.late == 0


def test_another_file_in_its_place_is_read_from_its_start(path):
    write(path, [line(50 * W), {"until_us": 60 * W}])
    bench = Bench(path).run(follow=True)
    first_boot = bench.spool.boot
    write(path, [line(5 * W, "epc:2"), {"until_us": 6 * W}])
    bench.run(follow=True)
    assert [row[0] for row in bench.reads()] == ["epc:1", "epc:2"]
    assert bench.spool.boot != first_boot  # the old stream had promised more
    assert bench.batches()[-1].until_us == 6 * W


def test_a_file_replaced_while_it_is_followed(path, tmp_path):
    write(path, [line(50 * W)])
    bench = Bench(path)

    async def replace():
        await asyncio.sleep(0.3)
        path.rename(tmp_path / "old")
        await asyncio.sleep(0.3)
        write(path, [line(51 * W, "epc:2"), {"until_us": 60 * W}])

    original = BatchWriter.register
    started = []

    def register(self, *arguments):
        if not started:
            started.append(asyncio.get_running_loop().create_task(replace()))
        original(self, *arguments)

    BatchWriter.register = register
    try:
        bench.run(follow=True, seconds=1.5)
    finally:
        BatchWriter.register = original
    assert [row[0] for row in bench.reads()] == ["epc:1", "epc:2"]


def test_a_spool_without_room_makes_the_file_wait(path):
    write(path, [line(n * W, f"epc:{n}") for n in range(5)])
    room = [False]
    bench = Bench(path, room=lambda: room[0]).run(follow=True)
    assert bench.batches() == []
    room[0] = True
    assert len(bench.run().reads()) == 5


def test_a_time_beyond_every_calendar_is_survived(path):
    write(path, [line(2**61), line(-(2**61))])
    bench = Bench(path).run()
    assert len(bench.reads()) == 2
    assert bench.reader._state.health().last_heard_at.year == 1


def stories():
    """Files with lines mostly in order, some late, some markers, several tags and receivers."""
    entry = st.tuples(
        st.integers(-2 * W, W),
        st.sampled_from(["epc:1", "epc:2"]),
        st.sampled_from(["r/1", "r/2"]),
        st.integers(0, 20),
    )

    def build(entries):
        now_us, records = 10 * W, []
        for step, tag, receiver, dice in entries:
            now_us += max(step, 0)
            if dice == 0:
                records.append({"until_us": now_us})
            else:
                records.append(line(now_us + min(step, 0), tag, receiver, -dice))
        return records

    return st.lists(entry, min_size=1, max_size=60).map(build)


@settings(max_examples=100, deadline=None)
@given(
    stories(),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 3), st.integers(1, 200)), max_size=6),
)
def test_restarts_change_nothing(tmp_path_factory, story, stops):
    """Dying at any line, before or after a cut, gives the reads of an uninterrupted run."""
    path = tmp_path_factory.mktemp("replay") / "run.jsonl"
    write(path, story)
    reference = Bench(path).run().reads()
    bench = Bench(path)
    with pytest.MonkeyPatch.context() as patch:
        for lines, reads_a_cut, chunk_bytes in stops:
            patch.setattr(replay_module, "MAX_READS", reads_a_cut)
            patch.setattr(replay_module, "_CHUNK_BYTES", chunk_bytes)
            bench.run(stop_after=lines)
    assert bench.run().reads() == reference
    promises = [batch.until_us for batch in bench.batches()]
    assert promises == sorted(promises)


@pytest.mark.benchmark
def test_lines_a_second(path, capsys):
    """Prints how many lines a second are decoded, merged and stored on this machine."""
    number = 100_000
    write(path, [line(n * 500, f"epc:{n % 300}", f"r/{n % 20}") for n in range(number)])
    began_s = time.perf_counter()
    Bench(path).run()
    rate = number / (time.perf_counter() - began_s)
    with capsys.disabled():
        print(f"\nreplay: {rate:,.0f} lines/s")
