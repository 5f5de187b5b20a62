"""The survey as it was heard: all receivers at once, at the places where it was taken.

A map of each receiver's mean forgets what the receivers have in common: a body or a trolley that
stood in the way shifted several of them together, for seconds. Short stretches of the survey keep
that. The likelihood of a window at a place is a mixture of the map's and that of the stretches
nearby (a kernel density estimate in RSSI), so that where nobody surveyed the map alone decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.belief_likelihood import NU, Heard
from pipeline.domain.geometry import Floats
from pipeline.domain.lattice import Lattice
from pipeline.domain.path_loss import Survey
from pipeline.domain.radio_field import Single

STRETCH_S = 2.0
BIN_M = 0.5
NEARBY_M = 0.5
"""Standard deviation of the Gaussian by which a stretch speaks for places beside it."""
SCATTER_DB = 3.5
"""Of one read around its stretch: what is left when shadowing is the same."""
UNHEARD = -2.5
"""Log-likelihood of a receiver that is heard now and was not in the stretch."""
MOST_ROWS = 3.0
MAX_STRETCHES = 1_000


@dataclass(frozen=True)
class Stretches:
    """P stretches of a survey: place (P, 3), mean RSSI (P, R) with NaN where unheard, rows (P,)."""

    place_m: Floats
    rssi_dbm: Floats
    rows: Floats

    @classmethod
    def of(cls, survey: Survey, receivers: int) -> Stretches:
        """Cut the survey where the place changes by a bin or STRETCH_S have passed."""
        order = np.argsort(np.nan_to_num(survey.time_s), kind="stable")
        time = np.nan_to_num(survey.time_s)[order]
        place, heard_by = survey.place_m[order], survey.receiver[order]
        bins = np.rint(place / BIN_M).astype(np.int64)
        slot = np.floor(time / STRETCH_S).astype(np.int64)
        _, which = np.unique(np.column_stack([bins, slot]), axis=0, return_inverse=True)
        which = which.ravel()
        rows = np.bincount(which).astype(np.float64)
        centre = np.stack([np.bincount(which, axis) / rows for axis in place.T], axis=1)
        cell = which * receivers + heard_by
        count = np.bincount(cell, minlength=len(rows) * receivers)
        total = np.bincount(cell, survey.rssi_dbm[order], minlength=len(count))
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(-1, receivers)
        reads = rows / np.maximum(np.isfinite(mean).sum(axis=1), 1)
        if len(rows) > MAX_STRETCHES:
            kept = np.linspace(0, len(rows) - 1, MAX_STRETCHES).astype(np.int64)
            centre, mean, reads = centre[kept], mean[kept], reads[kept]
        return cls(centre, mean, reads)


@dataclass(frozen=True)
class Fingerprints:
    """Stretches laid over a lattice. `nearby` (P, C) sums to 1 over P; `share` (C,) is how much
    of the likelihood at a place is theirs."""

    level_dbm: Single
    heard: NDArray[np.bool_]
    nearby: Single
    log_share: Single
    log_rest: Single

    @classmethod
    def over(cls, lattice: Lattice, stretches: Stretches, most: float = 0.5) -> Fingerprints:
        """`most`: the share where the survey is dense."""
        gap = lattice.places_m[None] - stretches.place_m[:, None]
        near = np.exp(-0.5 * (gap * gap).sum(axis=2) / NEARBY_M**2)
        near *= np.minimum(stretches.rows, MOST_ROWS)[:, None]
        density = near.sum(axis=0)
        share = most * density / (density + 1.0)
        heard = np.isfinite(stretches.rssi_dbm)
        return cls(
            np.where(heard, stretches.rssi_dbm, 0.0).astype(np.float32),
            heard,
            (near / np.maximum(density, 1e-12)).astype(np.float32),
            np.log(np.maximum(share, 1e-12)).astype(np.float32),
            np.log1p(-share).astype(np.float32),
        )

    def mixed(
        self, of_map: Single, heard: Heard, row_tag: NDArray[np.int64], shift_db: Floats
    ) -> Single:
        """The log-likelihood of the map (rows, C) mixed with that of the stretches."""
        total = np.zeros((len(row_tag), len(self.level_dbm)), np.float32)
        for receivers, rssi_dbm in zip(heard.receiver.T, heard.rssi_dbm.T, strict=True):
            receiver = receivers[row_tag]
            on = receiver >= 0
            level = np.where(on, rssi_dbm[row_tag] - shift_db, 0.0).astype(np.float32)
            u = (level[:, None] - self.level_dbm[:, receiver].T) / np.float32(SCATTER_DB)
            one = np.float32(-0.5 * (NU + 1.0)) * np.log1p(u * u / np.float32(NU))
            one = np.where(self.heard[:, receiver].T, one, np.float32(UNHEARD))
            total += np.where(on[:, None], one - np.float32(np.log(SCATTER_DB)), np.float32(0.0))
        top = total.max(axis=1, keepdims=True)
        of_survey = np.log(np.exp(total - top) @ self.nearby + np.float32(1e-30)) + top
        mixed: Single = np.logaddexp(of_map + self.log_rest, of_survey + self.log_share)
        return mixed
