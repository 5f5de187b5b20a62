"""The rules that hold for every framed protocol, on both real protocols."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.decoders import m100, r2000
from edge_agent.decoders.framing import Framer

R2000_TAG = bytes.fromhex("a0130189043000e200301666130121155074ef45bf")
M100_TAG = bytes.fromhex("bb02220011cf3000e280699500005009f1286992620a6d7e")
GOOD = [(r2000.RULES, R2000_TAG), (m100.RULES, M100_TAG)]

r2000_frames = st.builds(
    r2000.encode, st.sampled_from([0x72, 0x74, 0x81, 0x89]), st.binary(max_size=20)
)
m100_frames = st.builds(
    m100.encode,
    st.sampled_from([0x22, 0x27, 0x28, 0xFF]),
    st.binary(max_size=20),
    kind=st.sampled_from([1, 2]),
    start=st.sampled_from([0xBB, 0xAA]),
)
# Noise without start bytes: with them the stream is ambiguous by design (see test_nested_frame).
quiet = st.binary(max_size=8).map(lambda b: bytes(x for x in b if x not in (0xA0, 0xAA, 0xBB)))


def cut(data, sizes):
    """`data` in chunks of the given sizes, again and again."""
    chunks, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        chunks.append(data[at : at + size])
        at, turn = at + size, turn + 1
    return chunks


def feed_all(rules, chunks):
    framer = Framer(rules)
    frames = [frame for chunk in chunks for frame in framer.feed(chunk)]
    return frames, framer


def without_nesting(rules, frames):
    """Frames whose payload holds no start byte: there is only one way to read them."""
    return [f for f in frames if not any(byte in rules.starts for byte in f[1:])]


@pytest.mark.parametrize("rules, source", [(r2000.RULES, r2000_frames), (m100.RULES, m100_frames)])
def test_any_split_gives_the_same_frames(rules, source):
    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(st.tuples(quiet, source), max_size=6),
        st.lists(st.integers(1, 9), min_size=1, max_size=5),
    )
    def check(parts, sizes):
        parts = [(noise, f) for noise, f in parts if without_nesting(rules, [f])]
        stream = b"".join(noise + frame for noise, frame in parts)
        expected = [frame for _, frame in parts]
        frames, framer = feed_all(rules, cut(stream, sizes))
        assert frames == expected
        assert framer.dropped_bytes == sum(len(noise) for noise, _ in parts)

    check()


@pytest.mark.parametrize("rules, good", GOOD)
def test_random_bytes_never_raise_and_never_delay_a_good_frame(rules, good):
    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=300), st.lists(st.integers(1, 40), min_size=1, max_size=4))
    def check(noise, sizes):
        framer = Framer(rules)
        for chunk in cut(noise, sizes):
            framer.feed(chunk)
        framer.flush()
        assert framer.feed(good) == [good]

    check()


@pytest.mark.parametrize("rules, good", GOOD)
def test_a_false_header_with_a_large_length_does_not_hold_back(rules, good):
    stray = {r2000.RULES: b"\xa0\xff\x01\x89", m100.RULES: b"\xbb\x02\x22\x00\xff"}[rules]
    assert feed_all(rules, [stray, good])[0] == [good]
    assert feed_all(rules, [bytes([byte]) for byte in stray + good])[0] == [good]


@pytest.mark.parametrize("rules, good", GOOD)
def test_bytes_before_a_frame_are_counted(rules, good):
    frames, framer = feed_all(rules, [b"\x00\x01\x02" + good[:2] + good])
    assert frames == [good]
    assert framer.dropped_bytes == 5


@pytest.mark.parametrize("rules, good", GOOD)
def test_every_flipped_bit_is_refused(rules, good):
    for position in range(len(good) * 8):
        damaged = bytearray(good)
        damaged[position // 8] ^= 1 << position % 8
        assert feed_all(rules, [bytes(damaged)])[0] == []


@pytest.mark.parametrize("rules, good", GOOD)
def test_a_gap_gives_up_what_is_incomplete(rules, good):
    framer = Framer(rules)
    assert framer.feed(good[:10], 1.0) == []
    assert framer.feed(good[10:], 1.05) == [good]
    assert framer.feed(good[:10], 2.0) == []
    assert framer.feed(good[10:], 2.5) == []
    framer.flush()
    assert framer.dropped_bytes == len(good)


@pytest.mark.parametrize("rules, good", GOOD)
def test_the_buffer_is_bounded(rules, good):
    framer = Framer(rules)
    for _ in range(200):
        framer.feed(good[:5] * 7)
        assert len(framer._buffer) < 600


def test_nested_frame_the_earliest_complete_one_wins():
    inner = bytes.fromhex("bb01ff000115167e")
    outer = m100.encode(0x22, b"\xcf\x20\x00" + inner + b"\x00\x00", kind=2)
    assert feed_all(m100.RULES, [outer])[0] == [outer]
    # In pieces the inner one is complete first and must not be held back.
    assert feed_all(m100.RULES, [outer[:-2], outer[-2:]])[0] == [inner]
