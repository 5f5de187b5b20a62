"""Replay once every tag has settled: `python tests/benchmarks/settled.py`, about four minutes.

A tag that comes to rest is solved with care a few times in its first minute. Here that is over
before anything is measured. One JSON object a run.
"""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from bench.load import Load, prepare  # noqa: E402
from bench.replay_run import replay  # noqa: E402
from bench.services import Services  # noqa: E402

LOAD, WARM_S = Load(buildings=6, seconds=110), 80.0
SHOWN = ("reads_per_s", "cpu_s", "memory_mib", "solved_share")


def main() -> None:
    recorded = prepare(LOAD)
    with Services() as services:
        for store, processes in product((False, True), (1, 2)):
            with services.fresh(LOAD.buildings, LOAD.tags) as url:
                found = replay(recorded, url, store=store, warm_s=WARM_S, processes=processes)
            run = {"into": "database" if store else "nothing", "processes": processes}
            print(json.dumps(run | {name: found[name] for name in SHOWN}), flush=True)


if __name__ == "__main__":
    main()
