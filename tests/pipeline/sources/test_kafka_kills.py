"""Bridge -> log -> flow -> database, with kill -9 of bridge and flow: the tables MQTT gives."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from known_input import KnownInput, Run, differences, make_input

from pipeline.cli.stack import Child, Stack

BRIDGE = [sys.executable, "-m", "pipeline.cli.main", "--log-level", "INFO", "bridge"]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> KnownInput:
    return make_input(tmp_path_factory.mktemp("input"), 60.0)


@pytest.fixture(scope="module")
def over_mqtt(known: KnownInput, tmp_path_factory: pytest.TempPathFactory):
    """The tables of an uninterrupted run without a log."""
    with Stack(tmp_path_factory.mktemp("mqtt")) as stack:
        run = Run(stack, known)
        run.start(seconds=4.0)
        run.wait(60.0)
        return run.tables()


@contextmanager
def through_the_log(
    directory: Path, known: KnownInput, brokers: str, seconds: float, patch: pytest.MonkeyPatch
) -> Iterator[Run]:
    patch.setenv("BIOTRAKR_KAFKA_BROKERS", brokers)
    with Stack(directory) as stack:
        environment = {"BIOTRAKR_MQTT_URL": stack.mqtt_url}
        stack.children["bridge"] = Child("bridge", BRIDGE, environment, directory / "bridge.log")
        run = Run(stack, known)
        run.start(seconds)
        yield run


def test_without_a_fault(
    known: KnownInput, over_mqtt, brokers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(over_mqtt["telemetry.location_history"]) > 50
    assert len(over_mqtt["tracking.alert"]) >= 1
    with through_the_log(tmp_path, known, brokers, 3.0, monkeypatch) as run:
        run.wait(60.0)
        assert differences(over_mqtt, run.tables()) == []


@pytest.mark.long
def test_kill_minus_nine(
    known: KnownInput, over_mqtt, brokers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(11)
    # Named points first: they are passed only while messages come.
    faults = [
        ("bridge", "between-log-and-ack"),
        ("pipeline", "inside-transaction"),
        ("pipeline", "between-epoch-and-ack"),
    ] + [("bridge", ""), ("pipeline", "")] * 3
    with through_the_log(tmp_path, known, brokers, 3.0 * len(faults), monkeypatch) as run:
        for name, point in faults:
            time.sleep(chance.uniform(0.5, 1.5))
            victim = run.stack.children[name]
            victim.kill()
            time.sleep(chance.uniform(0, 0.5))
            if point:
                victim.restart({"BIOTRAKR_FAULT": f"{point}:{chance.randint(1, 3)}"})
                with suppress(subprocess.TimeoutExpired):
                    victim.process.wait(20)
                victim.kill()
            victim.restart()
        run.wait(120.0)
        assert differences(over_mqtt, run.tables()) == []
