"""How likely what was heard is at every place of a lattice, for rows of (tag, hypothesis)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.domain.radio_field import RadioField, Single

NU = 4.0
"""Degrees of freedom, as in likelihood.py."""
MAX_U2 = 100.0
"""A residual of ten sigmas says as much as one of a hundred; products stay within float32."""
FACTORS_A_LOG = 16


@dataclass(frozen=True)
class Heard:
    """N tags in one window; reads are (N, K), padded with receiver -1. dBm and seconds."""

    tag: NDArray[np.int64]
    time_s: Floats
    receiver: NDArray[np.int64]
    rssi_dbm: Floats

    def tags(self, some: slice) -> Heard:
        return Heard(self.tag[some], self.time_s[some], self.receiver[some], self.rssi_dbm[some])


def log_likelihood(
    field: RadioField, heard: Heard, row_tag: NDArray[np.int64], hypothesis: NDArray[np.int64]
) -> Single:
    """Log of the Student-t density of the reads, up to a constant of the window: (rows, C).

    Row i is tag `row_tag[i]` (index into `heard`) under `hypothesis[i]`. Receivers multiply before
    the logarithm is taken: one logarithm a place instead of one a read.
    """
    total = np.zeros((len(row_tag), len(field.lattice)), np.float32)
    product = np.ones_like(total)
    u2 = np.empty_like(total)
    which, shift = field.map_of[hypothesis], field.shift_db[hypothesis]
    factors = 0
    for receivers, rssi_dbm in zip(heard.receiver.T, heard.rssi_dbm.T, strict=True):
        receiver = receivers[row_tag]
        on = receiver >= 0
        if not on.any():
            continue
        level = np.where(on, rssi_dbm[row_tag] - shift, 0.0).astype(np.float32)
        np.subtract(field.mean_dbm[which, receiver], level[:, None], out=u2)
        u2 *= u2
        u2 *= (on / np.float32(NU)).astype(np.float32)[:, None]
        if field.is_even:
            u2 *= field.precision
        else:
            u2 *= field.precision[receiver]
            total += np.where(on[:, None], field.half_log_precision[receiver], np.float32(0.0))
        np.minimum(u2, np.float32(MAX_U2 / NU), out=u2)
        u2 += np.float32(1.0)
        product *= u2
        factors += 1
        if factors % FACTORS_A_LOG == 0:
            _take_log(total, product)
            product.fill(1.0)
    _take_log(total, product)
    return total


def _take_log(total: Single, product: Single) -> None:
    np.log(product, out=product)
    product *= np.float32(0.5 * (NU + 1.0))
    total -= product
