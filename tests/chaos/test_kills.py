"""kill -9 at random moments and at named points: nothing lost, nothing twice, equal tables.

Short form (CI): 10 kills. Long form: `python -m pytest -m long tests/chaos`, 200 faults.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from known_input import KnownInput, Run, differences

from pipeline.cli.stack import Stack

POINTS = ("before-transaction", "inside-transaction", "after-transaction", "between-epoch-and-ack")


def test_the_input_is_worth_it(uninterrupted) -> None:
    """Equal tables prove something only if there is something in them."""
    for name in ("telemetry.location_history", "tracking.room_visit", "tracking.usage_session"):
        assert len(uninterrupted[name]) > 50, name
    assert len(uninterrupted["tracking.alert"]) >= 1
    assert len(uninterrupted["pipeline.outbox"]) >= 2


def test_two_quiet_runs_are_equal(known: KnownInput, uninterrupted, tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        run = Run(stack, known)
        run.start(seconds=1.0)
        run.wait(60.0)
        assert differences(uninterrupted, run.tables()) == []


@pytest.mark.parametrize("seed", [1])
def test_kill_minus_nine(known: KnownInput, uninterrupted, tmp_path: Path, seed: int) -> None:
    """Each of pipeline, agent, broker and database at least twice, at random moments."""
    assert _faults(known, uninterrupted, tmp_path, seed, rounds=1) >= 12


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(100, 109))
def test_two_hundred_faults(known: KnownInput, uninterrupted, tmp_path: Path, seed: int) -> None:
    assert _faults(known, uninterrupted, tmp_path, seed, rounds=2) >= 24


def _faults(known: KnownInput, expected: object, directory: Path, seed: int, rounds: int) -> int:
    chance = random.Random(seed)
    victims = ["pipeline", "agent", "broker", "database"] * 2 * rounds + list(POINTS) * rounds
    chance.shuffle(victims)
    with Stack(directory) as stack:
        run = Run(stack, known)
        run.start(seconds=2.0 * len(victims))
        for victim in victims:
            time.sleep(chance.uniform(0.3, 2.0))
            _strike(stack, victim, chance)
        _revive(stack)
        run.wait(120.0)
        assert differences(expected, run.tables()) == []  # type: ignore[arg-type]
    return len(victims)


def _strike(stack: Stack, victim: str, chance: random.Random) -> None:
    """Kill, wait for a moment, start again."""
    pipeline = stack.children["pipeline"]
    if victim in POINTS:
        pipeline.kill()
        pipeline.restart({"BIOTRAKR_FAULT": f"{victim}:{chance.randint(1, 4)}"})
        _wait_for_death(pipeline, 10.0)
        pipeline.restart()
    elif victim == "pipeline":
        pipeline.kill()
        time.sleep(chance.uniform(0, 0.5))
        pipeline.restart()
    elif victim == "agent":
        agent = chance.choice([c for name, c in stack.children.items() if name != "pipeline"])
        agent.kill()
        time.sleep(chance.uniform(0, 0.5))
        agent.restart()
    else:
        service = stack.broker if victim == "broker" else stack.database
        assert service is not None
        service.kill()
        time.sleep(chance.uniform(0, 1.0))
        if victim == "broker" and chance.random() < 0.5:
            stack.broker.wipe()  # type: ignore[union-attr]
        service.start()


def _wait_for_death(child: object, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while child.running and time.monotonic() < deadline:  # type: ignore[attr-defined]
        time.sleep(0.05)
    child.kill()  # type: ignore[attr-defined]


def _revive(stack: Stack) -> None:
    for child in stack.children.values():
        if not child.running:
            child.restart()
