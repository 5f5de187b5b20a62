"""What each asset does all day: stays drawn from its type's habits, moves, and a few offences."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from pipeline.simulation.equipment import FORBIDDEN, EquipmentType, Habit, is_forbidden
from pipeline.simulation.hospital import Hospital
from pipeline.simulation.routes import Place, Routes, Waypoint
from pipeline.simulation.scenario import MICROSECONDS, stream

HAUNT_SHARE, HAUNT_MINUTES = 0.12, 30.0
OFF_WALL_M, OFF_DOOR_M = 0.9, 2.0
OFF_CORRIDOR_WALL_M, OFF_CORRIDOR_DOOR_M = 0.45, 1.4
LANE_M = 0.4


@dataclass(frozen=True)
class Incident:
    """An asset sets out for a room that is forbidden to it; a pass only looks in (< 2 s)."""

    asset: int
    space: int
    sets_out_s: float
    is_pass: bool


@dataclass
class Trail:
    """The breakpoints of one asset; times in us after the start."""

    t_us: list[int] = field(default_factory=list)
    xyz_m: list[tuple[float, float, float]] = field(default_factory=list)
    space: list[int] = field(default_factory=list)

    def add(self, t_us: int, xyz_m: tuple[float, float, float], space: int) -> None:
        self.t_us.append(t_us)
        self.xyz_m.append(xyz_m)
        self.space.append(space)


class Diary:
    """Writes the trail of one asset after the other; each has random numbers of its own."""

    def __init__(self, hospital: Hospital, seconds: float) -> None:
        self._hospital, self._seconds = hospital, seconds
        self._plan, self._pace = hospital.scenario.walks, hospital.scenario.pace
        self._spaces = hospital.spaces
        self._routes = Routes(hospital.scenario.hospital, hospital.spaces, hospital.doors)
        self.incidents = self._plan_incidents()

    def write(self, asset: int) -> Trail:
        """The asset's trail until it has lasted the diary's seconds."""
        rng = stream(self._hospital.scenario.seed, "walk", asset)
        kind = self._hospital.fleet.types[asset]
        home = int(rng.integers(self._hospital.scenario.hospital.floors))
        todo = [incident for incident in self.incidents if incident.asset == asset]
        space, stay_s = self._next_stay(rng, kind, home, None)
        stay_s *= rng.random()
        if todo and todo[0].sets_out_s <= max(self._plan.first_incidents_s):
            space, stay_s = self._near(todo[0].space), todo[0].sets_out_s
        here = self._stand(rng, space)
        trail, t_s = Trail(), 0.0
        self._stay(trail, asset, here, t_s)
        while t_s < self._seconds:
            t_s += stay_s
            if todo and t_s >= todo[0].sets_out_s:
                incident = todo.pop(0)
                t_s = max(trail.t_us[-1] / MICROSECONDS + 1.0, incident.sets_out_s)
                goal, way, stay_s = self._offend(rng, here, incident)
            else:
                space, stay_s = self._next_stay(rng, kind, home, here.space)
                goal = self._stand(rng, space)
                way = self._routes.way(here, goal, rng.uniform(-LANE_M, LANE_M))
            self._stay(trail, asset, here, t_s)
            t_s = self._walk(trail, asset, way, t_s, rng)
            here = goal
        self._stay(trail, asset, here, t_s)
        return trail

    def _plan_incidents(self) -> list[Incident]:
        """The first ones at fixed times, later ones at random; every third only looks in."""
        rng = stream(self._hospital.scenario.seed, "incidents")
        offenders = self._offenders(rng)
        times = list(self._plan.first_incidents_s)
        gap_s = self._plan.incident_every_s / self._pace
        while times[-1] < self._seconds:
            times.append(times[-1] + max(self._plan.incident_least_s, rng.exponential(gap_s)))
        return [
            Incident(*offenders[k % len(offenders)], at_s, is_pass=k % 3 == 2)
            for k, at_s in enumerate(times)
            if offenders
        ]

    def _offenders(self, rng: np.random.Generator) -> list[tuple[int, int]]:
        """(asset, room) pairs that a rule forbids; the rooms take turns."""
        rooms = [code for code in FORBIDDEN if code in self._hospital.space_index]
        found: list[tuple[int, int]] = []
        for asset in rng.permutation(len(self._hospital.fleet)).tolist():
            room = rooms[len(found) % len(rooms)]
            if is_forbidden(self._hospital.fleet.types[asset].category, room):
                found.append((asset, self._hospital.space_index[room]))
            if len(found) == self._plan.offenders:
                break
        return found

    def _near(self, space: int) -> int:
        """The nearest ordinary room to a forbidden one."""
        ordinary = [
            i
            for i, other in enumerate(self._spaces)
            if other.kind != "corridor" and not other.restricted
        ]
        goal = Place(*self._spaces[space].centre, space)
        return min(
            ordinary,
            key=lambda i: self._routes.distance_m(Place(*self._spaces[i].centre, i), goal),
        )

    def _next_stay(
        self, rng: np.random.Generator, kind: EquipmentType, home: int, here: int | None
    ) -> tuple[int, float]:
        """(room, seconds) of the next stay: a habit, then a room of its kind."""
        floors = self._hospital.scenario.hospital.floors
        floor = home if rng.random() < self._plan.home_floor_share else int(rng.integers(floors))
        if kind.haunts and rng.random() < HAUNT_SHARE:
            haunt = kind.haunts[int(rng.integers(len(kind.haunts)))]
            choice, minutes = [self._hospital.space_index[haunt]], HAUNT_MINUTES
        else:
            shares = np.array([habit.share for habit in kind.habits])
            habit = kind.habits[int(rng.choice(len(shares), p=shares / shares.sum()))]
            choice, minutes = self._rooms(habit, floor, here), habit.minutes
        space = choice[int(rng.integers(len(choice)))]
        seconds = rng.gamma(2.0, minutes * 60 / 2) / self._pace
        return space, max(self._plan.min_stay_s, float(seconds))

    def _rooms(self, habit: Habit, floor: int, here: int | None) -> list[int]:
        """Ordinary rooms of the habit's kind, on the floor if it has any, else anywhere."""
        rooms = [
            i
            for i, space in enumerate(self._spaces)
            if space.kind == habit.kind and not space.restricted and i != here
        ]
        return [i for i in rooms if self._spaces[i].floor == floor] or rooms or [here or 0]

    def _stand(self, rng: np.random.Generator, space: int, inset: float = 0.0) -> Place:
        """A place in the room, off its walls and doors; `inset` (0 to 0.5) keeps to the middle."""
        x0, y0, x1, y1 = self._spaces[space].box
        corridor = self._spaces[space].kind == "corridor"
        margin = OFF_CORRIDOR_WALL_M if corridor else OFF_WALL_M
        free = OFF_CORRIDOR_DOOR_M if corridor else OFF_DOOR_M
        dx, dy = max(margin, inset * (x1 - x0)), max(margin, inset * (y1 - y0))
        tries = rng.uniform((x0 + dx, y0 + dy), (x1 - dx, y1 - dy), (24, 2))
        doors = [self._hospital.doors[d] for d in self._routes.doors_of[space]]
        gaps = np.array([[np.hypot(x - d.x_m, y - d.y_m) for d in doors] for x, y in tries])
        clear = gaps.min(axis=1, initial=np.inf)
        best = int(np.argmax(clear >= free)) if (clear >= free).any() else int(np.argmax(clear))
        return Place(float(tries[best, 0]), float(tries[best, 1]), space)

    def _offend(
        self, rng: np.random.Generator, here: Place, incident: Incident
    ) -> tuple[Place, list[Waypoint], float]:
        """Where it ends, the way there, and how long it stays there."""
        lane_m = rng.uniform(-LANE_M, LANE_M)
        if incident.is_pass:
            way = self._routes.through_door_and_back(here, incident.space, lane_m)
            end = way[-1]
            return Place(end.x_m, end.y_m, end.space), way, 0.0
        goal = self._stand(rng, incident.space, inset=0.3)
        return goal, self._routes.way(here, goal, lane_m), rng.uniform(*self._plan.offence_s)

    def _stay(self, trail: Trail, asset: int, here: Place, until_s: float) -> None:
        floor = self._spaces[here.space].floor
        xyz = (here.x_m, here.y_m, self._height_m(asset, floor))
        t_us = round(until_s * MICROSECONDS)
        if not trail.t_us or t_us > trail.t_us[-1]:
            trail.add(t_us, xyz, here.space)

    def _walk(
        self, trail: Trail, asset: int, way: list[Waypoint], t_s: float, rng: np.random.Generator
    ) -> float:
        """Add the legs of the way; returns when it arrives, in seconds."""
        spread = self._plan.speed_spread
        speed = self._plan.speed_m_s * rng.uniform(1 - spread, 1 + spread)
        for before, after in pairwise(way):
            if before.floor != after.floor:
                t_s = self._ride(trail, asset, before, after, t_s)
                continue
            length = float(np.hypot(after.x_m - before.x_m, after.y_m - before.y_m))
            if length > 0:
                t_s += length / speed
                z = self._height_m(asset, after.floor)
                trail.add(round(t_s * MICROSECONDS), (after.x_m, after.y_m, z), after.space)
        return t_s

    def _ride(
        self, trail: Trail, asset: int, before: Waypoint, after: Waypoint, t_s: float
    ) -> float:
        """Wait for the lift, then change rooms half-way up."""
        low, high = self._height_m(asset, before.floor), self._height_m(asset, after.floor)
        t_s += self._plan.lift_wait_s
        ride_s = abs(after.floor - before.floor) * self._plan.lift_s_per_storey
        for share, z, space in (
            (0.0, low, before.space),
            (0.5, (low + high) / 2, after.space),
            (1.0, high, after.space),
        ):
            at_us = round((t_s + share * ride_s) * MICROSECONDS)
            trail.add(at_us, (after.x_m, after.y_m, z), space)
        return t_s + ride_s

    def _height_m(self, asset: int, floor: int) -> float:
        height = float(self._hospital.fleet.heights_m[asset])
        return self._hospital.elevation_m(floor) + height
