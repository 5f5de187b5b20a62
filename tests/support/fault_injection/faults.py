"""Every way in which we break things: `strike` returns what was seen to break, `heal` ends it.

A fault that did not take effect raises NoEffectError: a chaos test that breaks nothing proves
nothing.
"""

from __future__ import annotations

import os
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

from fault_injection.network import Proxy
from fault_injection.world import PIPELINE, World

from pipeline.cli.stack import Child
from pipeline.database.errors import ConnectionFailed

EFFECT_S = 180.0
"""How long to wait for a fault to bite; long, because other faults may be in its way."""
AWAY = (
    r"database_url:|the database is away:|psycopg\.(OperationalError|errors\.(Admin|Crash)Shutdown)"
)
"""What the pipeline ends with when the database goes away while it starts."""


class NoEffectError(AssertionError):
    """The fault was set up and nothing happened."""


class Fault(ABC):
    """One strike and its end. `healing` collects what undoes it, last first."""

    def __init__(self) -> None:
        self.healing = ExitStack()

    @abstractmethod
    def strike(self, world: World, chance: random.Random) -> str:
        """Break it; what was seen. Raises NoEffectError."""

    def heal(self) -> None:
        self.healing.close()


def wait_for(
    condition: Callable[[], object], what: str, timeout_s: float = EFFECT_S, every_s: float = 0.02
) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise NoEffectError(f"after {timeout_s:.0f} s not seen: {what}")
        time.sleep(every_s)


# -- processes -------------------------------------------------------------------------------


class _OfProcess(Fault):
    """`victim`: "pipeline" or "agent", which is any of them."""

    def __init__(self, victim: str) -> None:
        super().__init__()
        self._victim = victim

    def _take(self, world: World, chance: random.Random) -> Child:
        """Out of the supervisor's hands, and running."""
        name = PIPELINE if self._victim == PIPELINE else chance.choice(world.gateways)
        child = self.healing.enter_context(world.supervisor.held(name))
        if not child.running:
            world.supervisor.note(child)
            child.restart()
        return child


class Kill(_OfProcess):
    """kill -9; it stays away until healed."""

    def strike(self, world: World, chance: random.Random) -> str:
        child = self._take(world, chance)
        child.kill()
        if child.process.returncode != -SIGKILL:
            raise NoEffectError(f"{child.name} ended with {child.process.returncode}")
        self.healing.callback(child.restart)
        return f"{child.name} killed"


class DieAt(_OfProcess):
    """It kills itself at a named point, there for the `most`th time or sooner."""

    def __init__(self, victim: str, point: str, most: int = 3) -> None:
        super().__init__(victim)
        self._point, self._most = point, most

    def strike(self, world: World, chance: random.Random) -> str:
        child = self._take(world, chance)
        child.kill()
        self.healing.callback(child.restart)
        times, mark = chance.randint(1, self._most), f"fault point {self._point}"
        deadline = time.monotonic() + EFFECT_S
        while time.monotonic() < deadline:
            since = world.log_size(child.name)
            child.restart({"BIOTRAKR_FAULT": f"{self._point}:{times}"})
            while child.running and time.monotonic() < deadline:
                time.sleep(0.02)
            if mark in world.logged(child.name, since):
                return f"{child.name} died at {self._point}, time {times}"
            if not child.running:
                world.supervisor.note(child)  # of something else, such as a database that is away
        child.kill()
        raise NoEffectError(f"{child.name} never came to {self._point} {times} times")


class Freeze(Fault):
    """SIGSTOP for a process and its children: there, but it does not answer."""

    def __init__(self, victim: str) -> None:
        super().__init__()
        self._victim = victim

    def strike(self, world: World, chance: random.Random) -> str:
        if self._victim in ("broker", "database"):
            pid = getattr(world, self._victim).pid
        else:
            child = self.healing.enter_context(world.supervisor.held(PIPELINE))
            if not child.running:
                world.supervisor.note(child)
                child.restart()
            pid = child.process.pid
        if self._victim == "database":
            self.healing.enter_context(_excused(world, AWAY))
        pids = [pid]
        for one in pids:  # grows: parents first, so that none is born meanwhile
            self.healing.callback(_signal, one, SIGCONT)
            _signal(one, SIGSTOP)
            pids += _children(one)
        wait_for(lambda: _state(pid) == "T", f"{self._victim} frozen", 5.0)
        return f"{self._victim} frozen, {len(pids)} processes"


# -- services --------------------------------------------------------------------------------


class BrokerDown(Fault):
    """`how`: kill or stop; `wiped`: it comes back without sessions, queues, retained messages."""

    def __init__(self, how: str, *, wiped: bool = False) -> None:
        super().__init__()
        self._how, self._wiped = how, wiped

    def strike(self, world: World, chance: random.Random) -> str:
        broker = world.broker
        self.healing.callback(self._start, world)
        getattr(broker, self._how)()
        if broker.running:
            raise NoEffectError("the broker still runs")
        if self._wiped:
            broker.wipe()
        return f"broker away ({self._how}{', wiped' if self._wiped else ''})"

    def _start(self, world: World) -> None:
        """A wiped broker hands an alert only to those who are back: consumers come first."""
        world.broker_link.pause()
        world.broker.start()
        world.alerts.wait()
        world.broker_link.go_on()


class DatabaseDown(Fault):
    """`how`: kill or stop."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self._how = how

    def strike(self, world: World, chance: random.Random) -> str:
        self.healing.enter_context(_excused(world, AWAY))
        wait_for(lambda: world.database_link.connections, "pipeline connected")
        self.healing.callback(world.database.start)
        getattr(world.database, self._how)()
        try:
            world.stack.connect().close()
        except ConnectionFailed:
            return f"database away ({self._how})"
        raise NoEffectError("the database still answers")


# -- disks -----------------------------------------------------------------------------------


class DiskFull(Fault):
    """`victim`: "pipeline" (its recovery directory) or "agent" (the spools of all)."""

    def __init__(self, victim: str) -> None:
        super().__init__()
        self._victim = victim

    def strike(self, world: World, chance: random.Random) -> str:
        assert world.disks is not None
        folder = world.recovery if self._victim == PIPELINE else world.spools
        names = [PIPELINE] if self._victim == PIPELINE else world.gateways
        since = {name: world.log_size(name) for name in names}
        if self._victim == PIPELINE:
            self.healing.enter_context(_excused(world, "disk is full"))
        self.healing.callback(world.disks.free, folder)

        def reported() -> list[str]:
            world.disks.fill(folder)  # a checkpoint may have given some of it back
            return [n for n in names if "disk is full" in world.logged(n, since[n])]

        wait_for(reported, f"{folder.name}: disk is full", every_s=0.2)
        return f"{folder.name} full, said {', '.join(reported())}"


class DatabaseFull(Fault):
    """No room for another page of a table: the server refuses, and lives."""

    def strike(self, world: World, chance: random.Random) -> str:
        disks, folder = world.database_disks, world.tables_folder
        assert disks is not None
        since = world.database.log.stat().st_size
        self.healing.callback(disks.free, folder)

        def refused() -> bool:
            disks.fill(folder)
            with world.database.log.open("rb") as log:
                log.seek(since)
                return b"No space left on device" in log.read()

        wait_for(refused, "the database refuses to write", every_s=0.2)
        return "database: no space left on device"


# -- links -----------------------------------------------------------------------------------


class _OfLink(Fault):
    """`link`: "agents" (one of them, or all), "broker" or "database" (of the pipeline)."""

    def __init__(self, link: str) -> None:
        super().__init__()
        self._link = link

    def strike(self, world: World, chance: random.Random) -> str:
        links = self._links(world, chance)
        if self._link == "database":
            self.healing.enter_context(_excused(world, AWAY))
        wait_for(lambda: any(link.connections for link in links), f"{self._link} connected")
        for link in links:
            self.healing.callback(link.mend, reset=chance.random() < 0.5)
        seen = self.harm(links, chance)
        return f"{', '.join(link.name for link in links)}: {seen}"

    @abstractmethod
    def harm(self, links: list[Proxy], chance: random.Random) -> str:
        """What was seen."""

    def _links(self, world: World, chance: random.Random) -> list[Proxy]:
        if self._link == "agents":
            every = list(world.agent_links.values())
            return every if chance.random() < 0.5 else [chance.choice(every)]
        return [world.broker_link if self._link == "broker" else world.database_link]


class Cut(_OfLink):
    """Reset, and no way through."""

    def harm(self, links: list[Proxy], chance: random.Random) -> str:
        before = sum(link.refused for link in links)
        gone = sum(link.cut() for link in links)
        wait_for(lambda: sum(link.refused for link in links) > before, "a connection refused")
        return f"{gone} connections cut, then refused"


class Stall(_OfLink):
    """Everything is accepted and nothing comes through."""

    def harm(self, links: list[Proxy], chance: random.Random) -> str:
        before = sum(link.held for link in links)
        for link in links:
            link.stall()
        wait_for(lambda: sum(link.held for link in links) > before, "bytes held")
        return "bytes held back"


class Slow(_OfLink):
    """Half a second more each way."""

    def harm(self, links: list[Proxy], chance: random.Random) -> str:
        before = sum(link.late for link in links)
        for link in links:
            link.slow(0.5)
        wait_for(lambda: sum(link.late for link in links) > before, "bytes late")
        return "bytes late"


class HalfClose(_OfLink):
    """One direction of every connection ends, the other goes on."""

    def harm(self, links: list[Proxy], chance: random.Random) -> str:
        end = chance.choice(["client", "server"])
        closed = sum(link.half_close(end) for link in links)
        if not closed:
            raise NoEffectError("no connection to close")
        return f"{closed} connections closed towards the {end}"


class Strand(_OfLink):
    """The sender is cut off; what it sent last arrives after it has come back and gone on."""

    def harm(self, links: list[Proxy], chance: random.Random) -> str:
        what = (b"COMMIT", b"copy telemetry.") if self._link == "database" else (b"biotrakr/v1/",)
        for link in links:
            link.strand(*what)
        wait_for(lambda: any(link.stranded.is_set() for link in links), "bytes stranded")
        return f"{what[0].decode()} stranded"


@contextmanager
def _excused(world: World, because: str) -> Iterator[None]:
    world.supervisor.excuse(PIPELINE, because)
    try:
        yield
    finally:
        world.supervisor.accuse(PIPELINE, because)


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in task.read_text().split()]
    return found
