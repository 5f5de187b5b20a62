"""What the benchmarks measure: each function runs one kind of run several times.

`Scale` says how large and how often; `QUICK` is for a look at whether everything works.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from bench import broker_run
from bench.figures import Figure, shown
from bench.load import Load, prepare
from bench.naive_run import run_naive
from bench.naive_sink import differences, sizes
from bench.realtime import delay
from bench.replay_run import WARM_S, replay
from bench.services import Services

from pipeline.database.connect import connect
from pipeline.flow.event_time import Timing

END_LAG_S = 2.0
RATIO = 60.0
FACTORS = (0.95, 0.88, 0.8, 0.72, 0.65, 0.55, 0.45)
"""Of the rate of a flood, tried in this order until the end lag is below END_LAG_S."""

USUAL = Load()
NAIVE = Load(buildings=1, tags=300, seconds=12)
BARE = Load(buildings=20, tags=1000, seconds=5)
LIVE = Load(buildings=5, seconds=70, flush_s=0.25)
LARGE = Load(buildings=50, seconds=20)


@dataclass(frozen=True)
class Scale:
    runs: int = 5
    load: Load = USUAL
    warm_s: float = WARM_S
    sustain_s: float = 25.0
    """How long the broker is fed at a rate."""
    replay_s: int = 40
    all_moving_s: int = 20
    naive: Load = NAIVE
    bare: Load = BARE
    live: Load = LIVE
    """A tenth of a million reads a second."""
    large: Load = LARGE


_SMALL = Load(buildings=2, tags=300, seconds=8)
QUICK = Scale(
    runs=1,
    load=_SMALL,
    warm_s=4.0,
    sustain_s=3.0,
    replay_s=8,
    all_moving_s=8,
    naive=_SMALL.changed(buildings=1, tags=20),
    bare=_SMALL.changed(tags=50),
    live=_SMALL.changed(seconds=12, flush_s=0.25),
    large=_SMALL,
)
Say = Callable[[str], None]


def throughput(
    services: Services, scale: Scale, say: Say, *, reads_a_message: int, shards: int = 1,
    baseline: float | None = None, target: float | None = None,
) -> Iterator[Figure]:  # fmt: skip
    """From broker to database: the highest rate that is sustained."""
    load = scale.load.changed(reads_a_message=reads_a_message)

    def once(rate: float, seconds: float) -> dict[str, Any]:
        event_s = scale.warm_s + -(-seconds * rate // load.reads_a_second)
        recorded = prepare(load.changed(seconds=int(-(-event_s // 5) * 5)))
        found = broker_run.run(services, recorded, rate, shards=shards, warm_s=scale.warm_s)
        found["mean_reads_a_message"] = recorded.mean_reads_a_message
        say(f"  fed {shown(rate)} reads/s: stored {shown(found['reads_per_s'])}, "
            f"end lag {found['end_lag_s']:.2f} s, CPU {_seconds(found)}")  # fmt: skip
        return found

    # A flood shows what the pipeline takes; from there down to what it sustains.
    flood = once(25 * load.reads_a_second, scale.sustain_s / 50)["reads_per_s"]
    for factor in FACTORS:
        found = [once(factor * flood, scale.sustain_s)]
        if found[0]["end_lag_s"] >= END_LAG_S:
            continue
        found += [once(factor * flood, scale.sustain_s) for _ in range(scale.runs - 1)]
        if statistics.median(f["end_lag_s"] for f in found) < END_LAG_S:
            break
    name = f"broker to database, {reads_a_message} reads a message"
    name += f", {shards} processes" if shards > 1 else ""
    lag = [f["end_lag_s"] for f in found]
    yield Figure(
        name, [f["reads_per_s"] for f in found], "reads/s", target, baseline=baseline,
        notes=[
            f"{load.buildings * load.tags} tags, fed for {scale.sustain_s:.0f} s",
            f"{statistics.mean(f['mean_reads_a_message'] for f in found):.0f} reads a message",
            f"CPU seconds for a million reads: {_per_million(found)}",
            f"pipeline's memory at most {max(f['memory_mib'] for f in found):.0f} MiB",
        ],
    )  # fmt: skip
    yield Figure("... its end lag", lag, "s", END_LAG_S if target else None, at_most=True)


def replays(
    services: Services, scale: Scale, say: Say, *, baseline: float | None = None
) -> Iterator[Figure]:
    """Replay into the database and into nothing, a tenth moving and all moving."""
    loads = {
        "": scale.load.changed(seconds=scale.replay_s),
        ", all tags moving": scale.load.changed(seconds=scale.all_moving_s, moving=1.0),
    }
    targets = {(", 2 processes", True): 1.2e6, (", 2 processes", False): 3e6}
    found: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    kinds = [(what, 1) for what in loads] + [("", 2)]
    for _ in range(scale.runs):
        for (what, processes), store in product(kinds, (False, True)):
            load = loads[what]
            with services.fresh(load.buildings, load.tags) as url:
                recorded, warm_s = prepare(load), scale.warm_s
                one = whole(replay(recorded, url, store=store, warm_s=warm_s, processes=processes))
            name = what + (f", {processes} processes" if processes > 1 else "")
            found.setdefault((name, store), []).append(one)
            say(f"  replay{name}, {'database' if store else 'null'}: "
                f"{shown(one['reads_per_s'])} reads/s, "
                f"{one['solved_share']:.1%} solved")  # fmt: skip
    if baseline:
        ratios = [one["reads_per_s"] / baseline for one in found["", True]]
        yield Figure("replay into the database against the naive flow", ratios, "x", RATIO)
    for (what, store), runs in found.items():
        middle = runs[len(runs) // 2]
        yield Figure(
            f"replay into {'the database' if store else 'a null sink'}{what}",
            [one["reads_per_s"] for one in runs], "reads/s", targets.get((what, store)),
            baseline=baseline if store else None,
            notes=[f"{middle['solved_share']:.1%} of tags solved a window, {_mix(middle)}"],
        )  # fmt: skip


def naive(services: Services, scale: Scale, say: Say) -> Iterator[Figure]:
    """The naive flow and ours on the same input: speed, and whether their tables are equal."""
    recorded, bare_load = prepare(scale.naive), prepare(scale.bare)
    slow, fast, bare = [], [], []
    for _ in range(scale.runs):
        with (
            services.fresh(scale.naive.buildings, scale.naive.tags) as ours,
            services.fresh(scale.naive.buildings, scale.naive.tags) as theirs,
        ):
            fast.append(whole(replay(recorded, ours, store=True, warm_s=0.0))["reads_per_s"])
            slow.append(run_naive(recorded, theirs)["reads_per_s"])
            with connect(ours) as one, connect(theirs) as other:
                differing, rows = differences(one, other), sizes(one)
        if any(differing.values()):
            raise AssertionError(f"rows that only one flow has: {differing}, ours {rows}")
        with services.fresh(scale.bare.buildings, scale.bare.tags) as url:
            bare.append(run_naive(bare_load, url, bare=True)["reads_per_s"])
        say(f"  naive {shown(slow[-1])}, without the domain {shown(bare[-1])}, "
            f"ours {shown(fast[-1])} reads/s; tables equal: {rows}")  # fmt: skip
    tags = scale.naive.buildings * scale.naive.tags
    yield Figure(
        "naive flow, same result", slow, "reads/s",
        notes=[f"{tags} tags; every row of history, visits, sessions and alerts equal to ours; "
               f"ours reads {shown(statistics.median(fast))} reads/s of this small input"],
    )  # fmt: skip
    yield Figure(
        "naive flow without the domain (a centroid, no rooms, fences, sessions)", bare, "reads/s",
        notes=[f"{scale.bare.buildings * scale.bare.tags} tags; a bound for any item-at-a-time "
               "flow on this engine"],
    )  # fmt: skip


def latency(services: Services, scale: Scale, say: Say) -> Iterator[Figure]:
    """From the end of a row's window to its commit, at a tenth of a million reads a second."""
    target = Timing().allowed_lateness_s + 1.0
    for flush_s in (scale.live.flush_s, 1.0):
        load, found = scale.live.changed(flush_s=flush_s), []
        for _ in range(scale.runs):
            one = delay(services, load, warm_s=scale.warm_s)
            found.append(one)
            say(f"  gateways send every {flush_s} s: p50 {one['latency_p50_s']:.2f} s, "
                f"p99 {one['latency_p99_s']:.2f} s, CPU {_seconds(one)}")  # fmt: skip
        asked = flush_s == scale.live.flush_s
        name = f"delay of a row, gateways sending every {flush_s:g} s"
        p50 = statistics.median(f["latency_p50_s"] for f in found)
        yield Figure(
            f"{name}, p99", [f["latency_p99_s"] for f in found], "s", target if asked else None,
            at_most=True,
            notes=[f"{shown(load.reads_a_second)} reads/s for {load.seconds} s; from the end of "
                   f"the row's window to its commit, p50 {p50:.2f} s; the oldest read of a "
                   f"window is {Timing().window_s:g} s older"],
        )  # fmt: skip


def memory_and_epochs(services: Services, scale: Scale, say: Say) -> Iterator[Figure]:
    """250 k tags: the pipeline's peak memory in a flood, and how long an epoch takes to close."""
    load = scale.large
    recorded, memory, closes, stalls = prepare(load), [], [], []
    for _ in range(scale.runs):
        flood = broker_run.run(services, recorded, 2.0 * load.reads_a_second, warm_s=scale.warm_s)
        memory.append(flood["memory_mib"])
        with services.fresh(load.buildings, load.tags) as url:
            quiet = whole(replay(recorded, url, store=False, warm_s=scale.warm_s))
        closes.append(1e3 * max(quiet["closes_s"], default=math.nan))
        stalls.append(1e3 * max(quiet["stalls_s"], default=math.nan))
        say(f"  {load.buildings * load.tags} tags: {memory[-1]:.0f} MiB, slowest epoch closed in "
            f"{closes[-1]:.0f} ms of {len(quiet['closes_s'])}")  # fmt: skip
    tags = f"{shown(load.buildings * load.tags)} tags"
    yield Figure(
        f"memory of the pipeline, {tags}", memory, "MiB", 1024, at_most=True,
        notes=["VmHWM of `biotrakr run`, fed faster than it can take"],
    )  # fmt: skip
    yield Figure(
        f"closing an epoch, {tags}, slowest of a run", closes, "ms", 100, at_most=True,
        notes=["from the source's snapshot to its next call, less the windows computed and the "
               f"transaction in between; with these {statistics.median(stalls):.0f} ms"],
    )  # fmt: skip


def whole(found: dict[str, Any]) -> dict[str, Any]:
    """Raises AssertionError when a read got lost, late or refused."""
    lost = found["sent"] - found["all_reads"]
    if lost or found["refused"] or found["late_reads"]:
        raise AssertionError(f"{lost} reads missing, {found['refused']} messages refused")
    return found


def _mix(found: dict[str, Any]) -> str:
    event_s = max(1, found["windows"])
    parts = (f"{found[name] / event_s:.0f} {name.replace('_', ' ')}"
             for name in ("rows", "room_visits", "zone_visits", "sessions", "alerts"))  # fmt: skip
    return "a building and second: " + ", ".join(parts)


def _seconds(found: dict[str, Any]) -> str:
    return ", ".join(f"{name} {spent:.1f} s" for name, spent in found["cpu_s"].items())


def _per_million(found: list[dict[str, Any]]) -> str:
    spent = {
        name: statistics.median(f["cpu_s"][name] * 1e6 / f["measured_reads"] for f in found)
        for name in found[0]["cpu_s"]
    }
    return ", ".join(f"{name} {seconds:.2f}" for name, seconds in spent.items())
