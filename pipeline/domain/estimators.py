"""Simple estimators of one window, all behind one signature: the controls of every comparison.

Each takes `Fixes` and what is known of the radio and returns (N, 2) metres, NaN for a fix without
reads. A method that loses to one of them is not working there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.domain import least_squares
from pipeline.domain.fingerprints import Stretches
from pipeline.domain.geometry import Floats
from pipeline.domain.path_loss import PathLoss
from pipeline.domain.radio import DB_PER_NEPER

NEIGHBOURS = 4
UNHEARD_DB = 10.0
"""What a receiver adds to the gap between two fingerprints when only one of them heard it."""
POWER_SD_DB = 6.0
FAR_M = 1_000.0


@dataclass(frozen=True)
class Fixes:
    """`rssi_dbm` (N, R), NaN unheard; metres: receivers (R, 3), box (2, 2), height (N,)."""

    rssi_dbm: Floats
    receivers_m: Floats
    box_m: Floats
    height_m: Floats
    path_loss: PathLoss
    surveyed: bool = False
    stretches: Stretches | None = None


Estimator = Callable[[Fixes], Floats]


def room_centre(fixes: Fixes) -> Floats:
    """The middle of the box: no data at all."""
    return np.broadcast_to(fixes.box_m.mean(axis=0), (len(fixes.rssi_dbm), 2)).copy()


def strongest_receiver(fixes: Fixes) -> Floats:
    level = np.where(np.isfinite(fixes.rssi_dbm), fixes.rssi_dbm, -np.inf)
    place: Floats = fixes.receivers_m[level.argmax(axis=1), :2] * _heard(fixes)
    return place


def weighted_centroid(fixes: Fixes) -> Floats:
    """Mean of the receivers' places weighted by 1 / distance."""
    weight = np.nan_to_num(1.0 / _distances_m(fixes))
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
    place: Floats = weight @ fixes.receivers_m[:, :2] / total * _heard(fixes)
    return place


def least_squares_on_distances(fixes: Fixes) -> Floats:
    """Gauss-Newton on distances in metres, unweighted: what most libraries do."""
    distance = _distances_m(fixes)
    heard = np.isfinite(distance)
    place = np.nan_to_num(weighted_centroid(fixes))
    rise = fixes.height_m[:, None] - fixes.receivers_m[:, 2]
    for _ in range(20):
        gap = place[:, None] - fixes.receivers_m[:, :2]
        model = np.maximum(np.sqrt((gap * gap).sum(axis=2) + rise * rise), 0.1)
        slope = np.where(heard[..., None], gap / model[..., None], 0.0)
        residual = np.where(heard, distance - model, 0.0)
        normal = np.einsum("nki,nkj->nij", slope, slope) + 1e-3 * np.eye(2)
        step = np.linalg.solve(normal, np.einsum("nki,nk->ni", slope, residual)[..., None])[..., 0]
        place = np.clip(
            place + np.clip(step, -5.0, 5.0), -FAR_M + fixes.box_m[0], FAR_M + fixes.box_m[1]
        )
    return place * _heard(fixes)


def least_squares_in_db(fixes: Fixes) -> Floats:
    """Student-t least squares in dB inside the box, at the known height."""
    heard = np.isfinite(fixes.rssi_dbm)
    shape = fixes.rssi_dbm.T.shape
    x, y, z = (np.broadcast_to(axis[:, None], shape) for axis in fixes.receivers_m.T)
    excess = np.where(heard, fixes.rssi_dbm - fixes.path_loss.p0_dbm, 0.0).T
    links = least_squares.Links(
        x, y, z, excess, np.full(shape, DB_PER_NEPER * fixes.path_loss.exponent),
        heard.T / fixes.path_loss.sigma_db**2,
    )  # fmt: skip
    low, high = fixes.box_m
    box = np.array([[*low, fixes.height_m.min() - 1.0], [*high, fixes.height_m.max() + 1.0]])
    precision = 1e6 if fixes.surveyed else POWER_SD_DB**-2
    prior = least_squares.Prior(fixes.height_m, least_squares.KNOWN, precision, box)
    start = np.column_stack([np.nan_to_num(weighted_centroid(fixes)), fixes.height_m])
    return least_squares.solve(links, prior, start).place_m[:, :2] * _heard(fixes)


def nearest_fingerprints(fixes: Fixes) -> Floats:
    """The mean place of the NEIGHBOURS stretches of the survey that sounded most alike."""
    if fixes.stretches is None:
        return np.full((len(fixes.rssi_dbm), 2), np.nan)
    known = fixes.stretches.rssi_dbm
    place = np.empty((len(fixes.rssi_dbm), 2))
    neighbours = min(NEIGHBOURS, len(known))
    for i, fix in enumerate(fixes.rssi_dbm):
        gap = known - fix
        lone = np.isfinite(known) ^ np.isfinite(fix)
        square = (np.nan_to_num(gap) ** 2 + UNHEARD_DB**2 * lone).sum(axis=1)
        nearest = np.argpartition(square, neighbours - 1)[:neighbours]
        place[i] = fixes.stretches.place_m[nearest, :2].mean(axis=0)
    return place * _heard(fixes)


CONTROLS: dict[str, Estimator] = {
    "room centre": room_centre,
    "strongest receiver": strongest_receiver,
    "weighted centroid": weighted_centroid,
    "least squares on distances": least_squares_on_distances,
    "least squares in dB": least_squares_in_db,
    "nearest fingerprints (k=4)": nearest_fingerprints,
}


def _distances_m(fixes: Fixes) -> Floats:
    """What the RSSI stands for, NaN unheard."""
    decades = (fixes.path_loss.p0_dbm - fixes.rssi_dbm) / (10.0 * fixes.path_loss.exponent)
    return np.clip(10.0**decades, 0.1, FAR_M)


def _heard(fixes: Fixes) -> Floats:
    """1 where something was heard, NaN elsewhere: (N, 1)."""
    return np.where(np.isfinite(fixes.rssi_dbm).any(axis=1), 1.0, np.nan)[:, None]
