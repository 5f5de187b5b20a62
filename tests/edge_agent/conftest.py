"""Fixtures of the agent's tests: settings files, agents as processes, a real broker, devices."""

import hashlib
import os
import select
import struct
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.batch import Draft
from edge_agent.merge import MergedRead
from pipeline.contracts import codec, topics
from pipeline.contracts.messages import Ack, GatewayStatus
from pipeline.contracts.reads import COLUMNS
from pipeline.embedded import start_broker

ORGANIZATION, FACILITY, GATEWAY = "acme", "north", "g1"


@pytest.fixture
def write_settings(tmp_path):
    """`write_settings(readers, ...)` -> path of a configuration file."""

    def write(readers, *, url="mqtt://127.0.0.1:1", broker="", spool="", extra="", gateway=GATEWAY):
        path = tmp_path / "gateway.toml"
        path.write_text(
            f'organization = "{ORGANIZATION}"\nfacility = "{FACILITY}"\ngateway = "{gateway}"\n'
            f"{extra}\n"
            f'[broker]\nreconnect_s = 0.1\nurl = "{url}"\n{broker}\n'
            f'[spool]\npath = "{tmp_path}/spool/spool.sqlite"\n{spool}\n{readers}\n'
        )
        return path

    return write


@pytest.fixture
def replay_reader(tmp_path):
    """The [[readers]] section of a replay file."""

    def section(path, *, name="sim", follow=True, extra=""):
        return (
            f'[[readers]]\nname = "{name}"\nkind = "replay"\npath = "{path}"\n'
            f"follow = {str(follow).lower()}\n{extra}\n"
        )

    return section


@pytest.fixture
def start_agent(tmp_path):
    """`start_agent(config)` -> a running `biotrakr-edge run`; killed at the end by its id."""
    started = []
    log = (tmp_path / "agent.log").open("ab")

    def start(config, **environment):
        process = subprocess.Popen(
            [sys.executable, "-m", "edge_agent.cli", "run", "--config", config],
            stdout=log,
            stderr=log,
            env={**os.environ, **environment},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
    log.close()


@pytest.fixture
def wait_for():
    """`wait_for(condition, seconds)`: its first true value; fails when the time is over."""

    def wait(condition, seconds=10.0, what="the condition"):
        until_s = time.monotonic() + seconds
        while True:
            if value := condition():
                return value
            assert time.monotonic() < until_s, f"waited {seconds} s for {what}"
            time.sleep(0.02)

    return wait


@pytest.fixture
def draft():
    """`draft(until_us, reads=1)`: a batch before it has a number."""

    def make(until_us=0, reads=1, *, synchronised=True, anchor_us=None):
        rows = [MergedRead(f"epc:{n}", "r/1", 2, until_us, 1, -5000, -5000) for n in range(reads)]
        return Draft("g1", rows, until_us, synchronised, anchor_us)

    return make


@pytest.fixture(scope="session")
def session_broker():
    with start_broker(autosave_s=1) as broker:
        yield broker


@pytest.fixture
def broker(session_broker):
    """A running real broker; a test may stop, kill and wipe it."""
    session_broker.start()
    yield session_broker
    session_broker.start()


class Pipeline:
    """What the pipeline does at the broker: takes batches in once, and acknowledges them.

    `acknowledging`: off, batches are taken in but never acknowledged. `held`: takes none in.
    """

    def __init__(self, broker, gateway):
        self._broker = broker
        self._topic = {
            name: topics.gateway(ORGANIZATION, FACILITY, gateway, name)
            for name in ("reads", "status", "ack")
        }
        self.gateway = gateway
        self.acknowledging = True
        self.received = []  # every batch as it came, repeats too
        self.batches = {}  # (boot, sequence) -> batch
        self.payloads = {}
        self.statuses = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"pipeline-{gateway}")
        self._client.username_pw_set(*broker.credentials())
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def _on_connect(self, client, *_rest):
        client.subscribe([(self._topic["reads"], 1), (self._topic["status"], 1)])

    def _on_message(self, _client, _data, message):
        if message.topic == self._topic["status"]:
            self.statuses.append(codec.decode_json(GatewayStatus, message.payload))
            return
        batch = codec.decode_batch(message.payload)
        key = (batch.boot, batch.sequence)
        self.received.append(key)
        if key in self.batches:
            assert _content(batch) == _content(self.batches[key]), "a sequence was used twice"
        self.batches[key] = batch
        if self.acknowledging:
            self.acknowledge(batch.boot)

    def acknowledge(self, boot, sequence=None):
        """Up to `sequence`, or as far as there is no gap."""
        if sequence is None:
            sequence = 0
            while (boot, sequence + 1) in self.batches:
                sequence += 1
        ack = Ack(gateway=self.gateway, boot=boot, sequence=sequence)
        self._client.publish(self._topic["ack"], codec.encode_json(ack), qos=1, retain=True)

    def reads(self):
        """(tag, receiver, event time, count) of everything taken in, once each, in order."""
        return [row for key in sorted(self.batches) for row in rows_of(self.batches[key])]

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


def _content(batch):
    """Without what depends on when it is sent."""
    sent = {"oldest": 1, "clock": None, "sent_us": None, "earlier": {}}
    return batch.model_copy(update=sent)


def rows_of(batch):
    """The rows of a batch as tuples."""
    columns = [
        struct.unpack(f"<{len(batch)}{code}", getattr(batch, name))
        for name, code in COLUMNS.items()
    ]
    return [
        (batch.tags[tag], batch.receivers[receiver], batch.start_us + offset, count, rssi, peak)
        for tag, receiver, offset, rssi, peak, count, _kind in zip(*columns, strict=True)
    ]


@pytest.fixture
def make_pipeline(broker):
    """`make_pipeline(gateway)` -> a Pipeline at the broker."""
    made = []

    def make(gateway):
        made.append(Pipeline(broker, gateway))
        return made[-1]

    yield make
    for pipeline in made:
        pipeline.close()


@pytest.fixture
def gateway(request):
    """A gateway name of this test alone: its retained messages meet no other test."""
    return "g" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:8]


@pytest.fixture
def gateway_settings(write_settings, broker, gateway, tmp_path):
    """`gateway_settings(readers, ...)`: settings of this test's gateway at the real broker."""

    def write(readers, *, broker_options="", password=None, **options):
        user = topics.gateway_user(ORGANIZATION, FACILITY, gateway)
        file = tmp_path / "password"
        file.write_text(password or broker.credentials(user).password)
        options.setdefault("url", broker.url)
        lines = f'password_file = "{file}"\n{broker_options}'
        return write_settings(readers, broker=lines, gateway=gateway, **options)

    return write


class Device:
    """A device on a pseudo-terminal. `answer(bytes) -> bytes` is called for what the host writes.

    `link` is a stable name for the port, as udev would make it; `unplug` and `plug` the cable.
    """

    def __init__(self, link, answer):
        self.link = Path(link)
        self.answer = answer
        self.heard = bytearray()
        self._controller = None
        self.plug()

    def plug(self):
        self._controller, port = os.openpty()
        tty.setraw(port)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(port))
        os.close(port)
        threading.Thread(target=self._serve, args=(self._controller,), daemon=True).start()

    def unplug(self):
        self.link.unlink(missing_ok=True)
        controller, self._controller = self._controller, None
        if controller is not None:
            # The thread may be reading: dup2 over it ends the terminal without freeing the number.
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, controller)
            os.close(null)

    def say(self, data):
        os.write(self._controller, data)

    def _serve(self, controller):
        arrival = select.poll()
        arrival.register(controller, select.POLLIN)
        while True:
            # Never inside a read that has to wait: it would keep an unplugged terminal alive.
            events = arrival.poll(20)
            if self._controller != controller:
                return  # unplugged
            if not events or not events[0][1] & select.POLLIN:
                threading.Event().wait(0.01 if events else 0)  # nobody has opened the port
                continue
            try:
                data = os.read(controller, 4096)
            except OSError:
                continue
            if not data:
                return
            self.heard += data
            if (reply := self.answer(data)) and self._controller == controller:
                os.write(controller, reply)


@pytest.fixture
def plug_in(tmp_path):
    """`plug_in(answer)` -> a Device."""
    devices = []

    def plug(answer):
        devices.append(Device(tmp_path / f"tty{len(devices)}", answer))
        return devices[-1]

    yield plug
    for device in devices:
        device.unplug()


@pytest.fixture
def bus_address(tmp_path, monkeypatch):
    """A private D-Bus that everybody in this test takes for the system's."""
    address = f"unix:path={tmp_path}/bus"
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address={address}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout.readline()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address
        daemon.terminate()
