"""Rows of the location history as binary COPY data, and the newest row of each asset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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
_NULLABLE = ("floor_id", "room_id")
_SMALL = 2**15 - 1
_COPIED = ("x_m", "y_m", "z_m", "accuracy_m", "cov_xx", "cov_xy", "cov_yy", "room_confidence",
           "method", "reason", "moving")  # fmt: skip


@dataclass(frozen=True)
class LocationRows:
    """All rows of an epoch, made at once and sorted by asset, then time.

    The order is that of the primary keys they go into, which spares the database a third of its
    work: neighbours share a page of the index. Of rows of one asset and one time the one of the
    smallest building id comes last.
    """

    values: dict[str, Any]
    nulls: dict[str, NDArray[np.bool_]]
    last: NDArray[np.bool_]
    """(N,) the newest row of its asset."""

    @classmethod
    def of(cls, windows: Iterable[ClosedWindow]) -> LocationRows:
        """`windows` have rows; those of one building are in order of time."""
        by_building = sorted(windows, key=lambda w: w.building.ids["building"], reverse=True)
        parts = [_values(closed) for closed in by_building]
        return cls._sorted(parts, again=False)

    @classmethod
    def joined(cls, parts: Sequence[LocationRows]) -> LocationRows:
        """The rows of several."""
        if len(parts) == 1:
            return parts[0]
        return cls._sorted([(part.values, part.nulls) for part in parts], again=True)

    @classmethod
    def _sorted(
        cls, parts: Sequence[tuple[dict[str, Any], dict[str, Any]]], *, again: bool
    ) -> LocationRows:
        values = {name: np.concatenate([v[name] for v, _ in parts]) for name, _ in COLUMNS}
        nulls = {name: np.concatenate([n[name] for _, n in parts]) for name in _NULLABLE}
        high, low = _words(values["asset_id"])
        # Of one asset and one time: descending by building, as `of` has sorted them already.
        building = [~word for word in _words(values["building_id"])[::-1]] if again else []
        order = np.lexsort((*building, values["ts"], low, high))
        high, low = high[order], low[order]
        return cls(
            {name: column[order] for name, column in values.items()},
            {name: column[order] for name, column in nulls.items()},
            np.r_[(high[1:] != high[:-1]) | (low[1:] != low[:-1]), True],
        )

    def history(self) -> Iterator[bytes]:
        """COPY data of all rows."""
        return rows(COLUMNS, self.values, self.nulls)

    def newest(self) -> Iterator[bytes]:
        """COPY data of the last row of each asset."""
        if self.last.all():
            return self.history()
        return rows(
            COLUMNS,
            {name: column[self.last] for name, column in self.values.items()},
            {name: column[self.last] for name, column in self.nulls.items()},
        )


def history(closed: ClosedWindow) -> Iterator[bytes]:
    """COPY data of all rows of one closed window."""
    values, nulls = _values(closed)
    return rows(COLUMNS, values, nulls)


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


def _words(ids: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(2, N) the halves of (N, 16) ids as numbers that sort as the ids do."""
    words: NDArray[np.uint64] = np.ascontiguousarray(ids).view(">u8").astype(np.uint64).T
    return words


def _repeat(id_: bytes, n: int) -> NDArray[np.uint8]:
    return np.broadcast_to(np.frombuffer(id_, dtype=np.uint8), (n, 16))
