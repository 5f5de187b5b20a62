"""A value of another type is refused in either encoding, however right it looks."""

import json
from array import array

import msgpack
import pytest
from pydantic import ValidationError

from pipeline.contracts.codec import decode_batch, encode_batch, encode_json
from pipeline.contracts.errors import MessageError
from pipeline.contracts.examples import EXAMPLES
from pipeline.contracts.messages import Ack, AlertPlace
from pipeline.contracts.reads import COLUMNS, MAX_READS

BATCH = EXAMPLES["read-batch"][0]
FIELDS = BATCH.model_dump()
ROWS = json.loads(encode_json(EXAMPLES["read-batch-rows"][0]))


def columns(**changes):
    return decode_batch(msgpack.packb(FIELDS | changes))


def rows(**changes):
    return decode_batch(json.dumps(ROWS | changes).encode())


def row(**changes):
    return rows(reads=[ROWS["reads"][0] | changes])


def reason(decode, **changes):
    with pytest.raises(MessageError) as caught:
        decode(**changes)
    return caught.value.reason


def test_without_a_change_all_are_accepted():
    assert columns() == rows() == BATCH
    assert len(row()) == 1


WRONG = [
    ("sequence", 3.7),
    ("sequence", 3.0),
    ("sequence", "3"),
    ("sequence", True),
    ("sequence", None),
    ("sequence", 0),
    ("sequence", 2**62 + 1),
    ("oldest", 1.0),
    ("oldest", 0),
    ("oldest", 1043),
    ("until_us", "1772436603000000"),
    ("until_us", 1.5e15),
    ("until_us", 2**62 + 1),
    ("gateway", 1),
    ("gateway", "ICU"),
    ("gateway", "icu-1\n"),
    ("boot", "0123456"),
    ("boot", "9F86D081884C7D65"),
    ("clock", None),
    ("clock", {"synchronised": 1}),
    ("clock", {"synchronised": "true"}),
    ("clock", {"synchronised": True, "correction_us": 1.0}),
    ("clock", {"synchronised": True, "correction_us": 10**13 + 1}),
    ("clock", {"synchronised": True, "drift": 1}),
    ("clock", {}),
    ("clock", [True]),
    ("firmware", "1.0"),
]


@pytest.mark.parametrize("decode", [columns, rows])
@pytest.mark.parametrize(("field", "value"), WRONG)
def test_the_envelope(decode, field, value):
    assert reason(decode, **{field: value}) == "malformed"


@pytest.mark.parametrize("decode", [columns, rows])
@pytest.mark.parametrize("version", [0, 2, -1, True, 1.0, "1", None, [1], {"v": 1}, 2**63])
def test_another_version_is_named_as_such(decode, version):
    assert reason(decode, schema_version=version) == "wrong_version"
    assert reason(decode, schema_version=version, something="new") == "wrong_version"


def test_a_version_must_be_there_in_messagepack_and_is_1_in_json():
    without = {key: value for key, value in FIELDS.items() if key != "schema_version"}
    with pytest.raises(MessageError, match="wrong_version"):
        decode_batch(msgpack.packb(without))
    short = {key: value for key, value in ROWS.items() if key != "schema_version"}
    assert decode_batch(json.dumps(short).encode()) == BATCH


OPTIONAL = {"schema_version", "oldest", "sent_us", "earlier", "sensors"}


@pytest.mark.parametrize("field", sorted(set(FIELDS) - OPTIONAL))
def test_nothing_may_be_missing(field):
    assert "malformed" in str(missing(FIELDS, field, msgpack.packb))
    if field in ROWS:
        assert field in missing(ROWS, field, lambda value: json.dumps(value).encode()).detail


def missing(fields, field, encode):
    with pytest.raises(MessageError) as caught:
        decode_batch(encode({key: value for key, value in fields.items() if key != field}))
    return caught.value


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_is_bytes_of_the_right_length(column):
    data = FIELDS[column]
    for wrong in (data.decode("latin-1"), list(data), None, data + b"\x01", data[:-1], b""):
        assert reason(columns, **{column: wrong}) == "malformed"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tags", [b"ble:a4c138000001", "epc:1"]),
        ("tags", [1, 2]),
        ("tags", "ble:1"),
        ("tags", ["ble:1\n"]),
        ("tags", ["ble:é"]),
        ("tags", ["ble:\x00"]),
        ("tags", ["ble:"]),
        ("tags", ["BLE:1"]),
        ("tags", ["ble:" + "1" * 121]),
        ("tags", ["x" * 32 + ":1"]),
        ("tags", ["ble:1"] * (MAX_READS + 1)),
        ("receivers", ["hci0/"]),
        ("receivers", ["hci0/1000"]),
        ("receivers", ["hci0/1/2"]),
        ("receivers", ["a" * 64]),
        ("receivers", ["hci0"] * 4097),
        ("start_us", 1.5),
        ("start_us", "0"),
        ("start_us", 2**62 + 1),
        ("kind", b"\x01\x02\x00"),
        ("kind", b"\x01\x02\x04"),
        ("count", b"\x00\x01\x00\x00\x01\x00"),
    ],
)
def test_columns(field, value):
    assert reason(columns, **{field: value}) == "malformed"


def test_a_count_with_a_zero_byte_is_no_zero():
    counts = array("H", [256, 512, 0x0100]).tobytes()
    assert columns(count=counts).count == counts
    assert columns(count=b"\x01\x00\x00\x01\x01\x00").count == b"\x01\x00\x00\x01\x01\x00"


def test_the_longest_names_are_accepted():
    longest = {"tags": ["x" * 31 + ":" + "~" * 120] * 2, "receivers": ["a" * 63 + "/999"] * 2}
    assert columns(**longest).tags == longest["tags"]


def test_more_reads_than_allowed():
    more = MAX_READS + 1
    wide = {
        name: value[-len(value) // 3 :] * more for name, value in FIELDS.items() if name in COLUMNS
    }
    packed = msgpack.packb(FIELDS | wide)
    with pytest.raises(MessageError, match="malformed"):
        decode_batch(packed)
    assert reason(rows, reads=[{"tag": "a:1", "receiver": "r", "at": ""}] * more) == "malformed"


def test_an_index_past_the_end_is_left_to_the_flow():
    assert columns(tag_index=b"\xff\xff" * 3).tag_index == b"\xff\xff" * 3
    assert columns(receiver_index=b"\x09\x00" * 3, tags=[]).tags == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rssi_dbm", "-50"),
        ("rssi_dbm", True),
        ("rssi_dbm", -200.01),
        ("rssi_dbm", 100.5),
        ("peak_dbm", -1000),
        ("count", 0),
        ("count", 65_536),
        ("count", 2.0),
        ("count", "2"),
        ("count", True),
        ("kind", 1),
        ("kind", "BLE"),
        ("tag", None),
        ("receiver", "r r"),
        ("battery", 3.1),
        ("at", None),
    ],
)
def test_rows(field, value):
    assert reason(row, **{field: value}) == "malformed"


@pytest.mark.parametrize("dbm", [-200, -200.0, 0, 100])
def test_every_rssi_that_rows_may_say_fits_the_column(dbm):
    assert array("h", row(rssi_dbm=dbm).rssi_cdbm).tolist() == [round(dbm * 100)]


def test_null_and_absent_are_the_same():
    short = {key: ROWS["reads"][2][key] for key in ("tag", "receiver", "at")}
    assert rows(reads=[short]) == rows(reads=[ROWS["reads"][2]])


def test_models_are_strict_and_closed_in_python_too():
    with pytest.raises(ValidationError):
        Ack(gateway="g1", boot="0123456789abcdef", sequence="1")
    with pytest.raises(ValidationError):
        AlertPlace(building="main", z="4")
    with pytest.raises(ValidationError):
        BATCH.sequence = 2


def test_what_is_encoded_can_be_decoded():
    assert decode_batch(encode_batch(BATCH)) == BATCH
