"""Seeded rooms in which receivers hear a walking tag: path loss, shadowing fixed in space, noise.

Nothing of the estimators is used here, and every room has its own hardware: power, exponent,
shadowing and loss are drawn anew.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TAG_HEIGHT_M = 1.2
WAVES = 60


@dataclass
class Room:
    """One tag's way and what was heard of it; RSSI (N, R) in dBm, NaN unheard."""

    receivers_m: Floats
    size_m: Floats
    time_s: Floats
    xy_m: Floats
    rssi_dbm: Floats
    survey_xy_m: Floats
    survey_rssi_dbm: Floats

    def without(self, receivers: NDArray[np.int64]) -> Room:
        """The same with some receivers taken away."""
        kept = np.delete(np.arange(len(self.receivers_m)), receivers)
        return Room(
            self.receivers_m[kept], self.size_m, self.time_s, self.xy_m, self.rssi_dbm[:, kept],
            self.survey_xy_m, self.survey_rssi_dbm[:, kept],
        )  # fmt: skip


@dataclass
class _Radio:
    """Shadowing of each receiver is a sum of plane waves: smooth, and the same at every visit."""

    receivers_m: Floats
    power_dbm: Floats
    exponent: float
    waves: Floats
    phases: Floats
    shadow_db: float
    noise_db: float
    loss: float

    @classmethod
    def draw(cls, rng: np.random.Generator, receivers_m: Floats) -> _Radio:
        count = len(receivers_m)
        length = rng.uniform(1.5, 4.0)
        return cls(
            receivers_m, rng.uniform(-72, -42) + rng.normal(0, 2.0, count), rng.uniform(1.8, 3.4),
            rng.normal(0, 1.0 / length, (count, WAVES, 2)),
            rng.uniform(0, 2 * np.pi, (count, WAVES)),
            rng.uniform(3.0, 6.0), rng.uniform(2.0, 4.0), rng.uniform(0.05, 0.3),
        )  # fmt: skip

    def heard(self, rng: np.random.Generator, xy_m: Floats) -> Floats:
        gap = np.column_stack([xy_m, np.full(len(xy_m), TAG_HEIGHT_M)])[:, None] - self.receivers_m
        distance = np.maximum(np.linalg.norm(gap, axis=2), 0.3)
        wave = np.einsum("nd,rwd->nrw", xy_m, self.waves) + self.phases
        shadow = self.shadow_db * np.sqrt(2.0 / WAVES) * np.cos(wave).sum(axis=2)
        level = self.power_dbm - 10 * self.exponent * np.log10(distance) + shadow
        level += rng.normal(0, self.noise_db, level.shape)
        return np.where((rng.random(level.shape) > self.loss) & (level > -98), level, np.nan)


def draw(seed: int, windows: int = 200, every_s: float = 1.0, survey: int = 400) -> Room:
    """A room of 8 to 25 m a side with 4 to 12 receivers near its walls and in its middle."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(8.0, 25.0, 2)
    count = int(np.clip(size.prod() / rng.uniform(12.0, 40.0), 4, 12))
    share = (np.arange(count) + rng.random(count)) / count
    place = np.column_stack([share, rng.permutation(share)]) * size
    receivers = np.column_stack([place, rng.uniform(2.0, 3.0, count)])
    radio = _Radio.draw(rng, receivers)
    way, survey_way = _walk(rng, size, windows, every_s), _walk(rng, size, survey, every_s)
    return Room(
        receivers, size, np.arange(windows) * every_s, way, radio.heard(rng, way),
        survey_way, radio.heard(rng, survey_way),
    )  # fmt: skip


def _walk(rng: np.random.Generator, size: Floats, steps: int, every_s: float) -> Floats:
    """From target to target at walking speed, with stops."""
    place = rng.uniform(0.3, size - 0.3)
    target, pause, way = place, 0.0, []
    for _ in range(steps):
        gap = target - place
        far = float(np.linalg.norm(gap))
        if pause > 0:
            pause -= every_s
        elif far < 0.1:
            target, pause = rng.uniform(0.3, size - 0.3), rng.exponential(10.0)
        else:
            place = place + gap * min(1.0, 0.8 * every_s / far)
        way.append(place)
    return np.array(way)


def write(room: Room, folder: Path, survey: bool = True) -> None:
    """R.csv, D.csv, T.csv and S.csv as `biotrakr locate` reads them."""
    receivers = [[f"r{i}", *place] for i, place in enumerate(room.receivers_m.tolist())]
    way = zip(room.time_s.tolist(), room.xy_m.tolist(), strict=True)
    truth = [[t, "a", *xy] for t, xy in way]
    tables: dict[str, list[list[object]]] = {
        "R": [["receiver", "x", "y", "z"], *receivers],
        "D": [["t", "tag", "receiver", "rssi_dbm"], *_reads(room.time_s, room.rssi_dbm, ["a"])],
        "T": [["t", "tag", "x", "y"], *truth],
    }  # fmt: skip
    if survey:
        rows = [
            [float(i), *room.survey_xy_m[i].tolist(), TAG_HEIGHT_M, f"r{k}", level]
            for i, heard in enumerate(room.survey_rssi_dbm.tolist())
            for k, level in enumerate(heard)
            if level == level
        ]
        tables["S"] = [["t", "x", "y", "z", "receiver", "rssi_dbm"], *rows]
    for name, table in tables.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(table)


def _reads(time_s: Floats, rssi_dbm: Floats, tags: list[str]) -> list[list[object]]:
    return [
        [t, tag, f"r{k}", level]
        for t, heard in zip(time_s.tolist(), rssi_dbm.tolist(), strict=True)
        for tag in tags
        for k, level in enumerate(heard)
        if level == level
    ]
