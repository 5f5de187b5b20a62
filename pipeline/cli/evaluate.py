"""`biotrakr evaluate`: how good positions are, against the truth and beside simple methods.

With --receivers and --reads the controls and the Cramer-Rao bound stand in the same table: a method
that loses to one of them is not working there.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.cli.errors import CliError
from pipeline.domain.geometry import Floats, contains
from pipeline.domain.lattice import bounds_around
from pipeline.evaluation import comparison, picture, report
from pipeline.evaluation.errors import InputError
from pipeline.evaluation.inputs import (
    ReceiverTable,
    Track,
    read_reads,
    read_receivers,
    read_survey,
    read_track,
)  # fmt: skip
from pipeline.evaluation.locate import TAG_HEIGHT_M
from pipeline.evaluation.plan import Plan, read_plan
from pipeline.evaluation.scoring import Score, Truth, score, truth_at

NOBODY = ReceiverTable((), np.empty((0, 3)))


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "evaluate", help="score positions against the truth", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--positions", type=Path, required=True, metavar="O.csv",
                        help="what locate wrote: t,tag,x,y[,z,error90_m,room]")  # fmt: skip
    parser.add_argument("--truth", type=Path, required=True, metavar="T.csv",
                        help="t,tag,x,y[,z,room]")  # fmt: skip
    parser.add_argument("--receivers", type=Path, metavar="R.csv")
    parser.add_argument("--reads", type=Path, metavar="D.csv")
    parser.add_argument("--survey", type=Path, metavar="S.csv")
    parser.add_argument("--floorplan", type=Path, metavar="F")
    parser.add_argument("--height", type=float, default=TAG_HEIGHT_M, metavar="M")
    parser.add_argument("--window", type=float, default=1.0, metavar="S", help="as for locate")
    parser.add_argument("--json", action="store_true", help="JSON in place of the table")
    parser.add_argument("--picture", type=Path, metavar="FILE", help=".svg, or .png with Pillow")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    try:
        scores, bound, drawn = _evaluate(options)
        if options.picture:
            picture.write(options.picture, drawn)
    except (InputError, picture.PictureError) as error:
        raise CliError(str(error)) from None
    print(report.as_json(scores, bound) if options.json else report.table(scores, bound))
    return 0


def _evaluate(options: argparse.Namespace) -> tuple[list[Score], float | None, picture.Drawn]:
    if (options.reads is None) != (options.receivers is None):
        raise CliError("the controls need both --receivers and --reads")
    receivers = read_receivers(options.receivers) if options.receivers else NOBODY
    plan = read_plan(options.floorplan, receivers.position_m) if options.floorplan else Plan()
    found, known = read_track(options.positions), read_track(options.truth)
    truth = _with_rooms(truth_at(known, found), plan)
    ours = score("these positions", found, truth)
    if ours is None:
        raise CliError(
            f"{options.positions} and {options.truth} have no tag and time in common "
            "(a truth counts for positions at most 10 s away)"
        )
    scores, bound = [ours], None
    errors = {ours.name: _errors(found, truth)}
    if options.reads is not None:
        heard = comparison.windows_of(
            read_reads(options.reads, receivers), receivers, options.window, known
        )
        survey = read_survey(options.survey, receivers, options.height) if options.survey else None
        box = bounds_around(np.concatenate([receivers.position_m[:, :2], plan.corners_m]), 0.5)
        tracks = comparison.controls(heard, receivers.position_m, box, options.height, survey)
        for name, track in tracks.items():
            scored = score(name, track, heard.truth)
            if scored is not None:
                scores.append(scored)
                errors[name] = _errors(track, heard.truth)
        bound = comparison.cramer_rao_m(heard, receivers.position_m)
    drawn = picture.Drawn(
        truth.place_m[:, :2], found.place_m[:, :2], receivers.position_m, plan, errors
    )
    return scores, bound, drawn


def _with_rooms(truth: Truth, plan: Plan) -> Truth:
    """A truth that names no room gets it from the plan."""
    if any(truth.room) or not plan.rooms:
        return truth
    room = [""] * len(truth.room)
    floors = plan.elevations_m if plan.elevations_m is not None else np.zeros(1)
    z = np.nan_to_num(truth.place_m[:, 2], nan=float(floors[0]) + 1.0)
    floor = np.maximum(np.searchsorted(floors, z, side="right") - 1, 0)
    for area in plan.areas:
        inside = contains(area.polygon, truth.place_m[:, :2]) & (floor == area.floor)
        for i in np.flatnonzero(inside).tolist():
            room[i] = area.name
    return Truth(truth.place_m, room)


def _errors(track: Track, truth: Truth) -> Floats:
    gap: Floats = np.linalg.norm(track.place_m[:, :2] - truth.place_m[:, :2], axis=1)
    return gap
