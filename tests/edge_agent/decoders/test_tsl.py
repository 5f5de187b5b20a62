import pytest
from serial_bench import check, row, vectors

from edge_agent.decoders import tsl
from edge_agent.decoders.registry_serial import PROTOCOLS

OWN = [
    row(
        "own-tag",
        b"CS: .iv\r\nEP: 000000000000000000001242\r\nRI: -61\r\nOK:\r\n\r\n".hex(),
        {
            "command": ".iv",
            "ok": True,
            "tags": [{"epc": "000000000000000000001242", "rssi_dbm": -61}],
        },
    ),
    row("own-error", b"CS: .iv\r\nER: 005\r\n\r\n".hex(), {"ok": False, "error": "005"}),
]


@pytest.mark.parametrize("published", vectors("tsl_ascii2", OWN))
def test_published(published):
    check(published, PROTOCOLS["tsl"])


def feed(*lines):
    return tsl.Decoder().feed(tsl.encode_answer(*lines))


def test_lines_belong_to_the_tag_before_them():
    (frame,) = feed(
        "CS: .iv -al off",
        "IX: 0001",
        "EP: 3000ABCD",
        "RI: -61",
        "EP: 3000abce",
        "PC: 1000",
        "RI: -70",
        "IX: 000A",
        "OK:",
    )
    assert frame["command"] == ".iv"
    assert frame["tags"] == [
        {"epc": "3000abcd", "rssi_dbm": -61},
        {"epc": "3000abce", "pc": "1000", "rssi_dbm": -70, "index": 10},
    ]
    assert frame["fields"] == {"IX": "0001"}


def test_the_tags_own_crc_is_checked():
    good = ("EP: e280699500005009f1286992", "PC: 3000", "CR: 620A")
    (frame,) = feed("CS: .iv", *good, "OK:")
    assert frame["tags"][0]["tag_crc_ok"] is True
    (frame,) = feed("CS: .iv", *good[:2], "CR: 620B", "OK:")
    assert frame["tags"][0]["tag_crc_ok"] is False


@pytest.mark.parametrize("damaged", ["EP: 300", "EP: zz", "\x00P: 3000", "EP"])
def test_a_damaged_line_spoils_its_tag_and_no_other(damaged):
    (frame,) = feed("CS: .iv", "EP: 3000", "RI: -50", damaged, "RI: -60", "EP: 3001", "OK:")
    assert frame["tags"] == [{"epc": "3000", "rssi_dbm": -50}, {"epc": "3001"}]
    assert frame["bad_lines"] == 1


def test_a_damaged_level_spoils_its_tag():
    (frame,) = feed("CS: .iv", "EP: 3000", "RI: -5x", "OK:")
    assert frame["tags"] == [] and frame["bad_lines"] == 1


def test_barcodes_messages_and_other_fields():
    (frame,) = feed("CS: .bc", "BC: A 1\x1d2 ", "ME: hello", "MF: TSL", "OK:")
    assert frame["barcodes"] == ["A 1\x1d2 "]
    assert frame["message"] == "hello" and frame["fields"] == {"MF": "TSL"}


def test_an_answer_without_result_is_incomplete():
    decoder = tsl.Decoder()
    stream = tsl.encode_answer("CS: .iv", "EP: 3000")
    assert decoder.feed(stream) == []
    assert decoder.dropped_bytes == len(stream)


def test_a_new_answer_gives_up_one_that_was_cut_off():
    good = tsl.encode_answer("CS: .iv", "EP: 3001", "OK:")
    decoder = tsl.Decoder()
    cut = b"CS: .iv\r\nEP: 3000\r\nRI: -4"
    (frame,) = decoder.feed(cut + good)
    assert frame["tags"] == [{"epc": "3001"}]
    assert decoder.dropped_bytes == len(cut)


def test_a_pause_gives_up_what_is_incomplete():
    decoder = tsl.Decoder()
    decoder.feed(b"CS: .iv\r\nEP: 3000\r\n", 1.0)
    assert len(decoder.feed(b"OK:\r\n\r\n", 2.9)) == 1
    decoder.feed(b"CS: .iv\r\nEP: 3000\r\n", 10.0)
    assert decoder.feed(b"OK:\r\n\r\n", 20.0) == []


def test_what_is_held_is_bounded():
    decoder = tsl.Decoder()
    decoder.feed(b"CS: .iv\r\n" + b"EP: 3000\r\n" * 200_000)
    decoder.feed(b"x" * 100_000)
    assert decoder.flush() < 1_100_000


def test_commands():
    assert tsl.inventory(20) == b".iv -al off -r on -e on -o 20\r\n"
    said = tsl.describe_command(b".iv -al off -o -5\r\n")
    assert said == {
        "command": ".iv",
        "switches": {"al": "off", "o": "-5"},
        "meaning": "inventory",
    }
    assert tsl.describe_command(b"\r\n")["command"] == ""
