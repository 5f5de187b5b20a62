"""Killed and stopped at random moments: afterwards every read was delivered exactly once."""

import json
import random
import time

W = 1_000_000
T0 = 1_700_000_000 * W
READS = 4000


def lines():
    """Four tags a second heard by two receivers; every line is one merged read."""
    for n in range(READS):
        at_us = T0 + n // 4 * W + n % 4
        yield {"at_us": at_us, "receiver": f"r/{n % 2 + 1}", "tag": f"epc:{n:x}", "rssi_dbm": -50}
    yield {"until_us": T0 + READS * W}


def test_every_read_exactly_once(
    start_agent, gateway_settings, replay_reader, make_pipeline, gateway, wait_for, tmp_path
):
    chance = random.Random(7)
    path = tmp_path / "run.jsonl"
    pipeline = make_pipeline(gateway)
    config = gateway_settings(
        replay_reader(path), broker_options="ack_timeout_s = 0.5\nmax_in_flight = 5"
    )
    wanted, delivered = list(lines()), []
    with path.open("w") as file:
        process = start_agent(config)
        for turn in range(8):
            had = len(pipeline.batches)
            for n, record in enumerate(wanted[turn * 500 : (turn + 1) * 500]):
                if n == 250:  # it is at work: the rest comes while it is killed
                    file.flush()
                    wait_for(lambda had=had: len(pipeline.batches) > had, 20, "an agent at work")
                file.write(json.dumps(record) + "\n")
                if chance.random() < 0.02:
                    file.flush()
                    time.sleep(0.01)
            time.sleep(chance.random() * 0.3)
            delivered.append(len(pipeline.batches))
            process.kill() if turn % 4 else process.terminate()
            process.wait()
            process = start_agent(config)
        file.write("".join(json.dumps(record) + "\n" for record in wanted[4000:]))
    expected = {(r["tag"], r["receiver"], r["at_us"]) for r in wanted if "tag" in r}
    wait_for(lambda: len(pipeline.reads()) >= len(expected), 30, "every read")
    time.sleep(0.5)
    assert len(set(delivered)) > 4, "the agent was never killed at work"
    reads = [row[:3] for row in pipeline.reads()]
    assert len(reads) == len(set(reads)) == len(expected)
    assert set(reads) == expected
    assert all(row[3] == 1 for row in pipeline.reads())
    assert [row[2] for row in reads] == sorted(row[2] for row in reads)
    (boot,) = {boot for boot, _ in pipeline.batches}
    assert sorted(s for _, s in pipeline.batches) == list(range(1, len(pipeline.batches) + 1)), boot
