"""One run of the naive flow in a process of its own; prints one JSON object, like replay_run."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import children, naive
from bench.load import Recorded
from bench.replay_run import POLICY
from bench.services import open_as_pipeline
from bytewax._bytewax import cli_main
from bytewax.recovery import RecoveryConfig, init_db_dir

from pipeline.domain.policy import Policy
from pipeline.registry.read import read_buildings

EPOCH_S = 10.0
"""The engine's own default: shorter ones would cost this flow more than half of its speed."""


def run_naive(recorded: Recorded, database_url: str, *, bare: bool = False) -> dict[str, Any]:
    """Run it in a child process; what that prints."""
    told = {"recorded": str(recorded.directory), "database_url": database_url, "bare": bare}
    return children.ask("bench.naive_run", told)


def run(told: dict[str, Any]) -> dict[str, Any]:
    recorded = Recorded(Path(told["recorded"]))

    def connect() -> Any:
        return open_as_pipeline(told["database_url"])

    with connect() as connection:
        buildings = read_buildings(connection)
    made = naive.items(recorded)
    flow = naive.build(made, buildings, Policy(**POLICY), connect, told["bare"])
    with tempfile.TemporaryDirectory() as folder:
        init_db_dir(Path(folder), 1)
        recovery = RecoveryConfig(Path(folder))
        began = time.perf_counter()
        cli_main(flow, epoch_interval=timedelta(seconds=EPOCH_S), recovery_config=recovery)
        seconds = time.perf_counter() - began
    return {"reads": len(made), "seconds": seconds, "reads_per_s": len(made) / seconds}


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
