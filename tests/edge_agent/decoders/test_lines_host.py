from edge_agent.decoders import scanner
from edge_agent.decoders.line_format import LineFormat, reading
from edge_agent.decoders.lines_host import ListenConversation


def test_a_scanner_is_only_listened_to():
    talk = ListenConversation(scanner.Decoder(), scanner.reading)
    assert (talk.send(0.0), talk.stop(), talk.events()) == (b"", b"", [])
    assert talk.wake_at_s == float("inf")
    (first,) = talk.receive(b"]A0A1\r\n", 0.0)
    assert (first.tag, talk.frames, talk.dropped_bytes) == ("barcode:A1", 1, 0)


def test_it_wakes_to_see_whether_silence_ended_a_scan():
    talk = ListenConversation(scanner.Decoder(), scanner.reading)
    assert talk.receive(b"]A0A1", 1.0) == []
    assert 1.1 < talk.wake_at_s < 1.5
    assert [found.tag for found in talk.receive(b"", talk.wake_at_s)] == ["barcode:A1"]
    assert talk.wake_at_s == float("inf")


def test_frames_that_name_nothing_are_no_readings():
    talk = ListenConversation(scanner.Decoder(), scanner.reading)
    assert talk.receive(b"x" * 200 + b"\r", 0.0) == []
    assert talk.frames == 1


def test_any_line_format_can_be_listened_to():
    talk = ListenConversation(LineFormat(r"(?P<tag>\d+)"), reading)
    assert [found.tag for found in talk.receive(b"17\n", 0.0)] == ["line:17"]
