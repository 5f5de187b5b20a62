"""What a closed window says: rows and events, by dense index of the building. Times in us."""

from __future__ import annotations

from dataclasses import dataclass, fields
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.floorplan import Building
from pipeline.domain.geometry import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Positions:
    """Rows of the location history, (N,) each, sorted by asset."""

    asset: Ints
    floor: Ints
    room: Ints
    x_m: Floats
    y_m: Floats
    z_m: Floats
    accuracy_m: Floats
    cov_xx: Floats
    cov_xy: Floats
    cov_yy: Floats
    room_confidence: Floats
    method: Ints
    reason: Ints
    receivers: Ints
    reads: Ints
    moving: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.asset)

    def rows(self, which: NDArray[np.bool_]) -> Positions:
        return Positions(*(getattr(self, f.name)[which] for f in fields(self)))


@dataclass(frozen=True)
class Visit:
    """Presence of an asset in a room or zone. `left_us` None: still there.

    `id` is a function of asset, place and entry, so a replay gives the same one.
    """

    id: UUID
    asset: int
    place: int
    entered_us: int
    left_us: int | None
    decided_us: int
    initial: bool
    reason: str
    confidence: float
    contenders: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Session:
    """A stretch of one use state. `ended_us` None: it goes on."""

    id: UUID
    asset: int
    room: int
    state: str
    method: str
    started_us: int
    ended_us: int | None
    reason: str


@dataclass(frozen=True)
class AlertTransition:
    """`revision` 1 opens, the last resolves; `(id, revision)` is unique."""

    id: UUID
    revision: int
    state: str
    rule: int
    asset: int
    zone: int
    room: int
    floor: int
    opened_us: int
    at_us: int
    reason: str
    x_m: float
    y_m: float
    z_m: float
    accuracy_m: float
    evidence: dict[str, object]


@dataclass(frozen=True)
class WindowResult:
    """Everything one closed window [start_us, end_us) changes."""

    building: str
    start_us: int
    end_us: int
    reads: int
    positions: Positions
    room_visits: tuple[Visit, ...] = ()
    zone_visits: tuple[Visit, ...] = ()
    sessions: tuple[Session, ...] = ()
    alerts: tuple[AlertTransition, ...] = ()
    solved: int = 0
    """Tags whose position was solved again; the others still explained their reads."""


@dataclass(frozen=True)
class UnknownTag:
    """A tag that was heard but is not registered; event times of its first and last read."""

    tag: str
    first_us: int
    last_us: int
    reads: int


@dataclass(frozen=True)
class ClosedWindow:
    """A window's result with the version of the building that its indices refer to.

    `late_reads`, `duplicates` and `unknown_tags` are those since the last closed window, so they
    depend on the order of arrival; `result` does not.
    """

    building: Building
    result: WindowResult
    late_reads: int = 0
    duplicates: int = 0
    unknown_tags: tuple[UnknownTag, ...] = ()
