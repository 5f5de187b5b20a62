"""Rows of the location history as binary COPY data, and the newest row of each asset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.events import ClosedWindow
from pipeline.domain.floorplan import NOWHERE
from pipeline.sinks.binary_copy import rows, timestamps

COLUMNS = (
    ("organization_id", "uuid"), ("asset_id", "uuid"), ("building_id", "uuid"),
    ("ts", "timestamptz"), ("floor_id", "uuid"), ("room_id", "uuid"),
    ("x_m", "real"), ("y_m", "real"), ("z_m", "real"), ("accuracy_m", "real"),
    ("cov_xx", "real"), ("cov_xy", "real"), ("cov_yy", "real"), ("room_confidence", "real"),
    ("method", "smallint"), ("reason", "smallint"), ("receivers", "smallint"),
    ("reads", "integer"), ("moving", "boolean"),
)  # fmt: skip
NAMES = ", ".join(name for name, _ in COLUMNS)
_SMALL = 2**15 - 1
_COPIED = ("x_m", "y_m", "z_m", "accuracy_m", "cov_xx", "cov_xy", "cov_yy", "room_confidence",
           "method", "reason", "moving")  # fmt: skip


def history(closed: ClosedWindow) -> Iterator[bytes]:
    """COPY data of all rows of one closed window."""
    values, nulls = _values(closed)
    yield from rows(COLUMNS, values, nulls)


def newest(windows: Iterable[ClosedWindow]) -> Iterator[bytes]:
    """COPY data of the last row of each asset and building among `windows` (in their order)."""
    last: dict[str, list[ClosedWindow]] = {}
    for closed in windows:
        last.setdefault(closed.result.building, []).append(closed)
    for building in last.values():
        seen = np.zeros(0, dtype=np.int64)
        for closed in reversed(building):
            fresh = ~np.isin(closed.result.positions.asset, seen)
            if fresh.any():
                values, nulls = _values(closed)
                yield from rows(
                    COLUMNS,
                    {name: column[fresh] for name, column in values.items()},
                    {name: column[fresh] for name, column in nulls.items()},
                )
            # Versions of the building may number assets differently: then keep both rows.
            seen = np.union1d(seen, closed.result.positions.asset)


def _values(closed: ClosedWindow) -> tuple[dict[str, Any], dict[str, NDArray[np.bool_]]]:
    building, positions = closed.building, closed.result.positions
    n, ids = len(positions), building.alignment
    values: dict[str, Any] = {name: getattr(positions, name) for name in _COPIED}
    values |= {
        "organization_id": _repeat(building.ids["organization"].bytes, n),
        "asset_id": _uuids(ids.assets)[positions.asset],
        "building_id": _repeat(building.ids["building"].bytes, n),
        "ts": timestamps(np.full(n, closed.result.end_us, dtype=np.int64)),
        "floor_id": _uuids(ids.floors)[positions.floor],
        "room_id": _uuids(ids.rooms)[positions.room],
        "receivers": np.minimum(positions.receivers, _SMALL),
        "reads": np.minimum(positions.reads, 2**31 - 1),
    }
    nulls = {"floor_id": positions.floor == NOWHERE, "room_id": positions.room == NOWHERE}
    return values, nulls


def _uuids(ids: tuple[bytes, ...]) -> NDArray[np.uint8]:
    """(n + 1, 16): index NOWHERE (-1) is the nil UUID, which is written as NULL."""
    return np.frombuffer(b"".join(ids) + bytes(16), dtype=np.uint8).reshape(-1, 16)


def _repeat(id_: bytes, n: int) -> NDArray[np.uint8]:
    return np.broadcast_to(np.frombuffer(id_, dtype=np.uint8), (n, 16))
