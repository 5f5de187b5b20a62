"""Everything breaks while a known input runs through: nothing lost, nothing twice, equal tables.

Short form (CI): one seed, every kind of fault at least once. Long form, the same with five seeds:
`python -m pytest -m long tests/chaos`.

A failure prints its seed, the schedule and what took effect when. To repeat it (`-s` prints the
same of a run that passes):

    python -m pytest -s tests/chaos/test_faults.py -k one_seed --seed 17

The schedule follows from the seed; how it meets the processes does not, so try a few times.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fault_injection.injector import KINDS, Injector, Kind, plan
from fault_injection.world import World
from known_input import KnownInput, Run, differences

from pipeline.cli.stack import Stack

FEED_S = 50.0
"""The input slows down over this time; what is left after the last fault comes at once."""
FINISH_S = 120.0
SHORT_FORM, LONG_FORM = 30, 200
LONG_SEEDS = range(100, 105)


def test_the_input_is_worth_it(uninterrupted) -> None:
    """Equal tables prove something only if there is something in them."""
    for name in ("telemetry.location_history", "tracking.room_visit", "tracking.usage_session"):
        assert len(uninterrupted[name]) > 50, name
    assert len(uninterrupted["tracking.alert"]) >= 1
    assert len(alerts_in(uninterrupted)) >= 2


@pytest.mark.long
def test_two_quiet_runs_are_equal(known: KnownInput, uninterrupted, tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        run = Run(stack, known)
        run.start(seconds=1.0)
        run.wait(60.0)
        assert differences(uninterrupted, run.tables()) == []


@pytest.mark.timeout(900)
def test_one_seed(known: KnownInput, uninterrupted, tmp_path: Path, seed: int) -> None:
    """Each kind of fault at least once, several at a time."""
    assert break_everything(known, uninterrupted, tmp_path, seed) >= SHORT_FORM


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("long_seed", LONG_SEEDS)
def test_two_hundred_faults(
    known: KnownInput, uninterrupted, tmp_path: Path, long_seed: int
) -> None:
    faults = break_everything(known, uninterrupted, tmp_path, long_seed)
    assert faults * len(LONG_SEEDS) >= LONG_FORM


def break_everything(known: KnownInput, expected, directory: Path, seed: int) -> int:
    """Returns how many faults took effect."""
    with World(directory, known) as world:
        kinds = [kind for kind in KINDS if world.disks is not None or not kind.needs_disks]
        injector = Injector(world, plan(seed, kinds))
        world.start(FEED_S)
        began_s = time.monotonic()
        injector.run()
        struck_s = time.monotonic() - began_s
        try:
            _judge(world, injector, kinds, expected)
        except AssertionError as error:
            raise AssertionError(
                f"seed {seed}: {error}\n{world.state()}\n{injector.report()}"
            ) from error
        whole_s = time.monotonic() - began_s - struck_s
        faults = sum(injector.times.values())
        print(f"\nseed {seed}: {faults} faults in {struck_s:.1f} s, whole after {whole_s:.1f} s")
        print(injector.report())
    if world.no_disks is not None:
        pytest.skip(f"all is well, but no disk was full: {world.no_disks}")
    return faults


def _judge(world: World, injector: Injector, kinds: list[Kind], expected) -> None:
    assert injector.failures == []
    world.finish(FINISH_S)
    assert injector.times == {kind.name: kind.times for kind in kinds}
    wanted, got = alerts_in(expected), world.alerts.alerts
    problems = [
        *differences(expected, world.tables()),
        *(f"alert that should not be: {alert}" for alert in got - wanted),
        *(f"alert that never came: {alert}" for alert in wanted - got),
        *(f"{death.name} ended by itself with {death.code}:\n{death.last_words}"
          for death in world.supervisor.unexplained),
    ]  # fmt: skip
    assert not problems, "\n".join(problems)


def alerts_in(tables) -> set[tuple[str, bytes]]:
    """The messages of the outbox that are no retained states."""
    rows = ((topic, bytes.fromhex(payload)) for _, topic, payload, *_ in tables["pipeline.outbox"])
    return {(topic, payload) for topic, payload in rows if "/alerts/state/" not in topic}
