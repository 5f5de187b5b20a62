"""Messages as releases sent them decode for ever, to these values."""

import hashlib
from array import array
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from pipeline.contracts.codec import decode_batch, decode_json
from pipeline.contracts.examples import EXAMPLES
from pipeline.contracts.gateway_config import GatewayConfig
from pipeline.contracts.messages import Ack, Alert, AlertAcknowledgement, GatewayStatus, Scan
from pipeline.contracts.reads import ReadBatchRows

GOLDEN = Path(__file__).parent / "golden" / "v1"
BOOT = "9f86d081884c7d659a2feaa0c55ad015"
ALERT = UUID("3d6f0a52-6c1e-5f0b-9d5e-0a4f4b1c7e21")
TAGS = ["ble:a4c138000001", "epc:e2801160600002084b5c1a2f"]


def at(minute, second=0, us=0):
    return datetime(2026, 3, 2, 7, minute, second, us, tzinfo=UTC)


def golden(name):
    return (GOLDEN / name).read_bytes()


SUMS = dict(line.split()[::-1] for line in (GOLDEN / "SHA256SUMS").read_text().splitlines())


def test_every_golden_is_as_it_was_made():
    """Never make one again, and never correct one: decode what it says."""
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in GOLDEN.glob("*-*.*")}
    assert found == SUMS


def test_every_published_message_has_a_golden():
    assert {name.rpartition("-")[0] for name in SUMS} == set(EXAMPLES)


@pytest.mark.parametrize("name", ["read-batch-1.msgpack", "read-batch-rows-1.json"])
def test_a_read_batch(name):
    batch = decode_batch(golden(name))
    assert (batch.gateway, batch.boot, batch.sequence, batch.oldest) == ("icu-1", BOOT, 1042, 1040)
    assert batch.until_us == 1_772_436_603_000_000
    assert (batch.clock.synchronised, batch.clock.correction_us) == (True, None)
    assert batch.start_us == 1_772_436_601_250_000
    assert (batch.tags, batch.receivers) == (TAGS, ["hci0", "door/1"])
    assert array("H", batch.tag_index).tolist() == [0, 1, 0]
    assert array("H", batch.receiver_index).tolist() == [0, 1, 0]
    assert array("I", batch.offset_us).tolist() == [0, 750_001, 1_150_000]
    assert array("h", batch.rssi_cdbm).tolist() == [-6725, -5850, -32768]
    assert array("h", batch.peak_cdbm).tolist() == [-6400, -5850, -32768]
    assert array("H", batch.count).tolist() == [4, 11, 1]
    assert list(batch.kind) == [1, 2, 1]


@pytest.mark.parametrize("name", ["read-batch-2.msgpack", "read-batch-rows-2.json"])
def test_a_read_batch_without_reads(name):
    batch = decode_batch(golden(name))
    assert (len(batch), batch.sequence, batch.oldest) == (0, 1043, 1043)
    assert batch.until_us == batch.start_us == 1_772_436_608_000_000
    assert (batch.clock.synchronised, batch.clock.correction_us) == (False, -1_500_000)


@pytest.mark.parametrize("name", ["read-batch-4.msgpack", "read-batch-rows-4.json"])
def test_a_read_batch_with_what_tags_measured(name):
    batch = decode_batch(golden(name))
    assert (batch.sequence, len(batch)) == (1044, 3)
    assert batch.tags == [*TAGS, "ble:a4c138000002"]
    assert batch.start_us == 1_772_436_601_000_000
    assert array("I", batch.offset_us).tolist() == [250_000, 1_000_001, 1_400_000]
    sensors = batch.sensors
    assert sensors.quantities == ["temperature_c", "motion"]
    assert array("H", sensors.tag_index).tolist() == [0, 0, 2]
    assert array("H", sensors.quantity_index).tolist() == [0, 1, 0]
    assert array("I", sensors.offset_us).tolist() == [250_000, 1_400_000, 0]
    assert array("d", sensors.value).tolist() == [4.25, 1.0, -18.5]


def test_the_rows_of_a_read_batch():
    first, second, third = decode_json(ReadBatchRows, golden("read-batch-rows-1.json")).reads
    assert (first.tag, first.receiver, first.at) == (TAGS[0], "hci0", at(30, 1, 250_000))
    assert (first.rssi_dbm, first.peak_dbm, first.count, first.kind) == (-67.25, -64.0, 4, "ble")
    assert (second.tag, second.receiver, second.at) == (TAGS[1], "door/1", at(30, 2, 1))
    assert (second.rssi_dbm, second.peak_dbm, second.count) == (-58.5, None, 11)
    assert second.kind == "rfid"
    assert (third.at, third.rssi_dbm, third.count) == (at(30, 2, 400_000), None, 1)


STATUS = {
    "schema_version": 1,
    "gateway": "icu-1",
    "version": "0.1.0",
    "boot": BOOT,
    "at": at(31),
    "started_at": at(2, 9, 120_000),
    "clock": {"synchronised": True, "correction_us": None},
}
READERS = [
    {
        "name": "hci0",
        "kind": "ble",
        "state": "running",
        "reads": 81_204,
        "restarts": 0,
        "rejected_bytes": 0,
        "last_heard_at": at(30, 59),
        "error": None,
        "counters": {},
    },
    {
        "name": "door",
        "kind": "r2000",
        "state": "failed",
        "reads": 977,
        "restarts": 3,
        "rejected_bytes": 12,
        "last_heard_at": at(17, 40),
        "error": "the port does not exist",
        "counters": {},
    },
]
SPOOL = {
    "batches": 2,
    "bytes": 17_220,
    "oldest_at": at(30, 59),
    "dropped_batches": 0,
    "dropped_reads": 0,
}
OPEN = {
    "schema_version": 1,
    "alert_id": ALERT,
    "revision": 1,
    "state": "open",
    "type": "forbidden-zone",
    "severity": "CRITICAL",
    "organization": "acme",
    "facility": "north",
    "rule": "no-pumps-in-mri",
    "subject": {
        "asset_id": UUID("6a4f3c1e-2b7d-4e58-9c3a-1f0e5d7b8a90"),
        "asset_tag_number": "BME-004217",
        "equipment_name": "Infusion pump",
    },
    "place": {
        "building": "main",
        "floor": "2",
        "room": "2-mri",
        "zone": "mri-suite",
        "x_m": 41.5,
        "y_m": 12.25,
        "z_m": 4.0,
        "accuracy_m": 1.75,
    },
    "opened_at": at(30, 2),
    "at": at(30, 2),
    "late": False,
    "reason": "Infusion pump is in MRI suite, where it must not be, for 10 s",
    "evidence": {"confidence": 0.97, "initial": False},
}
RESOLVED = OPEN | {
    "revision": 2,
    "state": "resolved",
    "place": dict.fromkeys(OPEN["place"]) | {"building": "main"},
    "at": at(44, 30),
    "late": True,
    "reason": "Infusion pump has left MRI suite",
    "evidence": {},
}
JSON = {
    "gateway-config-1.json": (
        GatewayConfig,
        {
            "schema_version": 1,
            "gateway": "icu-1",
            "revision": 7,
            "allow": ["epc:*", "ibeacon:e2c56db5-dffb-48d2-b060-d0f5a71096e0/*"],
            "merge_window_s": 0.5,
            "min_rssi_dbm": -95.0,
            "forward_random": None,
            "power_dbm": {"door": 27.5},
        },
    ),
    "gateway-config-2.json": (
        GatewayConfig,
        {
            "schema_version": 1,
            "gateway": "icu-1",
            "revision": 8,
            "allow": None,
            "merge_window_s": None,
            "min_rssi_dbm": None,
            "forward_random": None,
            "power_dbm": None,
        },
    ),
    "ack-1.json": (
        Ack,
        {"schema_version": 1, "gateway": "icu-1", "boot": BOOT, "sequence": 1041},
    ),
    "gateway-status-1.json": (
        GatewayStatus,
        STATUS
        | {"state": "online", "spool": SPOOL, "readers": READERS}
        | {"counters": {"batches_sent": 1044, "clock_steps": 0}},
    ),
    "gateway-status-2.json": (
        GatewayStatus,
        STATUS | {"state": "offline", "spool": None, "readers": [], "counters": {}},
    ),
    "alert-1.json": (Alert, OPEN),
    "alert-2.json": (Alert, RESOLVED),
    "alert-acknowledgement-1.json": (
        AlertAcknowledgement,
        {
            "schema_version": 1,
            "alert_id": ALERT,
            "by": "j.doe",
            "at": at(33, 5),
            "note": "On my way to fetch it",
        },
    ),
    "scan-1.json": (
        Scan,
        {
            "schema_version": 1,
            "scan_id": UUID("0d9c3a44-8a0f-4f0e-8a53-7f3c6f4f5b11"),
            "at": at(40),
            "method": "QR",
            "by": "j.doe",
            "asset_tag_number": "BME-004217",
            "tag": None,
            "room": "2-storage",
            "receiver": None,
        },
    ),
    "scan-2.json": (
        Scan,
        {
            "schema_version": 1,
            "scan_id": UUID("77d1a0f2-53f4-4f3d-9d1e-2f8b1f0a6c33"),
            "at": at(41),
            "method": "NFC",
            "by": "scanner-12",
            "asset_tag_number": None,
            "tag": "nfc:04a1b2c3d4e5f6",
            "room": None,
            "receiver": "door/1",
        },
    ),
}


@pytest.mark.parametrize("name", [name for name in SUMS if not name.startswith("read-batch")])
def test_a_json_message(name):
    model, expected = JSON[name]
    decoded = decode_json(model, golden(name)).model_dump()
    # A later release may know more fields; those have their defaults here.
    assert {key: decoded[key] for key in expected} == expected
