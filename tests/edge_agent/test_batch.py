from array import array

from edge_agent.batch import MAX_READS, drafts
from edge_agent.merge import MergedRead
from pipeline.contracts.codec import decode_batch


def read(at_us, tag="epc:1"):
    return MergedRead(tag, "portal/1", 2, at_us, 3, -5012, -4999)


def make(reads, until_us=10**9):
    return drafts("g1", reads, until_us, synchronised=True)


def decoded(draft):
    return decode_batch(draft.encode("ab" * 16, 1, draft.until_us))


def test_a_read_comes_out_as_it_went_in():
    (draft,) = make([read(1_000), read(3_000, "epc:2")])
    batch = decoded(draft)
    assert (batch.gateway, batch.sequence, batch.until_us) == ("g1", 1, 10**9)
    assert (batch.start_us, batch.tags, batch.receivers) == (
        1_000,
        ["epc:1", "epc:2"],
        ["portal/1"],
    )
    assert array("I", batch.offset_us).tolist() == [0, 2_000]
    assert array("h", batch.rssi_cdbm).tolist() == [-5012, -5012]
    assert array("h", batch.peak_cdbm).tolist() == [-4999, -4999]
    assert array("H", batch.count).tolist() == [3, 3]
    assert list(batch.kind) == [2, 2]


def test_without_reads_there_is_one_empty_batch():
    (draft,) = make([])
    assert len(decoded(draft)) == 0 and draft.until_us == 10**9


def test_a_cut_promises_no_more_than_what_follows_allows():
    reads = [read(at_us) for at_us in range(MAX_READS * 2 + 1)]
    parts = make(reads)
    assert [len(part.reads) for part in parts] == [MAX_READS, MAX_READS, 1]
    assert [part.until_us for part in parts] == [MAX_READS, MAX_READS * 2, 10**9]
    assert [r for part in parts for r in part.reads] == reads


def test_unordered_reads_hold_the_promise_back():
    reads = [read(5_000)] * MAX_READS + [read(7_000), read(100)]
    assert [part.until_us for part in make(reads)] == [100, 10**9]


def test_a_long_span_is_cut():
    hour_us = 3_600_000_000
    parts = make([read(0), read(hour_us), read(hour_us + 1), read(5 * hour_us), read(0)], 10**11)
    assert [len(part.reads) for part in parts] == [2, 1, 1, 1]
    for part in parts:
        decoded(part)


def test_the_largest_batch_fits_a_message():
    reads = [read(n, f"epc:{n:0120d}") for n in range(MAX_READS)]
    (draft,) = make(reads)
    assert len(draft.encode("ab" * 16, 1, 0)) < 500_000
