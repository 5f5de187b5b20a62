import pytest
from serial_bench import Bench

from edge_agent.decoders import uhfreader18 as uhf
from edge_agent.decoders.framing import Framer
from edge_agent.decoders.readings import Reading
from edge_agent.decoders.uhfreader18_host import UhfReader18Conversation

EPC = bytes.fromhex("49440000000000000a000334")
NAME = f"epc:{EPC.hex()}"


class Reader:
    """Two frames a round: one tag, then the end."""

    def __init__(self, kind=0x09, missing=()):
        self.framer = Framer(uhf.COMMAND_RULES)
        self.kind, self.missing = kind, missing
        self.commands = []

    def __call__(self, command, now_s):
        return b"".join(self.answer(f[2], f[3:-2]) for f in self.framer.feed(command))

    def answer(self, command, data):
        self.commands.append(command)
        if command == uhf.READER_INFO:
            return uhf.encode_answer(command, bytes([0, 22, self.kind, 3, 0x4E, 0, 30, 10]))
        if command != uhf.INVENTORY:
            return uhf.encode_answer(command)
        if not data:
            tag = uhf.encode_answer(command, b"\x01\x0c" + EPC, uhf.MORE)
            return b"\x15\x00" + tag + uhf.encode_answer(command, b"\x00", uhf.FINISHED)
        antenna = data[-2] & 0x7F
        if antenna + 1 in self.missing:
            return uhf.encode_answer(command, status=uhf.ANTENNA_ERROR)
        mask = bytes([1 << antenna])
        tag = uhf.encode_answer(command, mask + b"\x01\x0c" + EPC + b"\x50", uhf.MORE)
        return tag + uhf.encode_answer(command, mask + b"\x00", uhf.FINISHED)


def test_asks_for_one_inventory_after_another():
    reader = Reader()
    bench = Bench(UhfReader18Conversation(), reader).run(1)
    assert reader.commands[0] == uhf.READER_INFO
    assert set(reader.commands[1:]) == {uhf.INVENTORY}
    assert 15 <= len(reader.commands) <= 21
    assert set(bench.items) == {Reading(NAME, None, None, "rfid")}
    assert bench.host.dropped_bytes == 2 * len(bench.items)


def test_the_readers_type_decides_the_layout():
    reader = Reader(kind=0x20)
    bench = Bench(UhfReader18Conversation([1, 3]), reader).run(1)
    assert bench.names() == ["layout_changed"]
    readings = [item for item in bench.items if isinstance(item, Reading)]
    assert {reading.antenna for reading in readings} == {1, 3}
    assert {reading.rssi_dbm for reading in readings} == {None}  # its unit is not documented


def test_power_is_set_after_the_information():
    reader = Reader()
    Bench(UhfReader18Conversation(power_dbm=26), reader).run(0.3)
    assert reader.commands[:3] == [uhf.READER_INFO, uhf.SET_POWER, uhf.INVENTORY]


def test_a_missing_antenna_is_reported_once_and_when_it_is_back():
    reader = Reader(kind=0x0C, missing=(2,))
    bench = Bench(UhfReader18Conversation([1, 2], layout="288"), reader).run(1)
    assert bench.names() == ["antenna_missing"]
    reader.missing = ()
    assert bench.run(1).names() == ["antenna_missing", "antenna_restored"]


def test_silence_is_told_once_and_the_reader_set_up_again():
    reader = Reader()
    bench = Bench(UhfReader18Conversation(power_dbm=26), reader).run(1)
    bench.silent = True
    bench.run(40)
    assert bench.names() == ["no_answer"]
    reader.commands.clear()
    bench.silent = False
    bench.items.clear()
    bench.run(6)
    assert uhf.SET_POWER in reader.commands and bench.tags()


def test_errors_are_told_once_a_minute_and_the_round_goes_on():
    reader = Reader()
    reader.answer = lambda command, data: uhf.encode_answer(command, status=0xFE)
    bench = Bench(UhfReader18Conversation(), reader).run(2)
    assert bench.names() == ["reader_error"]
    assert len(bench.sent) > 10


def test_a_long_scan_is_waited_for():
    host = UhfReader18Conversation()
    host.send(0.0)
    host.receive(uhf.encode_answer(uhf.READER_INFO, bytes.fromhex("001609034e001e64")), 0.1)
    host.send(0.1)
    assert host.wake_at_s > 10.0


def test_statistics_end_a_round():
    host = UhfReader18Conversation(layout="288")
    host.send(0.0)
    host.receive(uhf.encode_answer(uhf.READER_INFO, bytes.fromhex("00160c034e001e0a")), 0.1)
    host.send(0.1)
    host.receive(uhf.encode_answer(uhf.INVENTORY, bytes.fromhex("01001000000001"), 0x26), 0.2)
    assert host.send(0.25) == b""
    assert host.send(0.31)[2] == uhf.INVENTORY


@pytest.mark.parametrize("layout", ["18", "288"])
def test_active_mode_only_listens(layout):
    host = UhfReader18Conversation(layout=layout, active=True)
    assert host.send(0.0) == b"" and host.send(100.0) == b""
    data = EPC if layout == "18" else b"\x02\x0c" + EPC + b"\x50"
    (reading,) = host.receive(uhf.encode_answer(uhf.ACTIVE, data), 100.0)
    assert reading == Reading(NAME, None, None if layout == "18" else 2, "rfid")
    assert host.frames == 1 and host.stop() == b""


def test_active_frames_come_through_while_polling():
    host = UhfReader18Conversation()
    host.send(0.0)
    assert host.receive(uhf.encode_answer(uhf.ACTIVE, EPC), 0.1)
