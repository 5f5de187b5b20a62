"""bleak's real BlueZ back end against a mocked `org.bluez` on a private D-Bus."""

import asyncio
import contextlib
import shutil
import subprocess

import pytest
from bleak.backends.bluezdbus import manager as bleak_manager
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from edge_agent.errors import ReaderLostError
from edge_agent.readers.ble import BleReader
from edge_agent.readers.state import ReaderState
from edge_agent.readers.supervise import Backoff, supervise

pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed"
)

ADAPTER = "/org/bluez/hci0"
IBEACON = {76: bytes.fromhex("0215e2c56db5dffb48d2b060d0f5a71096e000640000c5")}
EDDYSTONE = {"0000feaa-0000-1000-8000-00805f9b34fb": bytes.fromhex("00e3" + "12" * 16)}
MANAGER = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"


@pytest.fixture
def bus_address(tmp_path, monkeypatch):
    """A private D-Bus that everybody in this test takes for the system's."""
    address = f"unix:path={tmp_path}/bus"
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address={address}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout.readline()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address
        daemon.terminate()


class BlueZ:
    """As much of BlueZ as scanning needs."""

    def __init__(self):
        self.adapter_there = True
        self.discovering = False
        self.starts = 0
        self.filters = {}
        self.monitors = 0
        self.devices = {}

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, address):
        bluez = cls()
        bluez.bus = await MessageBus(bus_address=address).connect()
        bluez.bus.add_message_handler(bluez._call)
        await bluez.bus.request_name("org.bluez")
        try:
            yield bluez
        finally:
            bluez.bus.disconnect()
            await bluez.bus.wait_for_disconnect()
            bleaks = bleak_manager._global_instances.pop(asyncio.get_running_loop(), None)
            if bleaks is not None and bleaks._bus is not None:
                bleaks._bus.disconnect()
                await asyncio.wait({bleaks._bus_watcher_task})

    def _call(self, message):
        if message.message_type != MessageType.METHOD_CALL:
            return None
        if message.member == "GetManagedObjects":
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self._objects()])
        if message.path != ADAPTER or not self.adapter_there:
            error = "org.freedesktop.DBus.Error.UnknownObject"
            return Message.new_error(message, error, "no such object")
        return self._adapter_call(message)

    def _adapter_call(self, message):
        if message.member == "SetDiscoveryFilter":
            self.filters = {name: value.value for name, value in message.body[0].items()}
        elif message.member == "StartDiscovery":
            self.discovering, self.starts = True, self.starts + 1
        elif message.member == "StopDiscovery":
            self.discovering = False
        elif message.member == "RegisterMonitor":
            self.monitors += 1
        return Message.new_method_return(message)

    def _objects(self):
        adapter = {
            "Address": Variant("s", "00:11:22:33:44:55"),
            "Powered": Variant("b", True),
            "Roles": Variant("as", ["central"]),
        }
        manager = {"org.bluez.Adapter1": adapter, "org.bluez.AdvertisementMonitorManager1": {}}
        return {ADAPTER: manager} if self.adapter_there else {}

    def _signal(self, path, interface, member, signature, body):
        self.bus.send(Message.new_signal(path, interface, member, signature, body))

    def remove_adapter(self):
        self.adapter_there = self.discovering = False
        self._signal("/", MANAGER, "InterfacesRemoved", "oas", [ADAPTER, ["org.bluez.Adapter1"]])
        monitor = ["org.bluez.AdvertisementMonitorManager1"]
        self._signal("/", MANAGER, "InterfacesRemoved", "oas", [ADAPTER, monitor])
        self.devices.clear()

    def add_adapter(self):
        self.adapter_there = True
        interfaces = self._objects()[ADAPTER]
        self._signal("/", MANAGER, "InterfacesAdded", "oa{sa{sv}}", [ADAPTER, interfaces])

    def advertise(self, address, *, rssi=-60, kind="public", company=None, service=None):
        """One advertisement, if the adapter scans."""
        if not (self.discovering or self.monitors):
            return
        path = f"{ADAPTER}/dev_{address.replace(':', '_')}"
        changing = {
            "RSSI": Variant("n", rssi),
            "ManufacturerData": Variant(
                "a{qv}", {key: Variant("ay", value) for key, value in (company or {}).items()}
            ),
            "ServiceData": Variant(
                "a{sv}", {key: Variant("ay", value) for key, value in (service or {}).items()}
            ),
        }
        if path in self.devices:
            body = ["org.bluez.Device1", changing, []]
            self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", body)
            return
        self.devices[path] = address
        fixed = {
            "Address": Variant("s", address),
            "Alias": Variant("s", address.replace(":", "-")),
            "AddressType": Variant("s", kind),
            "Adapter": Variant("o", ADAPTER),
            "UUIDs": Variant("as", []),
        }
        body = [path, {"org.bluez.Device1": fixed | changing}]
        self._signal("/", MANAGER, "InterfacesAdded", "oa{sa{sv}}", body)

    def change_name(self, address):
        """A property that changes without anything having been received (RSSI is not current)."""
        path = f"{ADAPTER}/dev_{address.replace(':', '_')}"
        body = ["org.bluez.Device1", {"Connected": Variant("b", False)}, ["RSSI"]]
        self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", body)


class Ward:
    """A BLE reader and what it heard."""

    def __init__(self, **options):
        self.state = ReaderState("ward", "ble")
        self.heard = []
        options = {"silent_after_s": 5.0, **options}
        self.reader = BleReader(
            self.state,
            "hci0",
            lambda receiver, reading: self.heard.append((receiver, reading)),
            **options,
        )

    @contextlib.asynccontextmanager
    async def running(self):
        backoff = Backoff(first_s=0.05, most_s=0.1)
        task = asyncio.create_task(supervise(self.state, self.reader.run, backoff=backoff))
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def tags(self):
        return [reading.tag for _, reading in self.heard]


async def until(condition, seconds=8.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def test_advertisements_in_reads_out(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez, Ward().running() as ward:
            await until(lambda: bluez.discovering)
            assert bluez.filters["DuplicateData"] is True and bluez.filters["Transport"] == "le"
            bluez.advertise("C4:A1:38:00:00:01", rssi=-71)
            bluez.advertise("C4:A1:38:00:00:02", company=IBEACON)
            bluez.advertise("C4:A1:38:00:00:03", service=EDDYSTONE)
            bluez.advertise("44:A1:38:00:00:04", kind="random")  # a phone: nothing lasting
            bluez.advertise("C4:A1:38:00:00:01", rssi=-72)  # the same again is another reception
            await until(lambda: len(ward.heard) >= 4)
            assert ward.tags() == [
                "ble:c4a138000001",
                "ibeacon:e2c56db5-dffb-48d2-b060-d0f5a71096e0/100/0",
                f"eddystone:{'12' * 10}/{'12' * 6}",
                "ble:c4a138000001",
            ]
            assert [r.rssi_dbm for _, r in ward.heard if "ble:" in r.tag] == [-71.0, -72.0]
            assert {receiver for receiver, _ in ward.heard} == {"ward"}
            assert ward.state.state == "running"

    asyncio.run(check())


def test_a_property_that_changes_is_no_reception(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez, Ward().running() as ward:
            await until(lambda: bluez.discovering)
            bluez.advertise("C4:A1:38:00:00:01")
            await until(lambda: ward.heard)
            bluez.change_name("C4:A1:38:00:00:01")
            bluez.advertise("C4:A1:38:00:00:02")
            await until(lambda: "ble:c4a138000002" in ward.tags())
            assert len(ward.heard) == 2

    asyncio.run(check())


def test_random_addresses_are_forwarded_when_asked_for(bus_address):
    async def check():
        ward = Ward(forward_random=True)
        async with BlueZ.running(bus_address) as bluez, ward.running():
            await until(lambda: bluez.discovering)
            bluez.advertise("44:A1:38:00:00:04", kind="random")
            await until(lambda: ward.tags() == ["ble:44a138000004"])

    asyncio.run(check())


def test_a_scan_that_dies_quietly_is_started_again(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez:
            ward = Ward(silent_after_s=0.4)
            async with ward.running():
                await until(lambda: bluez.discovering)
                bluez.advertise("C4:A1:38:00:00:01")
                await until(lambda: ward.heard)
                await until(lambda: ward.state.state == "silent")
                await until(lambda: bluez.starts >= 2)
                ward.heard.clear()
                bluez.advertise("C4:A1:38:00:00:01")
                await until(lambda: ward.heard)
                assert ward.state.state == "running" and ward.state.restarts >= 1

    asyncio.run(check())


def test_silence_ends_a_run(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez:
            ward = Ward(silent_after_s=0.2)
            with pytest.raises(ReaderLostError, match="no advertisement") as caught:
                await ward.reader.run()
            assert caught.value.silent and not bluez.discovering

    asyncio.run(check())


def test_an_adapter_that_is_pulled_out_is_reported_and_found_again(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez:
            ward = Ward(silent_after_s=0.4)
            async with ward.running():
                await until(lambda: bluez.discovering)
                bluez.advertise("C4:A1:38:00:00:01")
                await until(lambda: ward.heard)
                bluez.remove_adapter()
                await until(lambda: ward.state.state == "failed")
                assert "hci0" in ward.state.error
                bluez.add_adapter()
                await until(lambda: bluez.discovering)
                ward.heard.clear()
                bluez.advertise("C4:A1:38:00:00:02")
                await until(lambda: ward.tags() == ["ble:c4a138000002"])
                assert ward.state.state == "running" and ward.state.error is None

    asyncio.run(check())


def test_no_adapter_at_the_start_is_waited_for(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez:
            bluez.adapter_there = False
            async with Ward().running() as ward:
                await until(lambda: ward.state.state == "failed")
                bluez.add_adapter()
                await until(lambda: bluez.discovering)

    asyncio.run(check())


def test_passive_scanning_registers_a_monitor(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez, Ward(mode="passive").running() as ward:
            await until(lambda: bluez.monitors)
            assert not bluez.discovering
            assert ward.state.error is None

    asyncio.run(check())


def test_no_bluetooth_service_at_all_is_a_failure_not_a_crash(bus_address):
    async def check():
        async with Ward().running() as ward:
            await until(lambda: ward.state.state == "failed")
            assert ward.state.error

    asyncio.run(check())
