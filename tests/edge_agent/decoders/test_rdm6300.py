import pytest
from serial_bench import check, row, vectors

from edge_agent.decoders import rdm6300
from edge_agent.decoders.rdm6300_host import CardConversation
from edge_agent.decoders.readings import Reading
from edge_agent.decoders.registry_serial import PROTOCOLS

CARD = "0236373030334235314336434203"
OWN = [
    row("own-card", CARD, {"id_hex": "67003B51C6", "printed10": "0003887558"}),
    row("own-id12", "023637303033423531433643420d0a03", {"id_hex": "67003B51C6"}),
    row("own-damaged", "0236383030334235314336434203", {"frames": []}),
]


@pytest.mark.parametrize("published", vectors("rdm6300", OWN))
def test_published(published):
    check(published, PROTOCOLS["rdm6300"])


@pytest.mark.parametrize("line_end", [False, True])
def test_built_frames_are_read(line_end):
    card = bytes.fromhex("1f00644bb6")
    (frame,) = rdm6300.Decoder().feed(rdm6300.encode(card, line_end=line_end))
    want = {"version": 0x1F, "card_number": 6572982, "facility_code": 100, "card_code16": 19382}
    assert want.items() <= frame.items()


def test_lower_case_digits():
    (frame,) = rdm6300.Decoder().feed(bytes.fromhex(CARD).lower())
    assert frame["id_hex"] == "67003B51C6"


def test_only_the_line_end_of_id12():
    frame = rdm6300.encode(bytes.fromhex("1f00644bb6"), line_end=True)
    assert rdm6300.Decoder().feed(frame.replace(b"\r\n", b"\r\r")) == []


def test_a_stray_start_is_given_up_at_once():
    decoder = rdm6300.Decoder()
    decoder.feed(b"\x02\x36\x37x")
    assert decoder.dropped_bytes == 4


def test_every_repetition_is_a_reading():
    host = CardConversation()
    assert host.send(0.0) == b""
    card = bytes.fromhex(CARD)
    readings = [item for at in range(5) for item in host.receive(card, at * 0.08)]
    assert readings == [Reading("em4100:67003b51c6", None, None, "rfid")] * 5
    assert host.frames == 5 and host.events() == [] and host.stop() == b""


def test_noise_between_cards_is_counted():
    host = CardConversation()
    assert host.receive(b"\xff\x02\x03", 0.0) == []
    assert host.dropped_bytes == 3
