"""Every serial protocol as the settings name it, over real pyserial on a pseudo-terminal.

A scripted reader answers, errs, talks nonsense, falls silent, comes back, is unplugged and plugged
in again.
"""

import asyncio
import contextlib
import socket
import threading

import pytest
from serial_readers import (
    M100,
    R2000,
    SCRIPTS,
    ChafonCf,
    Mercury,
    Nmea,
    Rcp,
    Rdm6300,
    Scanner,
    ScannerWithoutTerminator,
    Ssi,
    UhfReader18,
)
from serial_site import Site

from edge_agent.decoders.registry_serial import PROTOCOLS
from edge_agent.readers import build


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Who may not be silent is given up soon, unless the settings say otherwise."""
    monkeypatch.setattr(build, "_SILENT_AFTER_S", 0.3)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_a_reader_in_all_its_moods(plug_in, script):
    async def check():
        reader = script()
        device = plug_in(reader)
        site = Site(reader, str(device.link))
        async with site.running(device.say):
            await site.hears()
            assert set(site.heard) == {(script.tag, script.receiver)}
            assert site.state.state == "running" and site.state.restarts == 0
            await errs(site)
            await talks_nonsense(site, device)
            await falls_silent(site)
            await is_unplugged(site, device)

    asyncio.run(check())


async def errs(site):
    site.script.failing = True
    if site.script.event:
        await site.until(lambda: site.state.events.get(site.script.event))
    else:
        await asyncio.sleep(4 * site.script.period_s)
        site.heard.clear()
        await asyncio.sleep(4 * site.script.period_s)
        assert site.heard == []
    site.script.failing = False
    await site.hears()
    # What lies in wait behind an error may come out first; but nothing that was not read.
    assert {tag for tag, _ in site.heard} == {site.script.tag}


async def talks_nonsense(site, device):
    rejected = site.state.rejected_bytes
    device.say(b"\xff\x00\xa0\xbb\xcf\x02 noise \xff\xfe\r\n" * 2)
    await site.hears()
    lines = ("scanner", "nmea", "line")
    assert site.state.rejected_bytes > rejected or site.script.protocol in lines
    assert site.state.state == "running"


async def falls_silent(site):
    restarts = site.state.restarts
    site.script.silent = True
    if site.settings.silent_after_s is None:
        await asyncio.sleep(0.7)
        assert (site.state.state, site.state.restarts) == ("running", restarts)
    else:
        await site.until(lambda: site.state.state == "silent")
        assert "no valid answer" in site.state.error
    site.script.silent = False
    await site.hears()
    assert site.state.state == "running" and site.state.error is None


async def is_unplugged(site, device):
    device.unplug()
    await site.until(lambda: site.state.state == "failed")
    device.plug()
    await site.hears()
    assert site.state.state == "running"


def test_every_protocol_with_a_host_has_a_script():
    assert {script.protocol for script in SCRIPTS} == {
        name for name, row in PROTOCOLS.items() if row.host
    }


def test_a_scan_without_terminator_is_ended_by_silence(plug_in):
    async def check():
        reader = ScannerWithoutTerminator()
        reader.silent = True
        device = plug_in(reader)
        async with Site(reader, str(device.link)).running(device.say) as site:
            await site.until(lambda: site.state.state == "running")
            device.say(b"]A0A1234")
            await site.until(lambda: site.heard == [("barcode:A1234", "r")], 2)

    asyncio.run(check())


def test_scans_are_acknowledged(plug_in):
    async def check():
        reader = Ssi()
        device = plug_in(reader)
        async with Site(reader, str(device.link)).running(device.say) as site:
            await site.hears()
            assert reader.acknowledged >= 2

    asyncio.run(check())


@pytest.mark.parametrize(
    "script, settings, start",
    [
        (R2000, ("set region eu", "power 27 dBm"), "real-time inventory, 1 round"),
        (M100, ("set region eu", "power 20.00 dBm"), "multi poll 10000 rounds"),
        (Mercury, ("set region 2 (EU)", "set read power 23.00 dBm"), "start continuous"),
        (UhfReader18, ("set region", "power 20 dBm"), "inventory"),
        (ChafonCf, ("power 26 dBm",), "start inventory, continuous"),
        (Rcp, ("set region 0x31", "power 20.0 dBm"), "start automatic read, endless"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_set_is_sent_before_anything_is_transmitted(plug_in, script, settings, start):
    async def check():
        reader = script()
        device = plug_in(reader)
        async with Site(reader, str(device.link)).running(device.say) as site:
            await site.hears()
        asked = [frame["meaning"] for frame in reader.commands]
        first = next(n for n, meaning in enumerate(asked) if meaning.startswith(start))
        for setting in settings:
            assert setting in asked[:first]

    asyncio.run(check())


def test_a_position_is_measured(plug_in):
    async def check():
        reader = Nmea()
        device = plug_in(reader)
        async with Site(reader, str(device.link)).running(device.say) as site:
            await site.hears()
            values = {item.quantity: item.value for item in site.values}
            assert values["latitude_deg"] == pytest.approx(45.77047)

    asyncio.run(check())


class Network:
    """A reader that listens in a network, one connection at a time."""

    def __init__(self, script):
        self.script = script
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.connection = None
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                self.connection, _ = self.server.accept()
                self.connections += 1
                with self.connection:
                    while data := self.connection.recv(4096):
                        if answer := self.script(data):
                            self.connection.sendall(answer)
            except OSError:
                if self.server.fileno() < 0:
                    return

    def say(self, data):
        self.connection.sendall(data)

    def hang_up(self):
        self.connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self.server.close()


@pytest.fixture
def network():
    made = []

    def make(script):
        made.append(Network(script))
        return made[-1]

    yield make
    for reader in made:
        reader.close()


@pytest.mark.parametrize("script", [ChafonCf, R2000, Rdm6300, Scanner], ids=lambda s: s.__name__)
def test_a_reader_in_the_network(network, script):
    async def check():
        reader = script()
        device = network(reader)
        site = Site(reader, f"tcp://127.0.0.1:{device.port}")
        async with site.running(lambda data: device.say(data) if device.connection else None):
            await site.hears()
            assert set(site.heard) == {(script.tag, script.receiver)}
            await falls_silent(site)
            connections = device.connections
            device.hang_up()
            await site.until(lambda: device.connections > connections)
            await site.hears()

    asyncio.run(check())


def test_a_network_without_the_reader_is_told(network):
    async def check():
        device = network(ChafonCf())
        device.close()
        site = Site(ChafonCf(), f"tcp://127.0.0.1:{device.port}")
        async with site.running(lambda _: None):
            await site.until(lambda: site.state.state == "failed")
            assert site.state.error.startswith(f"cannot connect to 127.0.0.1:{device.port}: ")

    asyncio.run(check())
