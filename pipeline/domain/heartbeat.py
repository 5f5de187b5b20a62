"""When an asset that stands still gets a row again: assets take turns.

All were heard for the first time in the same few windows; if each were due a fixed time after its
last row, all would be due at once, for ever.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.fences import SECOND_US
from pipeline.domain.floorplan import Building
from pipeline.domain.policy import Policy
from pipeline.domain.tracks import Ints


def due(
    building: Building, assets: Ints, row_us: Ints, at_us: int, policy: Policy
) -> NDArray[np.bool_]:
    """Which `assets` (N,), whose last row was for `row_us` (N,), need one for `at_us`.

    At most `row_every_s` lie between two rows of an asset that is heard in every window.
    """
    period = round(policy.row_every_s * SECOND_US)
    turn = building.turn[assets] % period
    beats: NDArray[np.bool_] = (at_us + turn) // period != (row_us + turn) // period
    return beats
