"""Runs of the estimators on rooms in memory, as `biotrakr locate` would do them from files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.path_loss import Survey
from pipeline.evaluation.inputs import Reads, ReceiverTable
from pipeline.evaluation.locate import Locator
from pipeline.evaluation.plan import Plan

Floats = NDArray[np.float64]


@dataclass
class Errors:
    """(N,) metres: of each window, and the radius that was reported."""

    error_m: Floats
    radius_m: Floats

    @property
    def figures(self) -> dict[str, float]:
        return {
            "median_m": round(float(np.median(self.error_m)), 3),
            "p90_m": round(float(np.quantile(self.error_m, 0.9)), 3),
            "holds_90": round(float((self.error_m <= self.radius_m).mean()), 3),
        }


def reads_of(time_s: Floats, rssi_dbm: Floats) -> Reads:
    """One tag; RSSI (N, R), NaN unheard."""
    row, receiver = np.nonzero(np.isfinite(rssi_dbm))
    text = [repr(t) for t in time_s[row].tolist()]
    tag = np.zeros(len(row), dtype=np.int64)
    return Reads(("a",), text, time_s[row], tag, receiver, rssi_dbm[row, receiver])


def survey_of(time_s: Floats, xy_m: Floats, height_m: float, rssi_dbm: Floats) -> Survey:
    row, receiver = np.nonzero(np.isfinite(rssi_dbm))
    place = np.column_stack([xy_m[row], np.full(len(row), height_m)])
    return Survey(place, receiver, rssi_dbm[row, receiver], time_s[row])


def locate(
    receivers_m: Floats,
    time_s: Floats,
    xy_m: Floats,
    rssi_dbm: Floats,
    *,
    height_m: float,
    window_s: float,
    survey: Survey | None = None,
    plan: Plan | None = None,
) -> Errors:
    """Errors of the windows in which anything was heard."""
    table = ReceiverTable(tuple(f"r{i}" for i in range(len(receivers_m))), receivers_m)
    reads = reads_of(time_s, rssi_dbm)
    found = Locator(table, survey, plan or Plan(), height_m, window_s).run(reads)
    at = np.searchsorted(time_s, reads.time_s[found.newest])
    error = np.linalg.norm(found.place_m[:, :2] - xy_m[at], axis=1)
    return Errors(error, found.error90_m)
