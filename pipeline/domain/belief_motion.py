"""How a belief over the places of a lattice spreads while nothing is heard of a tag."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.domain.geometry import Floats
from pipeline.domain.lattice import Lattice
from pipeline.domain.radio_field import Single

OCTAVE_STEPS = 4
"""Elapsed times are rounded to this many steps an octave, so that few kernels serve all tags."""
LONGEST_S = 3600.0


@dataclass(frozen=True)
class Motion:
    """How a tag moves, and how much a window counts.

    With probability `walking` a tag diffused `walk_m` per sqrt(s), else it stayed; it was carried
    anywhere at `jump_per_s`, to another floor at `climb_per_s`. A window that follows at once
    counts `repeat` of a fresh one, because both share their shadowing; one after several times
    `fresh_s` counts as fresh. The defaults were chosen on simulated rooms and on recordings that no
    test scores (README, Accuracy).
    """

    walking: float = 0.6
    walk_m: float = 1.2
    jump_per_s: float = 1e-3
    climb_per_s: float = 1.0 / 120
    repeat: float = 0.3
    fresh_s: float = 10.0

    def power(self, elapsed_s: Floats) -> Floats:
        """What the likelihood of a window is raised to: (N,)."""
        return self.repeat - (1.0 - self.repeat) * np.expm1(-elapsed_s / self.fresh_s)


@dataclass
class Diffuser:
    """Spreads beliefs (rows, C) over a lattice; keeps the kernels it has made."""

    lattice: Lattice
    motion: Motion
    _kernels: dict[float, tuple[Single, Single]] = field(default_factory=dict)

    def spread(self, belief: Single, elapsed_s: Floats) -> Single:
        """What is believed after `elapsed_s` (rows,) seconds; every row keeps its mass."""
        octaves = np.log2(np.clip(elapsed_s, 1e-3, LONGEST_S))
        steps = np.where(
            elapsed_s > 0.0, np.exp2(np.round(octaves * OCTAVE_STEPS) / OCTAVE_STEPS), 0.0
        )
        distinct = np.unique(steps)
        if len(distinct) == 1:
            return self._moved(belief, float(distinct[0])) if distinct[0] else belief
        spread = belief.copy()
        for step in distinct[distinct > 0.0].tolist():
            rows = np.flatnonzero(steps == step)
            spread[rows] = self._moved(belief[rows], step)
        return spread

    def _moved(self, belief: Single, seconds: float) -> Single:
        motion, weight = self.motion, self.lattice.weight.reshape(1, -1)
        mass = belief.sum(axis=1, keepdims=True)
        along_x, along_y = self._kernel(seconds)
        box = belief.reshape(-1, *self.lattice.shape)
        if self.lattice.uneven:  # each step is conditioned to end inside, or walls would repel
            landing = np.matmul(along_y.T, np.matmul(self.lattice.weight, along_x.T))
            box = box / np.maximum(landing, np.float32(1e-12))
        walked: Single = np.matmul(along_y, np.matmul(box, along_x)).reshape(belief.shape)
        if self.lattice.uneven:
            walked *= weight
        jumped = -np.expm1(-motion.jump_per_s * seconds)
        share = motion.walking * (1.0 - jumped)
        walked *= np.float32(share) * mass / np.maximum(walked.sum(axis=1, keepdims=True), 1e-30)
        walked += np.float32(1.0 - jumped - share) * belief
        walked += mass * (np.float32(jumped) / weight.sum()) * weight
        return self._climbed(walked, seconds)

    def _climbed(self, belief: Single, seconds: float) -> Single:
        layers = len(self.lattice.heights_m)
        if layers == 1:
            return belief
        climbed = np.float32(-np.expm1(-self.motion.climb_per_s * seconds))
        floors = belief.reshape(len(belief), layers, -1)
        other = (floors.sum(axis=1, keepdims=True) - floors) / np.float32(layers - 1)
        moved: Single = (np.float32(1.0) - climbed) * floors + climbed * other
        return moved.reshape(belief.shape)

    def _kernel(self, seconds: float) -> tuple[Single, Single]:
        if seconds not in self._kernels:
            sigma = self.motion.walk_m * float(np.sqrt(seconds)) / self.lattice.cell_m
            self._kernels[seconds] = (
                _diffusion(self.lattice.nx, sigma).T.copy(),
                _diffusion(self.lattice.ny, sigma),
            )
        return self._kernels[seconds]


def _diffusion(cells: int, sigma: float) -> Single:
    """(to, from): a Gaussian step along a line of cells that nothing leaves."""
    place = np.arange(cells)
    gap = (place[:, None] - place) / max(sigma, 0.3)
    kernel = np.exp(-0.5 * gap * gap)
    out: Single = (kernel / kernel.sum(axis=0)).astype(np.float32)
    return out
