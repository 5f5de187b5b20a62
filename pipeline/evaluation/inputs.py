"""Receivers, reads, survey and truth from CSV files, checked; what cannot be used is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.domain.path_loss import Survey
from pipeline.evaluation.columns import Columns, read_columns
from pipeline.evaluation.errors import InputError

RECEIVER_HEIGHT_M = 2.5
"""Of a receiver whose z is not given, unless others are."""
RSSI_RANGE_DBM = (-130.0, 20.0)
"""Beyond this a number stands for "not heard": 100 and -200 are common."""
FAR_M = 1e5
SEVERAL_FLOORS_M = 4.0


@dataclass(frozen=True)
class ReceiverTable:
    names: tuple[str, ...]
    position_m: Floats
    """(R, 3)."""

    def __len__(self) -> int:
        return len(self.names)

    def index(self, names: list[str]) -> NDArray[np.int64]:
        """-1 for a name that is not in the table; 7 and 7.0 are the same name."""
        known = {name: i for i, name in enumerate(self.names)}
        found = {name: known.get(name, known.get(_plain(name), -1)) for name in set(names)}
        return np.array([found[name] for name in names], dtype=np.int64)


@dataclass(frozen=True)
class Reads:
    """In order of time. `t` is the text of the file; receiver -1 is not in the receivers' file."""

    tags: tuple[str, ...]
    t: list[str]
    time_s: Floats
    tag: NDArray[np.int64]
    receiver: NDArray[np.int64]
    rssi_dbm: Floats
    left_out: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.t)


@dataclass(frozen=True)
class Track:
    """Places over time of one or more tags, as found or as they were; x is NaN for "unknown"."""

    tag: list[str]
    time_s: Floats
    place_m: Floats
    error90_m: Floats
    room: list[str]


def read_receivers(path: Path) -> ReceiverTable:
    """Raises InputError for no receivers, one without a place, or two of one name."""
    table = read_columns(path, ("receiver", "x", "y"))
    names = [_plain(name) for name in table.text("receiver")]
    position = _places(table, np.nan)
    for i, name in enumerate(names):
        if not name:
            raise table.error(i, "a receiver has no name")
        if not np.isfinite(position[i, :2]).all():
            raise table.error(i, f"receiver {name} has no x or no y")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        again = len(names) - 1 - names[::-1].index(twice[0])
        raise table.error(again, f"receiver {twice[0]} is listed twice")
    if not names:
        raise InputError(path, "lists no receiver")
    z = position[:, 2]
    usual = float(np.median(z[np.isfinite(z)])) if np.isfinite(z).any() else RECEIVER_HEIGHT_M
    position[:, 2] = np.where(np.isfinite(z), z, usual)
    return ReceiverTable(tuple(names), position)


def read_reads(path: Path, receivers: ReceiverTable) -> Reads:
    """Rows without time, tag or RSSI are left out and counted."""
    table = read_columns(path, ("t", "tag", "receiver", "rssi_dbm"))
    time, rssi, tags, t = table.times_s("t"), _rssi(table), table.text("tag"), table.text("t")
    receiver = receivers.index(table.text("receiver"))
    named = np.array([bool(tag) for tag in tags], dtype=bool)
    reasons = {
        "without a time": ~np.isfinite(time), "without a tag": ~named,
        "without a usable RSSI": ~np.isfinite(rssi),
    }  # fmt: skip
    left_out = Counter({why: int(rows.sum()) for why, rows in reasons.items() if rows.any()})
    strange = int((receiver < 0).sum())
    if strange:
        left_out["from receivers that are not in the receivers' file"] = strange
    keep = np.flatnonzero(named & np.isfinite(time) & np.isfinite(rssi))
    keep = keep[np.argsort(time[keep], kind="stable")]
    if not len(keep):
        raise InputError(path, "has no usable read (t, tag, receiver and rssi_dbm in one row)")
    if (receiver[keep] < 0).all():
        raise InputError(path, "names no receiver of the receivers' file; compare the names")
    distinct = tuple(dict.fromkeys(tags[i] for i in keep.tolist()))
    number = {tag: i for i, tag in enumerate(distinct)}
    index = np.array([number[tags[i]] for i in keep.tolist()], dtype=np.int64)
    return Reads(
        distinct, [t[i] for i in keep.tolist()], time[keep], index, receiver[keep], rssi[keep],
        left_out,
    )  # fmt: skip


def read_survey(path: Path, receivers: ReceiverTable, height_m: float) -> Survey:
    """Rows that cannot be used are left out; z is `height_m` where it is not given."""
    table = read_columns(path, ("x", "y", "receiver", "rssi_dbm"))
    place, rssi = _places(table, height_m), _rssi(table)
    time = table.times_s("t") if table.has("t") else np.full(len(table), np.nan)
    receiver = receivers.index(table.text("receiver"))
    keep = (receiver >= 0) & np.isfinite(rssi) & np.isfinite(place).all(axis=1)
    if not keep.any():
        raise InputError(path, "has no usable row (x, y, a known receiver and rssi_dbm)")
    return Survey(place[keep], receiver[keep], rssi[keep], time[keep])


def read_track(path: Path) -> Track:
    """What `locate` wrote, or the truth: t, tag, x, y and perhaps z, room, error90_m."""
    table = read_columns(path, ("t", "tag", "x", "y"))
    error = table.numbers("error90_m") if table.has("error90_m") else np.full(len(table), np.nan)
    room = table.text("room") if table.has("room") else [""] * len(table)
    return Track(table.text("tag"), table.times_s("t"), _places(table, np.nan), error, room)


def layers_of(z_m: Floats) -> Floats:
    """Heights that stand for groups at least SEVERAL_FLOORS_M / 2 apart: (F,) ascending."""
    ordered = np.sort(z_m)
    groups = np.split(ordered, np.flatnonzero(np.diff(ordered) > SEVERAL_FLOORS_M / 2) + 1)
    return np.array([np.median(group) for group in groups])


def _places(table: Columns, z_m: float) -> Floats:
    z = table.numbers("z") if table.has("z") else np.full(len(table), np.nan)
    place = np.column_stack(
        [table.numbers("x"), table.numbers("y"), np.where(np.isfinite(z), z, z_m)]
    )
    wild = np.flatnonzero(
        (np.abs(np.nan_to_num(place, posinf=np.inf, neginf=-np.inf)) > FAR_M).any(axis=1)
    )
    if len(wild):
        raise table.error(int(wild[0]), f"a place is more than {FAR_M / 1000:.0f} km from zero")
    return place


def _rssi(table: Columns) -> Floats:
    rssi = table.numbers("rssi_dbm")
    low, high = RSSI_RANGE_DBM
    with np.errstate(invalid="ignore"):
        return np.where((rssi >= low) & (rssi <= high), rssi, np.nan)


def _plain(name: str) -> str:
    name = name.strip()
    return name[:-2] if name.endswith(".0") and name[:-2].isdigit() else name
