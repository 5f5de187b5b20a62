"""Times in messages: with an offset, never a number, exact to the microsecond."""

import json
from array import array
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.codec import decode_batch, decode_json, encode_json
from pipeline.contracts.errors import MessageError
from pipeline.contracts.examples import EXAMPLES
from pipeline.contracts.messages import AlertAcknowledgement
from pipeline.contracts.reads import to_us

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROWS = json.loads(encode_json(EXAMPLES["read-batch-rows"][0]))


def batch_at(*times):
    reads = [{"tag": "ble:1", "receiver": "hci0", "at": at} for at in times]
    return decode_batch(json.dumps(ROWS | {"reads": reads}).encode())


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("1969-12-31T23:59:59Z", -1_000_000),
        ("1900-01-01T00:00:00Z", -2_208_988_800_000_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ("2026-03-02T07:30:01.25Z", 1_772_436_601_250_000),
        ("2026-03-02T09:30:01.25+02:00", 1_772_436_601_250_000),
        ("2026-03-02t07:30:01.250z", 1_772_436_601_250_000),
        ("2026-03-02 07:30:01.25Z", 1_772_436_601_250_000),
        ("2026-03-02T07:30:01.000001999Z", 1_772_436_601_000_001),
    ],
)
def test_a_time(text, us):
    assert batch_at(text).start_us == us


@pytest.mark.parametrize(
    "wrong",
    [
        1_772_436_601,
        1_772_436_601_250,
        1.5,
        True,
        None,
        "1772436601",
        "1772436601250",
        "-1",
        "2026-03-02",
        "2026-03-02T07:30:01",
        "2026-03-02T07:30:60Z",
        "2026-02-30T07:30:00Z",
        "2026-03-02T07:30:01+24:00",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "07:30:01Z",
        "P1D",
        "now",
        "",
    ],
)
def test_what_is_no_time(wrong):
    with pytest.raises(MessageError, match=r"^malformed: "):
        batch_at(wrong)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"])
def test_a_time_without_counterpart_in_utc_is_refused(text):
    """The database's adapter converts to UTC; it would fail there, and with it all of its epoch."""
    with pytest.raises(MessageError, match="malformed"):
        batch_at(text)
    acknowledgement = json.loads(encode_json(EXAMPLES["alert-acknowledgement"][0])) | {"at": text}
    with pytest.raises(MessageError, match="malformed"):
        decode_json(AlertAcknowledgement, json.dumps(acknowledgement).encode())


def test_reads_on_both_sides_of_1970():
    batch = batch_at("1970-01-01T00:00:01Z", "1969-12-31T23:59:59Z")
    assert batch.start_us == -1_000_000
    assert array("I", batch.offset_us).tolist() == [2_000_000, 0]


def test_the_longest_span_of_rows():
    assert len(batch_at("2026-01-01T00:00:00Z", "2026-01-01T01:11:34.967295Z")) == 2
    with pytest.raises(MessageError, match="71 minutes"):
        batch_at("2026-01-01T00:00:00Z", "2026-01-01T01:11:34.967296Z")


@given(
    st.datetimes(timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m))))
)
def test_to_us_is_exact(at):
    assert to_us(at) == (at - EPOCH) // timedelta(microseconds=1)
