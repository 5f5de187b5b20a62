"""The agent as a process against a real Mosquitto: acks, a dead and a wiped broker, refusals."""

import json
import re
import sqlite3
import time

import pytest

from edge_agent.spool import Spool

W = 1_000_000
T0 = 1_700_000_000 * W


@pytest.fixture
def run_file(tmp_path):
    return tmp_path / "run.jsonl"


@pytest.fixture
def add_reads(run_file):
    """`add_reads(first, last)`: one read a second of event time, tag epc:<n>, and a marker."""

    def add(first, last):
        with run_file.open("a") as file:
            for n in range(first, last):
                record = {"at_us": T0 + n * W, "receiver": "r/1", "tag": f"epc:{n}"}
                file.write(json.dumps(record | {"rssi_dbm": -50}) + "\n")
            file.write(json.dumps({"until_us": T0 + last * W}) + "\n")

    return add


def tags(pipeline):
    return [row[0] for row in pipeline.reads()]


def names(first, last):
    return [f"epc:{n}" for n in range(first, last)]


def spooled(tmp_path):
    """Sequences in the spool; another process may have it open."""
    spool = Spool(tmp_path / "spool" / "spool.sqlite")
    try:
        return [batch.sequence for batch in spool.after(0, 1000)]
    finally:
        spool.close()


@pytest.fixture
def agent(start_agent, gateway_settings, replay_reader, run_file):
    """`agent(...)` -> a running agent that follows this test's file."""

    def start(**options):
        return start_agent(gateway_settings(replay_reader(run_file), **options))

    return start


def test_reads_arrive_and_leave_the_spool_at_the_ack(
    agent, add_reads, make_pipeline, gateway, wait_for, tmp_path
):
    pipeline = make_pipeline(gateway)
    pipeline.acknowledging = False
    add_reads(0, 5)
    agent()
    wait_for(lambda: tags(pipeline) == names(0, 5))
    time.sleep(0.3)  # the broker has confirmed long since
    assert len(spooled(tmp_path)) == len(pipeline.batches)
    boot = next(iter(pipeline.batches))[0]
    pipeline.acknowledge(boot)
    wait_for(lambda: spooled(tmp_path) == [])
    add_reads(5, 6)
    wait_for(lambda: tags(pipeline) == names(0, 6))
    newest = max(pipeline.batches)
    assert pipeline.batches[newest].oldest == newest[1]


def test_a_standing_ack_brings_everything_again_and_nothing_is_deleted(
    agent, add_reads, make_pipeline, gateway, wait_for, tmp_path
):
    pipeline = make_pipeline(gateway)
    pipeline.acknowledging = False
    add_reads(0, 3)
    agent(broker_options="ack_timeout_s = 0.5")
    wait_for(lambda: pipeline.received.count(min(pipeline.batches, default=None)) >= 3)
    assert tags(pipeline) == names(0, 3)
    assert len(spooled(tmp_path)) == len(pipeline.batches)


@pytest.mark.parametrize("wipe", [False, True])
def test_a_killed_broker_loses_nothing(
    agent, add_reads, make_pipeline, gateway, broker, wait_for, tmp_path, wipe
):
    pipeline = make_pipeline(gateway)
    add_reads(0, 3)
    agent(broker_options="ack_timeout_s = 1.0")
    wait_for(lambda: tags(pipeline) == names(0, 3))
    broker.kill()
    if wipe:
        broker.wipe()
    add_reads(3, 6)
    wait_for(lambda: len(spooled(tmp_path)) > 0)
    broker.start()
    add_reads(6, 9)
    wait_for(lambda: tags(pipeline) == names(0, 9), 20)
    wait_for(lambda: spooled(tmp_path) == [], 20)


def test_an_outage_of_the_pipeline_is_drained_oldest_first(
    agent, add_reads, make_pipeline, gateway, wait_for, tmp_path
):
    add_reads(0, 1)
    agent(broker_options="ack_timeout_s = 0.5\nmax_in_flight = 3")
    for n in range(1, 12):
        wait_for(lambda n=n: len(spooled(tmp_path)) >= min(n, 8))
        add_reads(n, n + 1)
    wait_for(lambda: len(spooled(tmp_path)) >= 8)
    pipeline = make_pipeline(gateway)
    wait_for(lambda: tags(pipeline) == names(0, 12), 20)
    first_seen = list(dict.fromkeys(pipeline.received))
    assert first_seen == sorted(first_seen)


def test_an_ack_that_makes_no_sense_is_refused(
    agent, add_reads, make_pipeline, gateway, wait_for, tmp_path
):
    pipeline = make_pipeline(gateway)
    pipeline.acknowledging = False
    add_reads(0, 2)
    agent(extra="status_s = 0.5")
    wait_for(lambda: tags(pipeline) == names(0, 2))
    boot = next(iter(pipeline.batches))[0]
    pipeline.acknowledge(boot, 10_000)
    pipeline.acknowledge("f" * 32, 2)
    for payload in (b"", b"rubbish", b'{"schema_version": 1}'):
        pipeline._client.publish(pipeline._topic["ack"], payload, qos=1)
    wait_for(lambda: pipeline.statuses and pipeline.statuses[-1].counters["strange_acks"] == 2)
    assert len(spooled(tmp_path)) == len(pipeline.batches)


def test_status_online_last_will_and_goodbye(agent, add_reads, make_pipeline, gateway, wait_for):
    pipeline = make_pipeline(gateway)
    add_reads(0, 2)
    process = agent()
    wait_for(lambda: tags(pipeline) == names(0, 2))
    online = wait_for(lambda: next((s for s in pipeline.statuses if s.readers[0].reads), None), 12)
    assert (online.state, online.readers[0].name, online.readers[0].state) == (
        ("online", "sim", "running")
    )
    assert online.spool.dropped_batches == 0 and online.boot == next(iter(pipeline.batches))[0]
    process.kill()
    wait_for(lambda: pipeline.statuses[-1].state == "offline")

    process = agent()
    wait_for(lambda: pipeline.statuses[-1].state == "online")
    began_s = time.monotonic()
    process.terminate()
    assert process.wait(5) == 0
    assert time.monotonic() - began_s < 2
    wait_for(lambda: pipeline.statuses[-1].state == "offline")
    late = make_pipeline(gateway)  # both are retained: a fresh subscriber sees the last one
    wait_for(lambda: late.statuses and late.statuses[0].state == "offline")


def test_refused_credentials_are_told_and_tried_again(
    agent, add_reads, make_pipeline, gateway, gateway_settings, wait_for, tmp_path, broker
):
    pipeline = make_pipeline(gateway)
    add_reads(0, 1)
    agent(password="wr0ng-Secret")
    log = tmp_path / "agent.log"
    wait_for(lambda: re.search(r"refused us: (Not authorized|Bad user)", log.read_text()))
    user = f"acme/north/gateways/{gateway}"
    (tmp_path / "password").write_text(broker.credentials(user).password + "\n")
    wait_for(lambda: tags(pipeline) == names(0, 1), 20)
    assert "wr0ng" not in log.read_text()
    assert broker.credentials(user).password not in log.read_text()


def test_no_broker_at_all_stops_in_time_too(agent, add_reads, wait_for, tmp_path):
    add_reads(0, 4)
    process = agent(url="mqtt://127.0.0.1:9")
    wait_for(lambda: (tmp_path / "spool" / "spool.sqlite").exists() and spooled(tmp_path))
    wait_for(lambda: "no connection to the broker" in (tmp_path / "agent.log").read_text())
    began_s = time.monotonic()
    process.terminate()
    assert process.wait(5) == 0 and time.monotonic() - began_s < 2


def test_the_log_is_one_line_an_event(agent, add_reads, wait_for, tmp_path):
    add_reads(0, 1)
    agent(url="mqtt://127.0.0.1:9")
    log = tmp_path / "agent.log"
    wait_for(lambda: "no connection" in log.read_text())
    for line in log.read_text().splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ edge\.\w+ ", line), line


def test_a_batch_that_cannot_be_read_is_given_up_and_the_rest_arrives(
    agent, add_reads, make_pipeline, gateway, wait_for, tmp_path
):
    """One damaged row must not stop what comes after it."""
    add_reads(0, 3)
    running = agent()
    wait_for(lambda: len(spooled(tmp_path)) >= 1)
    running.kill()
    running.wait()
    path = tmp_path / "spool" / "spool.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("UPDATE batches SET payload = x'c1c1' WHERE row = 1")
    database.close()
    pipeline = make_pipeline(gateway)
    add_reads(3, 6)
    agent()
    wait_for(lambda: set(names(3, 6)) <= set(tags(pipeline)))
    with sqlite3.connect(path) as database:
        counters = dict(database.execute("SELECT name, value FROM counters"))
    database.close()
    assert counters["dropped_batches"] == 1
