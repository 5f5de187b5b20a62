import pytest
from serial_bench import check, row, vectors

from edge_agent.decoders import uhfreader18 as uhf
from edge_agent.decoders import uhfreader288 as new
from edge_agent.decoders.registry_serial import PROTOCOLS

OWN = [
    row(
        "own-tag",
        "1500010304010c49440000000000000a0003346425c0",
        {"antenna": 3, "tags": [{"epc": "49440000000000000a000334", "rssi_raw": 100}]},
    ),
    row("own-empty", "0700010101001e4b", {"type": "inventory", "status": 1, "tags": []}),
    row(
        "own-heartbeat",
        "1500ee280000000700000000000000000000000026e5",
        {"type": "heartbeat", "packet_no": 7},
    ),
]
EPC = bytes.fromhex("49440000000000000a000334")
TID = bytes.fromhex("e28011602000600000000abc")


@pytest.mark.parametrize("published", vectors("chafon_uhfreader288", OWN))
def test_published(published):
    check(published, PROTOCOLS["uhfreader288"])


def one(command, data=b"", status=0):
    (frame,) = new.Decoder().feed(uhf.encode_answer(command, data, status))
    return frame


@pytest.mark.parametrize("mask, number", [(1, 1), (2, 2), (4, 3), (8, 4), (0x80, 8), (3, 3)])
def test_antenna_masks(mask, number):
    frame = one(uhf.INVENTORY, bytes([mask]) + b"\x01\x0c" + EPC + b"\x50", 0x03)
    assert frame["antenna"] == number


def test_several_tags_of_different_length():
    data = b"\x01\x02\x0c" + EPC + b"\x50\x02\xab\xcd\x51"
    assert one(uhf.INVENTORY, data, 0x03)["tags"] == [
        {"epc": EPC.hex(), "rssi_raw": 0x50},
        {"epc": "abcd", "rssi_raw": 0x51},
    ]


def test_epc_and_tid_together():
    (tag,) = one(uhf.INVENTORY, b"\x01\x01\x98" + EPC + TID + b"\x50", 0x03)["tags"]
    assert (tag["epc"], tag["tid"], tag["rssi_raw"]) == (EPC.hex(), TID.hex(), 0x50)


def test_statistics():
    frame = one(uhf.INVENTORY, bytes.fromhex("02 0010 00000123"), 0x26)
    want = {"type": "statistics", "antenna": 2, "read_rate": 16, "total": 0x123}
    assert want.items() <= frame.items()


def test_active_frames():
    frame = one(uhf.ACTIVE, b"\x04\x0c" + EPC + b"\x50")
    want = {"type": "tag", "antenna": 3, "epc": EPC.hex(), "rssi_raw": 0x50}
    assert want.items() <= frame.items()
    states = bytes.fromhex("00000007 0101000000000000 0000002a")
    frame = one(uhf.ACTIVE, states, 0x28)
    assert (frame["antenna_states"], frame["total"]) == ("0101000000000000", 42)


def test_active_frame_of_the_old_layout_is_no_tag():
    assert one(uhf.ACTIVE, bytes.fromhex("e2000020401302162510bbec"))["type"] == "response"


def test_errors_and_no_tag():
    assert one(uhf.INVENTORY, status=0xFB)["tags"] == []
    assert one(uhf.INVENTORY, status=0xF8)["error"] == 0xF8
    assert one(uhf.INVENTORY, status=0x01)["tags"] == []


def test_a_list_that_does_not_add_up_is_no_list_of_tags():
    for data in (b"\x01\x01\x0c\xab", b"\x01\x02\x02\xab\xcd\x50", b"\x01"):
        assert one(uhf.INVENTORY, data, 0x01)["type"] == "response"


def test_inventory_command():
    frame = new.inventory(2, q=5, session=1, target=1, scan_time_ms=2000)
    said = new.describe_command(frame)
    assert (said["command"], said["data"]) == (1, "050101000000018114")
    assert new.inventory()[-4] == 0x80
