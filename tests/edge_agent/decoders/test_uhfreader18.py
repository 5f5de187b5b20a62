import pytest
from serial_bench import check, row, vectors

from edge_agent.decoders import uhfreader18 as uhf
from edge_agent.decoders.registry_serial import PROTOCOLS

OWN = [
    row(
        "own-two-tags",
        "20000103020c0000000000000000000003130c0000000000000000000003149ac9",
        {"tags": [{"epc": "000000000000000000000313"}, {"epc": "000000000000000000000314"}]},
    ),
    row(
        "own-garbage",
        "ff001100ee00e2000020401302162510bbecb1b1",
        {"frames": [{"type": "tag", "epc": "e2000020401302162510bbec"}]},
    ),
    row("own-inventory", "04ff011bb4", {"command": 1, "meaning": "inventory"}, to_reader=True),
]


@pytest.mark.parametrize("published", vectors("chafon_uhfreader18", OWN))
def test_published(published):
    check(published, PROTOCOLS["uhfreader18"])


def test_commands_are_the_published_ones():
    assert uhf.encode(uhf.READER_INFO).hex() == "04ff211995"
    assert uhf.encode(uhf.INVENTORY).hex() == "04ff011bb4"


def one(command, data=b"", status=0):
    (frame,) = uhf.Decoder().feed(uhf.encode_answer(command, data, status))
    return frame


@pytest.mark.parametrize("status", [0x00, 0x01, 0x02, 0x03, 0x04])
def test_statuses_that_list_tags(status):
    frame = one(uhf.INVENTORY, b"\x01\x02\xab\xcd", status)
    assert (frame["type"], frame["status"], frame["tags"]) == (
        "inventory",
        status,
        [{"epc": "abcd"}],
    )


def test_no_tag_is_an_empty_inventory():
    assert one(uhf.INVENTORY, status=0xFB)["tags"] == []
    assert one(uhf.INVENTORY, b"\x00", 0x01)["tags"] == []


def test_a_list_that_does_not_add_up_is_no_list_of_tags():
    for data in (b"\x01\x0c\xab\xcd", b"\x02\x02\xab\xcd", b"\x01\x02\xab\xcd\x55"):
        assert one(uhf.INVENTORY, data, 0x01)["type"] == "response"


@pytest.mark.parametrize("status", [0xF8, 0xFA, 0xFE, 0x09])
def test_failures(status):
    frame = one(uhf.INVENTORY, status=status)
    assert (frame["type"], frame["error"]) == ("error", status) and frame["meaning"]


def test_reader_info_with_the_eu_band():
    frame = one(uhf.READER_INFO, bytes.fromhex("0016 09 03 4e 00 1e 0a"))
    assert (frame["lowest_frequency_mhz"], frame["highest_frequency_mhz"]) == (865.1, 867.9)
    assert (frame["scan_time_ms"], frame["tag_types"]) == (1000, 3)
    other_band = one(uhf.READER_INFO, bytes.fromhex("0016 09 03 31 80 1e 0a"))
    assert "lowest_frequency_mhz" not in other_band


def test_settings_have_commands():
    assert uhf.describe_command(uhf.set_power(26))["meaning"] == "power 26 dBm"
    assert uhf.describe_command(uhf.set_region(0x4E, 0x00))["data"] == "4e00"
    assert uhf.describe_command(uhf.set_scan_time(1000))["data"] == "0a"


def test_unknown_commands_are_no_frames():
    assert uhf.Decoder().feed(uhf.encode_answer(0x99, b"\x00")) == []


def test_an_active_frame_without_epc_is_no_tag():
    assert uhf.Decoder().feed(uhf.encode_answer(uhf.ACTIVE)) == []
