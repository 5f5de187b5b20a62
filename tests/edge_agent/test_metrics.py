"""A gateway's /metrics and /health, asked over HTTP while a real agent runs."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.embedded.ports import free_port


@pytest.fixture
def ask():
    """`ask(port, path)` -> status and body; (0, b"") when nobody answers."""

    def get(port, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 0, b""

    return get


@pytest.fixture
def scrape(ask):
    """`scrape(port)` -> (name, labels in order) -> value."""

    def samples(port):
        status, body = ask(port, "/metrics")
        assert status == 200
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
        }

    return samples


RECEPTIONS, START_US = 700, 1_790_000_000_000_000
REPLAY = "".join(
    json.dumps({"at_us": START_US + n * 10_000, "receiver": "r/1", "tag": f"epc:{n % 7}"}) + "\n"
    for n in range(RECEPTIONS)
) + json.dumps({"until_us": START_US + 20_000_000}) + "\n"  # fmt: skip
"""Seven seconds of seven tags, and a marker that closes every window."""


def test_what_is_not_asked_for_is_not_loaded(write_settings, replay_reader, tmp_path):
    config = write_settings(replay_reader(tmp_path / "r.jsonl"))
    script = (
        "import sys; from pathlib import Path; import edge_agent.cli; "
        "from edge_agent.settings import load; load(Path(sys.argv[1])); "
        "print([n for n in ('prometheus_client', 'http.server') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, config], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_numbers_of_a_known_input(
    start_agent, gateway_settings, make_pipeline, gateway, replay_reader, tmp_path, wait_for,
    scrape, ask,
):  # fmt: skip
    pipeline = make_pipeline(gateway)
    pipeline.acknowledging = False
    file, port = tmp_path / "r.jsonl", free_port()
    file.write_text(REPLAY)
    config = gateway_settings(
        replay_reader(file), extra=f'metrics_address = "127.0.0.1:{port}"\nstatus_s = 0.5'
    )
    process = start_agent(config)
    wait_for(lambda: ask(port, "/health")[0] == 200)
    reads = ("biotrakr_agent_reads_total", "replay", "sim")
    wait_for(lambda: scrape(port)[reads] == RECEPTIONS and pipeline.batches)
    held = wait_for(
        lambda: (
            (s := scrape(port))["biotrakr_agent_batches_sent_total",] == len(pipeline.batches) and s
        )
    )
    assert held["biotrakr_agent_spool_batches",] == len(pipeline.batches) > 0
    assert held["biotrakr_agent_spool_bytes",] > 100
    assert 0 < held["biotrakr_agent_spool_oldest_seconds",] < 60
    assert held["biotrakr_agent_connected",] == held["biotrakr_agent_connects_total",] == 1
    assert held["biotrakr_agent_batches_acknowledged_total",] == 0
    assert held["biotrakr_agent_dropped_batches_total",] == 0
    assert held["biotrakr_agent_reader_state", "sim", "running"] == 1
    assert held["biotrakr_agent_reader_state", "sim", "failed"] == 0
    assert held["biotrakr_agent_clock_synchronised",] in (0, 1)
    assert abs(held["biotrakr_agent_clock_offset_seconds",]) < 0.1
    assert memory_mb(process) < 60

    pipeline.acknowledging = True
    pipeline.acknowledge(next(boot for boot, _ in pipeline.batches))
    wait_for(lambda: scrape(port)["biotrakr_agent_spool_batches",] == 0)
    after = scrape(port)
    assert after["biotrakr_agent_batches_acknowledged_total",] == len(pipeline.batches)
    assert after["biotrakr_agent_spool_oldest_seconds",] == 0


def memory_mb(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def test_health_says_what_is_wrong(
    start_agent, gateway_settings, replay_reader, tmp_path, wait_for, ask
):
    """A serial port that is not there, and a spool where a file stands in the way."""
    (tmp_path / "spool").write_text("a file where the folder should be")
    serial = (
        '[[readers]]\nname = "portal"\nkind = "serial"\nprotocol = "m100"\n'
        f'port = "{tmp_path}/tty"\nrequired = false\n'
    )
    port = free_port()
    start_agent(gateway_settings(serial, extra=f'metrics_address = "127.0.0.1:{port}"'))

    def failing():
        status, body = ask(port, "/health")
        bad = {
            c["name"]: c for c in json.loads(body or b'{"checks": []}')["checks"] if not c["good"]
        }
        assert status in (0, 503 if bad else 200)
        return bad

    bad = wait_for(lambda: (b := failing()).keys() == {"spool", "readers"} and b)
    assert "portal" in bad["readers"]["detail"]
    assert bad["spool"]["advice"]
    (tmp_path / "spool").unlink()
    wait_for(lambda: failing().keys() == {"readers"}, 15)


def test_a_port_that_is_taken_does_not_stop_a_gateway(
    start_agent, gateway_settings, make_pipeline, gateway, replay_reader, tmp_path, wait_for, broker
):
    pipeline = make_pipeline(gateway)
    (tmp_path / "r.jsonl").write_text(REPLAY)
    taken = f'metrics_address = "127.0.0.1:{broker.port}"'
    start_agent(gateway_settings(replay_reader(tmp_path / "r.jsonl"), extra=taken))
    wait_for(pipeline.reads)
    assert "no metrics error='cannot listen at" in (tmp_path / "agent.log").read_text()


def test_log_lines_as_json(start_agent, gateway_settings, replay_reader, tmp_path, wait_for):
    config = gateway_settings(replay_reader(tmp_path / "r.jsonl"))
    log = tmp_path / "json.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "edge_agent.cli", "run", "--config", config,
             "--log-format", "json"],
            stderr=output,
        )  # fmt: skip
        try:
            wait_for(lambda: "connected" in log.read_text())
        finally:
            process.terminate()
            process.wait(10)
    told = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"level", "logger", "message", "time"} <= set(told[0])
    starting = next(line for line in told if line["message"] == "starting")
    assert starting["fields"]["readers"] == 1
    assert (told[-1]["logger"], told[-1]["message"]) == ("edge.agent", "stopped")


@pytest.mark.parametrize("address", ["9465", "gateway", "127.0.0.1:x"])
def test_an_address_that_is_none(write_settings, replay_reader, tmp_path, address):
    config = write_settings(
        replay_reader(tmp_path / "r.jsonl"), extra=f'metrics_address = "{address}"'
    )
    done = subprocess.run(
        [sys.executable, "-m", "edge_agent.cli", "check-config", "--config", config],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        f"biotrakr-edge: metrics_address: '{address}' must look like 127.0.0.1:9464\n"
    )
