"""One replay in a process of its own: `python -m bench.replay_run '{"recorded": ..., ...}'`.

No broker: a recorded load at full speed through the flow, with recovery on, into the database or
into nothing. Prints one JSON object. The first `warm_s` of event time, in which every tag is seen
for the first time, are run but not measured.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import children
from bench.load import Recorded
from bench.probes import CountingSink, RecordedSource, Tally
from bench.services import open_as_pipeline
from bytewax._bytewax import cli_main
from bytewax.recovery import RecoveryConfig, init_db_dir

from pipeline.domain.policy import Policy
from pipeline.flow.dataflow import build
from pipeline.flow.event_time import Timing
from pipeline.registry.directory import DatabaseDirectory
from pipeline.sinks.timescale import TimescaleSink

WARM_S = 10.0
SUMMED = ("sent", "all_reads", "refused", "reads", "windows", "solved", "rows", "room_visits",
          "zone_visits", "sessions", "alerts", "late_reads", "cpu_s", "memory_mib")  # fmt: skip
"""Over the processes of a run."""
POLICY = {"use_dwell_s": 8.0, "scan_share": 0.0, "stand_scan_share": 0.0}
"""Instead of a minute: still tags get their sessions while a run warms up, walkers rarely do. And
silence says nothing, for in this load a tag is heard by its four strongest receivers and no other;
it is worked out all the same. A flow that knows one tag at a time could not learn it either."""


def replay(
    recorded: Recorded,
    database_url: str,
    *,
    store: bool,
    epoch_s: float = 2.0,
    warm_s: float = WARM_S,
    processes: int = 1,
) -> dict[str, Any]:
    """Run it in child processes that share the buildings; what the first prints, with the reads
    of all in the time from the first one's beginning to the last one's end."""
    told = {
        "recorded": str(recorded.directory),
        "database_url": database_url,
        "store": store,
        "epoch_s": epoch_s,
        "warm_s": warm_s,
    }
    parts = [told | {"share": [part, processes]} for part in range(processes)]
    found = children.ask_all("bench.replay_run", parts)
    seconds = max(f["ended_s"] for f in found) - min(f["began_s"] for f in found)
    measured = recorded.reads(recorded.first_after(warm_s))
    sums = {name: sum(f[name] for f in found) for name in SUMMED}
    return found[0] | sums | {"seconds": seconds, "reads_per_s": measured / seconds}


def run(told: dict[str, Any]) -> dict[str, Any]:
    recorded = Recorded(Path(told["recorded"])).share(*told["share"])
    tally = Tally(recorded.load.start_us + round(told["warm_s"] * 1e6))
    tally.watch_the_flow()

    def connect() -> Any:
        return open_as_pipeline(told["database_url"])

    directory = DatabaseDirectory(connect)
    inner = TimescaleSink(connect, lambda _: None) if told["store"] else None
    source, sink = RecordedSource(recorded, tally), CountingSink(tally, inner)
    flow = build(source, sink, directory, Timing(), Policy(**POLICY))
    with tempfile.TemporaryDirectory() as folder:
        init_db_dir(Path(folder), 1)
        recovery = RecoveryConfig(Path(folder))
        interval = timedelta(seconds=told["epoch_s"])
        cli_main(flow, epoch_interval=interval, recovery_config=recovery)
        ended, ended_cpu = time.perf_counter(), time.process_time()
    return asdict(tally) | {
        "sent": recorded.reads(),
        "ended_s": ended,
        "cpu_s": ended_cpu - tally.began_cpu_s,
        "solved_share": tally.solved / max(1, _heard(recorded, tally)),
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _heard(recorded: Recorded, tally: Tally) -> int:
    """Every tag is heard in every window."""
    return tally.windows * recorded.load.tags


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
