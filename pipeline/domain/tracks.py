"""The state of every asset of a building, as arrays over its assets, and its snapshot form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.floorplan import NOWHERE, Alignment
from pipeline.domain.geometry import Floats

Ints = NDArray[np.int64]
NEVER_US = -(2**62)


@dataclass(frozen=True)
class Tracks:
    """(A,) arrays; NOWHERE and NEVER_US where nothing is known. Treated as immutable:
    a step works on copies, so a snapshot may keep what it was given."""

    heard_us: Ints
    row_us: Ints
    x_m: Floats
    y_m: Floats
    cxx: Floats
    cxy: Floats
    cyy: Floats
    exx: Floats
    exy: Floats
    eyy: Floats
    offset_db: Floats
    offset_variance: Floats
    rest_x_m: Floats
    rest_y_m: Floats
    rest_us: Ints
    moving: NDArray[np.bool_]
    floor: Ints
    floor_challenger: Ints
    floor_streak: Ints
    floor_since_us: Ints
    room: Ints
    room_challenger: Ints
    room_streak: Ints
    room_since_us: Ints
    room_entered_us: Ints
    room_confidence: Floats
    use_state: Ints
    use_since_us: Ints
    use_room: Ints
    use_candidate: Ints
    use_candidate_us: Ints

    @classmethod
    def empty(cls, assets: int) -> Tracks:
        """Nothing is known of any asset."""
        default = {"floor": NOWHERE, "room": NOWHERE, "use": NOWHERE}
        columns: dict[str, Any] = {}
        for f in fields(cls):
            kind = str(f.type)
            if kind.startswith("Floats"):
                columns[f.name] = np.zeros(assets)
            elif kind.startswith("NDArray"):
                columns[f.name] = np.zeros(assets, dtype=bool)
            else:
                value = NEVER_US if f.name.endswith("_us") else 0
                if f.name.endswith(("challenger", "room", "floor", "state", "candidate")):
                    value = default[f.name.split("_")[0]]
                columns[f.name] = np.full(assets, value, dtype=np.int64)
        return cls(**columns)

    def __len__(self) -> int:
        return len(self.heard_us)

    def put(self, which: Ints, **values: NDArray[np.generic]) -> Tracks:
        """A copy in which the named columns have new values at `which`."""
        changed = {}
        for name, value in values.items():
            column = getattr(self, name).copy()
            column[which] = value
            changed[name] = column
        return replace(self, **changed)

    def at(self, which: Ints) -> Tracks:
        """The tracks of some assets, each named once."""
        if len(which) == len(self) and (which == np.arange(len(self))).all():
            return self
        return Tracks(*(getattr(self, f.name).take(which) for f in fields(self)))

    def merge(self, which: Ints, before: Tracks, after: Tracks) -> Tracks:
        """A copy in which `before`, which is `self.at(which)`, has become `after`."""
        if before is self:
            return after
        changed = (
            f.name for f in fields(self) if getattr(before, f.name) is not getattr(after, f.name)
        )
        return self.put(which, **{name: getattr(after, name) for name in changed})

    def move_to(self, old: Alignment, new: Alignment) -> Tracks:
        """The same tracks in another alignment; what the new one lacks is dropped."""
        source, target = matching(old.assets, new.assets)
        moved = Tracks.empty(len(new.assets))
        columns = {f.name: getattr(self, f.name)[source] for f in fields(self)}
        room = renumbering(old.rooms, new.rooms)
        floor = renumbering(old.floors, new.floors)
        for name in ("room", "room_challenger", "use_room"):
            columns[name] = room[columns[name]]
        for name in ("floor", "floor_challenger"):
            columns[name] = floor[columns[name]]
        return moved.put(target, **columns)


def matching(old: Sequence[object], new: Sequence[object]) -> tuple[Ints, Ints]:
    """Positions in `old` and `new` of what both hold."""
    where = {key: i for i, key in enumerate(new)}
    pairs = [(i, where[key]) for i, key in enumerate(old) if key in where]
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def renumbering(old: Sequence[object], new: Sequence[object]) -> Ints:
    """Array that maps an old index to the new one; index NOWHERE (-1) maps to itself."""
    table = np.full(len(old) + 1, NOWHERE, dtype=np.int64)
    source, target = matching(old, new)
    table[source] = target
    return table
