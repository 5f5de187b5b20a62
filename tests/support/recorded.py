"""The recorded library, as matrices (the flat: flat_data.py). Phones hear fixed beacons.

Data: Mendoza-Silva et al., Universitat Jaume I, DOI 10.5281/zenodo.1618692, CC BY 4.0; read from
beside the checkout.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parents[3] / "shared" / "positioning" / "library"
BEACON_HEIGHT_M, PHONE_HEIGHT_M = 2.5, 1.2
UNHEARD = 100.0
Floats = NDArray[np.float64]


@dataclass
class Visit:
    """One phone in one campaign, in order of time, only rows in which something was heard."""

    time_s: Floats
    xy: Floats
    rssi_dbm: Floats


def beacons_m() -> Floats:
    with (FOLDER / "beacons.csv").open() as file:
        rows = list(csv.DictReader(file))
    return np.array([[float(row["x"]), float(row["y"]), BEACON_HEIGHT_M] for row in rows])


def visit(phone: int, campaign: int) -> Visit:
    table = {
        name: np.loadtxt(FOLDER / f"lib_{name}.csv", delimiter=",")
        for name in ("crd", "rss", "tms")
    }
    ids = np.loadtxt(FOLDER / "lib_ids.csv", dtype=np.int64)
    h = ids // 100_000
    rows = (h // 100 == phone) & (h % 10 == campaign)
    rssi = np.where(table["rss"][rows] == UNHEARD, np.nan, table["rss"][rows])
    heard = np.isfinite(rssi).any(axis=1)
    times = np.where(table["tms"][rows] > 0, table["tms"][rows], np.nan)[heard] / 1e9
    time_s = np.nanmedian(times, axis=1)
    order = np.argsort(time_s, kind="stable")
    return Visit(time_s[order] - time_s.min(), table["crd"][rows][heard][order], rssi[heard][order])
