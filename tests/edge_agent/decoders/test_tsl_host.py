from serial_bench import Bench

from edge_agent.decoders import tsl
from edge_agent.decoders.readings import Reading
from edge_agent.decoders.tsl_host import TslConversation


class Sled:
    """Answers an inventory with one tag; `lines` replaces the answer."""

    def __init__(self):
        self.lines = ("CS: .iv", "EP: 3000AB", "RI: -61", "OK:")
        self.commands = []

    def __call__(self, command, now_s):
        self.commands += command.decode().split("\r\n")[:-1]
        return tsl.encode_answer(*self.lines) if b".iv" in command else b""


def test_one_inventory_after_another():
    sled = Sled()
    bench = Bench(TslConversation(power_dbm=20, interval_s=0.1), sled).run(1)
    assert set(sled.commands) == {".iv -al off -r on -e on -o 20"}
    assert 8 <= len(sled.commands) <= 10
    assert set(bench.items) == {Reading("epc:3000ab", -61.0, None, "rfid")}


def test_a_scan_of_the_trigger_comes_between():
    host = TslConversation()
    host.send(0.0)
    (reading,) = host.receive(tsl.encode_answer("CS: .bc", "BC: A-123", "OK:"), 0.1)
    assert reading == Reading("barcode:A-123", None, None, "other")
    assert host.send(0.2) == b""  # the inventory's answer is still due


def test_no_tag_is_no_error_and_others_are_told_once():
    sled = Sled()
    sled.lines = ("CS: .iv", "ER: 005")
    bench = Bench(TslConversation(), sled).run(1)
    assert bench.names() == [] and bench.host.frames > 5
    sled.lines = ("CS: .iv", "ME: battery low", "ER: 031")
    bench.run(1)
    assert [(item.name, item.code) for item in bench.items] == [("reader_error", 31)]
    assert "battery low" in bench.items[0].detail


def test_silence_aborts_asks_again_and_is_told_once():
    sled = Sled()
    bench = Bench(TslConversation(reply_timeout_s=2), sled)
    bench.silent = True
    bench.run(11)
    assert bench.names() == ["no_answer"]
    assert bench.sent[1][1].startswith(b".ab\r\n.iv")
    bench.silent = False
    assert bench.run(3).tags()


def test_a_tag_whose_crc_is_wrong_is_not_published():
    sled = Sled()
    sled.lines = ("CS: .iv", "EP: e280699500005009f1286992", "PC: 3000", "CR: 620B", "OK:")
    bench = Bench(TslConversation(), sled).run(0.05)
    assert bench.names() == ["bad_tag_crc"]


def test_stop():
    assert TslConversation().stop() == b".ab\r\n"
