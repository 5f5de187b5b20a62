"""How well positions and alerts agree with the truth. Times: event time, us since 1970."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.domain.geometry import Floats
from pipeline.simulation.scenario import MICROSECONDS
from pipeline.simulation.truth import Truth, ZoneEntry

CROSSING_S = 1.0
TYPICAL_HEIGHT_M = 1.0
EARLY_S, LATE_S = 3.0, 15.0
"""An alert may open this long before the true entry, or after the true exit, and still be its."""


class AlertSpan(NamedTuple):
    """One alert: `resolved_us` is None while it is open."""

    tag_number: str
    zone: str
    opened_us: int
    resolved_us: int | None


@dataclass(frozen=True)
class FixScore:
    """2-D errors in metres; shares from 0 to 1.

    `room_accuracy` leaves out fixes within CROSSING_S of the asset's crossing a door, where a
    fix a hand's breadth off is in another room (`at_doors` of them); `room_accuracy_all` counts
    them.
    """

    fixes: int
    at_doors: int
    median_m: float
    p90_m: float
    room_accuracy: float
    room_accuracy_all: float
    floor_accuracy: float
    error_m: Floats
    room_right: NDArray[np.bool_]

    def __str__(self) -> str:
        return (
            f"{self.fixes} fixes: error median {self.median_m:.2f} m, p90 {self.p90_m:.2f} m; "
            f"room right {self.room_accuracy:.1%} ({self.room_accuracy_all:.1%} with the "
            f"{self.at_doors} within {CROSSING_S:g} s of a door), floor {self.floor_accuracy:.1%}"
        )


@dataclass(frozen=True)
class AlertScore:
    """`expected` are the forbidden stays longer than the dwell that began early enough."""

    expected: list[ZoneEntry]
    matched: list[tuple[ZoneEntry, AlertSpan]]
    missed: list[ZoneEntry]
    unresolved: list[tuple[ZoneEntry, AlertSpan]]
    extra: list[AlertSpan]

    @property
    def perfect(self) -> bool:
        """Each expected entry has exactly one alert, opened and resolved; there is no other."""
        return not (self.missed or self.unresolved or self.extra)

    @property
    def open_delays_s(self) -> list[float]:
        return [(a.opened_us - e.entered_us) / MICROSECONDS for e, a in self.matched]

    @property
    def resolve_delays_s(self) -> list[float]:
        return [
            (a.resolved_us - e.left_us) / MICROSECONDS
            for e, a in self.matched
            if a.resolved_us is not None and e.left_us is not None
        ]


def score_fixes(
    truth: Truth,
    tag_numbers: Sequence[str],
    ts_us: ArrayLike,
    x_m: ArrayLike,
    y_m: ArrayLike,
    z_m: ArrayLike,
    rooms: Sequence[str | None],
) -> FixScore:
    """Score fixes given as columns. A fix without a room is in the wrong room.

    The floor of a fix is its room's, else the one whose elevation plus a metre is nearest to z.
    Raises KeyError for an asset or room that the truth does not know.
    """
    asset = np.array([truth.asset_index[number] for number in tag_numbers], dtype=np.int64)
    at_us = np.asarray(ts_us, dtype=np.int64) - truth.start_us
    where, space = truth.walks.at(asset, at_us)
    error = np.hypot(np.asarray(x_m) - where[:, 0], np.asarray(y_m) - where[:, 1])
    index = {code: i for i, code in enumerate(truth.rooms)}
    said = np.array([-1 if room is None else index[room] for room in rooms], dtype=np.int64)
    right = said == space
    crossing = _near_door(truth, asset, at_us)
    floor_of = np.array(truth.room_floors)
    floor_right = _floors(truth, said, np.asarray(z_m, dtype=np.float64)) == floor_of[space]
    return FixScore(
        fixes=len(asset),
        at_doors=int(crossing.sum()),
        median_m=_quantile(error, 0.5),
        p90_m=_quantile(error, 0.9),
        room_accuracy=_share(right[~crossing]),
        room_accuracy_all=_share(right),
        floor_accuracy=_share(floor_right),
        error_m=error,
        room_right=right,
    )


def score_alerts(truth: Truth, alerts: Iterable[AlertSpan]) -> AlertScore:
    """Match each forbidden stay longer than its zone's dwell with the first alert on it.

    An entry that the end of the run cuts off within the dwell plus LATE_S is not expected; an
    alert on it is not extra either. A second alert on an entry is extra. An alert has to be
    resolved when the asset left at least LATE_S before the end.
    """
    left_over = sorted(alerts, key=lambda alert: alert.opened_us)
    forbidden = [e for e in truth.zone_entries() if e.rule and _stay_s(truth, e) > _dwell(truth, e)]
    matched: list[tuple[ZoneEntry, AlertSpan]] = []
    missed: list[ZoneEntry] = []
    expected: list[ZoneEntry] = []
    for entry in forbidden:
        alert = next((alert for alert in left_over if _belongs(truth, entry, alert)), None)
        due = _stay_s(truth, entry) > _dwell(truth, entry) + LATE_S or entry.left_us is not None
        if due:
            expected.append(entry)
        if alert is not None:
            left_over.remove(alert)
            matched.append((entry, alert))
        elif due:
            missed.append(entry)
    unresolved = [
        (entry, alert)
        for entry, alert in matched
        if alert.resolved_us is None
        and entry.left_us is not None
        and entry.left_us < truth.end_us - LATE_S * MICROSECONDS
    ]
    return AlertScore(expected, matched, missed, unresolved, left_over)


def _belongs(truth: Truth, entry: ZoneEntry, alert: AlertSpan) -> bool:
    left_us = truth.end_us if entry.left_us is None else entry.left_us
    return (
        (alert.tag_number, alert.zone) == (entry.tag_number, entry.zone)
        and alert.opened_us >= entry.entered_us - EARLY_S * MICROSECONDS
        and alert.opened_us <= left_us + LATE_S * MICROSECONDS
    )


def _stay_s(truth: Truth, entry: ZoneEntry) -> float:
    left_us = truth.end_us if entry.left_us is None else entry.left_us
    return (left_us - entry.entered_us) / MICROSECONDS


def _dwell(truth: Truth, entry: ZoneEntry) -> float:
    return truth.zones[entry.zone][1]


def _near_door(
    truth: Truth, asset: NDArray[np.int64], at_us: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether the asset changes rooms within CROSSING_S of the time."""
    margin = round(CROSSING_S * MICROSECONDS)
    here = truth.walks.at(asset, at_us)[1]
    before, after = (truth.walks.at(asset, at_us + shift)[1] for shift in (-margin, margin))
    return np.asarray((before != here) | (after != here))


def _floors(truth: Truth, said: NDArray[np.int64], z_m: Floats) -> NDArray[np.int64]:
    heights = np.array(truth.elevations_m) + TYPICAL_HEIGHT_M
    by_height = np.argmin(np.abs(z_m[:, None] - heights), axis=1)
    return np.where(said >= 0, np.array(truth.room_floors)[said], by_height)


def _quantile(values: Floats, share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else float("nan")


def _share(flags: NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else float("nan")
