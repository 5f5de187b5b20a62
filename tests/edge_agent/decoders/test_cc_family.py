import pytest
from serial_bench import check, row, vectors

from edge_agent.decoders import cc_family
from edge_agent.decoders.registry_serial import PROTOCOLS

ANSWER = "ccffff20051200340034161fa820328a522b629740a704b6c7"
OWN = [
    row("own-answer", ANSWER, {"cid1": 32, "rtn": 5}),
    row("own-damaged", ANSWER[:-2] + "c8", {"frames": []}),
]


@pytest.mark.parametrize("published", vectors("cc_family", OWN))
def test_published(published):
    check(published, PROTOCOLS["cc_family"])


def test_frames_are_built_like_the_published_one():
    info = bytes.fromhex(ANSWER)[6:-1]
    assert cc_family.encode_answer(0x20, 0x05, info).hex() == ANSWER


def test_the_start_is_three_bytes():
    decoder = cc_family.Decoder()
    assert decoder.feed(bytes.fromhex("ccffcc00cc" + ANSWER))[0]["rtn"] == 5
    assert decoder.dropped_bytes == 5
