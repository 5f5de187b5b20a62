import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decoders import nmea

VECTORS = json.loads(Path(__file__).with_name("vectors_lines.json").read_text())


def sentence(body):
    return b"$%s*%02X\r\n" % (body.encode(), nmea.checksum(body.encode()))


def one(body):
    (frame,) = nmea.Decoder().feed(sentence(body))
    return frame


@pytest.mark.parametrize(
    "row", [v for v in VECTORS if v["protocol"] == "nmea0183"], ids=lambda v: v["id"]
)
def test_vector(row, contains):
    whole, expected = bytes.fromhex(row["hex"]), row["expect"]
    chunks = [bytes.fromhex(chunk) for chunk in row.get("chunks", [row["hex"]])]
    for pieces in (chunks, [bytes([byte]) for byte in whole]):
        decoder = nmea.Decoder()
        frames = [frame for piece in pieces for frame in decoder.feed(piece)]
        if "sentences" in expected:
            assert [frame["sentence"] for frame in frames] == expected["sentences"]
        else:
            (frame,) = frames
            assert contains(expected, frame)


@pytest.mark.parametrize(
    "body",
    [
        "GPRMC,064607.000,V,4546.2282,N,00311.6590,E,0.76,0.00,230619,,,A",
        "GPRMC,064607.000,A,4546.2282,N,00311.6590,E,0.76,0.00,230619,,,N",
        "GPRMC,064607.000,A,,,,,0.76,0.00,230619,,,A",
        "GPRMC,064607.000,A,4560.0000,N,00311.6590,E,0.76,0.00,230619,,,A",
        "GPRMC,064607.000,A,9146.2282,N,00311.6590,E,0.76,0.00,230619,,,A",
        "GPRMC,064607.000,A,4546.2282,E,00311.6590,N,0.76,0.00,230619,,,A",
        "GPRMC,064607.000,A,4546.2282,N,,,0.76,0.00,230619,,,A",
        "GPGGA,184353.07,1929.045,S,02410.506,E,0,00,,,M,,M,,",
        "GPGGA,184353.07,1929.045,S,02410.506,E,,,,,,,,,",
        "GPGLL,4916.45,N,12311.12,W,225444,V",
        "GPGLL,4916.45,N,12311.12,W,225444,A,N",
        "GNGNS,,,,,,NN,00,,,,,",
        "GPRMC",
    ],
)
def test_no_fix_is_no_position(body):
    frame = one(body)
    assert frame["valid"] and (frame["lat"], frame["lon"]) == (None, None)


def test_receivers_before_version_2_3_have_no_mode():
    frame = one("GPRMC,064607,A,4546.2282,N,00311.6590,E,0.76,0.00,230619,,")
    assert frame["lat"] == pytest.approx(45.77047)


def test_gns_and_negative_numbers():
    frame = one("GNGNS,122310.0,3722.425671,S,12258.856215,W,DA,14,0.9,-1005.5,6.5,5.2,23")
    assert frame["lat"] == pytest.approx(-37.373761) and frame["lon"] < 0
    assert (frame["satellites"], frame["altitude_m"]) == (14, -1005.5)
    assert frame["geoid_separation_m"] == 6.5


def test_zero_island_is_a_position():
    frame = one("GPGLL,0000.00,N,00000.00,E,225444,A,A")
    assert (frame["lat"], frame["lon"]) == (0.0, 0.0)


def test_other_sentences_and_text_are_passed_over():
    decoder = nmea.Decoder()
    assert decoder.feed(sentence("GPGSV,1,1,00") + sentence("PUBX,00,1") + b"hello\r\n") == []
    assert decoder.rejected_lines == 0


def test_a_line_restarts_at_its_last_dollar():
    frames = nmea.Decoder().feed(b"$GPRMC,0646$GPRM" + sentence("GPGLL,,,,,,V,N"))
    assert [frame["sentence"] for frame in frames] == ["GLL"]


def test_a_pause_or_the_end_completes_only_what_is_whole():
    decoder = nmea.Decoder()
    assert decoder.feed(sentence("GPGLL,,,,,,V,N")[:-2], 0.0) == []
    assert [frame["valid"] for frame in decoder.feed(b"$GPGL", 5.0)] == [True]
    assert [frame["valid"] for frame in decoder.end()] == [False]


def test_refused_lines_are_counted():
    decoder = nmea.Decoder()
    (frame,) = decoder.feed(sentence("GPGLL,,,,,,V,N").replace(b"V", b"A"))
    assert (frame["valid"], decoder.rejected_lines) == (False, 1)


@pytest.mark.parametrize(
    "date, now, expected",
    [
        ("230619", datetime(2019, 6, 24, tzinfo=UTC), "2019-06-23T06:46:07+00:00"),
        ("070407", datetime(2026, 11, 22, tzinfo=UTC), "2026-11-21T06:46:07+00:00"),
        ("230619", datetime(2020, 1, 1, tzinfo=UTC), "2019-06-23T06:46:07+00:00"),
    ],
)
def test_weeks_that_rolled_over(date, now, expected):
    frame = one(f"GNRMC,064607.000,A,4546.2282,N,00311.6590,E,0.76,0.00,{date},,,A")
    assert nmea.fix_time(frame, now).isoformat() == expected


def test_no_date_is_no_time():
    assert nmea.fix_time(one("GNRMC,,V,,,,,,,,,,N,V"), datetime(2026, 1, 1, tzinfo=UTC)) is None


@given(st.lists(st.binary(max_size=30), max_size=4), st.text("0123456789.,NSEWAV*$", max_size=60))
def test_random_bytes_never_raise(chunks, fields):
    decoder = nmea.Decoder()
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    for name in ("RMC", "GGA", "GLL", "GNS"):
        body = f"GP{name},{fields}".replace("*", "").replace("$", "")
        frames += decoder.feed(b"\r\n" + sentence(body))
    json.dumps(frames, allow_nan=False)
    for frame in frames:
        nmea.fix_time(frame, datetime(2026, 1, 1, tzinfo=UTC))
