import pytest
from serial_bench import check, row, vectors

from edge_agent.decoders import caen
from edge_agent.decoders.registry_serial import PROTOCOLS

ANSWER = "0001000500005358001a00000008000100130000000800020000"
OWN = [
    row(
        "own-answer",
        ANSWER,
        {
            "direction": "response",
            "message_id": 5,
            "avps": [{"type": 1, "value": "0013"}, {"type": 2, "value": "0000"}],
        },
    )
]


@pytest.mark.parametrize("published", vectors("caen_easy2read", OWN))
def test_published(published):
    check(published, PROTOCOLS["caen"])


def test_frames_are_built_like_the_published_one():
    frame = caen.encode(5, [(1, b"\x00\x13"), (2, b"\x00\x00")], direction="response")
    assert frame.hex() == ANSWER
    assert caen.encode(5, [(1, b"\x00\x13")])[0] == 0x80


def test_results_and_tags():
    blocks = [(1, b"\x00\x13"), (2, b"\x00\xca"), (0x11, b"\xe2\x00"), (0x22, b"Source_0")]
    (frame,) = caen.Decoder().feed(caen.encode(1, blocks, direction="response"))
    want = {"command": 0x13, "result": 202, "meaning": "tag not present", "tags": ["e200"]}
    assert want.items() <= frame.items()


@pytest.mark.parametrize("position, value", [(2 + 9, 1), (13, 7), (13, 9), (4, 1), (9, 0x1B)])
def test_lengths_that_do_not_add_up_are_no_frame(position, value):
    damaged = bytearray.fromhex(ANSWER)
    damaged[position] = value
    assert caen.Decoder().feed(bytes(damaged)) == []
