"""What tags measured, beside the reads of a batch: columns, rows, and what is refused."""

import math
import struct

import msgpack
import pytest

from pipeline.contracts.codec import (
    Measured,
    build_batch,
    columns_from_rows,
    decode_batch,
    encode_batch,
    stamped,
)
from pipeline.contracts.errors import MessageError
from pipeline.contracts.examples import EXAMPLES
from pipeline.contracts.reads import MAX_SENSOR_VALUES, ClockState

PLAIN, *_, MEASURED = EXAMPLES["read-batch"]
ENVELOPE = {
    "gateway": "g1",
    "boot": "0" * 8,
    "sequence": 1,
    "until_us": 5_000_000,
    "clock": ClockState(synchronised=True),
}
COLUMNS = ("tags", "receivers", "time_us", "rssi_cdbm", "peak_cdbm", "count", "kind")


def batch_of(sensors, reads=()):
    columns = zip(*reads, strict=True) if reads else [()] * len(COLUMNS)
    return build_batch(ENVELOPE, **dict(zip(COLUMNS, columns, strict=True)), sensors=sensors)


def values_of(batch):
    s = batch.sensors
    columns = (
        struct.unpack(f"<{len(s)}{code}", column)
        for code, column in zip(
            "HHId", (s.tag_index, s.quantity_index, s.offset_us, s.value), strict=True
        )
    )
    return [
        Measured(batch.tags[tag], s.quantities[quantity], batch.start_us + offset, value)
        for tag, quantity, offset, value in zip(*columns, strict=True)
    ]


def test_values_come_back_as_they_were():
    sensors = [
        Measured("ble:1", "temperature_c", 3_000_000, 36.6),
        Measured("ble:2", "temperature_c", 2_500_000, -1e-9),
        Measured("ble:1", "motion", 4_000_000, 1.0),
    ]
    reads = [("ble:3", "r", 3_100_000, -5000, -5000, 1, 1)]
    batch = decode_batch(encode_batch(batch_of(sensors, reads)))
    assert values_of(batch) == sensors
    assert batch.start_us == 2_500_000 and len(batch) == 1
    assert batch.tags[int.from_bytes(batch.tag_index, "little")] == "ble:3"
    assert batch.sensors.quantities == ["temperature_c", "motion"]


def test_values_without_a_read_are_a_batch():
    sensors = [Measured("ble:1", "battery_mv", 3_000_000, 2977.0)]
    batch = decode_batch(encode_batch(batch_of(sensors)))
    assert values_of(batch) == sensors and len(batch) == 0


def test_without_values_the_key_is_left_out():
    """A receiver of before knows no such key, and its schema is closed."""
    assert "sensors" not in msgpack.unpackb(encode_batch(PLAIN))
    assert "sensors" in msgpack.unpackb(encode_batch(MEASURED))


def test_stamping_keeps_them():
    payload = stamped(encode_batch(MEASURED), oldest=1, sent_us=7, earlier={})
    assert decode_batch(payload).sensors == MEASURED.sensors


def test_rows_and_columns_say_the_same():
    rows = EXAMPLES["read-batch-rows"][-1]
    assert values_of(columns_from_rows(rows)) == values_of(MEASURED)


@pytest.mark.parametrize(
    "damage, said",
    [
        ({"value": MEASURED.sensors.value[:-1]}, "tag_index has 6 bytes"),
        ({"tag_index": MEASURED.sensors.tag_index + b"\0\0"}, "tag_index has 8 bytes"),
        ({"tag_index": b"\x09\x00" * 3}, "past the end of tags"),
        ({"quantity_index": b"\x02\x00" * 3}, "past the end of quantities"),
        ({"value": struct.pack("<3d", 1, math.nan, 1)}, "no finite number"),
        ({"value": struct.pack("<3d", 1, math.inf, 1)}, "no finite number"),
        ({"quantities": ["temperature_c", "Motion"]}, "pattern"),
        ({"unit": "c"}, "Extra inputs"),
        ({"quantities": None}, "list"),
    ],
)
def test_what_does_not_fit_is_refused(damage, said):
    fields = msgpack.unpackb(encode_batch(MEASURED))
    fields["sensors"] |= damage
    with pytest.raises(MessageError, match="malformed") as caught:
        decode_batch(msgpack.packb(fields))
    assert said in str(caught.value)


def test_too_many_are_refused():
    sensors = [Measured("ble:1", "count", 1, 0.0)] * (MAX_SENSOR_VALUES + 1)
    with pytest.raises(MessageError, match="too_large"):
        batch_of(sensors)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", '"1"', "null"])
def test_rows_take_finite_numbers_only(value):
    text = (
        EXAMPLES["read-batch-rows"][-1]
        .model_dump_json()
        .replace('"value":4.25', '"value":' + value)
    )
    with pytest.raises(MessageError):
        decode_batch(text.encode())
