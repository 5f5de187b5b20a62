"""The disk fails and comes back; the agent goes on."""

import pytest

from edge_agent.errors import SpoolError, SpoolTooNewError
from edge_agent.spool import Cursor, Spool
from edge_agent.stores import Stores


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spool.sqlite"


@pytest.fixture
def stores(path):
    stores = Stores(lambda: Spool(path), clock_s=iter(range(0, 100_000, 10)).__next__)
    yield stores
    stores.close()


def fill_disk(stores):
    """Make every further write fail as on a full disk."""
    pages = stores.disk._database.execute("PRAGMA page_count").fetchone()[0]
    stores.disk._database.execute(f"PRAGMA max_page_count={pages}")


def append_until_memory(stores, draft):
    for n in range(500):
        stores.append_live([draft(n, reads=50)])
        if stores.memory is not None:
            return
    pytest.fail("the disk did not fill up")


def test_live_batches_go_to_memory_while_the_disk_is_full(stores, draft):
    fill_disk(stores)
    append_until_memory(stores, draft)
    assert "full" in stores.error
    assert stores.memory.boot != stores.disk.boot  # a number of the disk is never given out twice
    assert len(stores.spools()) == 2


def test_replayed_batches_wait_for_the_disk(stores, draft):
    fill_disk(stores)
    append_until_memory(stores, draft)
    held = stores.memory.depth().batches
    with pytest.raises(SpoolError):
        stores.append([draft(1, reads=500)], Cursor("a", "x"))
    assert stores.memory.depth().batches == held and stores.disk.cursor("a") is None


def test_it_recovers_and_the_memory_is_given_back_once_it_is_drained(stores, draft):
    fill_disk(stores)
    append_until_memory(stores, draft)
    on_disk = stores.disk.depth().batches
    stores.disk._database.execute("PRAGMA max_page_count=1000000")
    stores.append_live([draft(9)])
    assert stores.error is None and stores.disk.depth().batches == on_disk + 1
    assert stores.memory is not None
    stores.memory.acknowledge(stores.memory.boot, stores.memory.sequence)
    stores.append_live([draft(10)])
    assert stores.memory is None


def test_memory_is_bounded(stores, draft):
    fill_disk(stores)
    append_until_memory(stores, draft)
    stores.memory._max_bytes = 10_000
    for n in range(50):
        stores.append_live([draft(n, reads=50)])
    assert stores.memory.depth().bytes <= 10_000
    assert stores.memory.counter("dropped_batches") > 0


def test_a_place_that_cannot_be_opened_is_tried_again(tmp_path, draft):
    place = tmp_path / "card"
    place.write_text("not a directory")
    times = iter(range(0, 1000, 10))
    stores = Stores(lambda: Spool(place / "spool.sqlite"), clock_s=times.__next__)
    assert stores.disk is None and stores.error
    stores.append_live([draft(1)])
    assert stores.memory.depth().batches == 1
    place.unlink()
    stores.append_live([draft(2)])
    assert stores.disk.depth().batches == 1 and stores.error is None
    stores.close()


def test_damage_found_while_running_is_moved_aside(stores, path, draft):
    for n in range(200):
        stores.append_live([draft(n, reads=30)])
    old = stores.disk.boot
    stores.disk._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(0)
        file.write(b"\xff" * path.stat().st_size)
    stores.disk._database.execute("PRAGMA cache_size=0")
    for n in range(5):
        stores.append_live([draft(n)])
    assert stores.corruptions == 1
    assert stores.disk.boot != old and stores.error is None
    assert list(path.parent.glob("*.corrupt-*"))


def test_a_newer_spool_is_not_survived(path):
    spool = Spool(path)
    spool._database.execute("PRAGMA user_version=7")
    spool.close()
    with pytest.raises(SpoolTooNewError):
        Stores(lambda: Spool(path))
