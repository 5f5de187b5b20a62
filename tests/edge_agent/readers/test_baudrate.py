"""A reader on another line rate than anybody knows of."""

import asyncio
import termios

import pytest
from serial_readers import M100, Rdm6300
from serial_site import Site

from edge_agent.readers import serial as serial_reader


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Rates are tried faster than people could see."""
    real = serial_reader.SerialReader.__init__

    def init(self, *args, **options):
        real(self, *args, **options | {"probe_s": 0.3})

    monkeypatch.setattr(serial_reader.SerialReader, "__init__", init)


class AtRate:
    """A device that only understands, and is only understood, at one rate."""

    def __init__(self, reader, speed):
        self.reader, self.speed = reader, speed
        self.device = None

    def _fits(self):
        return termios.tcgetattr(self.device._controller)[4] == self.speed

    def __call__(self, data):
        return self.reader(data) if self._fits() else b""

    def say(self, data):
        self.device.say(data if self._fits() else bytes(byte ^ 0x5A for byte in data))


def site_at(plug_in, reader, speed, **settings):
    line = AtRate(reader, speed)
    line.device = plug_in(line)
    return Site(reader, str(line.device.link), **settings), line


@pytest.mark.parametrize("reader", [M100, Rdm6300], ids=lambda reader: reader.__name__)
def test_auto_finds_the_rate_and_begins_with_it_from_then_on(plug_in, reader):
    async def check():
        site, line = site_at(plug_in, reader(), termios.B19200, baudrate="auto")
        async with site.running(line.say):
            await site.until(lambda: len(site.heard) >= 3, 20)
            assert site.state.figures["baudrate"] == 19_200
            line.device.unplug()
            await site.until(lambda: site.state.state == "failed")
            line.device.plug()
            before = site.state.restarts
            await site.hears()
            assert site.state.figures["baudrate"] == 19_200
            assert site.state.restarts - before <= 2

    asyncio.run(check())


def test_a_rate_that_is_given_is_kept(plug_in):
    async def check():
        site, line = site_at(plug_in, M100(), termios.B19200, baudrate=9600)
        async with site.running(line.say):
            await site.until(lambda: site.state.restarts >= 2)
            assert site.heard == [] and site.state.state == "silent"

    asyncio.run(check())


def test_no_reader_at_any_rate_is_told(plug_in):
    async def check():
        site, line = site_at(plug_in, M100(), termios.B50, baudrate="auto")
        async with site.running(line.say):
            await site.until(lambda: site.state.state == "silent")
            assert site.state.error == (
                "no valid answer at any of 9600, 19200, 38400, 57600, 115200 Bd"
            )

    asyncio.run(check())


def test_silence_alone_changes_no_rate(plug_in):
    """A card reader has nothing to say for hours."""

    async def check():
        reader = Rdm6300()
        site, line = site_at(plug_in, reader, termios.B9600, baudrate="auto")
        reader.silent = True
        async with site.running(line.say):
            await asyncio.sleep(1.2)
            assert site.state.state == "running" and site.state.restarts == 0
            reader.silent = False
            await site.hears()
            assert site.state.figures["baudrate"] == 9_600

    asyncio.run(check())
