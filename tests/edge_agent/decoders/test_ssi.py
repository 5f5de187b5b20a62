import pytest
from serial_bench import check, row, vectors

from edge_agent.decoders import ssi
from edge_agent.decoders.registry_serial import PROTOCOLS

OWN = [
    row("own-scan", "0af30000034131323342fde7", {"type": "decode_data", "data": "A123B"}),
    row("own-ack", "04d00000ff2c", {"type": "ack", "source": "decoder"}),
    row("own-damaged", "0af30000034131323342fd00", {"frames": []}),
    row("own-host-ack", "04d00400ff28", {"meaning": "ACK from host"}, to_reader=True),
]


@pytest.mark.parametrize("published", vectors("zebra_ssi", OWN))
def test_published(published):
    check(published, PROTOCOLS["ssi"])


@pytest.mark.parametrize(
    "frame, hexadecimal",
    [
        (ssi.encode(ssi.START_SESSION), "04e40400ff14"),
        (ssi.encode(ssi.STOP_SESSION), "04e50400ff13"),
        (ssi.ack(), "04d00400ff28"),
    ],
)
def test_commands_are_the_published_ones(frame, hexadecimal):
    assert frame.hex() == hexadecimal


def one(opcode, data=b"", status=0):
    frame = ssi.encode(opcode, data, source=ssi.DECODER, status=status)
    (said,) = ssi.Decoder().feed(frame)
    return said


@pytest.mark.parametrize("code, name", ssi.CODE_TYPES.items())
def test_code_types(code, name):
    frame = one(ssi.DECODE_DATA, bytes([code]) + b"1")
    assert (frame["code_type"], frame["symbology"]) == (code, name)
    assert code in ssi.AIM


def test_text_that_is_not_ascii():
    assert one(ssi.DECODE_DATA, b"\x1c" + "Ä1".encode())["data"] == "Ä1"
    assert one(ssi.DECODE_DATA, b"\x1c\xc4\x1d1")["data"] == "Ä\x1d1"


def test_status_bits():
    assert one(ssi.DECODE_DATA, b"\x03A", ssi.RETRANSMISSION)["retransmission"]
    assert one(ssi.DECODE_DATA, b"\x03A", ssi.CONTINUED)["continued"]


def test_refusals_say_why():
    frame = one(ssi.NAK, b"\x06")
    assert (frame["type"], frame["reason"], frame["meaning"]) == ("nak", 6, "denied")


def test_the_hosts_own_frames_are_not_the_scanners():
    assert ssi.Decoder().feed(ssi.ack()) == []


def test_the_longest_scan():
    frame = one(ssi.DECODE_DATA, b"\x1c" + b"x" * 250)
    assert frame["data"] == "x" * 250
