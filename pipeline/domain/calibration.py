"""Calibration of receivers: P0 and exponent of each from reads of senders whose places are known.

The senders may be a survey's tag, reference tags, or other receivers that advertise. Each receiver
has a P0 and an exponent of its own, drawn towards the common ones by a Gaussian prior, so one that
heard little does not run away; exponents stay within EXPONENT_RANGE and are flagged there. A new
calibration is accepted only when it explains held-out places better than the present one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats

EXPONENT_RANGE = (1.2, 6.0)
P0_SD_DB, EXPONENT_SD, SENDER_SD_DB = 4.0, 0.4, 3.0
SIGMA_RANGE_DB = (2.0, 12.0)
NU = 4.0
ROUNDS = 30
FOLDS = 5
ROWS_A_PLACE = 0.3
"""Reads of one place share their shadowing: each counts for so much."""
LEAST_ROWS = 30
LEAST_PLACES = 10
BETTER = 0.99
"""The held-out residual must shrink to this share of the present one: less is chance."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """N reads: receiver index; log10 of the distance in metres; what walls and floors take, dB;
    RSSI in dBm; the sender's index; the place's index, which decides what is held out together."""

    receiver: Ints
    decades: Floats
    loss_db: Floats
    rssi_dbm: Floats
    sender: Ints
    place: Ints

    def __len__(self) -> int:
        return len(self.receiver)

    def rows(self, which: NDArray[np.bool_]) -> Samples:
        return Samples(*(getattr(self, f.name)[which] for f in fields(self)))


@dataclass(frozen=True)
class Calibration:
    """Of R receivers."""

    p0_dbm: Floats
    exponent: Floats
    sigma_db: Floats

    def predicted_dbm(self, samples: Samples) -> Floats:
        """(N,) what each read should have been, for a sender of the usual power."""
        r = samples.receiver
        path: Floats = self.p0_dbm[r] - 10.0 * self.exponent[r] * samples.decades
        return path - samples.loss_db


@dataclass(frozen=True)
class Quality:
    """What a calibration is worth; residuals are of places it was not fitted to, RMS in dB."""

    accepted: bool
    reason: str
    held_out_db: float
    present_db: float
    rows: Ints
    """(R,) reads of each receiver."""
    on_bound: NDArray[np.bool_]
    """(R,) whose exponent lies on its bound: its reads do not look like path loss."""
    unseen_db: Floats
    """(R,) leave-one-receiver-out: RMS of its reads as the other receivers would predict them; NaN
    without reads."""


def fit(samples: Samples, receivers: int) -> Calibration:
    """Robust (Student-t) alternating least squares. A receiver without reads gets the common
    values."""
    r, decades = samples.receiver, samples.decades
    level = samples.rssi_dbm + samples.loss_db
    senders = int(samples.sender.max(initial=-1)) + 1
    power = np.zeros(senders)
    start = float(np.median(level + 24.0 * decades)) if len(r) else -59.0
    common = np.array([start, 2.4])
    p0, exponent = np.full(receivers, common[0]), np.full(receivers, common[1])
    sigma, weight = np.full(receivers, 6.0), np.full(len(r), ROWS_A_PLACE)
    for _ in range(ROUNDS):
        w = weight / sigma[r] ** 2
        p0, exponent = _lines(r, decades, level - power[samples.sender], w, common, receivers)
        residual = level - power[samples.sender] - p0[r] + 10.0 * exponent[r] * decades
        if senders > 1:
            total = np.bincount(samples.sender, w, senders) + SENDER_SD_DB**-2.0
            power += np.bincount(samples.sender, w * residual, senders) / total
            power -= power.mean()
        known = np.bincount(r, minlength=receivers) > 0
        if known.any():
            common = np.array([p0[known].mean(), exponent[known].mean()])
        sigma = _sigmas(r, residual, receivers)
        weight = ROWS_A_PLACE * (NU + 1.0) / (NU + (residual / sigma[r]) ** 2)
    return Calibration(p0, exponent, sigma)


def _lines(
    r: Ints, decades: Floats, level: Floats, w: Floats, common: Floats, receivers: int
) -> tuple[Floats, Floats]:
    """P0 and exponent of each receiver: weighted lines with a prior, the slope within bounds."""
    x = -10.0 * decades
    a, b = (np.bincount(r, part, receivers) for part in (w, w * x))
    c = np.bincount(r, w * x * x, receivers) + EXPONENT_SD**-2.0
    a = a + P0_SD_DB**-2.0
    u = np.bincount(r, w * level, receivers) + common[0] * P0_SD_DB**-2.0
    v = np.bincount(r, w * x * level, receivers) + common[1] * EXPONENT_SD**-2.0
    exponent = np.clip((a * v - b * u) / (a * c - b * b), *EXPONENT_RANGE)
    return (u - b * exponent) / a, exponent


def _sigmas(r: Ints, residual: Floats, receivers: int) -> Floats:
    """Robust spread of each receiver's residual, drawn to that of all by LEAST_ROWS reads."""
    whole = float(np.median(np.abs(residual))) * 1.4826 if len(residual) else 6.0
    square = np.minimum(residual**2, (3.0 * max(whole, 1.0)) ** 2)
    rows = np.bincount(r, minlength=receivers)
    variance = np.bincount(r, square, receivers) + LEAST_ROWS * whole**2
    return np.clip(np.sqrt(variance / (rows + LEAST_ROWS)), *SIGMA_RANGE_DB)


def calibrate(samples: Samples, present: Calibration) -> tuple[Calibration, Quality]:
    """The new calibration and whether it is to take the place of the present one."""
    receivers = len(present.p0_dbm)
    finite = np.isfinite(samples.rssi_dbm) & np.isfinite(samples.decades)
    samples = samples.rows(finite & np.isfinite(samples.loss_db))
    rows = np.bincount(samples.receiver, minlength=receivers)
    found = fit(samples, receivers)
    low, high = EXPONENT_RANGE
    on_bound = (rows > 0) & ((found.exponent <= low) | (found.exponent >= high))
    # Reads that no receiver has enough of change nothing for it: it keeps what it has.
    keep = rows < LEAST_ROWS
    found = Calibration(
        *(np.where(keep, getattr(present, f.name), getattr(found, f.name)) for f in fields(found))
    )
    new_db, old_db = _held_out(samples, present, keep)
    places = len(np.unique(samples.place))
    reason = "better on held-out places"
    if places < LEAST_PLACES:
        reason = f"only {places} places; {LEAST_PLACES} are needed to test it"
    elif keep.all():
        reason = f"no receiver has {LEAST_ROWS} reads"
    elif not new_db < BETTER * old_db:
        reason = "no better on held-out places"
    accepted = reason.startswith("better")
    unseen = _unseen(samples, found, receivers)
    return found, Quality(accepted, reason, new_db, old_db, rows, on_bound, unseen)


def _held_out(
    samples: Samples, present: Calibration, keep: NDArray[np.bool_]
) -> tuple[float, float]:
    """RMS residual of new and present calibration on places that the new one was not fitted to."""
    if not len(samples):
        return float("nan"), float("nan")
    order = np.unique(samples.place)
    fold = np.searchsorted(order, samples.place) % FOLDS
    new = np.empty(len(samples))
    for k in range(FOLDS):
        test = fold == k
        if test.any() and not test.all():
            trained = fit(samples.rows(~test), len(present.p0_dbm))
            parts = (
                np.where(keep, getattr(present, f.name), getattr(trained, f.name))
                for f in fields(trained)
            )
            part = samples.rows(test)
            new[test] = part.rssi_dbm - Calibration(*parts).predicted_dbm(part)
        else:
            return float("inf"), float("nan")
    old = samples.rssi_dbm - present.predicted_dbm(samples)
    return _rms(_levelled(samples, new)), _rms(_levelled(samples, old))


def _levelled(samples: Samples, residual: Floats) -> Floats:
    """Without what a sender is stronger than others: tracking learns that by itself."""
    count = np.maximum(np.bincount(samples.sender), 1)
    mean = np.bincount(samples.sender, residual) / count
    without: Floats = residual - mean[samples.sender]
    return without


def _unseen(samples: Samples, found: Calibration, receivers: int) -> Floats:
    """Each receiver's reads as predicted by the mean of the others: what a receiver that nobody
    surveyed would be like."""
    rows = np.bincount(samples.receiver, minlength=receivers)
    heard = rows > 0
    others = max(int(heard.sum()) - 1, 1)
    total = [float(column[heard].sum()) for column in (found.p0_dbm, found.exponent)]
    blind = replace(
        found,
        p0_dbm=(total[0] - found.p0_dbm) / others,
        exponent=np.clip((total[1] - found.exponent) / others, *EXPONENT_RANGE),
    )
    square = (samples.rssi_dbm - blind.predicted_dbm(samples)) ** 2
    sums = np.bincount(samples.receiver, square, receivers)
    return np.where(heard, np.sqrt(sums / np.maximum(rows, 1)), np.nan)


def _rms(residual: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(residual)))) if len(residual) else float("nan")
