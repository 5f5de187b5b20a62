import pytest
from serial_bench import Bench

from edge_agent.decoders import r2000
from edge_agent.decoders.r2000 import decode, encode
from edge_agent.decoders.r2000_host import R2000Conversation
from edge_agent.decoders.readings import ReaderEvent, Reading

OK = b"\x10"
TAG = bytes.fromhex("043000e200301666130121155074ef45")
END = bytes.fromhex("00001100000001")


def asked(data):
    """Command and data of the frame that the host sent; None: nothing."""
    return (data[3], data[4:-1]) if data else None


def test_one_round_over_two_antennas():
    host = R2000Conversation([1, 2])
    assert asked(host.send(0.0)) == (0x74, b"\x00")
    assert host.send(0.1) == b""  # the answer is still due
    assert host.receive(encode(0x74, OK), 0.1) == []
    assert asked(host.send(0.1)) == (0x89, b"\x01")
    assert host.receive(encode(0x89, TAG), 0.2) == [
        Reading("epc:e200301666130121155074ef", -61.0, 1, "rfid")
    ]
    assert host.send(0.2) == b""
    assert host.receive(encode(0x89, END), 0.3) == []
    assert asked(host.send(0.3)) == (0x74, b"\x01")
    host.receive(encode(0x74, OK), 0.3)
    assert asked(host.send(0.3)) == (0x89, b"\x01")


def test_a_single_antenna_is_selected_once():
    host = R2000Conversation([3])
    assert asked(host.send(0.0)) == (0x74, b"\x02")
    host.receive(encode(0x74, OK), 0.0)
    for turn in range(3):
        assert asked(host.send(1.0 + turn)) == (0x89, b"\x01")
        host.receive(encode(0x89, END), 1.01 + turn)


def test_rounds_are_not_faster_than_the_interval():
    host = R2000Conversation([1], round_interval_s=0.05)
    host.send(0.0)
    host.receive(encode(0x74, OK), 0.0)
    host.send(0.0)
    host.receive(encode(0x89, END), 0.001)
    assert host.send(0.002) == b""
    assert host.wake_at_s == 0.05
    assert host.send(0.05)


def test_two_bits_of_antenna_mean_the_selected_one():
    host = R2000Conversation([5])
    host.send(0.0)
    host.receive(encode(0x74, OK), 0.0)
    host.send(0.0)
    (reading,) = host.receive(encode(0x89, TAG), 0.1)
    assert reading.antenna == 5


def test_a_missing_antenna_is_reported_once_and_when_it_is_back():
    host = R2000Conversation([1, 2])
    events = []
    now_s = 0.0
    for missing in (True, True, False):
        for antenna in (0, 1):
            now_s += 1
            assert asked(host.send(now_s)) == (0x74, bytes([antenna]))
            events += host.receive(encode(0x74, OK), now_s)
            host.send(now_s)
            answer = b"\x22" if missing and antenna else END
            events += host.receive(encode(0x89, answer), now_s)
    assert [(event.name, event.antenna) for event in events] == [
        ("antenna_missing", 2),
        ("antenna_restored", 2),
    ]


def test_no_tag_is_a_normal_end():
    host = R2000Conversation([1])
    host.send(0.0)
    host.receive(encode(0x74, OK), 0.0)
    host.send(0.0)
    assert host.receive(encode(0x89, b"\x36"), 0.1) == []
    assert asked(host.send(0.2)) == (0x89, b"\x01")


def test_other_errors_are_events_and_the_round_goes_on():
    host = R2000Conversation([1])
    host.send(0.0)
    host.receive(encode(0x74, OK), 0.0)
    host.send(0.0)
    (event,) = host.receive(encode(0x89, b"\x21"), 0.1)
    assert (event.name, event.code) == ("reader_error", 0x21)
    assert asked(host.send(0.2)) == (0x89, b"\x01")


def test_silence_is_asked_again_and_then_reset():
    host = R2000Conversation([1], reply_timeout_s=0.5, timeouts_before_reset=3, reset_pause_s=1)
    asks = ((tick / 8, asked(host.send(tick / 8))) for tick in range(40))
    sent = [(at_s, command[0]) for at_s, command in asks if command]
    assert sent[:5] == [(0.0, 0x74), (0.5, 0x74), (1.0, 0x74), (1.5, 0x70), (2.5, 0x74)]
    assert [event.name for event in host.events()] == ["reader_reset", "reader_reset"]
    assert host.events() == []


def test_a_reader_that_restarts_in_the_middle_gets_its_antenna_again():
    host = R2000Conversation([2], round_timeout_s=2.0)
    host.send(0.0)
    host.receive(encode(0x74, OK), 0.0)
    assert asked(host.send(0.0)) == (0x89, b"\x01")
    assert asked(host.send(2.1)) == (0x74, b"\x01")


def test_tags_keep_a_long_round_alive():
    host = R2000Conversation([1], round_timeout_s=1.0)
    host.send(0.0)
    host.receive(encode(0x74, OK), 0.0)
    host.send(0.0)
    for at_s in (0.9, 1.8, 2.7):
        host.receive(encode(0x89, TAG), at_s)
        assert host.send(at_s + 0.5) == b""


def test_power_is_set_first():
    host = R2000Conversation([1], power_dbm=27)
    assert asked(host.send(0.0)) == (0x76, b"\x1b")
    host.receive(encode(0x76, OK), 0.1)
    assert asked(host.send(0.1)) == (0x74, b"\x00")


def test_an_error_to_the_power_is_told():
    host = R2000Conversation([1], power_dbm=27)
    host.send(0.0)
    (event,) = host.receive(encode(0x76, b"\x41"), 0.1)
    assert isinstance(event, ReaderEvent) and "parameter" in event.detail
    assert decode(host.send(0.1))["command"] == 0x74


def test_the_temperature_is_asked_for_now_and_then():
    host = R2000Conversation(temperature_s=60)
    found = answered(host, {r2000.TEMPERATURE: b"\x01\x2a"}, seconds=130)
    events = [item for item in found.items if not hasattr(item, "tag")]
    assert [(e.name, e.code) for e in events] == [("temperature", 42)] * 2


@pytest.mark.parametrize("answer", [b"\x11", None])
def test_a_board_that_cannot_tell_its_temperature_is_asked_once(answer):
    found = answered(R2000Conversation(temperature_s=5), {r2000.TEMPERATURE: answer}, seconds=60)
    assert [command[3] for _, command in found.sent].count(r2000.TEMPERATURE) == 1
    assert found.items == []


def test_a_reader_that_reset_itself_is_set_up_again():
    host = R2000Conversation(region="eu", power_dbm=20)
    found = answered(host, {}, seconds=1)
    before = len(found.sent)
    host.receive(r2000.encode(r2000.INVENTORY, b"\x20"), found.now_s)
    found.run(3)
    commands = [command[3] for _, command in found.sent[before:]]
    assert commands[:3] == [r2000.SET_REGION, r2000.SET_POWER, r2000.SET_ANTENNA]


def answered(host, answers, seconds):
    """A reader that hears nothing; `answers`: command -> data, None for no answer."""
    decoder = r2000.Decoder()

    def reader(command, _now_s):
        out = b""
        for frame in decoder.framer.feed(command):
            default = bytes(7) if frame[3] == r2000.INVENTORY else b"\x10"
            data = answers.get(frame[3], default)
            out += b"" if data is None else r2000.encode(frame[3], data)
        return out

    return Bench(host, reader, step_s=0.05).run(seconds)
