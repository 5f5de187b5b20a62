import pytest
from serial_bench import Bench

from edge_agent.decoders import mercury
from edge_agent.decoders import mercury_commands as commands
from edge_agent.decoders.framing import Framer
from edge_agent.decoders.mercury_host import MercuryConversation
from edge_agent.decoders.readings import Reading

TAG = bytes.fromhex(
    "ff2822000010001b01ff0101c4110e16400000012700000500000f00803000000000000000000000001545e94a561d"
)
KEEPALIVE = mercury.encode_answer(0x22, status=0x400)
BOOT = mercury.encode_answer(0x04, bytes.fromhex("0710230001000003201410070107020900000010"))
TOLD = (Reading("epc:000000000000000000001545", -60.0, 1, "rfid"),)


class Module:
    """Streams a tag and a keep-alive each second once it is configured as it has to be."""

    def __init__(self, *, boot_loader=False, errors=None):
        self.framer = Framer(mercury.COMMAND_RULES)
        self.boot_loader = boot_loader
        self.errors = errors or {}
        self.streaming = False
        self.region = None
        self.commands = []
        self.power_cut = False
        self.next_s = 0.0

    def lose_power(self, *, boot_answer):
        self.streaming, self.region, self.power_cut = False, None, boot_answer

    def __call__(self, command, now_s):
        answers = [self.answer(f[2], f[3:-2]) for f in self.framer.feed(command)]
        if self.power_cut:
            self.power_cut = False
            answers.append(BOOT)
        if self.streaming and now_s >= self.next_s:
            self.next_s = now_s + 1.0
            answers += [b"\xff\x28", TAG, KEEPALIVE]
        return b"".join(answers)

    def answer(self, opcode, data):
        self.commands.append(opcode)
        if opcode == mercury.BOOT:
            self.boot_loader = False
            return BOOT
        if self.boot_loader:
            return mercury.encode_answer(opcode, status=0x101)
        if opcode in self.errors:
            return mercury.encode_answer(opcode, status=self.errors[opcode])
        if opcode == mercury.SET_REGION:
            self.region = data
        if opcode == mercury.MULTI_PROTOCOL:
            self.streaming = data[2] == 1
            if self.streaming and self.region is None:
                return mercury.encode_answer(opcode, status=0x10B)
            return mercury.encode_answer(opcode, data[2:6])
        return mercury.encode_answer(opcode)


START_UP = [0x2F, 0x03, 0x97, 0x93, 0x91, 0x92, 0x9A, 0x2F]


def test_start_up_and_tags():
    module = Module()
    bench = Bench(MercuryConversation([1, 2], region="na", power_dbm=23), module).run(3.5)
    assert module.commands == START_UP
    assert [frame for _, frame in bench.sent][2:6] == [
        commands.set_region("na"),
        commands.set_protocol(),
        commands.set_antennas([1, 2]),
        commands.set_power(23),
    ]
    assert bench.items == list(TOLD) * 4
    assert bench.host.frames == 8 + 4 * 2
    assert bench.host.dropped_bytes == 4 * 2


def test_power_is_left_alone_unless_configured():
    module = Module()
    Bench(MercuryConversation(), module).run(1)
    assert mercury.SET_POWER not in module.commands


def test_boot_loader_is_left_first():
    module = Module(boot_loader=True)
    bench = Bench(MercuryConversation(power_dbm=20), module).run(3)
    assert module.commands == [0x2F, 0x03, 0x04, *START_UP[2:]]
    sent = {frame[2]: at_s for at_s, frame in bench.sent}
    assert sent[mercury.SET_REGION] - sent[mercury.BOOT] >= 0.65
    assert bench.tags() and bench.names() == []


def test_boot_loader_that_answers_the_version():
    module = Module(errors={mercury.SET_REGION: 0x101})
    answer = module.answer

    def boots(opcode, data):
        if opcode == mercury.BOOT:
            module.errors = {}
        return answer(opcode, data)

    module.answer = boots
    bench = Bench(MercuryConversation(), module).run(5)
    assert bench.tags() and bench.names() == []


@pytest.mark.parametrize("boot_answer", [True, False])
def test_power_loss_runs_the_whole_start_up_again(boot_answer):
    module = Module()
    bench = Bench(MercuryConversation(power_dbm=20), module).run(2)
    module.lose_power(boot_answer=boot_answer)
    module.commands.clear()
    bench.run(5)
    assert module.commands == START_UP
    assert module.streaming
    assert bench.names() == (["reader_restarted"] if boot_answer else [])


def test_silence_is_told_once_and_the_reader_found_again():
    module = Module()
    bench = Bench(MercuryConversation(), module)
    bench.silent = True
    bench.run(20)
    assert bench.names() == ["no_answer"]
    bench.silent = False
    bench.run(3)
    assert bench.tags()


def test_still_streaming_from_before():
    module = Module()
    module.streaming, module.region = True, b"\x02"
    bench = Bench(MercuryConversation(), module).run(2)
    assert module.commands[0] == 0x2F and module.commands[-1] == 0x2F
    assert bench.tags() and bench.names() == []


def test_an_invalid_region_is_told_and_tried_again():
    module = Module(errors={mercury.SET_REGION: 0x10B})
    bench = Bench(MercuryConversation(), module).run(10)
    assert bench.names() == ["reader_error"]  # region and start: the same code, told once
    assert "region" in bench.items[0].detail
    module.errors = {}
    assert bench.run(5).tags()


def test_a_refused_power_does_not_keep_it_from_reading():
    module = Module(errors={mercury.SET_POWER: 0x105})
    bench = Bench(MercuryConversation(power_dbm=33), module).run(3)
    assert bench.names() == ["reader_error"] and bench.items[0].code == 0x105
    assert bench.tags()


def running():
    host = MercuryConversation()
    Bench(host, Module()).run(1)
    return host


@pytest.mark.parametrize(
    "status, name", [(0x504, "temperature_throttle"), (0x505, "high_return_loss")]
)
def test_throttle_notices_are_told_once_a_minute(status, name):
    host = running()
    notice = mercury.encode_answer(0x22, status=status)
    told = [host.receive(notice, 1.0 + second) for second in range(100)]
    assert [event.name for events in told for event in events] == [name, name]


def test_a_missing_antenna_while_reading():
    host = running()
    (event,) = host.receive(mercury.encode_answer(0x22, status=0x503), 2.0)
    assert (event.name, event.code) == ("antenna_missing", 0x503)


def test_temperature_of_a_status_report():
    host = running()
    report = mercury.encode_answer(0x22, bytes.fromhex("10001b01ff0282000129"))
    (event,) = host.receive(report, 2.0)
    assert (event.name, host.temperature_c) == ("temperature", 41)


def test_a_damaged_tag_is_not_published():
    host = running()
    tag = mercury.encode_answer(0x22, TAG[5:-3] + b"\x00")
    (event,) = host.receive(tag, 2.0)
    assert event.name == "bad_tag_crc"


def test_stop():
    assert MercuryConversation().stop() == commands.stop()
