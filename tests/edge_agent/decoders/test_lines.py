from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decoders.lines import LineSplitter, decode_text


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r", b"\r\n\r\n"])
def test_any_end(end):
    assert LineSplitter().feed(b"one" + end + b"two" + end) == [b"one", b"two"]


def test_cr_and_lf_apart_give_no_empty_line():
    splitter = LineSplitter()
    assert splitter.feed(b"one\r", 0.0) == [b"one"]
    assert splitter.feed(b"\n", 5.0) == []
    assert splitter.end() == []


def test_stx_and_etx_are_not_data():
    assert LineSplitter().feed(b"\x02one\x03\x02two\x03\r\n") == [b"one", b"two"]


def test_gs_is_data():
    assert LineSplitter().feed(b"10A\x1d21B\r") == [b"10A\x1d21B"]


def test_silence_ends_a_scan_without_terminator():
    splitter = LineSplitter(gap_s=0.1)
    assert splitter.feed(b"on", 0.0) == []
    assert splitter.feed(b"e", 0.05) == []
    assert splitter.pending
    assert splitter.silence(0.1) == []
    assert splitter.silence(0.2) == [b"one"]
    assert splitter.feed(b"two", 1.0) == []
    assert splitter.feed(b"three\r", 2.0) == [b"two", b"three"]


def test_overlong_lines_are_dropped_and_counted():
    splitter = LineSplitter(limit=4)
    assert splitter.feed(b"12345678") == []
    assert splitter.feed(b"9\nok\n") == [b"ok"]
    assert splitter.dropped_bytes == 9


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_chunks_do_not_matter(data, cuts):
    whole = LineSplitter()
    expected = whole.feed(data) + whole.end()
    pieces = LineSplitter()
    edges = [0, *sorted(cuts), len(data)]
    got = [line for a, b in pairwise(edges) for line in pieces.feed(data[a:b])]
    assert got + pieces.end() == expected
    assert all(expected)


def test_text_is_utf_8_or_else_latin_1():
    assert decode_text("Gerät".encode()) == "Gerät"
    assert decode_text("Gerät".encode("latin-1")) == "Gerät"
