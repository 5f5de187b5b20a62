"""The likelihood carried through time: for every tag a belief over places and radio models.

A window multiplies the belief by the Student-t likelihood of what was heard; between windows it
spreads (see belief_motion.py). What is heard later is never used. A tag that was never heard starts
everywhere, under every radio model that earlier tags have not made unlikely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.belief_likelihood import Heard, log_likelihood
from pipeline.domain.belief_motion import Diffuser, Motion
from pipeline.domain.fingerprints import Fingerprints
from pipeline.domain.geometry import Floats
from pipeline.domain.radio_field import RadioField, Single

BLOCK = 1 << 18
"""Places of a block of rows: more would not stay in the processor's cache."""
ROWS_OF_NEWCOMERS = ((16, 1_000), (128, 24))
"""The first 16 tags carry all hypotheses, later ones the likeliest 24, then LEAST."""
ROWS_KEPT = ((5, 1_000), (20, 24))
"""All hypotheses in the first 5 windows of a tag, then at most 24, then LEAST."""
LEAST = 8
RULED_OUT = 1e-4
LEARNED_AT = (5, 20, 100)
"""Windows of a tag after which newcomers learn from it."""
PRIOR_TAGS = 4.0
"""How many tags it takes to outweigh what was believed of the radio before any was heard."""


@dataclass(frozen=True)
class Where:
    """Posterior of N tags: mean (N, 3) in metres, covariance of (x, y) in m2, each (N,).

    `masses` (N, L): how much of the belief lies under each of the labels that were asked for.
    """

    mean_m: Floats
    cxx: Floats
    cxy: Floats
    cyy: Floats
    masses: Floats

    @classmethod
    def join(cls, parts: Sequence[Where]) -> Where:
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))


@dataclass(frozen=True)
class _Held:
    """What is believed of one tag: hypotheses (h,) and their joint belief (h, C), summing to 1."""

    hypothesis: NDArray[np.int64]
    belief: Single
    time_s: float
    windows: int


@dataclass
class BeliefFilter:
    """State of all tags of one building. `labels` (C, L): membership of each place, 0 or 1."""

    radio: RadioField
    motion: Motion = field(default_factory=Motion)
    labels: Single | None = None
    fingerprints: Fingerprints | None = None
    learned: Floats | None = None
    """(H,): how many tags spoke for each hypothesis; may be shared by filters of one building."""
    _held: dict[int, _Held] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lattice = self.radio.lattice
        self._diffuser = Diffuser(lattice, self.motion)
        self._learned = np.zeros(len(self.radio)) if self.learned is None else self.learned
        self._start = (lattice.weight / lattice.weight.sum()).astype(np.float32).ravel()
        self._middle = lattice.xy_m.mean(axis=0)
        x, y = (lattice.xy_m - self._middle).T
        self._moments = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], 1).astype(np.float32)

    def forget(self, tag: int) -> None:
        """The tag is somewhere else: its next window is its first."""
        self._held.pop(tag, None)

    def advance(self, heard: Heard) -> Where:
        """Take in one window; windows come in order of time and a tag appears once in each."""
        parts, first = [], 0
        while first < len(heard.tag):
            rows, last = 0, first
            while last < len(heard.tag) and (last == first or rows < self._block_rows):
                known = self._held.get(int(heard.tag[last]))
                rows += len(known.hypothesis) if known else self._newcomer_rows
                last += 1
            parts.append(self._advance(heard.tags(slice(first, last))))
            first = last
        return Where.join(parts)

    @property
    def _block_rows(self) -> int:
        return max(1, BLOCK // len(self.radio.lattice))

    @property
    def _newcomer_rows(self) -> int:
        return min(len(self.radio), _limit(ROWS_OF_NEWCOMERS, len(self._held)))

    def _advance(self, heard: Heard) -> Where:
        held = [
            self._held.get(tag) or self._new(time)
            for tag, time in zip(heard.tag.tolist(), heard.time_s.tolist(), strict=True)
        ]
        counts = np.array([len(one.hypothesis) for one in held])
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        row_tag = np.repeat(np.arange(len(held)), counts)
        hypothesis = np.concatenate([one.hypothesis for one in held])
        elapsed = np.maximum(heard.time_s - [one.time_s for one in held], 0.0)
        belief = np.concatenate([one.belief for one in held])
        belief = self._diffuser.spread(belief, elapsed[row_tag])
        fresh = np.array([one.windows == 0 for one in held])
        power = np.where(fresh, 1.0, self.motion.power(elapsed)).astype(np.float32)
        log = log_likelihood(self.radio, heard, row_tag, hypothesis)
        if self.fingerprints is not None:
            log = self.fingerprints.mixed(log, heard, row_tag, self.radio.shift_db[hypothesis])
        log *= power[row_tag, None]
        log -= np.maximum.reduceat(log.max(axis=1), starts)[row_tag, None]
        belief *= np.exp(log, out=log)
        mass = belief.sum(axis=1, dtype=np.float64)
        total = np.maximum(np.add.reduceat(mass, starts), 1e-30)
        belief *= (1.0 / total)[row_tag, None].astype(np.float32)
        self._keep(heard, held, starts, hypothesis, belief, mass / total[row_tag])
        several = len(belief) > len(held)
        return self._where(np.add.reduceat(belief, starts, axis=0) if several else belief)

    def _new(self, time_s: float) -> _Held:
        weight = PRIOR_TAGS * np.exp(self.radio.log_prior) + self._learned
        chosen = np.sort(np.argsort(-weight, kind="stable")[: self._newcomer_rows])
        weight = weight[chosen] / weight[chosen].sum()
        return _Held(chosen, weight[:, None].astype(np.float32) * self._start, time_s, 0)

    def _keep(
        self,
        heard: Heard,
        held: Sequence[_Held],
        starts: NDArray[np.int64],
        hypothesis: NDArray[np.int64],
        belief: Single,
        mass: Floats,
    ) -> None:
        """Store the beliefs, without the hypotheses that the reads have ruled out."""
        ends = np.append(starts[1:], len(belief)).tolist()
        for i, (tag, time, first, last) in enumerate(
            zip(heard.tag.tolist(), heard.time_s.tolist(), starts.tolist(), ends, strict=True)
        ):
            rows, windows = slice(first, last), held[i].windows + 1
            weight = mass[rows]
            if windows in LEARNED_AT:
                self._learned[hypothesis[rows]] += weight
            good = np.flatnonzero(weight > RULED_OUT * weight.max())
            most = _limit(ROWS_KEPT, windows)
            if len(good) > most:
                good = np.sort(good[np.argsort(-weight[good], kind="stable")[:most]])
            share = np.float32(1.0 / weight[good].sum())
            kept = belief[rows][good] * share
            self._held[tag] = _Held(hypothesis[rows][good], kept, time, windows)

    def _where(self, belief: Single) -> Where:
        lattice = self.radio.lattice
        floors = belief.reshape(len(belief), len(lattice.heights_m), -1)
        layer = floors.sum(axis=2).argmax(axis=1)
        moments = (floors.sum(axis=1) @ self._moments).astype(np.float64)
        _, x, y, xx, xy, yy = (moments / np.maximum(moments[:, :1], 1e-30)).T
        within_cell = lattice.cell_m**2 / 12.0
        masses = np.zeros((len(belief), 0)) if self.labels is None else belief @ self.labels
        return Where(
            np.column_stack([x + self._middle[0], y + self._middle[1], lattice.heights_m[layer]]),
            np.maximum(xx - x * x, 0.0) + within_cell,
            xy - x * y,
            np.maximum(yy - y * y, 0.0) + within_cell,
            masses.astype(np.float64),
        )


def _limit(table: Sequence[tuple[int, int]], count: int) -> int:
    return next((limit for below, limit in table if count < below), LEAST)
