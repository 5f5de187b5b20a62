import pytest

from edge_agent.decoders.rdm6300_host import CardConversation
from edge_agent.decoders.rdm6300_wiegand import Decoder


def test_hex_lines():
    (frame,) = Decoder("hex").feed(b"3b51C6\r")
    assert frame == {
        "type": "tag",
        "id_hex": "3B51C6",
        "card_number": 0x3B51C6,
        "facility_code": 0x3B,
        "card_code16": 0x51C6,
    }


def test_decimal_lines():
    (frame,) = Decoder("decimal").feed(b"0003887558\r\n")
    assert frame == {"type": "tag", "printed10": "0003887558", "card_number": 3887558}


@pytest.mark.parametrize("form, line", [("hex", b"0003887558\r\n"), ("decimal", b"3B51C6\r")])
def test_the_form_is_configured_and_not_guessed(form, line):
    decoder = Decoder(form)
    assert decoder.feed(line) == []
    assert decoder.dropped_bytes == len(line.strip())


def test_any_split_gives_the_same():
    stream = b"xx\r\n0003887558\r\n0000000001\r\n12\r\n"
    for size in range(1, 8):
        decoder = Decoder("decimal")
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        numbers = [frame["card_number"] for piece in pieces for frame in decoder.feed(piece)]
        assert numbers == [3887558, 1]


def test_what_is_held_is_bounded():
    decoder = Decoder()
    decoder.feed(b"1" * 100_000)
    assert decoder.flush() < 100
    assert decoder.dropped_bytes == 100_000


def test_a_gap_gives_up_what_is_incomplete():
    decoder = Decoder()
    decoder.feed(b"3B5", 1.0)
    assert decoder.feed(b"1C6\r", 2.0) == []


@pytest.mark.parametrize(
    "form, line, name",
    [
        ("hex", b"3B51C6\r", "wiegand24:3b51c6"),
        ("decimal", b"0003887558\r\n", "card10:0003887558"),
    ],
)
def test_names(form, line, name):
    (reading,) = CardConversation(form).receive(line, 0.0)
    assert (reading.tag, reading.kind) == (name, "rfid")
