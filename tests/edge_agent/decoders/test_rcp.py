import pytest
from serial_bench import check, row, vectors

from edge_agent.decoders import m100, rcp
from edge_agent.decoders.registry_serial import PROTOCOLS

TAG = "bb0222000e3000e2000016601601551580753d7e5c46"
OWN = [
    row("own-tag", TAG, {"type": "tag", "pc": "3000", "epc": "e2000016601601551580753d"}),
    row("own-info", "bb0103000a50524d393258000000007e9cee", {"text": "PRM92X"}),
    row("own-error", "bb01ff00010b7e658c", {"type": "error", "error": 11}),
    row("own-split", TAG, {"frames": [{"type": "tag"}]}, chunks=[TAG[:-6], TAG[-6:]]),
    row("own-stop", "bb003700007ef391", {"code": 55}, to_reader=True),
]


@pytest.mark.parametrize("published", vectors("phychips_rcp", OWN))
def test_published(published):
    check(published, PROTOCOLS["rcp"])


@pytest.mark.parametrize(
    "frame, hexadecimal",
    [
        (rcp.start(), "bb0036000502000000007e220d"),
        (rcp.stop(), "bb003700007ef391"),
        (rcp.get_power(), "bb001500007e29b7"),
    ],
)
def test_commands_are_the_published_ones(frame, hexadecimal):
    assert frame.hex() == hexadecimal


def one(code, data=b"", kind=rcp.ANSWER):
    (frame,) = rcp.Decoder().feed(rcp.encode(code, data, kind=kind))
    return frame


def test_the_end_of_an_automatic_read():
    assert one(rcp.FINISHED, b"\x00", rcp.NOTICE)["type"] == "inventory_end"


def test_the_answer_to_read_once_is_a_tag_only_if_its_pc_fits():
    assert one(rcp.READ_ONCE, bytes.fromhex("1000e200123456"))["type"] == "response"
    assert one(rcp.READ_ONCE, bytes.fromhex("1000e2001234"))["epc"] == "e2001234"
    assert one(rcp.READ_ONCE, b"\x00")["type"] == "response"


def test_an_empty_epc_is_no_read():
    assert rcp.Decoder().feed(rcp.encode(rcp.READ_ONCE, b"\x00\x00", kind=rcp.NOTICE)) == []


def test_what_commands_say():
    def said(frame):
        return rcp.describe_command(frame)["meaning"]

    assert said(rcp.set_power(23.5)) == "power 23.5 dBm"
    assert said(rcp.set_region(0x52)) == "set region 0x52"
    assert said(rcp.get_info(1)) == "get firmware"
    assert said(rcp.start(max_time_s=5, rounds=3)) == "start automatic read, 5 s, 3 rounds"


def test_neither_family_takes_the_frames_of_the_other():
    ours = bytes.fromhex(TAG)
    theirs = bytes.fromhex("bb02220011cf3000e280699500005009f1286992620a6d7e")
    assert m100.Decoder().feed(ours) == []
    assert rcp.Decoder().feed(theirs) == []
    assert len(rcp.Decoder().feed(theirs + ours)) == 1
    assert len(m100.Decoder().feed(ours + theirs)) == 1
