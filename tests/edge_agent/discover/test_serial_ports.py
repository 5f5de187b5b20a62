"""Discovery on real pseudo-terminals: readers that answer at one baud rate, talk, or do neither."""

import json
import subprocess
import sys
import termios
import threading
import time

import pytest

from edge_agent.decoders import m100, mercury, r2000, uhfreader18
from edge_agent.discover import ports, serial_ports
from edge_agent.discover.ports import holder, named, stable_names
from edge_agent.discover.probes import BAUDRATES, PROBES
from edge_agent.discover.serial_ports import PORT_S, look

SPEEDS = {
    getattr(termios, f"B{rate}"): rate for rate in (4800, 9600, 38400, 57600, 115200)
}  # fmt: skip


class AtRate:
    """Understands, and is understood, at one baud rate; at others it hears nothing."""

    def __init__(self, rate, answers):
        self.rate, self.answers, self.device = rate, answers, None
        self.asked = []

    def __call__(self, data):
        speed = termios.tcgetattr(self.device._controller)[4]
        if SPEEDS.get(speed) != self.rate:
            return b""
        self.asked.append(data)
        return next((reply for request, reply in self.answers.items() if request in data), b"")


READERS = {
    "r2000": (115_200, r2000.encode(0x72), bytes.fromhex("a00501720109de"), "firmware 1.9"),
    "mercury": (
        115_200,
        bytes.fromhex("ff00031d0c"),
        bytes.fromhex("ff1403000007102300010000032014100701070209000000105bd1"),
        "firmware 01070209",
    ),
    "uhfreader288": (
        57_600,
        bytes.fromhex("04ff211995"),
        bytes.fromhex("1100210000160c034e001e0a01000000e651"),
        "firmware 0.22, type 0x0c",
    ),
    "rcp": (
        115_200,
        bytes.fromhex("bb00030001007e"),
        bytes.fromhex("bb0103000a50524d393258000000007e9cee"),
        "PRM92X",
    ),
    "m100": (
        115_200,
        m100.encode(m100.INFO, b"\x01"),
        m100.encode(m100.INFO, b"\x01V2.3.5", kind=m100.ANSWER),
        "V2.3.5",
    ),
    "chafon_cf": (
        115_200,
        bytes.fromhex("cfff0070002415"),
        None,
        "",
    ),
    "tsl": (
        115_200,
        b".vr",
        b"CS: .vr\r\nMF: TSL\r\nUF: 1.4\r\nOK:\r\n\r\n",
        "MF TSL, UF 1.4",
    ),
    "ssi": (9_600, bytes.fromhex("04e80400"), bytes.fromhex("04d00000ff2c"), ""),
}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """These devices need no time to think."""
    monkeypatch.setattr(serial_ports, "_LISTEN_S", 0.15)
    monkeypatch.setattr(serial_ports, "_ANSWER_S", 0.1)


@pytest.fixture
def plug_reader(plug_in):
    def plug(protocol):
        rate, request, reply, _ = READERS[protocol]
        if reply is None:
            from edge_agent.decoders import chafon_cf

            reply = chafon_cf.encode(chafon_cf.DEVICE_INFO, b"\x00", 0)
        reader = AtRate(rate, {request: reply})
        reader.device = plug_in(reader)
        return reader

    return plug


@pytest.mark.parametrize("protocol", READERS)
def test_what_answers_is_named_with_its_rate_and_firmware(plug_reader, protocol):
    reader = plug_reader(protocol)
    began_s = time.monotonic()
    found = look(*named([str(reader.device.link)]))
    rate, _, _, firmware = READERS[protocol]
    assert (found.state, found.protocol, found.baudrate) == ("answers", protocol, rate), found
    assert found.firmware == firmware and found.port == str(reader.device.link)
    assert time.monotonic() - began_s < PORT_S


def test_nothing_but_identify_is_ever_sent(plug_in):
    """A device that hears everything and never answers: the whole list, once each, in bounds."""
    heard = bytearray()
    device = plug_in(lambda data: heard.extend(data) or b"")
    began_s = time.monotonic()
    found = look(*named([str(device.link)]))
    assert found.state == "silent" and time.monotonic() - began_s < PORT_S
    sent = bytes(heard)
    for probe in PROBES:
        for _ in probe.baudrates:
            assert probe.request in sent
            sent = sent.replace(probe.request, b"", 1)
    assert sent == b""
    # Nothing that transmits or sets: inventories, power, region, reset, baud rate.
    for frame in r2000.Decoder().framer.feed(bytes(heard)):
        assert frame[3] == r2000.FIRMWARE


def test_listen_only_sends_nothing(plug_in):
    heard = bytearray()
    device = plug_in(lambda data: heard.extend(data) or b"")
    assert look(*named([str(device.link)]), ask=False).state == "silent"
    assert heard == b""


class Talker:
    """Says the same again and again at its own rate; at another it is not understood."""

    def __init__(self, device, rate, said):
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(device, rate, said), daemon=True)
        self._thread.start()

    def _run(self, device, rate, said):
        while not self._stopping.wait(0.02):
            at = SPEEDS.get(termios.tcgetattr(device._controller)[4])
            device.say(said if at == rate else bytes(b ^ 0xA5 for b in said))

    def stop(self):
        self._stopping.set()
        self._thread.join()


TALKERS = [
    ("rdm6300", 9_600, b"\x0267003B51C6CB\x03", "heard"),
    ("nmea", 4_800, b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r\n",
     "heard"),
    ("mercury", 115_200, bytes.fromhex("ff0022040084e0"), "heard"),
    ("m100", 115_200, bytes.fromhex("bb02220011cf3000e280699500005009f1286992620a6d7e"), "heard"),
    ("scanner", 9_600, b"]d20100400000000001\r\n", "text"),
]  # fmt: skip


@pytest.mark.parametrize("protocol, rate, said, state", TALKERS, ids=[t[0] for t in TALKERS])
def test_what_talks_by_itself_is_heard(plug_in, protocol, rate, said, state):
    device = plug_in(lambda data: b"")
    talker = Talker(device, rate, said)
    try:
        found = look(*named([str(device.link)]), ask=False)
    finally:
        talker.stop()
    assert (found.state, found.protocol, found.baudrate) == (state, protocol, rate), found


def test_noise_is_called_noise(plug_in):
    device = plug_in(lambda data: b"")
    talker = Talker(device, 1, bytes(range(128, 200)))
    try:
        found = look(*named([str(device.link)]), ask=False)
    finally:
        talker.stop()
    assert found.state == "noise" and "of no protocol known here" in found.detail


HOLD = """
import serial, sys, time
line = serial.Serial(sys.argv[1], exclusive=True)
print("open", flush=True)
time.sleep(100)
"""


@pytest.fixture
def hold():
    """`hold(port)`: another process has it open, and locked."""
    started = []

    def start(port):
        process = subprocess.Popen([sys.executable, "-c", HOLD, port], stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == b"open\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("may_see_descriptors", [True, False])
def test_a_port_that_somebody_has_open_is_not_touched(
    plug_in, hold, monkeypatch, may_see_descriptors
):
    device = plug_in(lambda data: b"")
    process = hold(str(device.link))
    if not may_see_descriptors:  # as without root: locks can be seen by everybody
        monkeypatch.setattr(ports, "_openers", lambda device: iter(()))
    monkeypatch.setattr(
        serial_ports.serial, "Serial", lambda *_, **__: pytest.fail("it was opened")
    )
    found = look(*named([str(device.link)]))
    assert found.state == "in use" and f"process {process.pid}" in found.detail


def test_a_port_that_is_free_is_held_by_nobody(plug_in):
    device = plug_in(lambda data: b"")
    assert holder(named([str(device.link)])[0].device) is None


def test_a_port_that_is_not_there(tmp_path):
    found = look(*named([str(tmp_path / "none")]))
    assert found.state == "refused" and found.detail


def test_a_device_that_goes_while_it_is_looked_at(plug_in):
    device = plug_in(lambda data: b"")
    threading.Timer(0.3, device.unplug).start()
    assert look(*named([str(device.link)])).state == "refused"


def test_stable_names(tmp_path):
    (tmp_path / "ttyUSB0").write_text("")
    folder = tmp_path / "by-id"
    folder.mkdir()
    link = folder / "usb-1a86_USB_Serial-if00-port0"
    link.symlink_to("../ttyUSB0")
    assert stable_names(folder) == {str(tmp_path / "ttyUSB0"): str(link)}
    assert stable_names(tmp_path / "none") == {}


def discover(*words):
    done = subprocess.run(
        [sys.executable, "-m", "edge_agent.cli", "discover", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_the_table_of_the_command(plug_reader, plug_in):
    reader, silent = plug_reader("r2000"), plug_in(lambda data: b"")
    words = ("--port", str(reader.device.link), "--port", str(silent.link))
    status, out, err = discover(*words)
    assert (status, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["Serial", "ports"]
    assert rows[1] == ["port", "state", "protocol", "baud", "firmware", "hardware"]
    assert rows[2] == [str(reader.device.link), "answers", "r2000", "115200", "firmware", "1.9"]
    assert rows[3][:2] == [str(silent.link), "silent"]


def test_nothing_found_is_status_1(plug_in):
    silent = plug_in(lambda data: b"")
    status, out, err = discover("--port", str(silent.link), "--listen-only", "--json")
    assert (status, err) == (1, "")
    said = json.loads(out)
    assert said["serial"][0]["state"] == "silent" and said["ble"] is None


def test_every_probe_is_at_a_rate_that_is_tried():
    assert all(set(probe.baudrates) <= set(BAUDRATES) for probe in PROBES)
    assert uhfreader18.READER_INFO and mercury.VERSION
