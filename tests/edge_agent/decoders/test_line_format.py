import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decoders.line_format import LineFormat, items

PATTERN = (
    r"ID=(?P<tag>[0-9A-F]+)(?:;RSSI=(?P<rssi_dbm>[^;]+))?"
    r"(?:;ANT=(?P<antenna>\w+))?(?:;T=(?P<temperature_c>.+))?"
)


def test_named_groups_are_fields():
    (frame,) = LineFormat(PATTERN, prefix="acme").feed(b"ID=0A1B;RSSI=-61.5;ANT=2;T=21.5\r\n")
    assert frame["values"] == {"temperature_c": 21.5}
    got, measured = items(frame)
    assert (got.tag, got.rssi_dbm, got.antenna, got.kind) == ("acme:0A1B", -61.5, 2, "other")
    assert (measured.tag, measured.quantity, measured.value) == (got.tag, "temperature_c", 21.5)


def test_fields_may_be_absent_or_odd():
    first, second = LineFormat(PATTERN).feed(b"ID=0A\nID=0B;RSSI=weak;ANT=x;T=hot\n")
    assert first == {
        "type": "tag",
        "tag": "line:0A",
        "rssi_dbm": None,
        "antenna": None,
        "values": {},
    }
    assert second["rssi_dbm"] is None and second["antenna"] is None
    assert second["values"] == {"temperature_c": "hot"}


def test_lines_that_do_not_match_as_a_whole_are_counted():
    lines = LineFormat(PATTERN)
    assert lines.feed(b"hello\nxID=0A\nID=0A!\n") == []
    assert lines.unmatched_lines == 3


def test_silence_ends_a_line():
    lines = LineFormat(PATTERN)
    assert lines.feed(b"ID=0A", 0.0) == []
    assert [frame["tag"] for frame in lines.silence(1.0)] == ["line:0A"]


@pytest.mark.parametrize(
    "pattern, prefix, said",
    [("(", "x", "not a regular"), (".*", "x", "tag"), ("(?P<tag>.)", "X:", "small letters")],
)
def test_mistakes_of_the_settings_are_told(pattern, prefix, said):
    with pytest.raises(ValueError, match=said):
        LineFormat(pattern, prefix=prefix)


@given(st.lists(st.binary(max_size=30), max_size=4))
def test_random_bytes_never_raise(chunks):
    lines = LineFormat(r"(?P<tag>.*?),?(?P<rssi_dbm>.*?),?(?P<antenna>.*)")
    frames = [frame for chunk in chunks for frame in lines.feed(chunk)] + lines.end()
    assert all(items(frame)[0].tag.isascii() for frame in frames)
