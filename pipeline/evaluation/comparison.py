"""The controls on the same windows, and the Cramer-Rao bound, beside the positions of a file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.cramer_rao import bound_m
from pipeline.domain.estimators import CONTROLS, Fixes
from pipeline.domain.fingerprints import Stretches
from pipeline.domain.geometry import Floats
from pipeline.domain.path_loss import PathLoss, Survey
from pipeline.evaluation.inputs import Reads, ReceiverTable, Track
from pipeline.evaluation.scoring import Truth, truth_at
from pipeline.evaluation.windows import Windows, cut

NOMINAL_P0_DBM, NOMINAL_EXPONENT, NOMINAL_SIGMA_DB = -59.0, 2.4, 7.0
"""What the controls take for granted where nothing was surveyed."""
ENOUGH = 3
"""Receivers without which a fix cannot be bounded."""


@dataclass(frozen=True)
class Heard:
    """The windows of a file of reads as a matrix (N, R) beside their truth."""

    track: Track
    truth: Truth
    rssi_dbm: Floats


def windows_of(reads: Reads, receivers: ReceiverTable, window_s: float, truth: Track) -> Heard:
    """One row a tag and window, as `locate` cuts them."""
    windows = cut(reads, window_s)
    count = len(windows)
    track = Track(
        [reads.tags[tag] for tag in windows.tag.tolist()], reads.time_s[windows.newest],
        np.full((count, 3), np.nan), np.full(count, np.nan), [""] * count,
    )  # fmt: skip
    return Heard(track, truth_at(truth, track), _matrix(windows, len(receivers)))


def controls(
    heard: Heard, receivers_m: Floats, box_m: Floats, height_m: float, survey: Survey | None
) -> dict[str, Track]:
    """What each control makes of the windows; without a survey it takes a nominal path loss."""
    count = len(receivers_m)
    if survey is None:
        nominal = np.full(count, NOMINAL_P0_DBM)
        path_loss = PathLoss(nominal, NOMINAL_EXPONENT, NOMINAL_SIGMA_DB)
    else:
        path_loss = PathLoss.fit(survey, receivers_m)
    height = np.full(len(heard.rssi_dbm), height_m)
    stretches = None if survey is None else Stretches.of(survey, count)
    fixes = Fixes(
        heard.rssi_dbm, receivers_m, box_m, height, path_loss, survey is not None, stretches
    )
    found = {}
    for name, estimate in CONTROLS.items():
        place = np.column_stack([estimate(fixes), height])
        track = heard.track
        found[name] = Track(track.tag, track.time_s, place, track.error90_m, track.room)
    return found


def cramer_rao_m(heard: Heard, receivers_m: Floats) -> float | None:
    """Median over the windows of at least ENOUGH receivers, for the path loss that fits the truth.

    None when too little is known.
    """
    on = np.isfinite(heard.rssi_dbm)
    place = np.where(np.isfinite(heard.truth.place_m), heard.truth.place_m, np.nan)
    place[:, 2] = np.where(np.isfinite(place[:, 2]), place[:, 2], 1.2)
    usable = np.isfinite(place).all(axis=1) & (on.sum(axis=1) >= ENOUGH)
    if usable.sum() < ENOUGH:
        return None
    row, receiver = np.nonzero(on & usable[:, None])
    rssi = heard.rssi_dbm[row, receiver]
    at_truth = Survey(place[row], receiver, rssi, np.zeros(len(row)))
    fitted = PathLoss.fit(at_truth, receivers_m)
    residual = rssi - fitted.rssi_dbm(place[row], receiver, receivers_m)
    bound = bound_m(place[usable], on[usable], receivers_m, fitted.exponent, float(residual.std()))
    return float(np.median(bound))


def _matrix(windows: Windows, receivers: int) -> NDArray[np.float64]:
    matrix = np.full((len(windows), receivers), np.nan)
    row, slot = np.nonzero(windows.receiver >= 0)
    matrix[row, windows.receiver[row, slot]] = windows.rssi_dbm[row, slot]
    return matrix
