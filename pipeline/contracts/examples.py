"""One example or more of each message: they stand in the published schemas and keep to them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from pipeline.contracts.base import Message
from pipeline.contracts.codec import columns_from_rows, encode_json
from pipeline.contracts.gateway_config import GatewayConfig
from pipeline.contracts.messages import (
    Ack,
    Alert,
    AlertAcknowledgement,
    AlertPlace,
    AlertSubject,
    GatewayStatus,
    ReaderHealth,
    Scan,
    SpoolHealth,
)
from pipeline.contracts.reads import ClockState, Read, ReadBatch, ReadBatchRows, SensorValue

_BOOT = "9f86d081884c7d659a2feaa0c55ad015"
_ALERT = UUID("3d6f0a52-6c1e-5f0b-9d5e-0a4f4b1c7e21")
_SUBJECT = AlertSubject(
    asset_id=UUID("6a4f3c1e-2b7d-4e58-9c3a-1f0e5d7b8a90"),
    asset_tag_number="BME-004217",
    equipment_name="Infusion pump",
)


def _at(minute: int, second: int = 0, us: int = 0) -> datetime:
    return datetime(2026, 3, 2, 7, minute, second, us, tzinfo=UTC)


_ROWS = ReadBatchRows(
    gateway="icu-1",
    boot=_BOOT,
    sequence=1042,
    oldest=1040,
    until_us=1_772_436_603_000_000,
    clock=ClockState(synchronised=True),
    reads=[
        Read(
            tag="ble:a4c138000001",
            receiver="hci0",
            at=_at(30, 1, 250_000),
            rssi_dbm=-67.25,
            peak_dbm=-64,
            count=4,
            kind="ble",
        ),
        Read(
            tag="epc:e2801160600002084b5c1a2f",
            receiver="door/1",
            at=_at(30, 2, 1),
            rssi_dbm=-58.5,
            count=11,
            kind="rfid",
        ),
        Read(tag="ble:a4c138000001", receiver="hci0", at=_at(30, 2, 400_000)),
    ],
)
_NOTHING_HEARD = ReadBatchRows(
    gateway="icu-1",
    boot=_BOOT,
    sequence=1043,
    oldest=1043,
    until_us=1_772_436_608_000_000,
    clock=ClockState(synchronised=False, correction_us=-1_500_000),
    reads=[],
)
_AFTER_A_REBOOT = _ROWS.model_copy(
    update={"boot": "5e884898da28047151d0e56f8dc62927", "sequence": 3, "oldest": 1}
    | {"sent_us": 1_772_436_603_250_000, "earlier": {_BOOT: 1042}}
)
_MEASURED = _ROWS.model_copy(
    update={
        "sequence": 1044,
        "sensors": [
            SensorValue(
                tag="ble:a4c138000001",
                quantity="temperature_c",
                at=_at(30, 1, 250_000),
                value=4.25,
            ),
            SensorValue(
                tag="ble:a4c138000001", quantity="motion", at=_at(30, 2, 400_000), value=1.0
            ),
            SensorValue(
                tag="ble:a4c138000002", quantity="temperature_c", at=_at(30, 1), value=-18.5
            ),
        ],
    }
)
_ONLINE = GatewayStatus(
    gateway="icu-1",
    state="online",
    version="0.1.0",
    boot=_BOOT,
    at=_at(31),
    started_at=_at(2, 9, 120_000),
    clock=ClockState(synchronised=True),
    spool=SpoolHealth(batches=2, bytes=17_220, oldest_at=_at(30, 59)),
    readers=[
        ReaderHealth(
            name="hci0",
            kind="ble",
            state="running",
            reads=81_204,
            last_heard_at=_at(30, 59),
            counters={"adverts_per_s": 212},
        ),
        ReaderHealth(
            name="door",
            kind="r2000",
            state="failed",
            reads=977,
            restarts=3,
            rejected_bytes=12,
            last_heard_at=_at(17, 40),
            error="the port does not exist",
        ),
    ],
    counters={"batches_sent": 1044, "clock_steps": 0},
)
_OFFLINE = GatewayStatus(
    gateway="icu-1",
    state="offline",
    version="0.1.0",
    boot=_BOOT,
    at=_at(31),
    started_at=_at(2, 9, 120_000),
    clock=ClockState(synchronised=True),
)
_OPEN = Alert(
    alert_id=_ALERT,
    revision=1,
    state="open",
    type="forbidden-zone",
    severity="CRITICAL",
    organization="acme",
    facility="north",
    rule="no-pumps-in-mri",
    subject=_SUBJECT,
    place=AlertPlace(
        building="main",
        floor="2",
        room="2-mri",
        zone="mri-suite",
        x_m=41.5,
        y_m=12.25,
        z_m=4.0,
        accuracy_m=1.75,
    ),
    opened_at=_at(30, 2),
    at=_at(30, 2),
    reason="Infusion pump is in MRI suite, where it must not be, for 10 s",
    evidence={"confidence": 0.97, "initial": False},
)
_RESOLVED = Alert(
    alert_id=_ALERT,
    revision=2,
    state="resolved",
    type="forbidden-zone",
    severity="CRITICAL",
    organization="acme",
    facility="north",
    rule="no-pumps-in-mri",
    subject=_SUBJECT,
    place=AlertPlace(building="main"),
    opened_at=_at(30, 2),
    at=_at(44, 30),
    late=True,
    reason="Infusion pump has left MRI suite",
)

_BATCHES = (_ROWS, _NOTHING_HEARD, _AFTER_A_REBOOT, _MEASURED)
EXAMPLES: Final[dict[str, tuple[Message, ...]]] = {
    "read-batch-rows": _BATCHES,
    "read-batch": tuple(columns_from_rows(rows) for rows in _BATCHES),
    "ack": (Ack(gateway="icu-1", boot=_BOOT, sequence=1041),),
    "gateway-status": (_ONLINE, _OFFLINE),
    "gateway-config": (
        GatewayConfig(
            gateway="icu-1",
            revision=7,
            allow=["epc:*", "ibeacon:e2c56db5-dffb-48d2-b060-d0f5a71096e0/*"],
            merge_window_s=0.5,
            min_rssi_dbm=-95.0,
            power_dbm={"door": 27.5},
        ),
        GatewayConfig(gateway="icu-1", revision=8),
    ),
    "alert": (_OPEN, _RESOLVED),
    "alert-acknowledgement": (
        AlertAcknowledgement(
            alert_id=_ALERT, by="j.doe", at=_at(33, 5), note="On my way to fetch it"
        ),
    ),
    "scan": (
        Scan(
            scan_id=UUID("0d9c3a44-8a0f-4f0e-8a53-7f3c6f4f5b11"),
            at=_at(40),
            method="QR",
            by="j.doe",
            asset_tag_number="BME-004217",
            room="2-storage",
        ),
        Scan(
            scan_id=UUID("77d1a0f2-53f4-4f3d-9d1e-2f8b1f0a6c33"),
            at=_at(41),
            method="NFC",
            by="scanner-12",
            tag="nfc:04a1b2c3d4e5f6",
            receiver="door/1",
        ),
    ),
}
"""Name of the published schema -> messages of one class."""


def as_json(message: Message) -> Any:
    """As JSON values. Byte columns, which JSON cannot hold, are written in base64."""
    if isinstance(message, ReadBatch):
        return _in_base64(message.model_dump())
    return json.loads(encode_json(message))


def _in_base64(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _in_base64(item) for name, item in value.items()}
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
