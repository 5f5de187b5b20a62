import pytest
from serial_bench import check, row, vectors

from edge_agent.decoders import mercury
from edge_agent.decoders import mercury_commands as commands
from edge_agent.decoders.gen2 import tag_crc
from edge_agent.decoders.registry_serial import PROTOCOLS

TAG = (
    "ff2822000010001b01ff0101c4110e16400000012700000500000f00803000000000000000000000001545e94a561d"
)
OWN = [
    row("own-keepalive", "ff0022040084e0", {"type": "keepalive", "opcode": 34, "status": 0x400}),
    row("own-tag", TAG, {"type": "tag", "rssi_dbm": -60, "epc": "000000000000000000001545"}),
    row(
        "own-single",
        "ff0a210000c80507a80084c4ff9ee0f725",
        {"type": "tag", "epc": "c80507a80084c4ff", "tag_crc": "9ee0"},
    ),
    row("own-damaged", TAG[:-1] + "c", {"frames": []}),
    row("own-stop", "ff032f0000025e86", {"opcode": 47}, to_reader=True),
]


@pytest.mark.parametrize("published", vectors("thingmagic", OWN))
def test_published(published):
    check(published, PROTOCOLS["mercury"])


@pytest.mark.parametrize(
    "frame, hexadecimal",
    [
        (commands.boot(), "ff00041d0b"),
        (commands.get_version(), "ff00031d0c"),
        (commands.set_region("eu"), "ff0197024bbf"),
        (commands.start(), "ff102f00000122000005072210001b03e801ffdd2b"),
        (commands.stop(), "ff032f0000025e86"),
    ],
)
def test_commands_are_the_published_ones(frame, hexadecimal):
    assert frame.hex() == hexadecimal


def one(opcode, data=b"", status=0):
    (frame,) = mercury.Decoder().feed(mercury.encode_answer(opcode, data, status))
    return frame


def streamed(metadata, *, flags, tag, head=b"\x10", kind=1):
    flags = flags.to_bytes(2, "big")
    return mercury.encode_answer(0x22, head + b"\x00\x1b" + flags + bytes([kind]) + metadata + tag)


def record(pc_and_epc):
    body = bytes.fromhex(pc_and_epc)
    body += tag_crc(body).to_bytes(2, "big")
    return (len(body) * 8).to_bytes(2, "big") + body


EPC = "e280116060000205a1b2c3d4"


def feed(frame):
    return mercury.Decoder().feed(frame)


def test_every_metadata_flag_in_its_order():
    metadata = bytes.fromhex("03 d8 0f 0d cd 94 00000102 005a 05 0010 abcd 05 04 01 02 0042")
    (frame,) = feed(streamed(metadata, flags=0x1FFF, tag=record("3000" + EPC)))
    want = {
        "read_count": 3,
        "rssi_dbm": -40,
        "antenna_tx": 16,
        "antenna_rx": 15,
        "frequency_khz": 904596,
        "timestamp_ms": 258,
        "phase": 90,
        "protocol": 5,
        "embedded_data": "abcd",
        "gpio": 5,
        "gen2_q": 4,
        "gen2_link_frequency": 1,
        "gen2_target": 2,
        "brand_id": "0042",
        "epc": EPC,
        "tag_crc_ok": True,
    }
    assert want.items() <= frame.items()


@pytest.mark.parametrize("bit", range(13))
def test_each_metadata_flag_alone(bit):
    sizes = [1, 1, 1, 3, 4, 2, 1, 2, 1, 1, 1, 1, 2]
    # As a protocol the value must be Gen2, as embedded data a length of 0 bits.
    value = {6: b"\x05", 7: b"\x00\x00"}.get(bit, b"\x01" * sizes[bit])
    (frame,) = feed(streamed(value, flags=1 << bit, tag=record("3000" + EPC)))
    assert frame["epc"] == EPC and frame["tag_crc_ok"]


def test_metadata_of_unknown_size_is_no_tag():
    (frame,) = feed(streamed(b"\x01", flags=0x2001, tag=record("3000" + EPC)))
    assert frame["type"] == "response"


def test_no_metadata_at_all():
    (frame,) = feed(streamed(b"", flags=0, tag=record("3000" + EPC)))
    assert frame["epc"] == EPC and "rssi_dbm" not in frame


def test_embedded_data_error():
    metadata = bytes.fromhex("8000 0424")
    (frame,) = feed(streamed(metadata, flags=0x80, tag=record("3000" + EPC)))
    assert (frame["embedded_data"], frame["embedded_error"]) == ("", 0x0424)
    assert frame["epc"] == EPC


def test_embedded_data_of_odd_bits():
    (frame,) = feed(streamed(bytes.fromhex("0009 abc0"), flags=0x80, tag=record("3000" + EPC)))
    assert (frame["embedded_data"], frame["epc"]) == ("abc0", EPC)


@pytest.mark.parametrize("xpc", ["0001", "80010203"])
def test_xpc_words_are_not_the_epc(xpc):
    (frame,) = feed(streamed(b"", flags=0, tag=record("3200" + xpc + EPC)))
    assert (frame["pc"], frame["xpc"], frame["epc"]) == ("3200", xpc, EPC)
    assert frame["tag_crc_ok"]


def test_a_64_bit_epc():
    (frame,) = feed(streamed(b"", flags=0, tag=record("2000" + EPC[:16])))
    assert frame["epc"] == EPC[:16]


@pytest.mark.parametrize("tag", ["3000", "0000", "32000001", "320080010002", ""])
def test_an_empty_epc_is_no_read_but_a_sign_of_life(tag):
    decoder = mercury.Decoder()
    frame = streamed(b"", flags=0, tag=record(tag) if tag else b"\0\0")
    assert decoder.feed(frame) == []
    assert decoder.verified == 1 and decoder.dropped_bytes == 0


def test_multi_select_shifts_everything_by_one():
    (frame,) = feed(streamed(b"\xc4", flags=2, tag=record("3000" + EPC), head=b"\x88\x10"))
    assert (frame["option"], frame["search_flags"], frame["rssi_dbm"]) == (0x88, 0x1B, -60)
    assert frame["epc"] == EPC


def test_a_wrong_tag_crc_is_seen():
    tag = bytearray(record("3000" + EPC))
    tag[-1] ^= 1
    (frame,) = feed(streamed(b"", flags=0, tag=bytes(tag)))
    assert frame["tag_crc_ok"] is False


def test_other_protocols_have_no_pc():
    tag = b"\x00\x50" + bytes.fromhex("e0040100abcdef01") + b"\x12\x34"
    (frame,) = feed(streamed(b"\x03", flags=0x40, tag=tag))
    assert (frame["epc"], frame["tag_crc"]) == ("e0040100abcdef01", "1234")
    assert "pc" not in frame and "tag_crc_ok" not in frame


def test_data_that_end_too_early_are_no_tag():
    (frame,) = feed(streamed(b"\x01", flags=0x1FF, tag=b""))
    assert frame["type"] == "response"


def test_status_report():
    values = bytes.fromhex("820001e7 02021234")  # temperature (flag 0x100), another one
    (frame,) = feed(streamed(values, flags=0x1FF, tag=b"", kind=2))
    assert (frame["type"], frame["temperature_c"]) == ("status_report", -25)
    assert frame["values"] == [{"flag": 0x100, "value": "e7"}, {"flag": 2, "value": "1234"}]


def test_ends_of_searches():
    (frame,) = feed(streamed(b"", flags=0, tag=b"", kind=0))
    assert frame["type"] == "inventory_end"
    frame = one(0x22, bytes.fromhex("010040 0000012c"))
    want = {"type": "inventory_end", "search_flags": 0x40, "total": 300}
    assert want.items() <= frame.items()


def test_start_and_stop_answers():
    assert one(0x2F, b"\x01\x22\x00\x00")["type"] == "stream_started"
    assert one(0x2F, b"\x02")["type"] == "stream_stopped"


@pytest.mark.parametrize(
    "opcode, status, kind",
    [
        (0x22, 0x0400, "keepalive"),
        (0x22, 0x0504, "temperature_throttle"),
        (0x22, 0x0505, "high_return_loss"),
        (0x21, 0x0400, "no_tag"),
        *[(0x97, status, "error") for status in (0x100, 0x101, 0x105, 0x10B, 0x503, 0x504)],
        *[(0x22, status, "error") for status in (0x503, 0x601, 0x7F01, 0x1234)],
    ],
)
def test_status_words(opcode, status, kind):
    frame = one(opcode, status=status)
    assert (frame["type"], frame["status"]) == (kind, status) and frame["meaning"]


def test_version_fields_and_short_answers():
    version = one(0x03, bytes.fromhex("0710230001000003201410070107020900000010"))
    assert (version["hardware"], version["protocol_mask"]) == ("01000003", 16)
    assert one(0x04)["type"] == "boot"
    assert one(0x72, b"\xf6")["temperature_c"] == -10
    assert one(0x63, b"\x00\x05")["data"] == "0005"


def test_power_and_region_are_told_in_units():
    power = one(0x62, bytes.fromhex("0108fc0bb803e8"))
    want = {"power_dbm": 23.0, "highest_power_dbm": 30.0, "lowest_power_dbm": 10.0}
    assert want.items() <= power.items()
    assert one(0x67, b"\x02")["region"] == 2


def test_longest_data_pass_and_longer_are_no_frame():
    assert len(feed(mercury.encode_answer(0x28, bytes(0xF8)))) == 1
    assert feed(mercury.encode_answer(0x28, bytes(0xF9))) == []


@pytest.mark.parametrize(
    "frame, data, meaning",
    [
        (commands.set_power(23.5), "092e", "set read power 23.50 dBm"),
        (commands.set_protocol(), "0005", "set protocol Gen2"),
        (commands.set_antennas([1]), "020101", "set antenna 1/1"),
        (commands.set_antennas([1, 4]), "0201010404", "set antenna 1/1, 4/4"),
        (commands.read_filter_off(), "010c00", "read filter off"),
        (commands.set_baud_rate(115200), "0001c200", "set baud rate 115200"),
        (commands.set_region("open"), "ff", "set region 255 (OPEN)"),
    ],
)
def test_what_commands_say(frame, data, meaning):
    said = commands.describe_command(frame)
    assert (said["data"], said["meaning"]) == (data, meaning)
    assert mercury.encode(said["opcode"], bytes.fromhex(data)) == frame


@pytest.mark.parametrize("name", commands.REGIONS)
def test_every_region_has_a_command(name):
    said = commands.describe_command(commands.set_region(name))
    assert said["meaning"].endswith(f"({name.upper()})")
