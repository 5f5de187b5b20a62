"""What is in the air, through bleak's real BlueZ back end against a mocked org.bluez."""

import argparse
import asyncio
import json
import shutil

import pytest
from bluez_mock import BlueZ, until

from edge_agent.discover import command
from edge_agent.discover.air import scan

pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed"
)
IBEACON = {76: bytes.fromhex("0215e2c56db5dffb48d2b060d0f5a71096e000640000c5")}
EDDYSTONE = {"0000feaa-0000-1000-8000-00805f9b34fb": bytes.fromhex("00e3" + "12" * 16)}
RUUVI = {0x0499: bytes.fromhex("0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F")}


async def scanned(bus_address, seconds=1.0):
    async with BlueZ.running(bus_address) as bluez:
        task = asyncio.create_task(scan(None, seconds))
        await until(lambda: bluez.discovering)
        assert bluez.filters["DuplicateData"] is True
        bluez.advertise("C4:A1:38:00:00:01", rssi=-71)
        bluez.advertise("C4:A1:38:00:00:02", company=IBEACON, rssi=-50)
        bluez.advertise("C4:A1:38:00:00:03", service=EDDYSTONE, rssi=-80)
        bluez.advertise("44:A1:38:00:00:04", kind="random", company={76: b"\x10\x05"}, rssi=-90)
        bluez.advertise("CB:B8:33:4C:88:4F", company=RUUVI, rssi=-60)
        for rssi in (-65, -55):
            bluez.advertise("C4:A1:38:00:00:01", rssi=rssi)
        bluez.change_name("C4:A1:38:00:00:01")  # no reception
        air = await task
        assert not bluez.discovering
        return air


def test_devices_with_kind_strength_and_count(bus_address):
    air = asyncio.run(scanned(bus_address))
    rows = [(d.address[-2:], d.kind, d.strongest_dbm, d.adverts, d.tag) for d in air.by_strength()]
    assert rows == [
        ("02", "ibeacon", -50, 1, "ibeacon:e2c56db5-dffb-48d2-b060-d0f5a71096e0/100/0"),
        ("01", "address only", -55, 3, "ble:c4a138000001"),
        ("4F", "ruuvi", -60, 1, "ble:cbb8334c884f"),
        ("03", "eddystone", -80, 1, f"eddystone:{'12' * 10}/{'12' * 6}"),
        ("04", "unknown (mfr_76)", -90, 1, None),
    ]


def options(*words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(["--no-serial", *words])


def test_the_table_and_json(bus_address, monkeypatch, capsys):
    def scan_here(*_):
        return asyncio.run(scanned(bus_address)), None

    monkeypatch.setattr(command, "_scan", scan_here)
    assert command.main(options()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Bluetooth, strongest first" and lines[1].split()[:3] == [
        "address",
        "dBm",
        "adverts",
    ]
    assert lines[2].split()[:4] == ["C4:A1:38:00:00:02", "-50", "1", "ibeacon"]
    assert command.main(options("--json")) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["serial"] is None and said["ble"][0]["kind"] == ["ble_ibeacon"]


def test_names_from_the_air_cannot_steer_a_terminal():
    assert command._shown("\x1b[2Jpump\u202e" + "x" * 99) == "?[2Jpump?" + "x" * 23


def test_no_bluetooth_is_one_line(bus_address, capsys):
    """A bus without a Bluetooth service; then no bus at all."""
    assert command.main(options("--seconds", "0.1")) == 1
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1 and said.err.startswith("biotrakr-edge: no Bluetooth: ")


def test_no_bus_at_all(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    assert command.main(options("--seconds", "0.1")) == 1
    assert "install and start the package bluez" in capsys.readouterr().err
