from serial_bench import Bench

from edge_agent.decoders import chafon_cf as cf
from edge_agent.decoders.chafon_cf_host import ChafonCfConversation
from edge_agent.decoders.framing import Framer
from edge_agent.decoders.readings import Reading

TAG = bytes.fromhex("cf0000011200fd8a01000ce280691500004020ed9648b35057")
TOLD = Reading("epc:e280691500004020ed9648b3", -63.0, 1, "rfid")


class Reader:
    """Sends a tag every half second while it runs; a start is not answered otherwise."""

    def __init__(self, tags=True, errors=None):
        self.framer = Framer(cf.COMMAND_RULES)
        self.tags, self.errors = tags, errors or {}
        self.running = False
        self.commands = []
        self.next_s = 0.0

    def __call__(self, command, now_s):
        out = b"".join(self.answer(f[3], f[5:-2]) for f in self.framer.feed(command))
        if self.running and self.tags and now_s >= self.next_s:
            self.next_s = now_s + 0.5
            out += TAG
        return out

    def answer(self, command, data):
        self.commands.append(command)
        if command in self.errors:
            return cf.encode(command, bytes([self.errors[command]]), 0)
        if command == cf.START:
            self.running = len(data) == 5  # any other length leaves a real reader silent
            return b""
        if command == cf.STOP:
            self.running = False
        return cf.encode(command, b"\x00", 0)


def test_stop_configure_start_listen():
    reader = Reader()
    bench = Bench(ChafonCfConversation(power_dbm=26), reader).run(2)
    assert reader.commands == [cf.STOP, cf.SET_POWER, cf.START]
    assert bench.items == [TOLD] * 4


def test_a_quiet_reader_is_started_again_and_is_no_failure():
    reader = Reader(tags=False)
    bench = Bench(ChafonCfConversation(silence_s=3), reader).run(8)
    assert reader.commands == [cf.STOP, cf.START] * 3
    assert bench.names() == [] and bench.host.frames == 3


def test_a_restart_is_noticed():
    reader = Reader()
    bench = Bench(ChafonCfConversation(), reader).run(1)
    reader.running = False
    bench.items.clear()
    assert bench.run(5).tags()


def test_silence_is_told_once_and_the_reader_found_again():
    reader = Reader()
    bench = Bench(ChafonCfConversation(), reader)
    bench.silent = True
    assert bench.run(20).names() == ["no_answer"]
    bench.silent = False
    assert bench.run(2).tags()


def test_errors_are_told_and_the_start_tried_again():
    reader = Reader(errors={cf.SET_POWER: 0x01, cf.START: 0x02})
    bench = Bench(ChafonCfConversation(power_dbm=40), reader).run(6)
    assert [(item.name, item.code) for item in bench.items] == [
        ("reader_error", 1),
        ("reader_error", 2),
    ]
    reader.errors = {}
    assert bench.run(4).tags()


def test_a_passage_through_a_gate_is_an_event():
    host = ChafonCfConversation()
    (event,) = host.receive(cf.encode(cf.GATE, b"\x01\x20" + bytes(36), 0), 0.0)
    assert (event.name, event.detail) == ("gate", "direction out")


def test_stop():
    assert ChafonCfConversation().stop() == cf.stop()
