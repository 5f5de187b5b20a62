"""The service manager is told the truth: a real agent against a real notification socket."""

import os
import socket
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from edge_agent.pulse import Pulse
from edge_agent.service import ServiceManager

M100_TAG = bytes.fromhex("bb02220011cf3000e280699500005009f1286992620a6d7e")


class Manager:
    """What systemd does with NOTIFY_SOCKET."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + path[1:] if path.startswith("@") else path)
        self._socket.settimeout(0.02)
        self.told = []

    def heard(self, prefix):
        try:
            while True:
                self.told.append((time.monotonic(), self._socket.recv(4096).decode()))
        except TimeoutError:
            pass
        return [entry for entry in self.told if entry[1].startswith(prefix)]

    def close(self):
        self._socket.close()


@pytest.fixture
def manager(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    yield manager
    manager.close()


def serial(link):
    return (
        f'[[readers]]\nname = "door"\nkind = "serial"\nprotocol = "m100"\n'
        f'port = "{link}"\nrequired = false\n'
    )


def test_ready_status_watchdog_and_stopping(
    manager, plug_in, start_agent, gateway_settings, make_pipeline, gateway, wait_for, tmp_path
):
    pipeline = make_pipeline(gateway)
    device = plug_in(lambda data: M100_TAG)
    process = start_agent(
        gateway_settings(serial(device.link), extra="status_s = 0.5"),
        NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="2000000",
    )  # fmt: skip
    wait_for(lambda: manager.heard("READY=1"))
    wait_for(pipeline.reads)
    wait_for(lambda: manager.heard("STATUS=connected, 1 of 1 readers run, 0 batches wait"))
    wait_for(lambda: len(manager.heard("WATCHDOG=1")) >= 8)
    fed = [at_s for at_s, _ in manager.heard("WATCHDOG=1")]
    assert max(later - sooner for sooner, later in pairwise(fed)) < 2.0
    # A reader that is gone is trouble, and no reason to start the agent again.
    device.unplug()
    wait_for(lambda: manager.heard("STATUS=connected, 0 of 1 readers run"))
    manager.told.clear()
    wait_for(lambda: len(manager.heard("WATCHDOG=1")) >= 3)
    process.terminate()
    process.wait(10)
    assert manager.heard("STOPPING=1")


STUCK = """
import asyncio, sys, threading, time
from pathlib import Path
from edge_agent import agent as module, reader_tasks
from edge_agent.agent import Agent
from edge_agent.settings import load
module._WRITER_STUCK_S = module._PUBLISHER_STUCK_S = reader_tasks.STUCK_S = 2.0
what = sys.argv[2]
forever = threading.Event().wait
async def main():
    agent = Agent(load(Path(sys.argv[1])))
    loop = asyncio.get_running_loop()
    def hang():
        if what == "writer":
            agent.stores.append_live = lambda batches: forever()
        elif what == "publisher":
            agent.publisher._serve = lambda connection: forever()
        elif what == "reader":
            import serial
            serial.Serial = lambda *_, **__: forever()
    if what == "reader":
        hang()
    else:
        loop.call_later(1.0, hang)
    if what == "loop":
        loop.call_later(1.0, time.sleep, 1000)
    await agent.run()
asyncio.run(main())
"""


@pytest.mark.parametrize("what", ["writer", "publisher", "reader", "loop"])
def test_whichever_loop_hangs_the_watchdog_starves(
    manager, plug_in, gateway_settings, wait_for, tmp_path, what
):
    """A real agent in which one part blocks for ever, as on a device that never answers."""
    device = plug_in(lambda data: M100_TAG)
    config = gateway_settings(serial(device.link), extra="status_s = 0.5")
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "800000"}
    log = (tmp_path / "stuck.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, config, what], env=os.environ | environment, stderr=log
    )
    try:
        wait_for(lambda: manager.heard("WATCHDOG=1"))

        def starved():
            fed = manager.heard("WATCHDOG=1")
            return time.monotonic() - fed[-1][0] > 1.2

        wait_for(starved, 15, "an end of feeding")
        time.sleep(0.5)
        assert starved() and process.poll() is None
    finally:
        process.kill()
        process.wait()
        log.close()
    if what != "loop":
        named = {"writer": "loops=writer", "publisher": "loops=publisher"}
        assert named.get(what, "loops='reader door'") in (tmp_path / "stuck.log").read_text()


def test_an_abstract_socket(tmp_path):
    name = f"@biotrakr-test-{os.getpid()}"
    manager = Manager(name)
    ServiceManager({"NOTIFY_SOCKET": name}).ready()
    assert manager.heard("READY=1")
    manager.close()


@pytest.mark.parametrize(
    "environment, seconds",
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
    ],
)
def test_the_watchdogs_period(environment, seconds):
    assert ServiceManager(environment).watchdog_s == seconds


def test_without_a_manager_or_with_one_that_is_gone_nothing_happens(tmp_path):
    ServiceManager({}).ready()
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).alive()


def test_pulse():
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    first, second = pulse.expect("first", 10), pulse.expect("second", 60)
    now[0] = 11
    assert pulse.stuck() == {"first": 11.0}
    first()
    assert pulse.stuck() == {}
    now[0] = 61
    assert pulse.stuck() == {"first": 50.0, "second": 61.0}
    second()
    pulse.forget("first")
    assert pulse.stuck() == {}
