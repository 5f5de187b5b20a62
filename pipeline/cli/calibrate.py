"""`biotrakr calibrate`: how each receiver hears, from reads of senders whose places are known.

The senders are a tag carried through a survey, reference tags that hang somewhere, or the receivers
themselves where they advertise. The result is tested on places it was not fitted to and takes the
place of the present calibration only where it is better.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.cli.errors import CliError
from pipeline.cli.migrate import database_url
from pipeline.database.connect import connect
from pipeline.domain.calibration import Calibration, Quality, Samples, calibrate
from pipeline.domain.floorplan import Building
from pipeline.domain.geometry import Floats
from pipeline.domain.path_loss import decades_between
from pipeline.evaluation.columns import Columns, read_columns
from pipeline.evaluation.errors import InputError
from pipeline.registry import offline
from pipeline.registry.calibrations import keep
from pipeline.registry.read import read_buildings
from pipeline.registry.site_file import load_site_file

PLACE_M = 0.5
"""Reads of a survey within such a cell count as one place."""
SLAB_LOSS_DB = 15.0
FILES = """files (CSV with a heading, metres in the building's frame, z above its zero):
  survey       t,x,y,z,receiver,rssi_dbm     reads of a tag whose place was known
  tags         tag,x,y,z                     where the reference tags hang
  reads        t,tag,receiver,rssi_dbm       of reference tags, or of receivers that advertise
               (then tag is the name of a receiver)
a receiver is named gateway/name, or name where that is clear
"""


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "calibrate", help="fit how receivers hear, from reads at known places",
        description=__doc__, epilog=FILES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--site", type=Path, required=True, metavar="SITE", help="the site file")
    parser.add_argument("--building", metavar="CODE", help="needed where the site has several")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--survey", type=Path, metavar="FILE")
    source.add_argument("--reference-tags", type=Path, metavar="TAGS")
    source.add_argument("--receivers-hear-each-other", action="store_true")
    parser.add_argument("--reads", type=Path, metavar="FILE")
    parser.add_argument("--slab-loss", type=float, default=SLAB_LOSS_DB, metavar="DB",
                        help="what a floor slab takes; default: %(default)s")  # fmt: skip
    parser.add_argument("--apply", action="store_true",
                        help="keep it in the database; in force if accepted")  # fmt: skip
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    """Exit status 0: accepted; 1: not accepted, and why is said."""
    site = load_site_file(options.site)
    key = f"{site.organization.code}/{site.facility.code}"
    if not options.apply:
        _, quality = _calibrated(options, _one(offline.buildings(site), options.building))
        return 0 if quality.accepted else 1
    if not (options.database_url or os.environ.get("BIOTRAKR_DATABASE_URL")):
        raise CliError("--apply needs --database-url or BIOTRAKR_DATABASE_URL")
    with connect(database_url(options)) as connection:
        building = _one(read_buildings(connection, [key]), options.building)
        found, quality = _calibrated(options, building)
        kept = keep(connection, building, found, quality, _source(options))
    print(f"kept for {kept} receivers{', now in force' if quality.accepted else ''}")
    return 0 if quality.accepted else 1


def _source(options: argparse.Namespace) -> str:
    return (
        "survey" if options.survey else "reference-tags" if options.reference_tags else "receivers"
    )


def _one(buildings: list[Building], code: str | None) -> Building:
    named = [b for b in buildings if code is None or b.code == code]
    if len(named) != 1:
        codes = ", ".join(b.code for b in buildings)
        raise CliError(f"--building must be one of: {codes}")
    return named[0]


def _calibrated(options: argparse.Namespace, building: Building) -> tuple[Calibration, Quality]:
    try:
        samples = _samples(options, building)
    except InputError as error:
        raise CliError(str(error)) from None
    r = building.receivers
    present = Calibration(r.p0_dbm, r.path_loss_exponent, r.sigma_db)
    found, quality = calibrate(samples, present)
    print("\n".join(_report(building, found, quality)))
    return found, quality


def _samples(options: argparse.Namespace, building: Building) -> Samples:
    if options.survey:
        table = read_columns(options.survey, ("x", "y", "z", "receiver", "rssi_dbm"))
        place_m = _places(table)
        sender = np.zeros(len(table), dtype=np.int64)
        _, place = np.unique(np.round(place_m / PLACE_M), axis=0, return_inverse=True)
    else:
        if options.reads is None:
            raise CliError("--reads FILE is needed: what the receivers heard of these senders")
        table = read_columns(options.reads, ("tag", "receiver", "rssi_dbm"))
        known = _senders(options, building)
        names = [name if name in known else "" for name in table.text("tag")]
        rows = [i for i, name in enumerate(names) if name]
        if not rows:
            raise CliError(f"{options.reads}: no read is of a sender whose place is known")
        table = Columns(table.path, table.names, [table.rows[i] for i in rows], table.lines[rows])
        index = {name: i for i, name in enumerate(sorted({names[i] for i in rows}))}
        sender = np.array([index[names[i]] for i in rows], dtype=np.int64)
        place_m, place = np.array([known[names[i]] for i in rows]), sender
    receiver = _receivers(table, building)
    loss = _losses_db(building, receiver, place_m, options.slab_loss)
    decades = decades_between(place_m, building.receivers.position_m[receiver])
    rssi, apart = table.numbers("rssi_dbm"), decades > -0.5  # a receiver does not hear itself
    whole = Samples(receiver, decades, loss, rssi, sender, place.ravel().astype(np.int64))
    return whole.rows(apart)


def _senders(options: argparse.Namespace, building: Building) -> dict[str, Floats]:
    if options.reference_tags:
        table = read_columns(options.reference_tags, ("tag", "x", "y", "z"))
        return dict(zip(table.text("tag"), _places(table), strict=True))
    r = building.receivers
    return {name: r.position_m[i] for name, i in _names(building).items()}


def _places(table: Columns) -> Floats:
    places = np.stack([table.numbers(axis) for axis in "xyz"], axis=1)
    lost = np.flatnonzero(~np.isfinite(places).all(axis=1))
    if len(lost):
        raise table.error(int(lost[0]), "x, y and z must be numbers")
    return places


def _names(building: Building) -> dict[str, int]:
    """gateway/name of each receiver, and its name alone where no other has it."""
    names = building.receivers.names
    alone = [name for _, name in names]
    found = {f"{gateway}/{name}": i for i, (gateway, name) in enumerate(names)}
    return found | {name: i for i, name in enumerate(alone) if alone.count(name) == 1}


def _receivers(table: Columns, building: Building) -> np.ndarray:
    names = _names(building)
    found = [names.get(name, -1) for name in table.text("receiver")]
    if -1 in found:
        row = found.index(-1)
        name = table.text("receiver")[row]
        raise table.error(row, f"the site has no receiver {name!r}; write gateway/name")
    return np.array(found, dtype=np.int64)


def _losses_db(building: Building, receiver: np.ndarray, place_m: Floats, slab_db: float) -> Floats:
    """(N,) what walls (on the receiver's floor) and slabs (else) take."""
    r, elevation = building.receivers, np.array([f.elevation_m for f in building.floors])
    level = np.array([f.level for f in building.floors], dtype=np.float64)
    below = np.where(elevation <= place_m[:, 2:] + 0.1, elevation, -np.inf)
    floor = below.argmax(axis=1)
    slabs = np.abs(level[floor] - level[r.floor[receiver]])
    walls = np.zeros(len(receiver))
    if not building.wall_map.is_flat:
        walls = building.wall_map.loss_at(receiver, place_m[:, 0], place_m[:, 1])
    return np.where(slabs == 0, walls, slabs * slab_db)


def _report(building: Building, found: Calibration, quality: Quality) -> list[str]:
    r = building.receivers
    heading = "{:24} {:>6} {:>15} {:>13} {:>6} {:>7}"
    lines = [heading.format("receiver", "reads", "P0 dBm", "exponent", "sigma", "unseen")]
    lines += [
        f"{'/'.join(r.names[i]):24} {quality.rows[i]:6} "
        f"{r.p0_dbm[i]:6.1f} -> {found.p0_dbm[i]:5.1f} "
        f"{r.path_loss_exponent[i]:5.2f} -> {found.exponent[i]:4.2f} "
        f"{found.sigma_db[i]:6.1f} {quality.unseen_db[i]:7.1f}"
        + (" on its bound: look at it" if quality.on_bound[i] else "")
        for i in np.flatnonzero(quality.rows > 0).tolist()
    ]
    verdict = "accepted" if quality.accepted else "not accepted"
    lines.append(
        f"residual on held-out places {quality.held_out_db:.2f} dB, of the present calibration "
        f"{quality.present_db:.2f} dB: {verdict}, {quality.reason}"
    )
    return lines
