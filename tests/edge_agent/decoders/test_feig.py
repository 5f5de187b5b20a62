import pytest
from serial_bench import check, row, vectors

from edge_agent.decoders import feig
from edge_agent.decoders.registry_serial import PROTOCOLS

OWN = [
    row("own-inventory", "07ffb001001c56", {"command": 176, "meaning": "inventory"}, to_reader=True)
]


@pytest.mark.parametrize("published", vectors("feig_iso_host", OWN))
def test_published(published):
    check(published, PROTOCOLS["feig"])


def test_commands_are_the_published_ones():
    assert feig.inventory().hex() == "07ffb001001c56"


@pytest.mark.parametrize("advanced", [False, True])
@pytest.mark.parametrize(
    "status, kind",
    [(0, "response"), (0x94, "response"), (1, "no_tag"), (0x80, "error"), (0x81, "error")],
)
def test_answers(advanced, status, kind):
    answer = feig.encode_answer(feig.INVENTORY, b"\x01\x03", status, advanced=advanced)
    (frame,) = feig.Decoder().feed(b"\x02\x07" + answer)
    want = {"type": kind, "command": 0xB0, "status": status, "data": "0103"}
    assert want.items() <= frame.items()


def test_long_answers_need_the_advanced_form():
    answer = feig.encode_answer(feig.INVENTORY, bytes(600), advanced=True)
    assert len(feig.Decoder().feed(answer)) == 1
    assert feig.describe_command(feig.encode(0x65, advanced=True))["meaning"].startswith(
        "reader soft"
    )
