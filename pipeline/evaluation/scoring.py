"""How good positions are: errors against the truth, calibration, rooms. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.evaluation.inputs import Track

LONGEST_GAP_S = 10.0
"""Between two truths farther apart than this nothing is known, unless the place is the same."""
SAME_PLACE_M = 0.5


@dataclass(frozen=True)
class Truth:
    """Where each row of another track really was; NaN where the truth does not say."""

    place_m: Floats
    room: list[str]


@dataclass(frozen=True)
class Score:
    """Metres; `holds_90` is the share of truths inside the reported radius; None: not known."""

    name: str
    fixes: int
    median_m: float
    p90_m: float
    p95_m: float
    rms_m: float
    bias_m: tuple[float, float]
    unknown: int = 0
    vertical_median_m: float | None = None
    holds_90: float | None = None
    reported_median_m: float | None = None
    rooms_right: float | None = None
    flaps_per_hour: float | None = None
    confusion: dict[str, dict[str, int]] = field(default_factory=dict)


def truth_at(truth: Track, track: Track) -> Truth:
    """Interpolated between the truths of the same tag; a truth without a tag holds for all."""
    place = np.full((len(track.tag), 3), np.nan)
    room = [""] * len(track.tag)
    rows_of: dict[str, list[int]] = {}
    for i, tag in enumerate(track.tag):
        rows_of.setdefault(tag, []).append(i)
    known: dict[str, list[int]] = {}
    for i, tag in enumerate(truth.tag):
        if np.isfinite(truth.time_s[i]) and np.isfinite(truth.place_m[i, :2]).all():
            known.setdefault(tag, []).append(i)
    for tag, rows in rows_of.items():
        own = np.array(known.get(tag, known.get("", [])), dtype=np.int64)
        if len(own):
            own = own[np.argsort(truth.time_s[own], kind="stable")]
            here = np.array(rows)
            place[here], nearest = _between(truth, own, track.time_s[here])
            for i, j in zip(rows, nearest.tolist(), strict=True):
                room[i] = truth.room[j] if np.isfinite(place[i, 0]) else ""
    return Truth(place, room)


def _between(
    truth: Track, own: NDArray[np.int64], time_s: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    times, places = truth.time_s[own], truth.place_m[own]
    after = np.clip(np.searchsorted(times, time_s), 1, max(len(own) - 1, 1))
    after = np.minimum(after, len(own) - 1)
    before = np.maximum(after - 1, 0)
    span = times[after] - times[before]
    share = np.clip((time_s - times[before]) / np.where(span > 0, span, 1.0), 0.0, 1.0)
    share = np.where((span <= 0) & (time_s >= times[after]), 1.0, share)
    place = places[before] + share[:, None] * (places[after] - places[before])
    nearest = np.where(share < 0.5, before, after)
    away = np.minimum(np.abs(time_s - times[before]), np.abs(time_s - times[after]))
    apart = np.linalg.norm(places[after, :2] - places[before, :2], axis=1)
    still = (apart < SAME_PLACE_M) & (time_s >= times[0]) & (time_s <= times[-1])
    alone = len(np.unique(places[:, :2], axis=0)) == 1
    place[(away > LONGEST_GAP_S) & ~still & ~np.bool_(alone)] = np.nan
    return place, own[nearest]


def score(name: str, track: Track, truth: Truth) -> Score | None:
    """None when no row has both a place and a truth."""
    gap = track.place_m - truth.place_m
    known: NDArray[np.bool_] = np.isfinite(gap[:, 0]) & np.isfinite(gap[:, 1])
    if not known.any():
        return None
    error = np.linalg.norm(gap[known, :2], axis=1)
    rise, radius = gap[known, 2], track.error90_m[known]
    told = np.isfinite(radius)
    bias = gap[known, :2].mean(axis=0)
    right, flaps, confusion = _rooms(track, truth, known)
    return Score(
        name,
        int(known.sum()),
        median_m=float(np.median(error)),
        p90_m=float(np.quantile(error, 0.9)),
        p95_m=float(np.quantile(error, 0.95)),
        rms_m=float(np.sqrt((error * error).mean())),
        bias_m=(float(bias[0]), float(bias[1])),
        unknown=int(np.isfinite(truth.place_m[:, 0]).sum() - known.sum()),
        vertical_median_m=float(np.nanmedian(np.abs(rise))) if np.isfinite(rise).any() else None,
        holds_90=float((error[told] <= radius[told]).mean()) if told.any() else None,
        reported_median_m=float(np.median(radius[told])) if told.any() else None,
        rooms_right=right,
        flaps_per_hour=flaps,
        confusion=confusion,
    )


def _rooms(
    track: Track, truth: Truth, known: NDArray[np.bool_]
) -> tuple[float | None, float | None, dict[str, dict[str, int]]]:
    """Share of rooms right, changes per hour while the true room stayed, and the confusion."""
    rows = [i for i in np.flatnonzero(known).tolist() if truth.room[i]]
    if not rows or not any(track.room[i] for i in rows):
        return None, None, {}
    counts = Counter((truth.room[i], track.room[i]) for i in rows)
    confusion: dict[str, dict[str, int]] = {}
    for (real, found), count in sorted(counts.items()):
        confusion.setdefault(real, {})[found] = count
    right = sum(count for (real, found), count in counts.items() if real == found) / len(rows)
    flaps, seconds = 0, 0.0
    last: dict[str, int] = {}
    for i in sorted(rows, key=lambda i: track.time_s[i]):
        before = last.get(track.tag[i])
        last[track.tag[i]] = i
        if before is not None and truth.room[before] == truth.room[i]:
            flaps += track.room[before] != track.room[i]
            seconds += float(track.time_s[i] - track.time_s[before])
    return right, flaps / (seconds / 3600.0) if seconds > 0 else None, confusion
