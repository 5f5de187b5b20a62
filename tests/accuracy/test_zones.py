"""Inside or outside, learned from labelled walks: every file scored by a model that never saw it.

Data: Karoliny et al., SAL-RB data set, Silicon Austria Labs, CC BY 4.0; read from beside the
checkout.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.zone_classifier import Walk, ZoneClassifier

FOLDER = Path(__file__).parents[3] / "shared" / "positioning" / "zones"
STEP_S, UNHEARD_DBM = 0.1, -100.0
INSIDE_SNIFFERS = slice(4, 10)


def recordings() -> dict[str, Walk]:
    if not FOLDER.is_dir():
        pytest.skip("the recorded data are not beside this checkout")
    found = {}
    for path in sorted(FOLDER.glob("*.csv")):
        with path.open() as file:
            table = np.array(list(csv.reader(file))[1:], dtype=np.float64)
        rssi = np.where(table[:, 1:11] <= UNHEARD_DBM, np.nan, table[:, 1:11])
        found[path.stem] = Walk(rssi, table[:, 11] > 0, STEP_S)
    return found


def test_inside_or_outside_of_unseen_files():
    """At least 90 % right over all rows, and better than the nearest sniffer in the same rows."""
    walks = recordings()
    right, nearest = [], []
    for name, walk in walks.items():
        model = ZoneClassifier.learn([other for key, other in walks.items() if key != name])
        said = model.probability(walk.rssi_dbm, walk.step_s) > 0.5
        loudest = np.nan_to_num(walk.rssi_dbm, nan=UNHEARD_DBM).argmax(axis=1)
        right.append(said == walk.inside)
        nearest.append((loudest >= INSIDE_SNIFFERS.start) == walk.inside)
        print(f"{name:32} {right[-1].mean():.1%}, nearest sniffer {nearest[-1].mean():.1%}")
    share, control = np.concatenate(right).mean(), np.concatenate(nearest).mean()
    print(f"all rows: {share:.1%}, nearest sniffer {control:.1%}")
    assert share >= 0.90
    assert share > control
