"""bleak's real BlueZ back end against a mocked `org.bluez` on a private D-Bus."""

import asyncio
import contextlib
import shutil

import pytest
from bluez_mock import SECOND, BlueZ, until

from edge_agent.decoders.ble_tags import BleTags
from edge_agent.errors import ReaderLostError
from edge_agent.readers.ble import BleReader
from edge_agent.readers.state import ReaderState
from edge_agent.readers.supervise import Backoff, supervise

pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed"
)

IBEACON = {76: bytes.fromhex("0215e2c56db5dffb48d2b060d0f5a71096e000640000c5")}
EDDYSTONE = {"0000feaa-0000-1000-8000-00805f9b34fb": bytes.fromhex("00e3" + "12" * 16)}


class Ward:
    """A BLE reader and what it heard."""

    def __init__(self, **options):
        self.state = ReaderState("ward", "ble")
        self.heard = []
        self.values, self.escalations = [], []
        options = {"silent_after_s": 5.0, "mode": "active", "reset_after": 0, **options}
        adapter = options.pop("adapter", "hci0")
        tags = BleTags(
            forward_random=options.pop("forward_random", False), keys=options.pop("keys", None)
        )
        self.reader = BleReader(
            self.state,
            adapter,
            lambda receiver, reading: self.heard.append((receiver, reading)),
            measured=self.values.append,
            tags=tags,
            escalate=self.escalations.append,
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


BTHOME = "0000fcd2-0000-1000-8000-00805f9b34fb"


def test_what_a_beacon_measures_comes_out(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez, Ward().running() as ward:
            await until(lambda: bluez.discovering)
            for _ in range(3):
                service = {BTHOME: bytes.fromhex("4002ca0903bf133a01")}
                bluez.advertise("C4:A1:38:00:00:01", service=service)
            await until(lambda: len(ward.heard) >= 3)
            assert [(r.tag, r.quantity, r.value) for r in ward.values] == [
                ("ble:c4a138000001", "temperature_c", 25.06),
                ("ble:c4a138000001", "humidity_percent", 50.55),
                ("ble:c4a138000001", "button", "press"),
            ]

    asyncio.run(check())


def test_auto_scans_passively_where_the_adapter_can(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez, Ward(mode="auto").running() as ward:
            await until(lambda: bluez.monitors)
            bluez.advertise("C4:A1:38:00:00:01")
            await until(lambda: ward.heard)
            assert not bluez.discovering and ward.state.figures["passive"] == 1

    asyncio.run(check())


@pytest.mark.parametrize(
    "refusal", ["org.freedesktop.DBus.Error.UnknownMethod", "org.bluez.Error.Failed"]
)
def test_auto_scans_actively_where_it_cannot(bus_address, refusal):
    async def check():
        async with BlueZ.running(bus_address) as bluez:
            bluez.monitor_refusal = refusal
            async with Ward(mode="auto").running() as ward:
                await until(lambda: bluez.discovering)
                bluez.advertise("C4:A1:38:00:00:01")
                await until(lambda: ward.heard)
                assert ward.state.restarts == 0 and ward.state.figures["passive"] == 0

    asyncio.run(check())


def test_auto_scans_actively_when_nothing_is_heard_passively(bus_address):
    async def check():
        ward = Ward(mode="auto", silent_after_s=0.2)
        async with BlueZ.running(bus_address) as bluez, ward.running():
            await until(lambda: bluez.monitors)
            await until(lambda: bluez.discovering)
            bluez.advertise("C4:A1:38:00:00:01")
            await until(lambda: ward.heard)

    asyncio.run(check())


def test_passive_alone_does_not_turn_active(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez:
            bluez.monitor_refusal = "org.bluez.Error.Failed"
            async with Ward(mode="passive").running() as ward:
                await until(lambda: ward.state.restarts >= 2)
                assert not bluez.discovering and ward.state.state == "failed"

    asyncio.run(check())


def test_an_adapter_that_stopped_listening_is_switched_off_and_on(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez:
            ward = Ward(silent_after_s=0.2, reset_after=2, escalate_after=0)

            async def talk():
                while True:
                    bluez.advertise("C4:A1:38:00:00:01")
                    await asyncio.sleep(0.05)

            async with ward.running():
                talking = asyncio.create_task(talk())
                await until(lambda: ward.heard)
                bluez.deaf = True
                await until(lambda: ward.state.state == "silent")
                await until(lambda: bluez.powered)
                ward.heard.clear()
                await until(lambda: ward.heard)
                assert bluez.powered == [False, True]
                assert ward.state.events["adapter_resets"] == 1 and ward.escalations == []
                assert ward.state.state == "running"
                talking.cancel()

    asyncio.run(check())


def test_a_reset_that_is_refused_ends_nothing(bus_address, caplog):
    async def check():
        async with BlueZ.running(bus_address) as bluez:
            bluez.power_refused = True
            ward = Ward(silent_after_s=0.1, reset_after=1)
            async with ward.running():
                await until(lambda: ward.state.restarts >= 2)
                await until(lambda: bluez.discovering)
                bluez.advertise("C4:A1:38:00:00:01")
                await until(lambda: ward.heard)

    asyncio.run(check())
    assert "BlueZ refused Set: rfkill" in caplog.text


def test_the_service_manager_is_asked_when_nothing_else_helps(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez:
            ward = Ward(silent_after_s=0.1, escalate_after=3)
            async with ward.running():
                await until(lambda: bluez.discovering)
                bluez.advertise("C4:A1:38:00:00:01")
                await until(lambda: ward.escalations)
                assert ward.state.restarts >= 2
                assert "reader ward: no advertisement" in ward.escalations[0]
                restarts = ward.state.restarts
                await until(lambda: ward.state.restarts >= restarts + 4)
                assert len(ward.escalations) == 1  # nothing was heard since

    asyncio.run(check())


def test_an_adapter_by_its_address(bus_address):
    async def check():
        ward = Ward(adapter="00:11:22:33:44:55")
        async with BlueZ.running(bus_address) as bluez, ward.running():
            await until(lambda: bluez.discovering)
            bluez.advertise("C4:A1:38:00:00:01")
            await until(lambda: ward.heard)

    asyncio.run(check())


def test_an_adapter_that_is_not_there_is_told_with_those_that_are(bus_address):
    async def check():
        async with BlueZ.running(bus_address), Ward(adapter="AA:AA:AA:AA:AA:AA").running() as ward:
            await until(lambda: ward.state.state == "failed")
            assert ward.state.error == (
                "no adapter AA:AA:AA:AA:AA:AA; there are: hci0 00:11:22:33:44:55"
            )

    asyncio.run(check())


def test_adverts_per_second_are_told(bus_address):
    async def check():
        async with BlueZ.running(bus_address) as bluez, Ward(silent_after_s=1).running() as ward:
            await until(lambda: bluez.discovering)

            async def talk():
                while True:
                    bluez.advertise("C4:A1:38:00:00:01")
                    await asyncio.sleep(0.02)

            talking = asyncio.create_task(talk())
            await until(lambda: 20 <= ward.state.figures.get("adverts_per_s", 0) <= 50)
            assert ward.state.health().counters["adverts_per_s"] > 0
            talking.cancel()
            await until(lambda: ward.state.state == "silent")
            assert ward.state.figures["adverts_per_s"] == 0

    asyncio.run(check())


def test_several_adapters_hear_for_themselves(bus_address):
    async def check():
        first, second = Ward(), Ward(adapter="AA:BB:CC:00:00:02")
        async with BlueZ.running(bus_address) as bluez:
            bluez.second_there = True
            async with first.running(), second.running():
                await until(lambda: bluez.discovering and bluez.second_discovering)
                bluez.advertise("C4:A1:38:00:00:01", rssi=-50)
                bluez.advertise("C4:A1:38:00:00:01", rssi=-80, adapter=SECOND)
                await until(lambda: first.heard and second.heard)
                assert [r.rssi_dbm for _, r in first.heard] == [-50.0]
                assert [r.rssi_dbm for _, r in second.heard] == [-80.0]
                bluez.remove_adapter()  # the other one goes on
                bluez.advertise("C4:A1:38:00:00:02", adapter=SECOND)
                await until(lambda: "ble:c4a138000002" in second.tags())
                assert second.state.state == "running"

    asyncio.run(check())
