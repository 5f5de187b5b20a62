"""The whole agent as a process: serial readers, status, a failing disk, TLS, memory."""

import re
import shutil
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from edge_agent.decoders import r2000

M100_TAG = bytes.fromhex("bb02220011cf3000e280699500005009f1286992620a6d7e")
EPC = "epc:e200301666130121155074ef"


def r2000_answer(data):
    """A reader with two antennas that each hear one tag."""
    replies = b""
    for frame in r2000.Decoder().framer.feed(data):
        command = frame[3]
        if command == r2000.INVENTORY:
            tag = bytes.fromhex("043000e200301666130121155074ef45")
            replies += r2000.encode(command, tag) + r2000.encode(command, bytes(7))
        else:
            replies += r2000.encode(command, b"\x10")
    return replies


def serial(device, name, protocol, extra=""):
    return (
        f'[[readers]]\nname = "{name}"\nkind = "serial"\nprotocol = "{protocol}"\n'
        f'port = "{device.link}"\n{extra}\n'
    )


def rss_mb(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def test_serial_readers_to_the_broker(
    plug_in, start_agent, gateway_settings, make_pipeline, gateway, wait_for
):
    pipeline = make_pipeline(gateway)
    portal, sluice = plug_in(r2000_answer), plug_in(lambda data: M100_TAG)
    readers = serial(portal, "portal", "r2000") + serial(sluice, "sluice", "m100")
    before_us = time.time() * 1e6
    process = start_agent(gateway_settings(readers, extra="status_s = 0.5\nmerge_window_s = 0.5"))
    wait_for(
        lambda: (
            {row[:2] for row in pipeline.reads()}
            >= {(EPC, "portal/1"), ("epc:e280699500005009f1286992", "sluice")}
        )
    )
    assert all(before_us <= row[2] <= time.time() * 1e6 for row in pipeline.reads())
    wait_for(lambda: [r.state for r in pipeline.statuses[-1].readers] == ["running"] * 2)
    assert rss_mb(process) < 60

    portal.unplug()
    wait_for(lambda: pipeline.statuses[-1].readers[0].state == "failed")
    assert pipeline.statuses[-1].readers[1].state == "running"
    # Event time goes on without the portal.
    until_us = max(batch.until_us for batch in pipeline.batches.values())
    wait_for(lambda: max(b.until_us for b in pipeline.batches.values()) > until_us + 1_000_000)


def test_nothing_heard_still_says_so(
    plug_in, start_agent, gateway_settings, make_pipeline, gateway, wait_for
):
    pipeline = make_pipeline(gateway)
    silent = plug_in(lambda data: b"")
    start_agent(gateway_settings(serial(silent, "portal", "r2000")))
    wait_for(lambda: len(pipeline.batches) >= 3)
    untils = [pipeline.batches[key].until_us for key in sorted(pipeline.batches)]
    assert pipeline.reads() == [] and untils == sorted(set(untils))


def test_without_any_disk_reads_still_arrive_and_it_is_reported(
    plug_in, start_agent, gateway_settings, make_pipeline, gateway, wait_for, tmp_path
):
    (tmp_path / "spool").write_text("a file where the folder should be")
    pipeline = make_pipeline(gateway)
    portal = plug_in(r2000_answer)
    start_agent(gateway_settings(serial(portal, "portal", "r2000"), extra="status_s = 0.5"))
    wait_for(pipeline.reads)
    failing = wait_for(lambda: next((s for s in pipeline.statuses if s.state == "online"), None))
    assert failing.counters["spool_failing"] == 1
    memory = {boot for boot, _ in pipeline.batches}
    (tmp_path / "spool").unlink()
    wait_for(lambda: {boot for boot, _ in pipeline.batches} - memory, 15)
    wait_for(lambda: pipeline.statuses[-1].counters["spool_failing"] == 0)
    wait_for(lambda: pipeline.statuses[-1].counters["spool_in_memory"] == 0)


def test_a_newer_spool_is_refused_with_a_message(
    start_agent, gateway_settings, replay_reader, tmp_path, wait_for
):
    (tmp_path / "spool").mkdir()
    database = sqlite3.connect(tmp_path / "spool" / "spool.sqlite")
    database.execute("PRAGMA user_version=99")
    database.close()
    process = start_agent(gateway_settings(replay_reader(tmp_path / "r.jsonl")))
    assert process.wait(10) == 1
    assert "schema version 99" in (tmp_path / "agent.log").read_text()


@pytest.fixture
def certificates(tmp_path):
    """`ca.pem`, `server.pem`, `server.key`, and `other.pem`, which signed nothing."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")

    def run(*words):
        command = [openssl, *words]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "other"):
        run(*new, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", "/CN=ca")
    san = "subjectAltName=DNS:localhost"
    run(
        *(*new, "-keyout", "server.key", "-out", "server.pem", "-days", "2"),
        *("-subj", "/CN=localhost", "-addext", san, "-CA", "ca.pem", "-CAkey", "ca.key"),
    )
    return tmp_path


@pytest.fixture
def tls_port(certificates, broker):
    """A broker of this test's own that speaks TLS."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = certificates / "tls.conf"
    config.write_text(
        f"user root\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
        f"certfile {certificates}/server.pem\nkeyfile {certificates}/server.key\n"
    )
    command = [broker.installation.mosquitto, "-c", config]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        yield port
        server.terminate()


def test_tls_and_a_certificate_that_is_not_trusted(
    start_agent, write_settings, replay_reader, certificates, tls_port, wait_for, tmp_path
):
    log = tmp_path / "agent.log"
    url = f"mqtts://localhost:{tls_port}"
    readers = replay_reader(tmp_path / "r.jsonl")
    wrong = f'ca_file = "{certificates}/other.pem"'
    process = start_agent(write_settings(readers, url=url, broker=wrong))
    wait_for(
        lambda: re.search(
            r"no connection to the broker.*certificate verify failed", log.read_text()
        )
    )
    process.terminate()
    process.wait()
    right = f'ca_file = "{certificates}/ca.pem"'
    start_agent(write_settings(readers, url=url, broker=right))
    wait_for(lambda: "edge.publisher connected" in log.read_text())
