"""`biotrakr locate`: where tags were, from anyone's CSV files of receivers and reads.

Causal: a row follows from reads up to its own time. Nothing but the receivers' places is needed; a
survey (reads at known places) makes it better, a floor plan adds rooms.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.cli.errors import CliError
from pipeline.evaluation.errors import InputError
from pipeline.evaluation.inputs import Reads, read_reads, read_receivers, read_survey
from pipeline.evaluation.locate import TAG_HEIGHT_M, Found, Locator
from pipeline.evaluation.plan import Plan, read_plan

HEADING = ("t", "tag", "x", "y", "z", "error90_m", "room", "method", "receivers", "reason")
EVERY_S = 2.0
COLUMNS = """files (CSV with a heading; other columns are ignored; times are numbers or ISO 8601):
  receivers   receiver,x,y,z                  metres
  reads       t,tag,receiver,rssi_dbm
  survey      t,x,y,z,receiver,rssi_dbm       reads of a tag whose place was known
  floor plan  a site file (.json), or CSV: room,x,y | x,y | x1,y1,x2,y2[,attenuation_db]
  out         t,tag,x,y,z,error90_m,room,method,receivers,reason
              t is that of the newest read of the window; x is empty where nothing is known
"""


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "locate", help="positions from CSV files of receivers and reads", description=__doc__,
        epilog=COLUMNS, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--receivers", type=Path, required=True, metavar="R.csv")
    parser.add_argument("--reads", type=Path, required=True, metavar="D.csv")
    parser.add_argument("--survey", type=Path, metavar="S.csv")
    parser.add_argument("--floorplan", type=Path, metavar="F")
    parser.add_argument("--height", type=float, metavar="M",
                        help=f"of tags above the floor; default: {TAG_HEIGHT_M}")  # fmt: skip
    parser.add_argument(
        "--window", type=float, default=1.0, metavar="S", help="seconds; default: 1"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="O.csv")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    if not 1e-3 <= options.window <= 86_400:
        raise CliError("--window must be between 0.001 and 86400 seconds")
    if options.height is not None and not -1000 <= options.height <= 10_000:
        raise CliError("--height must be between -1000 and 10000 metres")
    try:
        locator, reads = _read(options)
    except InputError as error:
        raise CliError(str(error)) from None
    for why, rows in sorted(reads.left_out.items()):
        _say(f"left out: {rows} reads {why}")
    found = locator.run(reads)
    try:
        _write(options.out, reads, found)
    except OSError as error:
        raise CliError(f"{options.out}: cannot be written: {error.strerror}") from None
    unknown = int(np.isnan(found.error90_m).sum())
    _say(f"{options.out}: {len(found.tag)} positions of {len(reads.tags)} tags, {unknown} unknown")
    return 0


def _read(options: argparse.Namespace) -> tuple[Locator, Reads]:
    receivers = read_receivers(options.receivers)
    plan = read_plan(options.floorplan, receivers.position_m) if options.floorplan else Plan()
    height = TAG_HEIGHT_M if options.height is None else options.height
    survey = read_survey(options.survey, receivers, height) if options.survey else None
    reads = read_reads(options.reads, receivers)
    telling = _Progress()
    return Locator(receivers, survey, plan, options.height, options.window, telling.tell), reads


def _write(path: Path, reads: Reads, found: Found) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADING)
        for i, (tag, newest) in enumerate(
            zip(found.tag.tolist(), found.newest.tolist(), strict=True)
        ):
            known = bool(np.isfinite(found.error90_m[i]))
            numbers = [*found.place_m[i].tolist(), float(found.error90_m[i])]
            writer.writerow(
                [
                    reads.t[newest],
                    reads.tags[tag],
                    *([f"{n:.3f}" for n in numbers] if known else [""] * 4),
                    found.room[i],
                    found.method if known else "none",
                    int(found.receivers[i]),
                    found.reason[i],
                ]
            )


class _Progress:
    """A line every EVERY_S seconds on standard error, for runs that take longer than that."""

    def __init__(self) -> None:
        self._start = self._told = time.monotonic()

    def tell(self, what: str, share: float) -> None:
        now = time.monotonic()
        if now - self._told >= EVERY_S:
            self._told = now
            left = f", {(now - self._start) * (1 / share - 1):.0f} s left" if share > 0.01 else ""
            _say(f"{what}: {100 * share:.0f} %{left}" if share else what)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
