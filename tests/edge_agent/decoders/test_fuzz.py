import pytest

from edge_agent.decoders import fuzz
from edge_agent.decoders.registry_serial import PROTOCOLS, SerialProtocol


def test_every_protocol_is_fuzzed():
    assert fuzz.GOOD.keys() == PROTOCOLS.keys()
    for name, frames in fuzz.GOOD.items():
        for frame in frames:
            assert PROTOCOLS[name].decoder().feed(frame), (name, frame.hex())


def test_short():
    report = fuzz.fuzz(1700)
    assert report.failures == []
    assert report.streams == 1700 and report.bytes_fed > 100_000


@pytest.mark.long
def test_long():
    assert fuzz.fuzz(300_000, seed=2).failures == []


def test_command(capsys):
    assert fuzz.main(["--streams", "20", "--seed", "3"]) == 0
    assert capsys.readouterr().out.startswith("20 streams, ")


def test_a_failure_says_how_to_see_it_again(monkeypatch):
    def broken():
        raise ValueError("broken")

    monkeypatch.setitem(PROTOCOLS, "ssi", SerialProtocol(broken, None, 9600, None))
    report = fuzz.Report()
    fuzz.run_stream("ssi", "1/0", report)
    (failure,) = report.failures
    assert failure.startswith("ssi, seed '1/0': raised ValueError('broken'); stream ")


def test_a_decoder_that_finds_nothing_is_a_failure(monkeypatch):
    class Deaf:
        fed = 0

        def feed(self, data, at_s=None):
            Deaf.fed += 1
            return [{"type": "tag"}] if Deaf.fed == 1 else []  # the first is the one to compare

        def flush(self):
            return 0

    monkeypatch.setitem(PROTOCOLS, "ssi", SerialProtocol(Deaf, None, 9600, None))
    report = fuzz.Report()
    fuzz.run_stream("ssi", "1/0", report)
    assert "not found" in report.failures[0]
