"""The M100 emulator against published frames and the description of the protocol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.simulation.m100 import M100Reader, frame, gen2_crc
from pipeline.simulation.portals import Echo

ROUND_US = 60_000
EPC = bytes.fromhex("e28069028a52be4e00000025")


def full(antenna, at_us):
    return [Echo(EPC, -49)]


def empty(antenna, at_us):
    return []


def reader(field=empty):
    return M100Reader(field, round_us=ROUND_US)


def split(data, head=0xBB, tail=0x7E):
    """The frames of a byte string, by length, each with its sum checked."""
    frames = []
    while data:
        size = int.from_bytes(data[3:5], "big") + 7
        assert data[0] == head
        assert data[size - 1] == tail
        assert sum(data[1 : size - 2]) & 0xFF == data[size - 2]
        frames.append(data[:size])
        data = data[size:]
    return frames


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("bb00280000287e", "bb01280001002a7e"),
        ("bb00b6000207d08f7e", "bb01b6000100b87e"),
    ],
)
def test_published_commands_are_answered(command, answer):
    assert reader().feed(bytes.fromhex(command), 0).hex() == answer


def test_a_single_poll_of_an_empty_field_says_no_tag():
    module = reader()
    assert module.feed(bytes.fromhex("bb00220000227e"), 0) == b""
    assert module.due(ROUND_US).hex() == "bb01ff000115167e"
    assert module.next_us is None


def test_a_tag_notice_carries_rssi_pc_epc_and_the_tags_crc():
    module = reader(full)
    module.feed(bytes.fromhex("bb00220000227e"), 0)
    (notice,) = split(module.due(ROUND_US))
    assert notice[1:5] == b"\x02\x22\x00\x11"
    assert notice[5] - 256 == -49
    assert notice[6:8] == b"\x30\x00"
    assert notice[8:20] == EPC
    assert int.from_bytes(notice[20:22], "big") == gen2_crc(notice[6:20])


def test_the_crc_is_that_of_a_published_notice():
    notice = bytes.fromhex("bb02220011cf3000e280699500005009f1286992620a6d7e")
    assert int.from_bytes(notice[20:22], "big") == gen2_crc(notice[6:20])


def test_a_multi_poll_runs_until_its_rounds_are_over():
    module = reader(full)
    module.feed(frame(0, 0x27, b"\x22\x00\x05"), 0)
    assert len(split(module.due(2 * ROUND_US))) == 2
    assert len(split(module.due(100 * ROUND_US))) == 3
    assert module.due(200 * ROUND_US) == b""


def test_stop_ends_a_multi_poll_at_once():
    module = reader(full)
    module.feed(bytes.fromhex("bb00270003222710837e"), 0)
    module.due(ROUND_US)
    assert module.feed(bytes.fromhex("bb00280000287e"), ROUND_US).hex() == "bb01280001002a7e"
    assert module.due(10**9) == b""


def test_a_wrong_sum_is_obeyed_as_real_modules_do():
    assert reader().feed(bytes.fromhex("bb0028000099" + "7e"), 0).hex() == "bb01280001002a7e"


def test_the_other_framing_is_answered_in_kind():
    module = reader(full)
    module.feed(frame(0, 0x22, b"", head=0xAA), 0)
    (notice,) = split(module.due(ROUND_US), 0xAA, 0xDD)
    assert notice[8:20] == EPC


def test_settings_are_kept_and_unknown_commands_refused():
    module = reader()
    assert module.feed(frame(0, 0xB6, b"\x0a\x28"), 0) == frame(1, 0xB6, b"\x00")
    assert module.feed(frame(0, 0xB7, b""), 0) == frame(1, 0xB7, b"\x0a\x28")
    module.feed(frame(0, 0x07, b"\x02"), 0)
    assert module.feed(frame(0, 0x08, b""), 0) == frame(1, 0x08, b"\x02")
    assert module.feed(frame(0, 0x12, b"\x01"), 0) == frame(1, 0x12, b"\x00")
    assert module.feed(frame(0, 0x03, b"\x01"), 0)[5:6] == b"\x01"
    assert module.feed(frame(0, 0x77, b""), 0).hex() == "bb01ff000117187e"


def test_junk_is_passed_over_and_half_a_command_given_up():
    module = reader()
    stop = bytes.fromhex("bb00280000287e")
    assert module.feed(b"\x7e\xbb\xbb" + stop, 0).hex() == "bb01280001002a7e"
    assert module.feed(stop[:5], 0) == b""
    assert module.feed(stop, 200_000).hex() == "bb01280001002a7e"


@given(st.lists(st.integers(0, 26), max_size=6))
def test_cutting_the_bytes_differently_changes_nothing(cuts):
    data = frame(0, 0xB7, b"") + frame(0, 0x03, b"\x00") + frame(0, 0x28, b"")
    module, answers, at = reader(), b"", 0
    for cut in [*sorted(cuts), len(data)]:
        answers += module.feed(data[at:cut], 0)
        at = max(at, cut)
    assert answers == reader().feed(data, 0)
