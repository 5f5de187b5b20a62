"""`python -m pipeline.simulation`: write a simulated hospital's files and its floor plan."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.simulation.generate import generate
from pipeline.simulation.picture import draw
from pipeline.simulation.scenario import MICROSECONDS, Scenario

NOON_US = 1_767_268_800 * MICROSECONDS
"""2026-01-01T12:00:00Z"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.simulation", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="event time to write")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pace", type=float, default=120.0, help="1: a real day's dwell times")
    parser.add_argument("--start-us", type=int, default=NOON_US, help="first moment, us since 1970")
    parser.add_argument("--walks", type=int, default=4, help="assets whose ways are drawn")
    parser.add_argument("--out", type=Path, required=True, help="folder, made if missing")
    options = parser.parse_args(arguments)
    scenario = Scenario(seed=options.seed, pace=options.pace)
    made = generate(scenario, options.start_us, options.seconds, options.out)
    picture = draw(made.hospital, made.truth.walks, options.walks)
    (options.out / "plan.svg").write_text(picture, encoding="utf-8")
    offences = [entry for entry in made.truth.zone_entries() if entry.rule]
    sys.stdout.write(
        f"{len(made.hospital.spaces)} rooms, {len(made.hospital.receivers)} BLE receivers, "
        f"{len(made.hospital.readers)} RFID readers, {len(made.hospital.fleet)} assets\n"
        f"{made.adverts} adverts and {made.portal_reads} RFID reads in {made.lines} lines, "
        f"{len(offences)} forbidden entries\n{options.out}\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
