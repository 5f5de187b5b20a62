"""What happens to gateways in the field: each trouble shows in the status, and ends."""

import json
import os
import subprocess
import sys
from itertools import pairwise

import pytest
from fault_injection.disks import Disks, NoDisksError

M100_TAG = bytes.fromhex("bb02220011cf3000e280699500005009f1286992620a6d7e")
H = 3600 * 1_000_000


def serial(link):
    return (
        f'[[readers]]\nname = "door"\nkind = "serial"\nprotocol = "m100"\n'
        f'port = "{link}"\nrequired = false\n'
    )


def status(file):
    done = subprocess.run(
        [sys.executable, "-m", "edge_agent.cli", "status", "--file", file],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


class Card:
    """A small disk of its own, which can become read-only as a worn memory card does."""

    def __init__(self, folder):
        self.folder = folder
        try:
            self._disks = Disks({folder: 64 << 20})
        except NoDisksError as error:
            pytest.skip(f"no disk of its own can be had here: {error}")
        self.prefix = self._disks.prefix
        self.close = self._disks.close

    def remount(self, how):
        # Joined without another user's name, we are root of the name space.
        inside = ["nsenter", f"--target={self._disks._holder.pid}", "--user", "--mount"]
        command = [*inside, "--preserve-credentials", "mount", f"-oremount,{how}", self.folder]
        subprocess.run(command, check=True)


@pytest.fixture
def card(tmp_path):
    card = Card(tmp_path / "spool")
    yield card
    card.close()


@pytest.fixture
def run_on(card, tmp_path):
    """`run_on(config)` -> an agent that sees the card."""
    started = []
    log = (tmp_path / "agent.log").open("ab")

    def run(config):
        command = [*card.prefix, sys.executable, "-m", "edge_agent.cli", "run", "--config", config]
        started.append(subprocess.Popen(command, stdout=log, stderr=log))
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
    log.close()


def test_a_read_only_file_system(
    card, run_on, plug_in, gateway_settings, make_pipeline, gateway, wait_for, tmp_path
):
    """With a backlog on it: reads go on in memory, and the backlog comes when it can be written."""
    pipeline = make_pipeline(gateway)
    pipeline.acknowledging = False
    device = plug_in(lambda data: M100_TAG)
    file = tmp_path / "status.json"
    config = gateway_settings(
        serial(device.link), extra=f'status_s = 0.5\nmerge_window_s = 0.2\nstatus_file = "{file}"'
    )
    process = run_on(config)
    wait_for(lambda: len(pipeline.reads()) > 2)
    process.terminate()
    process.wait(10)
    backlog = set(pipeline.batches)
    card.remount("ro")

    pipeline.batches.clear()
    pipeline.acknowledging = True
    run_on(config)
    _, said = wait_for(lambda: (s := status(file))[0] == 1 and s)
    assert "BAD  spool" in said and "the file system is read-only" in said
    assert "reads are kept in memory meanwhile" in said
    wait_for(pipeline.reads)
    assert not backlog & set(pipeline.batches)

    card.remount("rw")
    wait_for(lambda: backlog <= set(pipeline.batches), 20, "the backlog")
    wait_for(lambda: status(file)[0] == 0, 20)


JUMPING = """
import asyncio, logging, signal, sys, time
from pathlib import Path
from edge_agent.agent import Agent
from edge_agent.clock import EventClock
from edge_agent.settings import load
offset = Path(sys.argv[2])
def wall_us():
    return time.time_ns() // 1000 + int(offset.read_text() or 0)
async def main():
    agent = Agent(load(Path(sys.argv[1])), EventClock(wall_us=wall_us))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, agent.stop)
    await agent.run()
logging.basicConfig(level="INFO")
asyncio.run(main())
"""


def test_a_clock_that_jumps_both_ways(
    plug_in, gateway_settings, make_pipeline, gateway, wait_for, tmp_path
):
    """Event time follows; nothing is lost, nothing comes twice, no promise is broken."""
    pipeline = make_pipeline(gateway)
    device = plug_in(lambda data: M100_TAG)
    file, offset = tmp_path / "status.json", tmp_path / "offset"

    def set_clock(us):
        draft = tmp_path / "draft"
        draft.write_text(str(us))
        draft.replace(offset)

    set_clock(0)
    config = gateway_settings(
        serial(device.link), extra=f'status_s = 0.5\nmerge_window_s = 0.2\nstatus_file = "{file}"'
    )
    with (tmp_path / "jump.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", JUMPING, config, offset], stderr=log, env=dict(os.environ)
        )
        try:
            wait_for(pipeline.reads)
            first = pipeline.reads()[0][2]
            boots = {boot for boot, _ in pipeline.batches}
            set_clock(H)
            wait_for(lambda: any(row[2] > first + H for row in pipeline.reads()))
            assert {boot for boot, _ in pipeline.batches} == boots  # forward: the same stream
            set_clock(-2 * H)
            wait_for(lambda: any(row[2] < first - H for row in pipeline.reads()))
            later = {boot for boot, _ in pipeline.batches} - boots
            assert len(later) == 1  # back: a new stream, not bound by what the old one promised
            _, said = wait_for(lambda: (s := status(file))[0] == 0 and "2 steps" in s[1] and s)
            assert "clock" in said
        finally:
            process.terminate()
            process.wait(10)
    wait_for(lambda: pipeline.statuses[-1].state == "offline")
    for boot in boots | later:
        mine = [pipeline.batches[key] for key in sorted(pipeline.batches) if key[0] == boot]
        assert [batch.sequence for batch in mine] == list(range(1, len(mine) + 1))
        # What a batch promises holds for all that follow.
        for batch, following in pairwise(mine):
            assert following.until_us >= batch.until_us
            assert len(following) == 0 or following.start_us >= batch.until_us


def test_a_cable_that_is_pulled_and_put_back(
    plug_in, start_agent, gateway_settings, make_pipeline, gateway, wait_for, tmp_path
):
    """Another terminal number each time, the same name by serial number."""
    pipeline = make_pipeline(gateway)
    device = plug_in(lambda data: M100_TAG)
    file = tmp_path / "status.json"
    config = gateway_settings(
        serial(device.link), extra=f'status_s = 0.5\nmerge_window_s = 0.2\nstatus_file = "{file}"'
    )
    start_agent(config)
    for _ in range(2):
        wait_for(lambda: status(file)[0] == 0, 20)
        count = len(pipeline.reads())
        wait_for(lambda count=count: len(pipeline.reads()) > count)
        device.unplug()
        _, said = wait_for(lambda: (s := status(file))[0] == 1 and s)
        assert "BAD  readers" in said and "door (" in said
        device.plug()
    wait_for(lambda: status(file)[0] == 0, 20)
    reader = json.loads(file.read_text())["status"]["readers"][0]
    assert reader["restarts"] >= 2
