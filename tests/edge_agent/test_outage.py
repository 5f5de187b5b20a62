"""The broker is away for long and the agent is killed meanwhile: everything arrives once, in order.

The long form is a day at 300 reads a second: 26 million reads, which wait in the spool.
"""

import random
import statistics
import threading
import time

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.decoders import m100
from edge_agent.decoders.gen2 import tag_crc
from pipeline.contracts import codec, topics
from pipeline.contracts.messages import Ack

W = 1_000_000
T0 = 1_700_000_000 * W
A_SECOND = 300
KILLS = 10


def write_reads(path, seconds):
    """300 tags, each heard once a second: every line becomes one read of its own."""
    tail = [
        f',"receiver":"r/1","tag":"epc:{tag:04x}","rssi_dbm":-50}}\n' for tag in range(A_SECOND)
    ]
    with path.open("w", buffering=1 << 20) as file:
        for second in range(seconds):
            base_us = T0 + second * W
            file.write(
                "".join([f'{{"at_us":{base_us + 3000 * tag}{tail[tag]}' for tag in range(A_SECOND)])
            )
        file.write(f'{{"until_us":{T0 + seconds * W}}}\n')


class Ledger:
    """What the pipeline would do: counts every read, acknowledges a few times a second."""

    def __init__(self, broker, gateway, seconds):
        self._topic = {
            name: topics.gateway("acme", "north", gateway, name) for name in ("reads", "ack")
        }
        self._gateway = gateway
        self.seen = np.zeros((seconds, A_SECOND), np.uint16)
        self.live = {}  # number said by the live reader -> when it came
        self.disorder = 0
        self.repeats = 0
        self._kept = {}  # boot -> sequences beyond the contiguous ones
        self._reached = {}
        self._last_second = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"ledger-{gateway}")
        self._client.username_pw_set(*broker.credentials())
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(self._topic["reads"], 1)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._acknowledge, daemon=True)
        self._thread.start()

    def _on_message(self, _client, _data, message):
        batch = codec.decode_batch(message.payload)
        reached = self._reached.setdefault(batch.boot, 0)
        ahead = self._kept.setdefault(batch.boot, {})
        self._note_live(batch)
        if batch.sequence <= reached or batch.sequence in ahead:
            self.repeats += 1
            return
        ahead[batch.sequence] = batch
        while (following := ahead.pop(self._reached[batch.boot] + 1, None)) is not None:
            self._reached[batch.boot] += 1
            self._take(following)

    def _take(self, batch):
        """In the order of sequences, which is the order of the reader."""
        if len(batch) == 0 or batch.receivers != ["r/1"]:
            return
        at_us = batch.start_us + np.frombuffer(batch.offset_us, "<u4").astype(np.int64)
        tags = np.array([int(tag[4:], 16) for tag in batch.tags])
        tag = tags[np.frombuffer(batch.tag_index, "<u2")]
        second = (at_us - T0) // W
        np.add.at(self.seen, (second, tag), 1)
        newest = self._last_second.get("r/1", -1)
        self.disorder += int((np.diff(second) < 0).sum()) + int(second[0] < newest)
        self._last_second["r/1"] = int(second[-1])

    def _note_live(self, batch):
        now_s = time.monotonic()
        for tag in batch.tags:
            if len(tag) > 20:
                self.live.setdefault(int(tag[4:], 16), now_s)

    def _acknowledge(self):
        told = {}
        while not self._stopping.wait(0.2):
            for boot, sequence in list(self._reached.items()):
                if told.get(boot) != sequence:
                    told[boot] = sequence
                    ack = Ack(gateway=self._gateway, boot=boot, sequence=sequence)
                    payload = codec.encode_json(ack)
                    self._client.publish(self._topic["ack"], payload, qos=1, retain=True)

    def close(self):
        self._stopping.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()


class LiveTags:
    """An M100 module that hears another tag every 100 ms, numbered."""

    def __init__(self):
        self.said = {}
        self._next_s = 0.0

    def __call__(self, _data):
        now_s = time.monotonic()
        number = len(self.said) + 1
        self.said[number] = now_s
        pc_epc = b"\x30\x00" + number.to_bytes(12, "big")
        data = b"\xcf" + pc_epc + tag_crc(pc_epc).to_bytes(2, "big")
        return m100.encode(m100.MULTI_POLL, data, kind=m100.NOTICE)


def serial(link):
    return (
        f'[[readers]]\nname = "live"\nkind = "serial"\nprotocol = "m100"\n'
        f'port = "{link}"\nrequired = false\n'
    )


@pytest.mark.parametrize(
    "seconds, in_flight",
    [
        pytest.param(400, 1, id="scaled"),  # one batch at a time, so that the drain takes a while
        pytest.param(86_400, 100, id="a-day", marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
)
def test_a_long_outage(
    seconds, in_flight, plug_in, start_agent, gateway_settings, replay_reader, broker, gateway,
    wait_for, tmp_path,
):  # fmt: skip
    chance = random.Random(11)
    path = tmp_path / "run.jsonl"
    write_reads(path, seconds)
    live = LiveTags()
    device = plug_in(live)
    config = gateway_settings(
        replay_reader(path) + serial(device.link),
        spool=f"max_bytes = {8 << 30}",
        broker_options=f"ack_timeout_s = 2.0\nmax_in_flight = {in_flight}",
        extra="status_s = 0.5",
    )
    ledger = Ledger(broker, gateway, seconds)
    broker.stop()
    try:
        process = start_agent(config)
        began_s = time.monotonic()
        taken_in = tmp_path / "spool" / "spool.sqlite"
        per_kill_s = max(0.9, seconds / 86_400 * 45)
        for _ in range(KILLS - 3):
            time.sleep(per_kill_s * (0.5 + chance.random()))
            process.kill()
            process.wait()
            process = start_agent(config)
        wait_for(lambda: _taken_in(taken_in, seconds), 120 + seconds / 20, "the day to be taken in")
        print(f"\n{seconds * A_SECOND} reads taken in after {time.monotonic() - began_s:.0f} s, "
              f"{_size_mb(taken_in):.0f} MB")  # fmt: skip
        broker.start()
        drained_s = time.monotonic()
        for _ in range(3):
            before = int(ledger.seen.sum())
            wait_for(lambda before=before: ledger.seen.sum() > before, 60, "the drain to go on")
            time.sleep(0.3 * chance.random())
            process.kill()
            process.wait()
            process = start_agent(config)
        calm_s = time.monotonic() + 1.0
        wait_for(ledger.seen.all, 120 + seconds / 40, "every read")
        ended_s = time.monotonic()
        time.sleep(2.5)
    finally:
        ledger.close()
    assert ledger.seen.max() == 1, "a read came twice"
    assert ledger.disorder == 0
    delays = [
        at_s - live.said[number]
        for number, at_s in ledger.live.items()
        if calm_s < live.said[number] < ended_s
    ]
    print(
        f"drained in {ended_s - drained_s:.0f} s with {ledger.repeats} repeats; live reads "
        f"meanwhile: {len(delays)}, delay median {statistics.median(delays):.2f} s, "
        f"largest {max(delays):.2f} s"
    )
    assert len(delays) >= 2
    assert max(delays) < 5.0, "live reads were starved"


def _taken_in(path, seconds):
    """The replay's promise has reached the end of its file."""
    import json
    import sqlite3

    try:
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            row = database.execute("SELECT value FROM cursors").fetchone()
        finally:
            database.close()
    except sqlite3.Error:
        return False
    return row is not None and (json.loads(row[0])["closed_us"] or 0) >= T0 + seconds * W


def _size_mb(path):
    """With what is still in the log beside it."""
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*")) / 1e6
