"""As much of org.bluez as scanning needs, on a private bus: bleak's real back end talks to it."""

import asyncio
import contextlib

from bleak.backends.bluezdbus import manager as bleak_manager
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

ADAPTER, SECOND = "/org/bluez/hci0", "/org/bluez/hci1"
MANAGER = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"


class BlueZ:
    """As much of BlueZ as scanning needs."""

    def __init__(self):
        self.adapter_there = True
        self.discovering = False
        self.starts = 0
        self.filters = {}
        self.monitors = 0
        self.monitor_refusal = None
        self.powered = []
        self.power_refused = False
        self.deaf = False  # scans and hears nothing, until it is switched off and on
        self.second_there = self.second_discovering = False
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
        if message.path == SECOND and self.second_there:
            return self._second_call(message)
        if message.path != ADAPTER or not self.adapter_there:
            error = "org.freedesktop.DBus.Error.UnknownObject"
            return Message.new_error(message, error, "no such object")
        return self._adapter_call(message)

    def _second_call(self, message):
        if message.member in ("StartDiscovery", "StopDiscovery"):
            self.second_discovering = message.member == "StartDiscovery"
        return Message.new_method_return(message)

    def _adapter_call(self, message):
        if message.member == "SetDiscoveryFilter":
            self.filters = {name: value.value for name, value in message.body[0].items()}
        elif message.member == "StartDiscovery":
            self.discovering, self.starts = True, self.starts + 1
        elif message.member == "StopDiscovery":
            self.discovering = False
        elif message.member == "RegisterMonitor":
            if self.monitor_refusal:
                return Message.new_error(message, self.monitor_refusal, "no")
            self.monitors += 1
        elif message.member == "Set":
            if self.power_refused:
                return Message.new_error(message, "org.bluez.Error.Failed", "rfkill")
            interface, name, value = message.body
            assert (interface, name) == ("org.bluez.Adapter1", "Powered")
            self.powered.append(value.value)
            self.deaf = self.deaf and not value.value
        return Message.new_method_return(message)

    def _objects(self):
        adapter = {
            "Address": Variant("s", "00:11:22:33:44:55"),
            "Powered": Variant("b", True),
            "Roles": Variant("as", ["central"]),
        }
        manager = {"org.bluez.Adapter1": adapter, "org.bluez.AdvertisementMonitorManager1": {}}
        second = {"org.bluez.Adapter1": adapter | {"Address": Variant("s", "AA:BB:CC:00:00:02")}}
        found = {ADAPTER: manager} if self.adapter_there else {}
        return found | ({SECOND: second} if self.second_there else {})

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

    def advertise(
        self, address, *, rssi=-60, kind="public", company=None, service=None, adapter=ADAPTER
    ):
        """One advertisement, if the adapter scans."""
        scans = (self.discovering or self.monitors) and not self.deaf
        if not (scans if adapter == ADAPTER else self.second_discovering):
            return
        path = f"{adapter}/dev_{address.replace(':', '_')}"
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
            "Adapter": Variant("o", adapter),
            "UUIDs": Variant("as", []),
        }
        body = [path, {"org.bluez.Device1": fixed | changing}]
        self._signal("/", MANAGER, "InterfacesAdded", "oa{sa{sv}}", body)

    def change_name(self, address):
        """A property that changes without anything having been received (RSSI is not current)."""
        path = f"{ADAPTER}/dev_{address.replace(':', '_')}"
        body = ["org.bluez.Device1", {"Connected": Variant("b", False)}, ["RSSI"]]
        self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", body)


async def until(condition, seconds=8.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
