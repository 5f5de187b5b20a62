"""What the receivers of one benchmark building hear: arrays of reads, seeded.

RSSI = P0 - 10 n log10(d) - slabs + tag offset + shadowing(place) + noise, rounded to 1 dBm. The
shadowing is a smooth random field a receiver, frozen in space (random Fourier features). Each tag
is heard once a second by the four receivers where it is strongest, each at a moment of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from bench import hospital

HEARD_BY = 4
SECOND_US = 1_000_000
SLAB_DB, TAG_SPREAD_DB = 15.0, 1.5
SHADOWING_DB, SHADOWING_LENGTH_M, WAVES = 3.5, 4.0, 16
TAG_HEIGHT_M = 1.0
SPEED_M_S = 1.2


@dataclass(frozen=True)
class Reads:
    """(N,) each; times in microseconds after the start, sorted by gateway, then time."""

    gateway: np.ndarray
    time_us: np.ndarray
    tag: np.ndarray
    rssi_dbm: np.ndarray


def listen(
    rng: np.random.Generator, tags: int, moving: int, seconds: int, noise_db: float
) -> Reads:
    """`seconds` of a building in which the first `moving` of `tags` tags walk."""
    places, floors = hospital.receiver_places()
    world = _World(rng, places, floors)
    xy = rng.uniform([0.0, 0.0], hospital.EXTENT_M, (tags, 2))
    floor = rng.integers(0, hospital.FLOORS, tags)
    offset = rng.normal(0, TAG_SPREAD_DB, tags)[:, None]
    mean = world.mean_dbm(xy, floor) + offset
    walk = _Walk(rng, xy[:moving].copy())
    gateway, time, rssi = [], [], []
    for second in range(seconds):
        if moving:
            mean[:moving] = world.mean_dbm(walk.step(), floor[:moving]) + offset[:moving]
        strongest = np.argpartition(-mean, HEARD_BY, axis=1)[:, :HEARD_BY]
        heard = np.take_along_axis(mean, strongest, axis=1)
        rssi.append(np.rint(heard + rng.normal(0, noise_db, heard.shape)).ravel())
        gateway.append(strongest.ravel())
        time.append(second * SECOND_US + rng.integers(0, SECOND_US, heard.size))
    tag = np.tile(np.repeat(np.arange(tags), HEARD_BY), seconds)
    columns = np.concatenate(gateway), np.concatenate(time), tag, np.concatenate(rssi)
    order = np.lexsort((columns[1], columns[0]))
    return Reads(*(column[order] for column in columns))


class _World:
    def __init__(self, rng: np.random.Generator, places: np.ndarray, floors: np.ndarray) -> None:
        self._places, self._floors = places, floors
        self._waves = rng.normal(0, 1 / SHADOWING_LENGTH_M, (2, WAVES))
        phases = rng.uniform(0, 2 * np.pi, (WAVES, len(places)))
        scale = SHADOWING_DB * np.sqrt(2 / WAVES)
        self._cos, self._sin = scale * np.cos(phases), scale * np.sin(phases)

    def mean_dbm(self, xy: np.ndarray, floor: np.ndarray) -> np.ndarray:
        """(N, R) at `xy` (N, 2), without the tag's offset and noise."""
        gap = xy[:, None, :] - self._places
        height = hospital.RECEIVER_HEIGHT_M - TAG_HEIGHT_M
        rise = (self._floors - floor[:, None]) * hospital.FLOOR_HEIGHT_M + height
        distance = np.sqrt((gap**2).sum(axis=2) + rise**2)
        angle = xy @ self._waves
        shadowing = np.cos(angle) @ self._cos - np.sin(angle) @ self._sin
        slabs = np.abs(self._floors - floor[:, None])
        loss = 10 * hospital.EXPONENT * np.log10(distance) + SLAB_DB * slabs
        return hospital.P0_DBM - loss + shadowing


class _Walk:
    """Tags that walk without a pause, from room to neighbouring room."""

    def __init__(self, rng: np.random.Generator, xy: np.ndarray) -> None:
        self._rng, self._xy, self._target = rng, xy, xy.copy()

    def step(self) -> np.ndarray:
        """One second later; (N, 2) metres."""
        gap = self._target - self._xy
        away = np.hypot(gap[:, 0], gap[:, 1])
        there = away <= SPEED_M_S
        part = np.where(there, 1.0, SPEED_M_S / np.maximum(away, SPEED_M_S))
        self._xy = self._xy + gap * part[:, None]
        self._target[there] = self._next_room(self._xy[there])
        return self._xy

    def _next_room(self, xy: np.ndarray) -> np.ndarray:
        """A random point of one of the rooms around; those of the margin turn back."""
        step = self._rng.integers(-1, 2, xy.shape)
        room = np.clip(xy // hospital.ROOM_M + step, 0, [hospital.COLUMNS - 1, hospital.ROWS - 1])
        return (room + self._rng.uniform(0.1, 0.9, xy.shape)) * hospital.ROOM_M
