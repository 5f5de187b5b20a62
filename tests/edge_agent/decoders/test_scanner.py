import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decoders import scanner

VECTORS = json.loads(Path(__file__).with_name("vectors_lines.json").read_text())
DECODERS = {"barcode_line": scanner.Decoder, "hibc_line": scanner.HibcDecoder}


def scan(text, **options):
    decoder = scanner.Decoder(current_year=lambda: 2026, **options)
    (frame,) = decoder.feed(text.encode() + b"\r")
    return frame


@pytest.mark.parametrize(
    "row", [v for v in VECTORS if v["protocol"] in DECODERS], ids=lambda v: v["id"]
)
def test_vector(row, contains):
    whole, expected = bytes.fromhex(row["hex"]), row["expect"]
    chunks = [bytes.fromhex(chunk) for chunk in row.get("chunks", [row["hex"]])]
    for pieces in (chunks, [bytes([byte]) for byte in whole]):
        decoder = DECODERS[row["protocol"]]()
        frames = [frame for piece in pieces for frame in decoder.feed(piece)] + decoder.end()
        if "lines" in expected:
            assert [frame["line"] for frame in frames] == expected["lines"]
        else:
            (frame,) = frames
            assert contains(expected, frame)


@pytest.mark.parametrize(
    "aim, symbology",
    [
        ("]C0", "code128"),
        ("]e0", "gs1-databar"),
        ("]Q3", "gs1-qr"),
        ("]L2", "pdf417"),
        ("]z0", "aztec"),
        ("]Q0", "qr"),
        ("]X0", None),
    ],
)
def test_symbologies(aim, symbology):
    frame = scan(aim + "10A1")
    assert (frame["aim"], frame["symbology"], frame["data"]) == (aim, symbology, "10A1")
    assert (frame["gs1"] is not None) == (aim in ("]e0", "]Q3"))


def test_without_identifier_gs1_needs_the_operator_or_brackets():
    assert scan("10A1")["gs1"] is None
    assert scan("10A1", gs1_without_aim=True)["gs1"] == {"10": "A1"}
    assert scan("(10)A1")["gs1"] == {"10": "A1"}
    assert scan("]Q1(10)A1")["gs1"] is None
    assert scan("]C010A1", gs1_without_aim=True)["gs1"] is None


def test_a_label_has_its_udi():
    frame = scan("]d20100643169001763" + "17280200" + "2121A11F4855")
    assert frame["udi"]["di"] == "00643169001763"
    assert frame["udi"]["expiry_date"] == "2028-02-29"
    assert scan("+A123BJC5D6E71G")["udi"]["issuer"] == "HIBCC"


def test_a_wrong_check_digit_leaves_the_raw_text_and_a_warning():
    frame = scan("]C10110888857001265")
    assert frame["gs1"] is None and frame["data"] == "0110888857001265"
    assert frame["udi"]["di_check_ok"] is False


def test_without_a_year_there_is_no_udi():
    (frame,) = scanner.Decoder().feed(b"]d20100643169001763\r")
    assert "udi" not in frame and frame["gs1"]


def test_retail_codes_have_a_verdict():
    assert scan("]E07032069804988")["check_ok"] is True
    assert scan("]E07032069804989")["check_ok"] is False


def test_a_scan_without_terminator_is_ended_by_silence():
    decoder = scanner.Decoder()
    assert decoder.feed(b"hello", 0.0) == [] and decoder.silence(0.05) == []
    assert [frame["data"] for frame in decoder.silence(0.2)] == ["hello"]


@pytest.mark.parametrize(
    "text, name",
    [
        ("]C10107032069804988" + "21B2", "gs1:(01)07032069804988(21)B2"),
        ("]A0+A123BJC5D6E71G", "hibc:+A123BJC5D6E71G"),
        ("]A0A 12", "barcode:A 12"),
        ("Gerät\x1d%", "barcode:Ger%C3%A4t%1D%25"),
        ("x" * 120, "barcode:" + "x" * 120),
        ("x" * 121, None),
        ("]A0", None),
    ],
)
def test_names(text, name):
    frame = scan(text)
    assert scanner.tag_name(frame) == name
    reading = scanner.reading(frame)
    assert (reading and reading.tag) == name


@given(st.lists(st.binary(max_size=30), max_size=4))
def test_random_bytes_never_raise(chunks):
    for make in (scanner.Decoder, scanner.HibcDecoder):
        decoder = make(current_year=lambda: 2026)
        frames = [frame for chunk in chunks for frame in decoder.feed(chunk)] + decoder.end()
        json.dumps(frames)
        assert all(frame["line"] for frame in frames)
        if make is scanner.Decoder:
            names = [name for name in map(scanner.tag_name, frames) if name]
            assert all(name.isascii() and name.isprintable() for name in names)
