from edge_agent.decoders import m100
from edge_agent.decoders.m100_host import M100Conversation
from edge_agent.decoders.readings import Reading

TAG = bytes.fromhex("bb02220011cf3000e280699500005009f1286992620a6d7e")
NO_TAG = bytes.fromhex("bb01ff000115167e")
POLL = bytes.fromhex("bb00270003222710837e")


def test_polls_once_while_answers_come():
    host = M100Conversation()
    assert host.send(0.0) == POLL
    assert host.receive(TAG, 0.1) == [Reading("epc:e280699500005009f1286992", -49.0, None, "rfid")]
    for at_s in (0.5, 0.9, 1.3):
        assert host.receive(NO_TAG, at_s) == []
        assert host.send(at_s) == b""


def test_polls_again_when_the_module_falls_silent():
    host = M100Conversation(silence_s=0.5)
    host.send(0.0)
    host.receive(NO_TAG, 0.1)
    assert host.send(0.5) == b""
    assert host.send(0.6) == POLL
    assert host.events() == []


def test_lasting_silence_is_an_event():
    host = M100Conversation(silence_s=0.5)
    for turn in range(10):
        host.send(turn * 0.5)
    assert [event.name for event in host.events()] == ["no_answer"]


def test_answers_with_the_variant_it_heard():
    host = M100Conversation()
    host.send(0.0)
    assert host.send(0.6)[0] == 0xAA  # nothing came back: perhaps it speaks the other variant
    host.receive(m100.encode(0x27, b"\x00", kind=m100.ANSWER, start=0xAA), 0.7)
    assert host.send(1.3)[0] == 0xAA
    assert host.stop() == m100.encode(0x28, start=0xAA)


def test_a_damaged_tag_is_not_published():
    host = M100Conversation()
    host.send(0.0)
    data = bytes.fromhex("cf3000e280699500005009f1286992620b")
    (event,) = host.receive(m100.encode(0x22, data, kind=m100.NOTICE), 0.1)
    assert event.name == "bad_tag_crc"


def test_errors_are_events():
    host = M100Conversation()
    host.send(0.0)
    (event,) = host.receive(m100.encode(0xFF, b"\x20", kind=m100.ANSWER), 0.1)
    assert (event.name, event.code) == ("reader_error", 0x20)


def test_power_goes_before_the_poll():
    host = M100Conversation(power_dbm=20)
    assert host.send(0.0) == bytes.fromhex("bb00b6000207d08f7e") + POLL


def test_stop():
    assert M100Conversation().stop() == bytes.fromhex("bb00280000287e")


def test_a_record_without_an_epc_is_no_read():
    host = M100Conversation()
    host.send(0.0)
    empty = bytes.fromhex("cf0000e2f0")
    frame = m100.encode(0x22, empty, kind=m100.NOTICE)
    assert m100.Decoder().feed(frame)[0]["tag_crc_ok"]
    assert host.receive(frame, 0.1) == []
