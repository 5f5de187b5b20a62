"""The live hospital: files that grow with the clock, ports that answer."""

from __future__ import annotations

import json
import time

import pytest

from pipeline.simulation.generate import generate
from pipeline.simulation.live import LiveHospital
from pipeline.simulation.r2000 import frame
from pipeline.simulation.scenario import MICROSECONDS, HospitalPlan, Scenario

SMALL = Scenario(seed=7, pace=120, hospital=HospitalPlan(assets=20))


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def until_us(path):
    """The newest marker of a file that may still grow."""
    marks = [line for line in path.read_text().splitlines() if line.startswith('{"until_us')]
    return json.loads(marks[-1])["until_us"] if marks else 0


def test_a_fast_world_writes_what_generate_writes(tmp_path):
    start_us = 1_767_268_800_000_000
    live = LiveHospital(SMALL, tmp_path / "live", start_us, speed=20)
    assert live.ports == {}
    with live:
        path = live.files["gw-1-west"]
        wait_for(lambda: path.exists() and until_us(path) > start_us + 22 * MICROSECONDS)
    made = generate(SMALL, start_us, 20, tmp_path / "made")
    for gateway, path in made.files.items():
        expected = path.read_bytes()
        assert live.files[gateway].read_bytes()[: len(expected)] == expected
    truth = live.truth()
    assert truth.end_us == until_us(live.files["gw-1-west"])
    assert truth.zone_entries()[:1] == made.truth.zone_entries()[:1]


def test_at_speed_1_readers_answer_on_ports_and_no_read_is_in_the_files(tmp_path):
    serial = pytest.importorskip("serial")
    start_us = time.time_ns() // 1000
    with LiveHospital(SMALL, tmp_path, start_us) as live:
        assert set(live.ports) == {reader.name for reader in live.hospital.readers}
        with serial.Serial(live.ports["portal-mri"], 115200, timeout=5) as line:
            line.write(frame(0x72, b""))
            assert line.read(7).hex() == "a00501720109de"
            line.write(frame(0x89, b"\x01"))
            assert line.read(12)[3] == 0x89
        wait_for(lambda: until_us(live.files["gw-1-west"]) > start_us)
        assert abs(live.now_us() - time.time_ns() // 1000) < 2 * MICROSECONDS
    text = "".join(path.read_text() for path in live.files.values())
    assert "rfid" not in text
    assert live.site_file.is_file()


def test_it_goes_on_beyond_its_first_horizon(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.simulation.live.FIRST_HORIZON_S", 30.0)
    live = LiveHospital(SMALL, tmp_path, 0, speed=100)
    with live:
        wait_for(lambda: live.truth().end_us > 100 * MICROSECONDS)
    assert live.truth().walks.end_us > 100 * MICROSECONDS


def test_a_failing_writer_is_reported_by_stop(tmp_path, monkeypatch):
    live = LiveHospital(SMALL, tmp_path, 0, speed=50)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(live._writer, "lines", fail)
    live.start()
    wait_for(lambda: live._failure is not None)
    with pytest.raises(OSError, match="disk full"):
        live.stop()


def test_speed_must_be_positive(tmp_path):
    with pytest.raises(ValueError, match="speed"):
        LiveHospital(SMALL, tmp_path, 0, speed=0)
