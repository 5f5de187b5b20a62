"""A seeded schedule of faults and its execution.

Each lane is one victim; its faults strike one after the other, while those of other lanes go on:
so faults overlap, but never two on the same victim. The schedule follows from the seed alone; the
interleaving with the processes under test does not, so a failure may need a few runs to return.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fault_injection.faults import (
    BrokerDown,
    Cut,
    DatabaseDown,
    DatabaseFull,
    DieAt,
    DiskFull,
    Fault,
    Freeze,
    HalfClose,
    Kill,
    Slow,
    Stall,
    Strand,
)
from fault_injection.world import PIPELINE, World

from edge_agent.faults import POINTS as AGENT_POINTS

PIPELINE_POINTS = (
    "before-transaction",
    "inside-transaction",
    "after-transaction",
    "between-epoch-and-ack",
)


@dataclass(frozen=True)
class Kind:
    """`hold_s`: shortest and longest time between strike and heal; `times` in a round."""

    name: str
    lane: str
    make: Callable[[], Fault]
    hold_s: tuple[float, float] = (0.0, 0.5)
    times: int = 1
    needs_disks: bool = False
    early: bool = False
    """First in its lane: later a spool has room of its own and a full disk does not hurt it."""


def _links() -> list[Kind]:
    harms: Sequence[tuple[str, type[Fault], tuple[float, float]]] = (
        ("cut", Cut, (0.2, 2.0)),
        ("stall", Stall, (0.5, 2.5)),
        ("slow", Slow, (1.0, 2.0)),
        ("half-close", HalfClose, (0.0, 1.0)),
        ("strand", Strand, (0.3, 2.5)),
    )
    return [
        Kind(f"{link} link {name}", f"{link} link", lambda h=harm, k=link: h(k), hold_s)
        for link in ("agents", "broker", "database")
        for name, harm, hold_s in harms
    ]


KINDS: tuple[Kind, ...] = (
    Kind("kill pipeline", PIPELINE, lambda: Kill(PIPELINE), times=3),
    *(Kind(f"pipeline {p}", PIPELINE, lambda p=p: DieAt(PIPELINE, p)) for p in PIPELINE_POINTS),
    Kind("freeze pipeline", PIPELINE, lambda: Freeze(PIPELINE), (0.5, 2.0)),
    Kind("disk full pipeline", PIPELINE, lambda: DiskFull(PIPELINE), (0.5, 2.0), 1, True),
    Kind("kill agent", "agent", lambda: Kill("agent"), times=3),
    *(
        # Acks are rare while other things are broken: the first one will do.
        Kind(f"agent {p}", "agent", lambda p=p: DieAt("agent", p, 1 if "ack" in p else 3))
        for p in AGENT_POINTS
    ),
    Kind("disk full agent", "agent", lambda: DiskFull("agent"), (0.5, 2.0), 1, True, True),
    Kind("kill broker", "broker", lambda: BrokerDown("kill"), (0.0, 1.0), 2),
    Kind("wipe broker", "broker", lambda: BrokerDown("kill", wiped=True), (0.0, 1.0), 2),
    Kind("stop broker", "broker", lambda: BrokerDown("stop"), (0.0, 2.0)),
    Kind("freeze broker", "broker", lambda: Freeze("broker"), (0.5, 2.5)),
    Kind("kill database", "database", lambda: DatabaseDown("kill"), (0.0, 1.0), 2),
    Kind("stop database", "database", lambda: DatabaseDown("stop"), (0.5, 3.0)),
    Kind("stop database 20 s", "database", lambda: DatabaseDown("stop"), (20.0, 20.0)),
    Kind("freeze database", "database", lambda: Freeze("database"), (0.5, 3.0)),
    Kind("disk full database", "database", DatabaseFull, (0.5, 2.0), 1, True),
    *_links(),
)
"""The registry: what can break."""


@dataclass(frozen=True)
class Planned:
    """One fault of the schedule. `pause_s` passes before it in its lane."""

    kind: Kind
    pause_s: float
    hold_s: float
    seed: int

    def __str__(self) -> str:
        return f"{self.kind.name}: after {self.pause_s:.2f} s, for {self.hold_s:.2f} s"


Schedule = dict[str, list[Planned]]


def plan(seed: int, kinds: Sequence[Kind] = KINDS, *, longest_pause_s: float = 1.2) -> Schedule:
    """Each kind as often as it says, shuffled within its lane."""
    chance = random.Random(seed)
    lanes: Schedule = {}
    for kind in kinds:
        for _ in range(kind.times):
            pause_s, hold_s = chance.uniform(0.1, longest_pause_s), chance.uniform(*kind.hold_s)
            fault = Planned(kind, pause_s, hold_s, chance.getrandbits(32))
            lanes.setdefault(kind.lane, []).append(fault)
    for faults in lanes.values():
        chance.shuffle(faults)
        faults.sort(key=lambda fault: not fault.kind.early)
    return lanes


@dataclass(frozen=True)
class Struck:
    """`at_s`, `until_s`: since the injector began."""

    kind: str
    at_s: float
    until_s: float
    seen: str

    def __str__(self) -> str:
        return f"{self.at_s:6.2f} to {self.until_s:6.2f} s  {self.kind}: {self.seen}"


class Injector:
    """Runs a schedule; `struck` is what took effect and when, `failures` what went wrong."""

    def __init__(self, world: World, schedule: Schedule) -> None:
        self._world, self._schedule = world, schedule
        self._began_s = time.monotonic()
        self._failed = threading.Event()
        self.struck: list[Struck] = []
        self.failures: list[str] = []

    def run(self) -> None:
        self._began_s = time.monotonic()
        lanes = [self._world.threads.submit(self._lane, f) for f in self._schedule.values()]
        for lane in lanes:
            lane.result()

    @property
    def times(self) -> Counter[str]:
        """Kind -> how often it struck."""
        return Counter(struck.kind for struck in self.struck)

    def report(self) -> str:
        lines = [
            *(f"{lane}:\n  " + "\n  ".join(map(str, faults)) for lane, faults in
              self._schedule.items()),
            "What took effect:",
            *map(str, sorted(self.struck, key=lambda struck: struck.at_s)),
            *self.failures,
        ]  # fmt: skip
        return "\n".join(lines)

    def _lane(self, faults: Sequence[Planned]) -> None:
        for planned in faults:
            if self._failed.wait(planned.pause_s):
                return
            try:
                self._one(planned)
            except Exception as error:
                self.failures.append(f"{planned.kind.name} failed: {error!r}")
                self._failed.set()

    def _one(self, planned: Planned) -> None:
        fault = planned.kind.make()
        try:
            seen = fault.strike(self._world, random.Random(planned.seed))
            at_s = time.monotonic()
            self._failed.wait(planned.hold_s)
        finally:
            fault.heal()
        times_s = (at_s - self._began_s, time.monotonic() - self._began_s)
        self.struck.append(Struck(planned.kind.name, *times_s, seen))
