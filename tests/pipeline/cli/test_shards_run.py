"""`biotrakr run --shard i/n` on real services: new facilities, doubles, other numbers."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_gateway import FakeGateway, batch, now_us
from known_input import PIPELINE_CONFIG, KnownInput, Run, differences, make_input
from small_site import SITE, SITE_DATA

from pipeline.cli.stack import Child, Stack
from pipeline.registry.load import load_site
from pipeline.registry.sharding import slot
from pipeline.registry.site_file import SiteFile, parse_site

PROGRAM = [sys.executable, "-m", "pipeline.cli.main", "--log-level", "INFO"]


def addresses(stack: Stack) -> dict[str, str]:
    return {
        "BIOTRAKR_DATABASE_URL": stack.database_url_pipeline,
        "BIOTRAKR_MQTT_URL": stack.mqtt_url,
    }


def start_shard(stack: Stack, shard: str, *options: str) -> Child:
    name = "shard-" + shard.replace("/", "-of-")
    recovery = str(stack.directory / "recovery")
    command = [*PROGRAM, "run", "--shard", shard, "--recovery-directory", recovery, *options]
    child = Child(name, command, addresses(stack), stack.directory / f"{name}.log")
    stack.children[name] = child
    return child


def run_once(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words],
        env={**os.environ, **addresses(stack)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def another(facility: str) -> SiteFile:
    data = copy.deepcopy(SITE_DATA)
    data["facility"] = {"code": facility, "name": facility}
    data["assets"][0]["tags"] = [f"ble:a4c1380000{len(facility):02x}"]
    return parse_site(data)


def heard(stack: Stack, facility: str) -> None:
    """A gateway of the facility sends, as often as it takes to be acknowledged."""
    with FakeGateway(stack, facility=facility) as gateway:
        for _ in range(60):
            gateway.send(batch(1, now_us()))
            try:
                gateway.wait_for_ack(1, 0.5)
            except AssertionError:
                continue
            return
    words = "\n".join(child.last_words() for child in stack.children.values())
    raise AssertionError(f"{facility} is not acknowledged\n{words}")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("shards")) as stack:
        stack.prepare(SITE)
        yield stack


def test_a_facility_that_is_registered_later_is_heard_by_its_shard(stack: Stack) -> None:
    """Without a restart, and by no other shard."""
    shards = [start_shard(stack, f"{i}/2") for i in range(2)]
    heard(stack, "north")
    new = [next(f"new{n}" for n in range(50) if slot(f"acme/new{n}", 2) == i) for i in range(2)]
    for facility in new:
        with stack.connect() as connection:
            load_site(connection, another(facility))
        heard(stack, facility)
    with stack.connect() as connection:
        dead = connection.execute("select topic, reason from pipeline.dead_letter").fetchall()
        told = connection.execute(
            "select count(*) from pipeline.gateway_progress where sequence = 1"
        ).fetchone()
    assert dead == [], "a shard that heard what is not its own would have refused it"
    assert told == (3,)
    assert all(shard.running for shard in shards)


@pytest.mark.long
def test_the_same_shard_twice(stack: Stack) -> None:
    done = run_once(
        stack, "run", "--shard", "0/2", "--recovery-directory", str(stack.directory / "r")
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "shard-0-of-2 is already running" in done.stderr


def test_other_numbers_are_refused(stack: Stack) -> None:
    kept = ("--recovery-directory", str(stack.directory / "recovery"))
    done = run_once(stack, "run", "--shard", "0/3", *kept)
    assert done.returncode == 2
    assert "holds the state of shard-0-of-2, shard-1-of-2" in done.stderr
    assert "biotrakr shards rescale" in done.stderr
    done = run_once(
        stack, "run", "--shard", "2/3", "--recovery-directory", str(stack.directory / "r")
    )
    assert done.returncode == 2
    assert "shard-2-of-3 cannot run beside shard-0-of-2, shard-1-of-2" in done.stderr


def test_a_killed_shard_starts_again_at_once(stack: Stack) -> None:
    shard = stack.children["shard-0-of-2"]
    shard.kill()
    shard.restart()
    time.sleep(3.0)
    assert shard.running, shard.last_words()


def test_list_tells_who_would_move(stack: Stack) -> None:
    done = run_once(stack, "shards", "list", "--from", "2", "--to", "3")
    assert done.returncode == 0, done.stderr
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    moved = [line for line in done.stdout.splitlines() if "was" in line]
    assert "acme/north" in listed and len(listed) == 3
    expected = [f for f in listed if slot(f, 2) != slot(f, 3)]
    assert [line.split()[0] for line in moved] == expected


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> KnownInput:
    return make_input(tmp_path_factory.mktemp("input"), 60.0)


@pytest.mark.long
def test_the_number_changes_under_way_and_the_tables_are_those_of_one_process(
    known: KnownInput, tmp_path: Path
) -> None:
    """all -> 2 -> 3 shards, killed each time with kill -9, while gateways go on sending."""
    with Stack(tmp_path / "one") as stack:
        run = Run(stack, known)
        run.start(seconds=4.0)
        run.wait(60.0)
        expected = run.tables()
    with Stack(tmp_path / "many") as stack:
        run = Run(stack, known)
        run.start(seconds=24.0)
        config = stack.directory / "pipeline.toml"
        assert config.read_text() == PIPELINE_CONFIG
        wait_for_reads(run, known.reads // 4)
        stack.children.pop("pipeline").kill()
        for count in (2, 3):
            rescaled(stack, count)
            shards = [
                start_shard(stack, f"{i}/{count}", "--config", str(config)) for i in range(count)
            ]
            if count == 2:
                wait_for_reads(run, known.reads // 2)
                for shard in shards:
                    shard.kill()
                    del stack.children[shard.name]
        run.wait(90.0)
        assert differences(expected, run.tables()) == []


def wait_for_reads(run: Run, reads: int) -> None:
    deadline = time.monotonic() + 60
    while run.progress()[0] < reads:
        assert time.monotonic() < deadline, run.progress()
        time.sleep(0.1)


def rescaled(stack: Stack, count: int) -> None:
    done = run_once(stack, "shards", "rescale", "--to", str(count),
                    "--recovery-directory", str(stack.directory / "recovery"))  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 buildings" in done.stdout and "MQTT session(s) closed" in done.stdout
