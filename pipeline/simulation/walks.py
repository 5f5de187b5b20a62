"""Where every asset is at every moment: exact, piecewise linear in time.

Times are microseconds after the walks' start. Frame: metres, z is the tag's height above the
building's zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.domain.geometry import Floats
from pipeline.simulation.diary import Diary, Trail
from pipeline.simulation.hospital import Hospital
from pipeline.simulation.scenario import MICROSECONDS

ASSET_STRIDE_US = 1 << 44
"""Breakpoints of all assets in one sorted array: asset * stride + time (203 days each)."""


@dataclass(frozen=True)
class Visits:
    """Stays in rooms, by asset and time; `left_us` is -1 when the walk ends inside."""

    asset: NDArray[np.int64]
    space: NDArray[np.int64]
    entered_us: NDArray[np.int64]
    left_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.asset)


@dataclass(frozen=True)
class Walks:
    """B breakpoints, sorted by asset, then time. Between two of them an asset moves in a straight
    line through `space[i]`, the room of the first."""

    assets: int
    asset: NDArray[np.int64]
    t_us: NDArray[np.int64]
    xyz_m: Floats
    """(B, 3)"""
    space: NDArray[np.int64]
    end_us: int

    @cached_property
    def _keys(self) -> NDArray[np.int64]:
        return self.asset * ASSET_STRIDE_US + self.t_us

    def positions(self, t_us: ArrayLike) -> Floats:
        """(A, T, 3) positions of all assets at T times."""
        return self.locate(t_us)[0]

    def spaces(self, t_us: ArrayLike) -> NDArray[np.int64]:
        """(A, T) index of the room each asset is in."""
        return self.locate(t_us)[1]

    def locate(self, t_us: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
        times = np.atleast_1d(np.asarray(t_us, dtype=np.int64))
        return self.at(np.arange(self.assets)[:, None], times[None, :])

    def at(self, asset: NDArray[np.int64], t_us: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
        """Positions (..., 3) and rooms (...) of the given assets at the given times, broadcast.

        Before the start and after the end an asset stands where it was then.
        """
        times = np.clip(t_us, 0, self.end_us)
        i = np.searchsorted(self._keys, asset * ASSET_STRIDE_US + times, side="right") - 1
        j = np.minimum(i + 1, len(self.t_us) - 1)
        j = np.where(self.asset[j] == self.asset[i], j, i)
        span = np.maximum(self.t_us[j] - self.t_us[i], 1)
        share = ((times - self.t_us[i]) / span)[..., None]
        where = self.xyz_m[i] + share * (self.xyz_m[j] - self.xyz_m[i])
        return where, self.space[i]

    @cached_property
    def visits(self) -> Visits:
        """Every stay in every room, in order of asset and time."""
        first = np.ones(len(self.space), dtype=bool)
        first[1:] = (self.space[1:] != self.space[:-1]) | (self.asset[1:] != self.asset[:-1])
        start = np.nonzero(first)[0]
        asset = self.asset[start]
        left = np.append(self.t_us[start[1:]], -1)
        last = np.append(asset[1:] != asset[:-1], True)
        left[last | (left > self.end_us)] = -1
        begun = self.t_us[start] < self.end_us
        return Visits(asset[begun], self.space[start][begun], self.t_us[start][begun], left[begun])


def build_walks(hospital: Hospital, seconds: float) -> Walks:
    """Walk every asset for at least `seconds`; a longer walk begins with the shorter one."""
    diary = Diary(hospital, seconds)
    trails = [diary.write(asset) for asset in range(len(hospital.fleet))]
    return _gather(trails, round(seconds * MICROSECONDS))


def _gather(trails: list[Trail], end_us: int) -> Walks:
    sizes = [len(trail.t_us) for trail in trails]
    return Walks(
        assets=len(trails),
        asset=np.repeat(np.arange(len(trails)), sizes),
        t_us=np.concatenate([np.array(trail.t_us, dtype=np.int64) for trail in trails]),
        xyz_m=np.concatenate([np.array(trail.xyz_m, dtype=np.float64) for trail in trails]),
        space=np.concatenate([np.array(trail.space, dtype=np.int64) for trail in trails]),
        end_us=end_us,
    )
