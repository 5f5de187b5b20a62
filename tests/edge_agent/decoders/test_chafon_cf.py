import pytest
from serial_bench import check, row, vectors

from edge_agent.decoders import chafon_cf as cf
from edge_agent.decoders.registry_serial import PROTOCOLS

TAG = "cf0000011200fd8a01000ce280691500004020ed9648b35057"
OWN = [
    row("own-tag", TAG, {"type": "tag", "rssi_dbm": -63.0, "antenna": 1}),
    row("own-end", "cf0000010112421d", {"type": "inventory_round_end", "status": 18}),
    row("own-garbage", "cfcf00" + TAG, {"frames": [{"type": "tag"}]}),
    row("own-stop", "cfff000200e761", {"command": 2, "meaning": "stop inventory"}, to_reader=True),
]


@pytest.mark.parametrize("published", vectors("chafon_cf", OWN))
def test_published(published):
    check(published, PROTOCOLS["chafon_cf"])


@pytest.mark.parametrize(
    "frame, hexadecimal",
    [
        (cf.start(), "cfff0001050000000000f5b5"),
        (cf.stop(), "cfff000200e761"),
        (cf.device_info(), "cfff0070002415"),
        (cf.encode(cf.START, b"\x00\x01"), "cfff00010200016ec0"),
    ],
)
def test_commands_are_the_published_ones(frame, hexadecimal):
    assert frame.hex() == hexadecimal


def feed(command, data):
    return cf.Decoder().feed(cf.encode(command, data, 0))


def test_gate_frames_with_and_without_status():
    gate = b"\x01\x10" + bytes(range(32)) + bytes.fromhex("000003e8")
    for data in (gate, b"\x00" + gate):
        (frame,) = feed(cf.GATE, data)
        assert (frame["type"], frame["direction"], frame["time_ms"]) == ("gate", "in", 1000)
        assert frame["customer_data"] == bytes(range(32)).hex()


@pytest.mark.parametrize("code, name", cf.DIRECTIONS.items())
def test_directions(code, name):
    (frame,) = feed(cf.GATE, b"\x01" + bytes([code]) + bytes(36))
    assert frame["direction"] == name


@pytest.mark.parametrize("status", [0x01, 0x02, 0x14, 0x15, 0x16, 0x17])
def test_failures(status):
    (frame,) = feed(cf.SET_POWER, bytes([status]))
    assert (frame["type"], frame["error"], frame["status"]) == ("error", status, status)


def test_no_more_data_ends_a_round_too():
    assert feed(cf.START, b"\xff")[0]["type"] == "inventory_round_end"


def test_a_tag_with_an_epc_cut_short_is_no_tag():
    assert feed(cf.START, bytes.fromhex("00fd8a01000ce280"))[0]["type"] == "response"
    assert feed(cf.START, bytes.fromhex("00fd8a010000")) == []


def test_start_says_how_long():
    def said(frame):
        return cf.describe_command(frame)["meaning"]

    assert said(cf.start(seconds=5)) == "start inventory, 5 s"
    assert said(cf.start_rounds(1)) == "start inventory, 1 round"
    assert said(cf.set_power(26)) == "power 26 dBm"


def test_the_upper_byte_of_the_command_is_zero():
    assert cf.Decoder().feed(cf.encode(0x0101, b"\x00", 0)) == []
