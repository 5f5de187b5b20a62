"""Rows, columns and bytes say the same thing, whichever way round."""

import json
from array import array
from datetime import UTC, datetime, timedelta

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.base import MAX_MESSAGE_BYTES
from pipeline.contracts.codec import (
    build_batch,
    columns_from_rows,
    decode_batch,
    decode_json,
    encode_batch,
    encode_json,
    stamped,
)
from pipeline.contracts.errors import MessageError
from pipeline.contracts.examples import EXAMPLES
from pipeline.contracts.reads import MAX_READS, NO_RSSI, ClockState, Read, ReadBatchRows, to_us

ENVELOPE = {
    "gateway": "g1",
    "boot": "0123456789abcdef",
    "sequence": 7,
    "oldest": 3,
    "until_us": 10**15,
    "clock": ClockState(synchronised=True),
}
PACKED = encode_batch(EXAMPLES["read-batch"][0])


def built(reads=1, envelope=ENVELOPE, **columns):
    values = {
        "tags": ["ble:1"],
        "receivers": ["hci0"],
        "time_us": [10**15],
        "rssi_cdbm": [-5000],
        "peak_cdbm": [-5000],
        "count": [1],
        "kind": [1],
    }
    return build_batch(envelope, **{name: v * reads for name, v in (values | columns).items()})


def refusal(call, *args, **kwargs):
    with pytest.raises(MessageError) as caught:
        call(*args, **kwargs)
    return caught.value


START = datetime(2026, 3, 2, tzinfo=UTC)
DBM = st.integers(-20_000, 10_000).map(lambda cdbm: cdbm / 100)
READS = st.builds(
    Read,
    tag=st.from_regex(r"\A[a-z0-9]{1,4}:[ -~]{1,12}\Z"),
    receiver=st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,3}(/[0-9]{1,3})?\Z"),
    at=st.integers(-(2**31), 2**31 - 1).map(lambda us: START + timedelta(microseconds=us)),
    rssi_dbm=st.none() | DBM,
    peak_dbm=st.none() | DBM,
    count=st.integers(1, 65_535),
    kind=st.sampled_from(["ble", "rfid", "other"]),
)
ROWS = st.builds(
    ReadBatchRows,
    gateway=st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,62}\Z"),
    boot=st.from_regex(r"\A[0-9a-f]{8,64}\Z"),
    sequence=st.integers(2**40, 2**62),
    oldest=st.integers(1, 2**40),
    until_us=st.integers(-(2**62), 2**62),
    clock=st.builds(
        ClockState,
        synchronised=st.booleans(),
        correction_us=st.none() | st.integers(-(10**13), 10**13),
    ),
    reads=st.lists(READS, max_size=12),
)
KINDS = {"ble": 1, "rfid": 2, "other": 3}


def cdbm(dbm):
    return NO_RSSI if dbm is None else round(dbm * 100)


@settings(deadline=None)
@given(rows=ROWS)
def test_rows_columns_bytes_and_back(rows):
    batch = columns_from_rows(rows)
    assert decode_batch(encode_batch(batch)) == batch == decode_batch(encode_json(rows))
    for name in ("gateway", "boot", "sequence", "oldest", "until_us", "clock"):
        assert getattr(batch, name) == getattr(rows, name)
    assert len(batch) == len(rows.reads)
    assert len(set(batch.tags)) == len(batch.tags)
    columns = zip(
        [batch.tags[i] for i in array("H", batch.tag_index)],
        [batch.receivers[i] for i in array("H", batch.receiver_index)],
        [batch.start_us + offset for offset in array("I", batch.offset_us)],
        array("h", batch.rssi_cdbm),
        array("h", batch.peak_cdbm),
        array("H", batch.count),
        batch.kind,
        strict=True,
    )
    assert list(columns) == [
        (
            read.tag,
            read.receiver,
            to_us(read.at),
            cdbm(read.rssi_dbm),
            cdbm(read.rssi_dbm if read.peak_dbm is None else read.peak_dbm),
            read.count,
            KINDS[read.kind],
        )
        for read in rows.reads
    ]


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"read-batch"}))
def test_json_messages_come_back(name):
    for message in EXAMPLES[name]:
        assert decode_json(type(message), encode_json(message)) == message


@pytest.mark.parametrize("before", [b" ", b"\n", b"\r\n\t  "])
def test_white_space_before_json_is_no_messagepack(before):
    rows, batch = EXAMPLES["read-batch-rows"][0], EXAMPLES["read-batch"][0]
    assert decode_batch(before + encode_json(rows)) == batch


def test_columns_are_little_endian_as_documented():
    batch = built(rssi_cdbm=[-2], peak_cdbm=[258], count=[513], kind=[3])
    assert (batch.rssi_cdbm, batch.peak_cdbm) == (b"\xfe\xff", b"\x02\x01")
    assert (batch.count, batch.kind) == (b"\x01\x02", b"\x03")
    later = built(2, time_us=[10**15 + 0x01020304], tags=["ble:2"])
    assert later.start_us == 10**15 + 0x01020304 and later.offset_us == bytes(8)


@pytest.mark.parametrize("reads", [0, 1, MAX_READS])
def test_as_many_reads_as_are_allowed(reads):
    assert len(decode_batch(encode_batch(built(reads)))) == reads


def test_too_many_reads_to_build():
    assert refusal(built, MAX_READS + 1).reason == "too_large"


def test_a_batch_too_long_to_send_is_not_encoded():
    tags = [f"ble:{n:0120d}" for n in range(9_000)]
    columns = {"receivers": ["r"], "time_us": [0], "rssi_cdbm": [0], "peak_cdbm": [0]}
    columns = {name: value * len(tags) for name, value in columns.items()}
    batch = built(tags=tags, **columns, count=[1] * len(tags), kind=[1] * len(tags))
    assert refusal(encode_batch, batch).reason == "too_large"


def test_seventy_one_minutes_are_the_longest_span():
    two = {"tags": ["ble:1", "ble:2"], "receivers": ["r"] * 2, "rssi_cdbm": [0] * 2}
    two |= {"peak_cdbm": [0] * 2, "count": [1] * 2, "kind": [1] * 2}
    assert array("I", built(time_us=[5, 5 + 2**32 - 1], **two).offset_us)[1] == 2**32 - 1
    assert "71 minutes" in str(refusal(built, time_us=[5, 5 + 2**32], **two))


@pytest.mark.parametrize(
    ("column", "value", "fits"),
    [
        ("rssi_cdbm", -32_768, True),
        ("rssi_cdbm", -32_769, False),
        ("peak_cdbm", 32_767, True),
        ("peak_cdbm", 32_768, False),
        ("count", 0, False),
        ("count", 1, True),
        ("count", 256, True),
        ("count", 65_535, True),
        ("count", 65_536, False),
        ("count", 10**30, False),
        ("count", 1.5, False),
        ("kind", 0, False),
        ("kind", 4, False),
        ("kind", 256, False),
        ("time_us", 2**62, True),
        ("time_us", 2**62 + 1, False),
        ("time_us", -(2**62), True),
        ("tags", "ble:\ud800", False),
        ("tags", "ble", False),
        ("receivers", "Hci0", False),
    ],
)
def test_a_value_that_does_not_fit(column, value, fits):
    if fits:
        assert len(built(**{column: [value]})) == 1
    else:
        assert refusal(built, **{column: [value]}).reason == "malformed"


def test_columns_of_different_length_are_not_built():
    assert "count" in refusal(built, count=[1, 2]).detail


def test_more_receivers_than_allowed():
    names = [f"r{n}" for n in range(4097)]
    reads = [Read(tag="ble:1", receiver=name, at=START) for name in names]
    rows = EXAMPLES["read-batch-rows"][0].model_copy(update={"reads": reads})
    assert refusal(decode_batch, encode_json(rows)).reason == "malformed"


STAMP = {"oldest": 17, "sent_us": 10**15 + 5, "earlier": {"0123456789abcdef": 7}}


def test_a_stamp_changes_nothing_else():
    batch = EXAMPLES["read-batch"][0]
    changed = decode_batch(stamped(PACKED, **STAMP))
    assert changed == batch.model_copy(update=STAMP)
    as_before = {name: getattr(batch, name) for name in STAMP}
    assert decode_batch(stamped(stamped(PACKED, **STAMP), **as_before)) == batch


def test_a_stamp_may_correct_the_clock():
    changed = decode_batch(stamped(PACKED, **STAMP, correction_us=-3))
    assert changed.clock.correction_us == -3


def test_a_stamp_keeps_keys_it_does_not_know():
    fields = msgpack.unpackb(PACKED) | {"later": [1, b"x"]}
    assert msgpack.unpackb(stamped(msgpack.packb(fields), **STAMP)) == fields | STAMP


@pytest.mark.parametrize("oldest", [0, -1, 1043, 2.0, None])
def test_with_an_oldest_that_cannot_be_the_receiver_refuses(oldest):
    wrong = stamped(PACKED, **STAMP | {"oldest": oldest})
    assert refusal(decode_batch, wrong).reason == "malformed"


@pytest.mark.parametrize(
    "earlier", [{"x": 1}, {"0123456789abcdef": 0}, {f"{n:016x}": 1 for n in range(65)}, [1], None]
)
def test_earlier_boots_that_cannot_be(earlier):
    wrong = stamped(PACKED, **STAMP | {"earlier": {}})
    fields = msgpack.unpackb(wrong) | {"earlier": earlier}
    assert refusal(decode_batch, msgpack.packb(fields)).reason == "malformed"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1",
        b"\x93\x01\x02\x03",
        b'{"schema_version":1}',
        b"\x80",
        PACKED[:-1],
        msgpack.packb({"schema_version": 1, "gateway": "g1"}),
        msgpack.packb({"sequence": 1}),
    ],
)
def test_a_stamp_on_what_is_no_batch(payload):
    with pytest.raises(MessageError) as caught:
        stamped(payload, **STAMP)
    assert caught.value.reason in ("malformed", "wrong_version")


def test_the_longest_message():
    rows = json.loads(encode_json(EXAMPLES["read-batch-rows"][1]))
    text = json.dumps(rows).encode()
    assert len(decode_batch(text + b" " * (MAX_MESSAGE_BYTES - len(text)))) == 0
    for longer in (text + b" " * (MAX_MESSAGE_BYTES + 1 - len(text)), bytes(MAX_MESSAGE_BYTES + 1)):
        assert refusal(decode_batch, longer).reason == "too_large"
