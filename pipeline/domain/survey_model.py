"""A positioning model fitted to a survey, with every free choice made inside the survey.

The survey is cut into stretches of time. For each choice of method (the map, the map with
fingerprints, what would be done without a survey) and of how much a repeated window counts, each
stretch is located by a model that was fitted to others; the smallest RMS error wins. How tags move
is not learned: who surveys does not move like a tag. The same errors say by how much the belief is
too sure of itself: that factor is put on every reported error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.belief import BeliefFilter
from pipeline.domain.belief_likelihood import Heard
from pipeline.domain.belief_motion import Motion
from pipeline.domain.ellipse import radius_90_m
from pipeline.domain.fingerprints import Fingerprints, Stretches
from pipeline.domain.geometry import Floats
from pipeline.domain.lattice import Lattice
from pipeline.domain.path_loss import Survey
from pipeline.domain.radio_field import RadioField
from pipeline.domain.residual_map import BIN_M, Kernel, ResidualMap

FOLDS, SEGMENTS = 4, 24
"""Each fold holds out every fourth of 24 stretches of time, so that it thins the survey out and
does not cut a whole region away."""
MAX_WINDOWS_A_SEGMENT = 50
MIN_PLACES, MIN_WINDOWS = 8, 24
REPEATS = (0.15, 0.3, 0.5)
METHODS = ("map+fingerprints", "map", "unsurveyed")
FINGERPRINT_SHARE = 0.5
TIE = 0.01
"""Choices this near to the best are as good; the first of them trusts repeated windows least."""
TAG_OFFSETS_DB = (-6.0, -3.0, 0.0, 3.0, 6.0)
TAG_OFFSET_SD_DB = 1.5
"""The tag may be louder or weaker than the one of the survey; few are by much."""
ERROR_SCALE = 1.0
ERROR_SCALE_RANGE = (0.5, 2.5)
PRIOR_PLACES = 15.0
"""How many places it takes for the survey's own figure to count as much as ERROR_SCALE."""


Model = tuple[RadioField, Fingerprints | None]


@dataclass(frozen=True)
class Choice:
    """One of METHODS; `repeat`: see Motion."""

    method: str = METHODS[0]
    repeat: float = 0.3

    @property
    def motion(self) -> Motion:
        return Motion(repeat=self.repeat)


@dataclass(frozen=True)
class SurveyModel:
    """What `BeliefFilter` needs, and how it was chosen. Errors in metres; NaN: not tested."""

    field: RadioField
    fingerprints: Fingerprints | None
    motion: Motion
    error_scale: float
    choice: Choice
    kernel: Kernel
    held_out_median_m: float
    held_out_p90_m: float
    tested_windows: int

    def filter(self) -> BeliefFilter:
        """A filter that knows of no tag yet."""
        return BeliefFilter(self.field, self.motion, fingerprints=self.fingerprints)


@dataclass(frozen=True)
class _Windows:
    """The survey as windows in order of time; each segment is a tag of its own."""

    heard: list[Heard]
    truth_m: Floats
    segment: NDArray[np.int64]
    rows: list[NDArray[np.int64]]


def fit(
    survey: Survey,
    receivers_m: Floats,
    unsurveyed: RadioField,
    window_s: float = 1.0,
    progress: Callable[[str], None] | None = None,
) -> SurveyModel:
    """Fit to all of the survey what held-out parts of it preferred. Pure and deterministic.

    `unsurveyed` is what would be used without the survey; it lays out the places.
    """
    lattice = unsurveyed.lattice
    tell = progress or (lambda _: None)
    full = ResidualMap.fit(survey, receivers_m)
    windows = _windows(survey, window_s)
    places = len(np.unique(np.rint(survey.place_m / BIN_M), axis=0))
    test = _Test(Choice(), ERROR_SCALE, np.full(1, np.nan))
    if windows is not None and places >= MIN_PLACES:
        parts = [
            _Part.of(survey, windows, part, receivers_m, full.kernel, unsurveyed)
            for part in range(FOLDS)
        ]
        test = _best(parts, [Choice(m, r) for m in METHODS for r in REPEATS], places, tell)
    choice, errors = test.choice, test.error_m
    models = _models(full, survey, lattice, unsurveyed)
    return SurveyModel(
        *models[choice.method], choice.motion, test.scale, choice, full.kernel,
        float(np.median(errors)), float(np.quantile(errors, 0.9)),
        int(np.isfinite(errors).sum()),
    )  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """One held-out part with the models of the others."""

    heard: list[Heard]
    truth_m: Floats
    models: dict[str, Model]

    @classmethod
    def of(
        cls,
        survey: Survey,
        windows: _Windows,
        part: int,
        receivers_m: Floats,
        kernel: Kernel,
        unsurveyed: RadioField,
    ) -> _Part:
        chosen = np.flatnonzero(windows.segment % FOLDS == part)
        rest = np.ones(len(survey), dtype=bool)
        rest[np.concatenate([windows.rows[i] for i in chosen])] = False
        model = ResidualMap.fit(survey.rows(rest), receivers_m, kernel)
        models = _models(model, survey.rows(rest), unsurveyed.lattice, unsurveyed)
        within = np.arange(len(windows.segment)) - np.searchsorted(windows.segment, windows.segment)
        chosen = chosen[within[chosen] < MAX_WINDOWS_A_SEGMENT]
        return cls([windows.heard[i] for i in chosen], windows.truth_m[chosen], models)

    def locate(self, choice: Choice) -> tuple[Floats, Floats]:
        """Error and reported radius of each window, metres."""
        field, prints = self.models[choice.method]
        tracker = BeliefFilter(field, choice.motion, fingerprints=prints)
        where = [tracker.advance(heard) for heard in self.heard]
        found = np.concatenate([w.mean_m for w in where])
        gap = found[:, :2] - self.truth_m[:, :2]
        radius = [radius_90_m(w.cxx, w.cxy, w.cyy) for w in where]
        return np.linalg.norm(gap, axis=1), np.concatenate(radius)


@dataclass(frozen=True)
class _Test:
    """How a choice did on the held-out stretches."""

    choice: Choice
    scale: float
    error_m: Floats

    @property
    def rms_m(self) -> float:
        return float(np.sqrt((self.error_m * self.error_m).mean()))


def _best(
    parts: Sequence[_Part], choices: Sequence[Choice], places: int, tell: Callable[[str], None]
) -> _Test:
    tests = []
    for choice in choices:
        found = [part.locate(choice) for part in parts]
        error, radius = (np.concatenate(column) for column in zip(*found, strict=True))
        tests.append(_Test(choice, _scale(error, radius, places), error))
        tell(f"held out of the survey: {choice}: RMS {tests[-1].rms_m:.2f} m")
    least = min(test.rms_m for test in tests)
    return next(test for test in tests if test.rms_m <= (1.0 + TIE) * least)


def _models(
    model: ResidualMap, survey: Survey, lattice: Lattice, unsurveyed: RadioField
) -> dict[str, Model]:
    mean, scatter = model.at(lattice.places_m)
    field = RadioField.surveyed(lattice, mean, scatter, TAG_OFFSETS_DB, TAG_OFFSET_SD_DB)
    stretches = Stretches.of(survey, len(mean))
    prints = Fingerprints.over(lattice, stretches, FINGERPRINT_SHARE)
    return dict(zip(METHODS, ((field, prints), (field, None), (unsurveyed, None)), strict=True))


def _scale(error_m: Floats, radius_m: Floats, places: int) -> float:
    """The factor that makes 90 % of the radii hold, drawn towards the usual one."""
    own = float(np.quantile(error_m / np.maximum(radius_m, 1e-6), 0.9))
    share = places / (places + PRIOR_PLACES)
    log = share * np.log(max(own, 0.1)) + (1.0 - share) * np.log(ERROR_SCALE)
    return float(np.clip(np.exp(log), *ERROR_SCALE_RANGE))


def _windows(survey: Survey, window_s: float) -> _Windows | None:
    """None when the survey's rows have no times, or are too few to hold any out."""
    if not np.isfinite(survey.time_s).all():
        return None
    order = np.argsort(survey.time_s, kind="stable")
    slot = np.floor((survey.time_s[order] - survey.time_s[order[0]]) / window_s)
    place = np.rint(survey.place_m[order] / BIN_M)
    new = np.r_[True, (np.diff(slot) != 0) | (np.diff(place, axis=0) != 0).any(axis=1)]
    rows = np.split(order, np.flatnonzero(new)[1:])
    if len(rows) < MIN_WINDOWS:
        return None
    segment = np.arange(len(rows)) * SEGMENTS // len(rows)
    heard = [_heard(survey, some, tag) for some, tag in zip(rows, segment, strict=True)]
    truth = np.array([survey.place_m[some].mean(axis=0) for some in rows])
    return _Windows(heard, truth, segment, rows)


def _heard(survey: Survey, rows: NDArray[np.int64], tag: np.int64) -> Heard:
    receiver, which = np.unique(survey.receiver[rows], return_inverse=True)
    mean = np.bincount(which, survey.rssi_dbm[rows]) / np.bincount(which)
    time = np.array([survey.time_s[rows].max()])
    return Heard(np.array([tag]), time, receiver[None], mean[None])
