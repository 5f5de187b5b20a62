"""Emulators on pseudo-terminals, read with the real pyserial."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pipeline.simulation.m100 import M100Reader, frame
from pipeline.simulation.portals import Echo
from pipeline.simulation.pty import QUEUE_BYTES, SerialPort
from pipeline.simulation.r2000 import R2000Reader
from pipeline.simulation.r2000 import frame as a0

serial = pytest.importorskip("serial")
EPC = bytes.fromhex("e28069028a52be4e00000025")


def clock():
    return time.monotonic_ns() // 1000


def open_files():
    return len(list(Path("/dev/fd").iterdir()))


def field(antenna, at_us):
    return [Echo(EPC, -55)]


def test_an_inventory_over_the_line():
    with (
        SerialPort(R2000Reader(field, round_us=10_000), clock) as port,
        serial.Serial(port.path, 115200, timeout=5) as line,
    ):
        line.write(a0(0x72, b""))
        assert line.read(7).hex() == "a00501720109de"
        line.write(a0(0x74, b"\x01") + a0(0x89, b"\x01"))
        assert line.read(6)[4] == 0x10
        tag, end = line.read(21), line.read(12)
    assert tag[7:19] == EPC
    assert tag[4] & 3 == 1
    assert sum(tag) % 256 == sum(end) % 256 == 0


def test_bytes_are_not_changed_by_the_terminal():
    """CR, LF, XON, XOFF, Ctrl-C and Ctrl-D inside an EPC must arrive as they are."""
    nasty = bytes.fromhex("0d0a11130304001a7fff1c15")
    with (
        SerialPort(R2000Reader(lambda a, t: [Echo(nasty, -55)], round_us=5_000), clock) as port,
        serial.Serial(port.path, 115200, timeout=5) as line,
    ):
        line.write(a0(0x89, b"\x01"))
        assert line.read(21)[7:19] == nasty


def test_a_multi_poll_streams_and_stops():
    with (
        SerialPort(M100Reader(field, round_us=5_000), clock) as port,
        serial.Serial(port.path, 115200, timeout=5) as line,
    ):
        line.write(frame(0, 0x27, b"\x22\xff\xff"))
        assert len(line.read(24 * 5)) == 24 * 5
        line.write(frame(0, 0x28, b""))
        line.timeout = 0.5
        assert line.read(100_000).endswith(frame(1, 0x28, b"\x00"))


def test_when_nobody_reads_frames_are_lost_whole_and_memory_is_bounded():
    with (
        SerialPort(M100Reader(field, round_us=100), clock) as port,
        serial.Serial(port.path, 115200, timeout=1) as line,
    ):
        line.write(frame(0, 0x27, b"\x22\xff\xff"))
        deadline = time.monotonic() + 20
        while port.lost_bytes == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert port.lost_bytes > 0
        assert len(port._queue) <= QUEUE_BYTES
        data = line.read(24 * 20)
    assert all(data[i : i + 5] == b"\xbb\x02\x22\x00\x11" for i in range(0, len(data), 24))


def test_hosts_come_and_go_and_stop_removes_the_device():
    port = SerialPort(R2000Reader(field), clock)
    path = port.start()
    for _ in range(3):
        with serial.Serial(path, 115200, timeout=5) as line:
            line.write(a0(0x72, b""))
            assert len(line.read(7)) == 7
    before = open_files()
    port.stop()
    port.stop()
    assert open_files() == before - 4
    assert not Path(path).exists()
