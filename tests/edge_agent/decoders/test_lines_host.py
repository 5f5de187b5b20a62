from edge_agent.decoders import scanner
from edge_agent.decoders.line_format import LineFormat, items
from edge_agent.decoders.lines_host import ListenConversation
from edge_agent.decoders.nmea_host import NmeaConversation


def test_a_scanner_is_only_listened_to():
    talk = ListenConversation(scanner.Decoder(), scanner.items)
    assert (talk.send(0.0), talk.stop(), talk.events()) == (b"", b"", [])
    assert talk.wake_at_s == float("inf")
    (first,) = talk.receive(b"]A0A1\r\n", 0.0)
    assert (first.tag, talk.frames, talk.dropped_bytes) == ("barcode:A1", 1, 0)


def test_it_wakes_to_see_whether_silence_ended_a_scan():
    talk = ListenConversation(scanner.Decoder(), scanner.items)
    assert talk.receive(b"]A0A1", 1.0) == []
    assert 1.1 < talk.wake_at_s < 1.5
    assert [found.tag for found in talk.receive(b"", talk.wake_at_s)] == ["barcode:A1"]
    assert talk.wake_at_s == float("inf")


def test_a_code_that_cannot_be_a_name_is_told():
    talk = ListenConversation(scanner.Decoder(), scanner.items)
    (event,) = talk.receive(b"x" * 200 + b"\r", 0.0)
    assert (event.name, talk.frames) == ("code_refused", 1)


def test_any_line_format_can_be_listened_to():
    talk = ListenConversation(LineFormat(r"(?P<tag>\d+)"), items)
    assert [found.tag for found in talk.receive(b"17\n", 0.0)] == ["line:17"]


GGA = "$GPGGA,184353.07,1929.045,S,02410.506,E,1,04,2.6,100.00,M,-33.9,M,,0000*6D"
RMC = "$GNRMC,064607.000,A,4546.2282,N,00311.6590,E,0.76,0.00,230619,,,A*7D"


def said(talk, text, at_s):
    found = talk.receive(text.encode() + b"\r\n", at_s)
    values = {item.quantity: item.value for item in found if hasattr(item, "quantity")}
    return [item.tag for item in found if hasattr(item, "antenna")], values


def test_a_position_is_what_the_receiver_measures():
    talk = NmeaConversation("g1/gps")
    tags, values = said(talk, GGA, 0.0)
    assert tags == ["gps:g1/gps"]
    assert values == {
        "latitude_deg": -19.48408333,
        "longitude_deg": 24.1751,
        "altitude_m": 100.0,
        "hdop": 2.6,
        "satellites": 4.0,
    }
    tags, values = said(talk, RMC, 1.0)
    assert tags == ["gps:g1/gps"] and values["speed_m_s"] == 0.391
    assert "latitude_deg" not in values  # told a second ago
    assert said(talk, RMC, 10.0)[1].keys() >= {"latitude_deg", "longitude_deg"}


def test_without_a_fix_nothing_is_said_and_the_receiver_is_alive():
    talk = NmeaConversation("g1/gps")
    assert said(talk, "$GNRMC,,V,,,,,,,,,,N,V*37", 0.0) == ([], {})
    assert said(talk, "$GPGGA,,,,,,0,00,99.99,,,,,,*48", 0.0) == ([], {})
    assert talk.frames == 2


def test_a_sentence_that_fails_its_checksum_is_no_answer():
    talk = NmeaConversation("g1/gps")
    assert said(talk, RMC[:-1] + "E", 0.0) == ([], {})
    assert talk.frames == 0
