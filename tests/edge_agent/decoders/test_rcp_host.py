from serial_bench import Bench

from edge_agent.decoders import rcp
from edge_agent.decoders.framing import Framer
from edge_agent.decoders.rcp_host import RcpConversation
from edge_agent.decoders.readings import Reading

TAG = bytes.fromhex("bb0222000e3000e2000016601601551580753d7e5c46")
TOLD = Reading("epc:e2000016601601551580753d", None, None, "rfid")


class Module:
    """Answers stop by an error when nothing runs, as modules do."""

    def __init__(self, tags=True, refused=()):
        self.framer = Framer(rcp.COMMAND_RULES)
        self.tags, self.refused = tags, refused
        self.running = False
        self.finish = False
        self.commands = []
        self.next_s = 0.0

    def __call__(self, command, now_s):
        out = b"".join(self.answer(f[2]) for f in self.framer.feed(command))
        if self.finish:
            self.finish = self.running = False
            out += rcp.encode(rcp.FINISHED, kind=rcp.NOTICE)
        if self.running and self.tags and now_s >= self.next_s:
            self.next_s = now_s + 0.5
            out += b"\xbb\x02" + TAG
        return out

    def answer(self, code):
        self.commands.append(code)
        if code in self.refused or (code == rcp.STOP and not self.running):
            return rcp.encode(rcp.ERROR, b"\x0b", kind=rcp.ANSWER)
        if code in (rcp.START, rcp.STOP):
            self.running = code == rcp.START
        return rcp.encode(code, b"\x00", kind=rcp.ANSWER)


def test_stop_configure_start_listen():
    module = Module()
    bench = Bench(RcpConversation(power_dbm=20, region=0x52), module).run(2)
    assert module.commands == [rcp.STOP, rcp.SET_REGION, rcp.SET_POWER, rcp.START]
    assert bench.items == [TOLD] * 4
    assert bench.host.dropped_bytes == 8


def test_a_quiet_module_is_started_again():
    module = Module(tags=False)
    bench = Bench(RcpConversation(silence_s=3), module).run(8)
    assert module.commands == [rcp.STOP, rcp.START] * 3
    assert bench.names() == []


def test_the_end_of_a_read_starts_the_next():
    module = Module()
    bench = Bench(RcpConversation(), module).run(1)
    module.finish = True
    bench.run(0.2)
    assert module.commands == [rcp.STOP, rcp.START] * 2 and module.running


def test_a_refused_start_is_told_and_tried_again():
    module = Module(refused=(rcp.START,))
    bench = Bench(RcpConversation(), module).run(5)
    assert bench.names() == ["reader_error"]
    assert bench.items[0].detail.startswith("start")
    module.refused = ()
    assert bench.run(3).tags()


def test_silence_is_told_once_and_the_module_found_again():
    module = Module()
    bench = Bench(RcpConversation(), module)
    bench.silent = True
    assert bench.run(20).names() == ["no_answer"]
    bench.silent = False
    assert bench.run(2).tags()


def test_an_error_while_reading_is_told():
    module = Module()
    bench = Bench(RcpConversation(), module).run(1)
    (event,) = bench.host.receive(rcp.encode(rcp.ERROR, b"\x0e", kind=rcp.ANSWER), 1.0)
    assert (event.name, event.code) == ("reader_error", 0x0E)


def test_stop():
    assert RcpConversation().stop() == rcp.stop()
