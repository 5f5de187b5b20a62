import os
import sqlite3
import subprocess
import sys
import threading

import pytest

from edge_agent.errors import SpoolError, SpoolTooNewError
from edge_agent.spool import MEMORY, OVERHEAD_BYTES, Cursor, Spool
from pipeline.contracts.codec import decode_batch


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "spool.sqlite"


@pytest.fixture
def open_spool(path):
    opened = []

    def open_(**options):
        opened.append(Spool(path, **options))
        return opened[-1]

    yield open_
    for spool in opened:
        spool.close()


def sequences(spool):
    return [batch.sequence for batch in spool.after(0, 1000)]


def test_sequences_count_from_one_and_are_in_the_payload(open_spool, draft):
    spool = open_spool()
    spool.append([draft(10), draft(20)])
    spool.append([draft(30)])
    batches = spool.after(0, 10)
    assert [batch.sequence for batch in batches] == [1, 2, 3]
    assert [decode_batch(batch.payload).sequence for batch in batches] == [1, 2, 3]
    assert {decode_batch(batch.payload).boot for batch in batches} == {spool.boot}


def test_a_process_that_starts_again_goes_on_in_the_stream(open_spool, draft):
    spool = open_spool()
    spool.append([draft(10)])
    spool.acknowledge(spool.boot, 1)
    spool.close()
    again = open_spool()
    again.append([draft(20)])
    assert (again.boot, again.sequence) == (spool.boot, 2)


def test_another_boot_of_the_kernel_begins_a_new_stream(open_spool, draft):
    first = open_spool(kernel_boot="one")
    first.append([draft(10), draft(20)])
    first.close()
    second = open_spool(kernel_boot="two")
    second.append([draft(30)])
    assert second.boot != first.boot
    assert sequences(second) == [1, 2, 1]
    assert second.acknowledge(first.boot, 2) == 2
    assert sequences(second) == [1]


def test_spools_have_streams_of_their_own(tmp_path):
    one, two = Spool(tmp_path / "1", kernel_boot="k"), Spool(tmp_path / "2", kernel_boot="k")
    assert one.boot != two.boot
    one.close()
    two.close()


def test_a_new_stream_on_demand_survives_a_restart(open_spool, draft):
    spool = open_spool()
    spool.append([draft(10**9)])
    old = spool.boot
    spool.begin_new_stream()
    assert spool.boot != old and spool.until_us is None
    spool.append([draft(5)])
    spool.close()
    assert open_spool().boot == spool.boot


def test_the_promise_never_goes_backwards(open_spool, draft):
    spool = open_spool()
    spool.append([draft(100)])
    spool.append([draft(50)])
    spool.close()
    spool = open_spool()
    spool.append([draft(60), draft(120)])
    assert [batch.until_us for batch in spool.after(0, 9)] == [100, 100, 100, 120]
    assert [decode_batch(b.payload).until_us for b in spool.after(0, 9)] == [100, 100, 100, 120]


def test_an_ack_is_cumulative_and_of_its_boot(open_spool, draft):
    spool = open_spool()
    spool.append([draft(n) for n in range(5)])
    assert spool.acknowledge("0" * 32, 5) == 0
    assert spool.acknowledge(spool.boot, 3) == 3
    assert spool.acknowledge(spool.boot, 2) == 0
    assert sequences(spool) == [4, 5]
    assert spool.oldest_sequence(spool.boot) == 4


def test_an_ack_beyond_what_was_given_out_deletes_nothing(open_spool, draft):
    spool = open_spool()
    spool.append([draft(1)])
    assert spool.acknowledge(spool.boot, 2) == 0
    assert sequences(spool) == [1]


def test_full_the_oldest_go_and_are_counted(open_spool, draft):
    spool = open_spool()
    spool.append([draft(1, reads=3)])
    one = spool.depth().bytes
    spool.close()
    spool = open_spool(max_bytes=one * 3)
    spool.append([draft(n, reads=3) for n in range(2, 6)])
    depth = spool.depth()
    assert sequences(spool)[-1] == 5 and len(sequences(spool)) == depth.batches < 5
    assert depth.bytes <= one * 3
    assert spool.counter("dropped_batches") == 5 - depth.batches
    assert spool.counter("dropped_reads") == 3 * (5 - depth.batches)
    assert spool.oldest_sequence(spool.boot) == sequences(spool)[0] > 1


def test_what_is_too_old_goes(open_spool, draft):
    now = [1000.0]
    spool = open_spool(max_age_s=60, wall_s=lambda: now[0], uptime_s=lambda: now[0])
    spool.append([draft(1)])
    now[0] += 59
    spool.append([draft(2)])
    assert sequences(spool) == [1, 2]
    now[0] += 59
    spool.append([draft(3)])
    assert sequences(spool) == [2, 3]


def test_a_clock_that_is_set_makes_nothing_old(open_spool, draft):
    """Up by two months, as on a computer without a battery; also across a restart; and back."""
    uptime, offset = [10.0], [0.0]
    options = {
        "max_age_s": 3600, "wall_s": lambda: uptime[0] + offset[0], "uptime_s": lambda: uptime[0],
        "kernel_boot": "same",
    }  # fmt: skip
    spool = open_spool(**options)
    spool.append([draft(1)])
    offset[0] += 60 * 86_400
    spool.append([draft(2)])
    assert sequences(spool) == [1, 2]
    offset[0] += 60 * 86_400
    spool.close()
    spool = open_spool(**options)
    spool.append([draft(3)])
    assert sequences(spool) == [1, 2, 3]
    offset[0] -= 90 * 86_400
    spool.append([draft(4)])
    # What is really old goes all the same.
    uptime[0] += 3500
    spool.append([draft(5)])
    assert sequences(spool) == [1, 2, 3, 4, 5]
    uptime[0] += 200
    spool.append([draft(6)])
    assert sequences(spool) == [5, 6]


def test_what_an_earlier_boot_stored_keeps_its_age(open_spool, draft):
    wall, uptime = [1000.0], [10.0]
    options = {"max_age_s": 3600, "wall_s": lambda: wall[0], "uptime_s": lambda: uptime[0]}
    spool = open_spool(kernel_boot="first", **options)
    spool.append([draft(1)])
    spool.close()
    wall[0] += 3500
    spool = open_spool(kernel_boot="second", **options)
    spool.append([draft(2)])
    assert spool.depth().batches == 2
    wall[0], uptime[0] = wall[0] + 200, uptime[0] + 200
    spool.append([draft(3)])
    assert spool.depth().batches == 2


def test_depth_is_the_same_after_a_restart(open_spool, draft):
    spool = open_spool()
    spool.append([draft(n) for n in range(7)])
    spool.acknowledge(spool.boot, 2)
    depth = spool.depth()
    assert depth.batches == 5
    assert depth.bytes == sum(len(b.payload) + OVERHEAD_BYTES for b in spool.after(0, 9))
    spool.close()
    assert open_spool().depth() == depth


def test_cursor_and_batches_stand_or_fall_together(open_spool, draft):
    spool = open_spool()
    spool.append([draft(1)], Cursor("a", "one"))

    class Broken:
        until_us = 2
        reads = ()
        anchor_us = None
        synchronised = True

        def encode(self, *_):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        spool.append([draft(2), Broken()], Cursor("a", "two"))
    assert spool.cursor("a") == "one"
    assert (sequences(spool), spool.sequence, spool.depth().batches) == ([1], 1, 1)


def test_a_full_disk_changes_nothing_and_is_survived(open_spool, draft):
    spool = open_spool()
    spool.append([draft(1)])
    pages = spool._database.execute("PRAGMA page_count").fetchone()[0]
    spool._database.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(SpoolError, match="full"):
        for n in range(500):
            spool.append([draft(n, reads=50)])
    held = sequences(spool)
    assert held == list(range(1, len(held) + 1)) and spool.sequence == held[-1]
    spool._database.execute("PRAGMA max_page_count=1000000")
    spool.append([draft(9)])
    assert sequences(spool) == [*held, held[-1] + 1]


@pytest.mark.parametrize("content", [b"this is not a database" * 1000, b"SQLite format 3\0garbage"])
def test_a_corrupt_file_is_moved_aside(path, open_spool, draft, content):
    path.parent.mkdir()
    path.write_bytes(content)
    spool = open_spool()
    assert spool.moved_aside is not None and spool.moved_aside.read_bytes() == content
    spool.append([draft(1)])
    assert sequences(spool) == [1]


def test_damage_inside_is_found_when_opening(path, open_spool, draft):
    spool = open_spool()
    spool.append([draft(n, reads=30) for n in range(300)])
    old = spool.boot
    spool.close()
    data = bytearray(path.read_bytes())
    assert len(data) > 40_000
    data[8192:-4096] = os.urandom(len(data) - 8192 - 4096)
    path.write_bytes(data)
    again = open_spool()
    assert again.moved_aside is not None
    assert again.boot != old  # sequences begin again, so the stream must be another one


def test_a_newer_schema_is_refused_and_left_alone(path, open_spool):
    open_spool().close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=99")
    database.close()
    before = path.read_bytes()
    with pytest.raises(SpoolTooNewError, match="version 99, this program knows up to 1"):
        Spool(path)
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError):
        Spool(tmp_path / "file" / "spool.sqlite")


def test_threads_take_turns(open_spool, draft):
    spool = open_spool()

    def fill():
        for n in range(50):
            spool.append([draft(n)])

    threads = [threading.Thread(target=fill) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(50):
        spool.acknowledge(spool.boot, n)
    for thread in threads:
        thread.join()
    assert sequences(spool)[-1] == 200
    assert spool.depth().batches == len(sequences(spool))


def test_memory_spools_never_share_a_stream():
    one, two = Spool(MEMORY), Spool(MEMORY)
    assert one.boot != two.boot
    one.close()
    two.close()


WRITER = """
import sys
from pathlib import Path
from edge_agent.batch import Draft
from edge_agent.merge import MergedRead
from edge_agent.spool import Spool
spool = Spool(Path(sys.argv[1]))
while True:
    at_us = spool.sequence
    read = MergedRead("epc:1", "r", 2, at_us, 1, 0, 0)
    spool.append([Draft("g1", [read], at_us, True)])
    print(spool.sequence, flush=True)
"""


def test_killed_writers_leave_no_hole_and_lose_nothing_they_reported(path, open_spool):
    reported = 0
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE
        ) as writer:
            for _ in range(20):
                reported = int(writer.stdout.readline())
            writer.kill()
            rest = writer.stdout.read().split(b"\n")[:-1]
            reported = int(rest[-1]) if rest else reported
    spool = open_spool()
    assert sequences(spool) == list(range(1, spool.sequence + 1))
    assert spool.sequence >= reported >= 100
