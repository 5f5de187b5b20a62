"""The R2000 emulator against published frames and the description of the protocol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.simulation.portals import Echo
from pipeline.simulation.r2000 import R2000Reader, frame, rssi_byte

ROUND_US = 60_000
EPC = bytes.fromhex("e200301666130121155074ef")


def field(antenna, at_us):
    return [Echo(EPC, -60)] if antenna == 0 else []


def reader(**options):
    return R2000Reader(field, round_us=ROUND_US, **options)


def split(data):
    """The frames of a byte string, by length, each with its sum checked."""
    frames = []
    while data:
        size = data[1] + 2
        assert data[0] == 0xA0
        assert sum(data[:size]) % 256 == 0
        frames.append(data[:size])
        data = data[size:]
    return frames


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("a0030172ea", "a00501720109de"),
        ("a004017400e7", "a0040174" + "10" + "d7"),
        ("a003017065", ""),
        ("a003ff72ec", "a00501720109de"),
    ],
)
def test_published_commands_are_answered(command, answer):
    data = bytes.fromhex(command)
    if sum(data) % 256:  # the vectors above are written without recomputing their sums
        data = frame(data[3], data[4:-1], data[2])
    assert reader().feed(data, 0).hex() == answer


def test_an_inventory_gives_tags_then_the_end_frame_when_its_round_is_over():
    board = reader()
    board.feed(frame(0x74, b"\x00"), 0)
    assert board.feed(frame(0x89, b"\x01"), 1000) == b""
    assert board.next_us == 1000 + ROUND_US
    assert board.due(1000 + ROUND_US - 1) == b""
    tag, end = split(board.due(1000 + ROUND_US))
    assert tag[3] == 0x89
    assert tag[4] & 3 == 0
    assert tag[5:7] == b"\x30\x00"
    assert tag[7:-2] == EPC
    assert tag[-2] - 130 == -60
    assert end[3] == 0x89
    assert len(end) == 12
    assert int.from_bytes(end[7:11], "big") == 1
    assert board.due(10**9) == b""
    assert board.next_us is None


def test_an_empty_round_gives_the_end_frame_alone():
    board = reader()
    board.feed(frame(0x74, b"\x01"), 0)
    board.feed(frame(0x8B, b"\x00\x00\x01"), 0)
    assert board.due(ROUND_US).hex() == "a00a018b01" + "000000000000" + "c9"


def test_rounds_take_their_time_and_are_all_counted():
    board = reader()
    board.feed(frame(0x89, b"\x03"), 0)
    assert board.due(2 * ROUND_US) == b""
    frames = split(board.due(3 * ROUND_US))
    assert len(frames) == 4
    assert int.from_bytes(frames[-1][7:11], "big") == 3


def test_a_missing_antenna_is_told():
    board = reader(antennas=2)
    board.feed(frame(0x74, b"\x03"), 0)
    assert board.feed(frame(0x89, b"\x01"), 0).hex() == "a004018922b0"
    assert board.next_us is None


def test_fast_switching_serves_its_antennas_and_ends_with_the_total():
    board = reader()
    assert board.feed(frame(0x8A, bytes((0, 2, 1, 1, 2, 1, 3, 0, 0, 1))), 0) == b""
    *rest, end = split(board.due(3 * ROUND_US))
    assert rest[0][4:-1] == b"\x02\x22"
    assert len(rest) == 3
    assert end[4:-1] == (2).to_bytes(3, "big") + (180).to_bytes(4, "big")


def test_settings_are_kept_until_reset():
    board = reader()
    assert board.feed(frame(0x76, b"\x14"), 0)[4] == 0x10
    assert board.feed(frame(0x78, b"\x01\x07\x3b"), 0)[4] == 0x10
    assert board.feed(frame(0x77, b""), 0)[4:-1] == b"\x14"
    assert board.feed(frame(0x79, b""), 0)[4:-1] == b"\x01\x07\x3b"
    board.feed(frame(0x74, b"\x01"), 0)
    assert board.feed(frame(0x75, b""), 0)[4:-1] == b"\x01"
    board.feed(frame(0x70, b""), 0)
    assert board.feed(frame(0x75, b""), 0)[4:-1] == b"\x00"
    assert board.feed(frame(0x7B, b""), 0)[4] == 1


@pytest.mark.parametrize(
    ("command", "data", "code"),
    [(0x76, b"\x50", 0x41), (0x74, b"\x09", 0x41), (0x89, b"", 0x41), (0x99, b"", 0x11)],
)
def test_what_cannot_be_done_is_refused(command, data, code):
    assert reader().feed(frame(command, data), 0)[4] == code


def test_junk_wrong_sums_and_other_addresses_are_passed_over():
    board = reader()
    firmware = frame(0x72, b"")
    wrong = firmware[:-1] + bytes((firmware[-1] ^ 1,))
    answer = board.feed(b"\x00\xa0\x01" + wrong + frame(0x72, b"", 7) + firmware, 0)
    assert answer.hex() == "a00501720109de"
    assert board.rejected_bytes > 0


def test_half_a_command_is_given_up_after_a_pause():
    board = reader()
    assert board.feed(frame(0x89, b"\x01")[:3], 0) == b""
    assert board.feed(frame(0x72, b""), 200_000).hex() == "a00501720109de"


@given(st.lists(st.integers(0, 24), max_size=6))
def test_cutting_the_bytes_differently_changes_nothing(cuts):
    data = frame(0x72, b"") + frame(0x74, b"\x01") + frame(0x77, b"") + frame(0x75, b"")
    board, answers, at = reader(), b"", 0
    for cut in [*sorted(cuts), len(data)]:
        answers += board.feed(data[at:cut], 0)
        at = max(at, cut)
    assert answers == reader().feed(data, 0)


def test_the_rssi_byte_follows_the_vendors_table():
    for dbm in range(-95, -5):
        raw = rssi_byte(dbm)
        assert abs(raw - (129 if raw >= 90 else 130) - dbm) <= 1
    assert rssi_byte(-60) == 70
