"""From hearing to storing: a load that is sent when it happens, and the delay of each row."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from bench import broker_run
from bench.load import Load, prepare
from bench.services import Services

SETTLE_S = 10.0
"""For the database, the broker and the pipeline to start."""
ENCODE_S = 0.03
"""To make one building's messages of one second, on a busy machine."""


def delay(
    services: Services, load: Load, *, warm_s: float = 10.0, settings: str = ""
) -> dict[str, Any]:
    """Runs `load` in real time; see `broker_run.run`.

    The delay of a row is `window_commit.committed_at` minus the end of the row's window, which is
    the row's time stamp. Reads of the window are up to `window_s` older.
    """
    with services.fresh(load.buildings, load.tags):
        pass  # the registry is loaded before the clock starts
    ahead_s = SETTLE_S + ENCODE_S * load.buildings * load.seconds
    begin_s = int(time.time() + ahead_s)
    with tempfile.TemporaryDirectory() as folder:
        recorded = prepare(load.changed(start_us=begin_s * 1_000_000), Path(folder))
        if time.time() > begin_s - SETTLE_S / 2:
            raise RuntimeError("the machine is too busy to prepare a load in time; try again")
        return broker_run.run(services, recorded, None, warm_s=warm_s, settings=settings)
