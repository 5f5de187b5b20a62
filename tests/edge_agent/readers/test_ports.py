"""Where a reader is plugged in: names that stay, and what is said when it is not there."""

import asyncio
from types import SimpleNamespace

import pytest
from serial_readers import Rdm6300
from serial_site import Site

from edge_agent.errors import ReaderLostError
from edge_agent.readers import ports


def usb(device, vid=0x0403, pid=0x6001, serial=None, location=None):
    return SimpleNamespace(device=device, vid=vid, pid=pid, serial_number=serial, location=location)


BOARD = SimpleNamespace(
    device="/dev/ttyAMA0", vid=None, pid=None, serial_number=None, location=None
)
FTDI = usb("/dev/ttyUSB0", serial="A50285BI", location="1-1.1")
CHEAP = [usb(f"/dev/ttyUSB{n}", 0x1A86, 0x7523, None, f"1-1.{n}:1.0") for n in (2, 3)]


@pytest.fixture
def plugged(monkeypatch):
    """`plugged(...)`: what pyserial finds from now on."""

    def now(*found):
        monkeypatch.setattr(ports, "_comports", lambda: list(found))

    now(BOARD, FTDI, *CHEAP)
    return now


@pytest.mark.parametrize(
    "port, device",
    [
        ("/dev/ttyAMA0", "/dev/ttyAMA0"),
        ("usb:A50285BI", "/dev/ttyUSB0"),
        ("usb:0403:6001", "/dev/ttyUSB0"),
        ("usb:0403:6001:A50285BI", "/dev/ttyUSB0"),
        ("usb@1-1.3", "/dev/ttyUSB3"),
        ("usb@1-1.1", "/dev/ttyUSB0"),
    ],
)
def test_names_that_stay(plugged, port, device):
    assert ports.device(port) == device


def test_the_number_of_the_device_file_does_not_matter(plugged):
    plugged(usb("/dev/ttyUSB7", serial="A50285BI"))
    assert ports.device("usb:A50285BI") == "/dev/ttyUSB7"


@pytest.mark.parametrize(
    "port, said",
    [
        ("usb:1a86:7523", "several: /dev/ttyUSB2, /dev/ttyUSB3; use usb@"),
        ("usb:A5", "not plugged in; there are: usb:A50285BI, usb@1-1.2, usb@1-1.3"),
        ("usb:0403:6001:X", "not plugged in"),
        ("usb@1-1", "not plugged in"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(plugged, port, said):
    with pytest.raises(ReaderLostError, match=port) as caught:
        ports.device(port)
    assert said in str(caught.value)


def test_no_usb_at_all(plugged):
    plugged(BOARD)
    with pytest.raises(ReaderLostError, match="there are: none"):
        ports.device("usb:A50285BI")


def test_stable_names_find_their_port_again(plugged):
    twins = [usb(f"/dev/ttyUSB{n + 4}", 0x0403, 0x6011, None, f"1-1.4:1.{n}") for n in (0, 1)]
    there = [FTDI, *CHEAP, *twins]
    plugged(*there)
    for found in there:
        assert ports.device(ports.stable_name(found, there)) == found.device
    assert ports.stable_name(BOARD, there) == "/dev/ttyAMA0"


@pytest.mark.parametrize(
    "port, host",
    [
        ("tcp://192.168.1.50:2022", ("192.168.1.50", 2022)),
        ("tcp://reader-3.ward.example", ("reader-3.ward.example", None)),
        ("tcp://[fe80::1]:2022", ("fe80::1", 2022)),
        ("/dev/tcp", None),
    ],
)
def test_networks(port, host):
    assert ports.host(port) == host


@pytest.mark.parametrize("port", ["tcp://", "tcp://a:b", "tcp://a:0", "tcp://a:70000", "tcp://a/b"])
def test_what_is_no_network_is_refused(port):
    with pytest.raises(ValueError, match="expected tcp"):
        ports.host(port)


def test_a_reader_that_comes_back_under_another_name_is_found(plug_in, plugged):
    async def check():
        reader = Rdm6300()
        first, second = plug_in(reader), plug_in(reader)
        second.unplug()
        plugged(usb(str(first.link), serial="A50285BI"))
        now = [first]
        site = Site(reader, "usb:A50285BI")
        async with site.running(lambda data: now[0].say(data)):  # noqa: PLW0108 (it changes)
            await site.hears()
            first.unplug()
            plugged()
            await site.until(lambda: "not plugged in" in (site.state.error or ""))
            second.plug()
            now[0] = second
            plugged(usb(str(second.link), serial="A50285BI"))
            await site.hears()
            assert site.state.state == "running"

    asyncio.run(check())
