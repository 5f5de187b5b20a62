"""Ways through the building: from door to door along corridors, and by lift between floors.

Every leg of a way lies inside one room (rooms are convex), so a wall is only crossed at a door.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse.csgraph import shortest_path

from pipeline.simulation.layout import Door, Space
from pipeline.simulation.scenario import HospitalPlan

APPROACH_M = 0.8
"""Doors are walked through at right angles from this far inside the room."""
LIFT_COST_M = 25.0
HOP_COST_M = 0.5
"""Per door passed, so that no way leads through a door that merely lies on the line."""
LIFT_DEPTH_M = 1.2


class Waypoint(NamedTuple):
    """A point on the way; `space` is the room that the leg after it runs through."""

    x_m: float
    y_m: float
    floor: int
    space: int


@dataclass(frozen=True)
class Place:
    x_m: float
    y_m: float
    space: int


class Routes:
    def __init__(
        self, plan: HospitalPlan, spaces: tuple[Space, ...], doors: tuple[Door, ...]
    ) -> None:
        self._plan, self._spaces, self._doors = plan, spaces, doors
        index = {space.code: i for i, space in enumerate(spaces)}
        self._sides = [(index[door.a], index[door.b]) for door in doors]
        self._lobbies = [i for i, space in enumerate(spaces) if space.code.startswith("lifts")]
        self.doors_of: list[list[int]] = [[] for _ in spaces]
        for d, pair in enumerate(self._sides):
            for space in pair:
                self.doors_of[space].append(d)
        self._cost, self._before = self._connect()

    def distance_m(self, start: Place, goal: Place) -> float:
        """Roughly how far it is (the lift counts as LIFT_COST_M a storey)."""
        if start.space == goal.space:
            return float(np.hypot(goal.x_m - start.x_m, goal.y_m - start.y_m))
        return self._best(start, goal)[0]

    def way(self, start: Place, goal: Place, lane_m: float = 0.0) -> list[Waypoint]:
        """Waypoints from start to goal, both included; `lane_m` is how far off a corridor's
        middle to walk, at most 0.5."""
        here = self._spaces[start.space].floor
        way = [Waypoint(start.x_m, start.y_m, here, start.space)]
        space = start.space
        if start.space != goal.space:
            for node in self._nodes(*self._best(start, goal)[1:]):
                if node < len(self._doors):
                    way += self._through(node, space, lane_m)
                else:
                    way.append(self._lift(node - len(self._doors)))
                space = way[-1].space
        floor = self._spaces[goal.space].floor
        return [*way, Waypoint(goal.x_m, goal.y_m, floor, goal.space)]

    def through_door_and_back(self, start: Place, goal_space: int, lane_m: float) -> list[Waypoint]:
        """Into a room, APPROACH_M far, and back to the corridor outside it."""
        door = self._doors[self.doors_of[goal_space][0]]
        inside = self._beside(door, -1, lane_m)
        way = self.way(start, Place(*inside, goal_space), lane_m)
        outside = self._through(self.doors_of[goal_space][0], goal_space, lane_m)
        return [*way, *outside[1:]]

    def _connect(self) -> tuple[np.ndarray, np.ndarray]:
        """Shortest distances between doors and lifts, and the predecessors on the way."""
        count = len(self._doors) + len(self._lobbies)
        cost = np.zeros((count, count))
        for i, space in enumerate(self._spaces):
            if space.kind == "corridor" or i in self._lobbies:
                nodes = [(d, self._doors[d].x_m, self._doors[d].y_m) for d in self.doors_of[i]]
                if i in self._lobbies:
                    lift = self._lift(self._lobbies.index(i))
                    nodes.append((len(self._doors) + self._lobbies.index(i), lift.x_m, lift.y_m))
                for a, ax, ay in nodes:
                    for b, bx, by in nodes:
                        cost[a, b] = np.hypot(ax - bx, ay - by) + HOP_COST_M * (a != b)
        for k in range(len(self._lobbies) - 1):
            low = len(self._doors) + k
            cost[low, low + 1] = cost[low + 1, low] = LIFT_COST_M
        distances, before = shortest_path(cost, return_predecessors=True)
        return distances, before

    def _best(self, start: Place, goal: Place) -> tuple[float, int, int]:
        """(metres, first node, last node); a node is a door, or a lift after the doors."""
        first, last = self._exits(start.space), self._exits(goal.space)
        to_node = [self._to_node_m(start, node) for node in first]
        from_node = [self._to_node_m(goal, node) for node in last]
        total = self._cost[np.ix_(first, last)] + np.add.outer(to_node, from_node)
        i, j = np.unravel_index(np.argmin(total), total.shape)
        return float(total[i, j]), first[i], last[j]

    def _exits(self, space: int) -> list[int]:
        lifts = [self._lobbies.index(space) + len(self._doors)] if space in self._lobbies else []
        return self.doors_of[space] + lifts

    def _to_node_m(self, place: Place, node: int) -> float:
        lift = node - len(self._doors)
        there = self._doors[node] if lift < 0 else self._lift(lift)
        return float(np.hypot(place.x_m - there.x_m, place.y_m - there.y_m))

    def _nodes(self, first: int, last: int) -> list[int]:
        nodes = [last]
        while nodes[-1] != first:
            nodes.append(int(self._before[first, nodes[-1]]))
        return nodes[::-1]

    def _through(self, index: int, space: int, lane_m: float) -> list[Waypoint]:
        """Before, in and behind the door, coming from `space`."""
        door, (room, hall) = self._doors[index], self._sides[index]
        x = door.x_m + (lane_m if self._spaces[room].kind == "corridor" else 0.0)
        room_side = Waypoint(*self._beside(door, -1, lane_m), door.floor, room)
        hall_side = Waypoint(*self._beside(door, +1, lane_m), door.floor, hall)
        if space == room:
            return [room_side, Waypoint(x, door.y_m, door.floor, hall), hall_side]
        return [hall_side, Waypoint(x, door.y_m, door.floor, room), room_side]

    def _beside(self, door: Door, side: int, lane_m: float) -> tuple[float, float]:
        """The point one stops at in front of a door: in a corridor, on its lane."""
        half = self._plan.corridor_width_m / 2
        open_ = door.a.startswith("cross")
        x = door.x_m + (lane_m if open_ else 0.0)
        if side > 0:
            return x, door.y_m + door.across[1] * half + lane_m
        return x, door.y_m - door.across[1] * (half if open_ else APPROACH_M)

    def _lift(self, lobby: int) -> Waypoint:
        space = self._lobbies[lobby]
        x0, y0, _, y1 = self._spaces[space].box
        return Waypoint(x0 + LIFT_DEPTH_M, (y0 + y1) / 2, self._spaces[space].floor, space)
