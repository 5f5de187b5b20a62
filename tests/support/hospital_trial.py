"""The simulated hospital through the pure domain, with the truth beside it: no broker, no database.

Everything is seeded; a trial gives the same figures on every machine up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.ellipse import CHI2_90_2D, invert_2x2, radius_90_m
from pipeline.domain.floorplan import Building
from pipeline.domain.geometry import Floats
from pipeline.domain.observations import Observations, summarise
from pipeline.domain.policy import Policy
from pipeline.domain.tracking import BuildingState, advance
from pipeline.registry.offline import buildings
from pipeline.simulation.generate import World
from pipeline.simulation.scenario import MICROSECONDS, HospitalPlan, Scenario

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
WINDOW_US = MICROSECONDS
SETTLED_S = 60
"""An asset counts as stationary when it has stood for so long."""
CROSSING_S = 1.0
WARM_UP = 60
STATE = ("x_m", "y_m", "exx", "exy", "eyy", "floor", "room", "room_confidence")


def scenario(seed: int, pace: float, floors: int = 3, assets: int = 240) -> Scenario:
    """Walls, spatially fixed shadowing and `floors` floors; stays divided by `pace`."""
    return Scenario(seed=seed, pace=pace, hospital=HospitalPlan(floors=floors, assets=assets))


class Trial:
    """One world and the building as its installer described it."""

    def __init__(self, plan: Scenario, seconds: int) -> None:
        self.world, self.seconds = World(plan, seconds), seconds
        hospital = self.world.hospital
        self.building: Building = buildings(hospital.site)[0]
        at = {asset.tag_number: i for i, asset in enumerate(self.building.assets)}
        self.asset = np.array([at[number] for number in hospital.fleet.tag_numbers])
        """Index in the building of each of the world's assets."""
        names = zip(hospital.receivers.gateways, hospital.receivers.names, strict=True)
        index = self.building.receiver_index
        self.receiver = np.array([index[name] for name in names])
        self.antenna = {
            (r, a): index[reader.gateway, antenna.receiver]
            for r, reader in enumerate(hospital.readers)
            for a, antenna in enumerate(reader.antennas)
        }
        rooms = {room.code: i for i, room in enumerate(self.building.rooms)}
        self.room = np.array([rooms[space.code] for space in hospital.spaces])

    def windows(self, keep: Flags | None = None, portals: bool = True) -> Iterator[Observations]:
        """What is heard in each window. `keep` (receivers of the building,): those that are on."""
        on = np.ones(len(self.building.receivers), dtype=bool) if keep is None else keep
        block = self.world.radio.block_us
        for first in range(0, self.seconds * MICROSECONDS, block):
            heard = self.world.hear(first, first + block)
            asset, receiver = self.asset[heard.asset], self.receiver[heard.receiver]
            rssi, time_us = heard.rssi_dbm * 100, heard.at_us
            if portals:
                read = self.world.portal_reads(first, first + block)
                antenna = [self.antenna[pair] for pair in zip(read.reader.tolist(),
                           read.antenna.tolist(), strict=True)]  # fmt: skip
                asset = np.concatenate([asset, self.asset[read.asset]])
                receiver = np.concatenate([receiver, np.array(antenna, dtype=np.int64)])
                rssi = np.concatenate([rssi, read.rssi_dbm * 100])
                time_us = np.concatenate([time_us, read.at_us])
            usable = on[receiver]
            for start in range(first, first + block, WINDOW_US):
                now = usable & (time_us >= start) & (time_us < start + WINDOW_US)
                one = np.ones(int(now.sum()), dtype=np.int64)
                columns = asset[now], receiver[now], rssi[now], one
                yield summarise(*columns, receivers=len(on))

    def run(self, policy: Policy, keep: Flags | None = None, portals: bool = True) -> Record:
        """Advance the domain through every window."""
        state = BuildingState.empty(self.building)
        rows: dict[str, list[NDArray[np.generic]]] = {name: [] for name in STATE}
        changes = []
        for number, seen in enumerate(self.windows(keep, portals)):
            start = number * WINDOW_US
            state, result = advance(self.building, state, seen, start, start + WINDOW_US, policy)
            for name in STATE:
                rows[name].append(getattr(state.tracks, name))
            changes += [
                (start + WINDOW_US, v.asset, v.place)
                for v in result.room_visits
                if v.left_us is None and not v.initial
            ]
        said = {name: np.stack(columns) for name, columns in rows.items()}
        return Record(self, said, np.array(changes, dtype=np.int64).reshape(-1, 3))


@dataclass(frozen=True)
class Record:
    """What the tracker said at the end of every window; arrays (windows, assets)."""

    trial: Trial
    said: dict[str, NDArray[np.generic]]
    changes: Ints
    """(C, 3): time, asset and room of each room change after the first sight."""

    def truth(self) -> Truth:
        trial = self.trial
        times = (np.arange(len(self.said["x_m"])) + 1) * WINDOW_US
        order = np.argsort(trial.asset)  # building's order
        walks = trial.world.walks
        where, space = walks.locate(times)
        margin = round(CROSSING_S * MICROSECONDS)
        before, after = walks.spaces(times - margin), walks.spaces(times + margin)
        crossing = (before != space) | (after != space)
        still = np.zeros(space.shape, dtype=bool)
        still_long = np.zeros(space.shape, dtype=bool)
        for back, into in ((1, still), (SETTLED_S, still_long)):
            was, _ = walks.locate(times - back * MICROSECONDS)
            into[:] = (was == where).all(axis=2) & (times >= back * MICROSECONDS)
        return Truth(
            xy_m=where[order, :, :2].swapaxes(0, 1),
            floor=trial.world.hospital.space_floor[space][order].T,
            room=trial.room[space][order].T,
            crossing=crossing[order].T,
            still=still[order].T,
            settled=still_long[order].T,
        )


@dataclass(frozen=True)
class Figures:
    """What a trial says; lengths in metres, shares from 0 to 1, without the first WARM_UP windows.

    Room shares leave out the moments within CROSSING_S of a door. A change of the room of an asset
    that has stood for SETTLED_S is a correction when the new room is the true one, else false.
    """

    median_m: float
    p90_m: float
    p95_m: float
    floor_right: float
    room_right: float
    room_right_moving: float
    room_right_settled: float
    room_confidence: float
    in_radius: float
    in_ellipse: float
    radius_m: float
    """Median of the reported 90 % radius."""
    settled_days: float
    false_changes: int
    corrections: int

    @classmethod
    def of(cls, records: Sequence[Record]) -> Figures:
        """Of several worlds together."""
        parts = [_columns(record) for record in records]
        error, reported, square, floor, room, crossing, still, settled, confidence = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        clear, changes = ~crossing, [_changes(record) for record in records]
        return cls(
            *(float(np.quantile(error, share)) for share in (0.5, 0.9, 0.95)),
            floor_right=float(floor.mean()),
            room_right=float(room[clear].mean()),
            room_right_moving=float(room[clear & ~still].mean()),
            room_right_settled=float(room[settled].mean()) if settled.any() else float("nan"),
            room_confidence=float(confidence[clear].mean()),
            in_radius=float((error <= reported).mean()),
            in_ellipse=float((square <= CHI2_90_2D).mean()),
            radius_m=float(np.median(reported)),
            settled_days=float(settled.sum() / 86_400),
            false_changes=sum(false for false, _ in changes),
            corrections=sum(right for _, right in changes),
        )


def _columns(record: Record) -> list[NDArray[np.generic]]:
    """Of every asset that has been heard, in every window after the warm-up."""
    truth, said = record.truth(), record.said
    known = said["floor"] >= 0
    known[:WARM_UP] = False
    dx, dy = (said[c][known] - truth.xy_m[known][:, i] for i, c in enumerate(("x_m", "y_m")))
    exx, exy, eyy = (said[name][known] for name in ("exx", "exy", "eyy"))
    a, b, c = invert_2x2(exx, exy, eyy)
    return [
        np.hypot(dx, dy),
        radius_90_m(exx, exy, eyy),
        a * dx * dx + 2 * b * dx * dy + c * dy * dy,
        said["floor"][known] == truth.floor[known],
        said["room"][known] == truth.room[known],
        truth.crossing[known],
        truth.still[known],
        truth.settled[known],
        said["room_confidence"][known],
    ]


def _changes(record: Record) -> tuple[int, int]:
    """(false changes, corrections) of rooms of settled assets."""
    truth, (at_us, asset, room) = record.truth(), record.changes.T
    window = at_us // WINDOW_US - 1
    settled = truth.settled[window, asset] & (window >= WARM_UP)
    right = truth.room[window, asset] == room
    return int((settled & ~right).sum()), int((settled & right).sum())


@dataclass(frozen=True)
class Truth:
    """(windows, assets); `settled`: it has stood for SETTLED_S."""

    xy_m: Floats
    floor: Ints
    room: Ints
    crossing: Flags
    still: Flags
    settled: Flags
