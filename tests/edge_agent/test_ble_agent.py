"""The whole agent over BlueZ: reads, values, adverts per second; what helps when it is deaf."""

import asyncio
import shutil
import threading
from array import array

import pytest
from bluez_mock import BlueZ

pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed"
)

BTHOME = "0000fcd2-0000-1000-8000-00805f9b34fb"
TAG = "ble:c4a138000001"
KEY = "231d39c1d7cc1ab1aee224cd096db932"
SEALED = {BTHOME: bytes.fromhex("41a47266c95f730011223378237214")}


class Air:
    """BlueZ in a thread of its own, with a beacon and an encrypted sensor talking all the time."""

    def __init__(self, address):
        self.address, self.talking, self.bluez = address, True, None
        self._ready, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        assert self._ready.wait(5)

    async def _run(self):
        async with BlueZ.running(self.address) as self.bluez:
            self._ready.set()
            while not self._over.is_set():
                if self.talking:
                    plain = {BTHOME: bytes.fromhex("4002ca0903bf13")}
                    self.bluez.advertise("C4:A1:38:00:00:01", service=plain)
                    self.bluez.advertise("54:48:E6:8F:80:A5", service=SEALED)
                await asyncio.sleep(0.05)

    def close(self):
        self._over.set()
        self._thread.join()


@pytest.fixture
def air(bus_address):
    made = Air(bus_address)
    yield made
    made.close()


def values_of(pipeline):
    found = {}
    for batch in list(pipeline.batches.values()):
        if (s := batch.sensors) is not None:
            columns = (array("H", s.tag_index), array("H", s.quantity_index), array("d", s.value))
            for tag, quantity, value in zip(*columns, strict=True):
                found[batch.tags[tag], s.quantities[quantity]] = value
    return found


def test_a_ward(air, start_agent, gateway_settings, make_pipeline, gateway, wait_for, tmp_path):
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[sensors]\n"54:48:E6:8F:80:A5" = "{KEY}"\n')
    keys.chmod(0o600)
    pipeline = make_pipeline(gateway)
    config = gateway_settings(
        '[[readers]]\nname = "ward"\nkind = "ble"\nmode = "active"\n',
        extra=f'status_s = 0.5\ntag_keys_file = "{keys}"',
    )
    start_agent(config, DBUS_SYSTEM_BUS_ADDRESS=air.address)
    wait_for(lambda: TAG in {tag for tag, *_ in pipeline.reads()})
    wait_for(lambda: len(values_of(pipeline)) >= 4)
    assert values_of(pipeline) == {
        (TAG, "temperature_c"): 25.06,
        (TAG, "humidity_percent"): 50.55,
        ("ble:5448e68f80a5", "temperature_c"): 25.06,
        ("ble:5448e68f80a5", "humidity_percent"): 50.55,
    }

    def rate():
        readers = pipeline.statuses[-1].readers if pipeline.statuses else []
        return readers[0].counters.get("adverts_per_s", 0) if readers else 0

    wait_for(lambda: rate() >= 20)
    assert KEY not in (tmp_path / "agent.log").read_text()


def test_a_scan_that_nothing_helps_ends_the_agent_for_the_service_manager(
    air, start_agent, gateway_settings, make_pipeline, gateway, wait_for
):
    pipeline = make_pipeline(gateway)
    lines = "silent_after_s = 0.2\nreset_after = 1\nescalate_after = 3\n"
    config = gateway_settings(f'[[readers]]\nname = "ward"\nkind = "ble"\nmode = "active"\n{lines}')
    agent = start_agent(config, DBUS_SYSTEM_BUS_ADDRESS=air.address)
    wait_for(lambda: TAG in {tag for tag, *_ in pipeline.reads()})
    air.talking = False
    wait_for(lambda: agent.poll() is not None, 20)
    assert agent.returncode == 1 and False in air.bluez.powered
    wait_for(lambda: pipeline.statuses[-1].state == "offline")
