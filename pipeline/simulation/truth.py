"""The truth about a generated world, for scoring: saved as one NPZ file, loaded elsewhere.

All times here are event times, microseconds since 1970.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.domain.geometry import Floats
from pipeline.simulation.equipment import is_forbidden
from pipeline.simulation.hospital import Hospital
from pipeline.simulation.scenario import MICROSECONDS
from pipeline.simulation.site import floor_code
from pipeline.simulation.walks import Walks

NEVER = -1


class RoomVisit(NamedTuple):
    """`left_us` is None when the asset was still inside at the end."""

    tag_number: str
    room: str
    kind: str
    entered_us: int
    left_us: int | None


class ZoneEntry(NamedTuple):
    """A stay in a zone; `rule` is the code of the rule that forbids it, or None."""

    tag_number: str
    zone: str
    rule: str | None
    entered_us: int
    left_us: int | None


@dataclass(frozen=True)
class Truth:
    """What happened in [start_us, end_us)."""

    start_us: int
    end_us: int
    tag_numbers: tuple[str, ...]
    categories: tuple[str, ...]
    rooms: tuple[str, ...]
    room_kinds: tuple[str, ...]
    room_floors: tuple[int, ...]
    floors: tuple[str, ...]
    elevations_m: tuple[float, ...]
    zones: dict[str, tuple[str, float]]
    """Zone code -> its room and its entry dwell in seconds."""
    rules: dict[str, str]
    """Zone code -> the rule that forbids it to some categories."""
    walks: Walks

    @classmethod
    def of(cls, hospital: Hospital, walks: Walks, start_us: int, seconds: float) -> Truth:
        building = hospital.site.buildings[0]
        return cls(
            start_us=start_us,
            end_us=start_us + round(seconds * MICROSECONDS),
            tag_numbers=hospital.fleet.tag_numbers,
            categories=tuple(kind.category for kind in hospital.fleet.types),
            rooms=tuple(space.code for space in hospital.spaces),
            room_kinds=tuple(space.kind for space in hospital.spaces),
            room_floors=tuple(space.floor for space in hospital.spaces),
            floors=tuple(floor_code(f) for f in range(hospital.scenario.hospital.floors)),
            elevations_m=tuple(floor.elevation_m for floor in building.floors),
            zones={z.code: (str(z.room), z.fence.entry_dwell_s) for z in building.zones},
            rules={rule.zone: rule.code for rule in hospital.site.rules},
            walks=walks,
        )

    @cached_property
    def asset_index(self) -> dict[str, int]:
        return {number: i for i, number in enumerate(self.tag_numbers)}

    def positions(self, t_us: ArrayLike) -> Floats:
        """(A, T, 3) positions of all assets, in the order of `tag_numbers`."""
        return self.walks.positions(np.asarray(t_us, dtype=np.int64) - self.start_us)

    def rooms_at(self, t_us: ArrayLike) -> NDArray[np.int64]:
        """(A, T) index into `rooms`."""
        return self.walks.spaces(np.asarray(t_us, dtype=np.int64) - self.start_us)

    def visits(self, kind: str | None = None) -> list[RoomVisit]:
        """Stays in rooms (of a kind) that began before the end."""
        visits = self.walks.visits
        columns = (visits.asset, visits.space, visits.entered_us, visits.left_us)
        return [
            RoomVisit(
                self.tag_numbers[asset],
                self.rooms[space],
                self.room_kinds[space],
                entered + self.start_us,
                self._left(left),
            )
            for asset, space, entered, left in zip(*(c.tolist() for c in columns), strict=True)
            if kind in (None, self.room_kinds[space]) and entered + self.start_us < self.end_us
        ]

    def zone_entries(self) -> list[ZoneEntry]:
        """Stays in zones, whether forbidden or not, in order of time."""
        zone_of = {room: zone for zone, (room, _) in self.zones.items()}
        found = [
            ZoneEntry(
                visit.tag_number,
                zone_of[visit.room],
                self._rule(visit.tag_number, visit.room, zone_of[visit.room]),
                visit.entered_us,
                visit.left_us,
            )
            for visit in self.visits()
            if visit.room in zone_of
        ]
        return sorted(found, key=lambda entry: entry.entered_us)

    def save(self, path: Path) -> None:
        """One NPZ file; floats and times are exact."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "walks"}
        walks = self.walks
        np.savez_compressed(
            path, facts=np.array(json.dumps(facts)), asset=walks.asset, t_us=walks.t_us,
            xyz_m=walks.xyz_m, space=walks.space, end_us=np.array(walks.end_us),
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> Truth:
        """The truth that `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            facts = json.loads(str(file["facts"]))
            walks = Walks(
                assets=len(facts["tag_numbers"]),
                asset=file["asset"],
                t_us=file["t_us"],
                xyz_m=file["xyz_m"],
                space=file["space"],
                end_us=int(file["end_us"]),
            )
        facts["zones"] = {zone: (room, dwell) for zone, (room, dwell) in facts["zones"].items()}
        lists = {name: tuple(value) for name, value in facts.items() if isinstance(value, list)}
        return cls(**(facts | lists), walks=walks)

    def _left(self, left_us: int) -> int | None:
        at_us = left_us + self.start_us
        return None if left_us == NEVER or at_us >= self.end_us else at_us

    def _rule(self, tag_number: str, room: str, zone: str) -> str | None:
        category = self.categories[self.asset_index[tag_number]]
        return self.rules.get(zone) if is_forbidden(category, room) else None
