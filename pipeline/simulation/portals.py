"""RFID readers at doors: where they are, and which tags an antenna reads at a time.

A portal is one R2000 reader with antenna 1 outside the door and antenna 2 inside; a desk is one
M100 reader with its single antenna. The emulators of their protocols are in r2000.py and m100.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Floats
from pipeline.simulation.layout import Door, Space
from pipeline.simulation.scenario import MICROSECONDS, Scenario, stream

if TYPE_CHECKING:
    from pipeline.simulation.hospital import Hospital
    from pipeline.simulation.walks import Walks

PORTALS = ("mri", "pharmacy", "ot-1", "decontamination", "storage-1", "storage-2")
DESKS = ("workshop",)
RSSI_SPREAD_DB = 2.0
Ints = NDArray[np.int64]


class Echo(NamedTuple):
    """One tag answering one round."""

    epc: bytes
    rssi_dbm: int


Field = Callable[[int, int], Sequence[Echo]]
"""(antenna from 0, event time in us) -> the tags read in a round that ends then."""


@dataclass(frozen=True)
class Antenna:
    """`receiver` is its name in a read batch; `space` the index of the room it looks into."""

    receiver: str
    floor: int
    space: int
    x_m: float
    y_m: float


@dataclass(frozen=True)
class PortalReader:
    gateway: str
    name: str
    protocol: Literal["r2000", "m100"]
    antennas: tuple[Antenna, ...]


def place_readers(
    scenario: Scenario, spaces: tuple[Space, ...], doors: tuple[Door, ...]
) -> tuple[PortalReader, ...]:
    """A portal or desk at every room of PORTALS and DESKS that this hospital has."""
    index = {space.code: i for i, space in enumerate(spaces)}
    readers = []
    for door in doors:
        outside = _antenna(scenario, door, index[door.b], +1)
        inside = _antenna(scenario, door, index[door.a], -1)
        side = "west" if door.x_m < scenario.hospital.length_m / 2 else "east"
        gateway = f"gw-{door.floor + 1}-{side}"
        if door.a in PORTALS:
            name = f"portal-{door.a}"
            pair = (outside(f"{name}/1"), inside(f"{name}/2"))
            readers.append(PortalReader(gateway, name, "r2000", pair))
        elif door.a in DESKS:
            name = f"desk-{door.a}"
            readers.append(PortalReader(gateway, name, "m100", (inside(name),)))
    return tuple(readers)


def _antenna(scenario: Scenario, door: Door, space: int, side: int) -> Callable[[str], Antenna]:
    offset = side * scenario.portals.antenna_offset_m
    x, y = door.x_m + door.across[0] * offset, door.y_m + door.across[1] * offset
    return lambda receiver: Antenna(receiver, door.floor, space, round(x, 3), round(y, 3))


@dataclass(frozen=True)
class PortalReads:
    """Finished reads in event-time order."""

    at_us: NDArray[np.int64]
    reader: NDArray[np.int64]
    antenna: NDArray[np.int64]
    asset: NDArray[np.int64]
    rssi_dbm: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.at_us)


def round_us(scenario: Scenario) -> int:
    return round(scenario.portals.round_s * MICROSECONDS)


def portal_reads(hospital: Hospital, walks: Walks, start_us: int, end_us: int) -> PortalReads:
    """What all readers read in [start, end), their antennas taking turns round by round.

    Seeded by reader, round and asset, so that cutting the time differently changes nothing.
    Times are after the walks' start.
    """
    parts = [
        _reads_of(hospital, walks, reader, number, start_us, end_us)
        for reader, placed in enumerate(hospital.readers)
        for number in range(len(placed.antennas))
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[3], columns[1], columns[0]))
    return PortalReads(*(column[order] for column in columns))


def _reads_of(
    hospital: Hospital, walks: Walks, reader: int, number: int, start_us: int, end_us: int
) -> tuple[Ints, ...]:
    antennas = hospital.readers[reader].antennas
    antenna, step = antennas[number], round_us(hospital.scenario)
    now = np.nonzero((walks.t_us[:-1] < end_us) & (walks.t_us[1:] > start_us))[0]
    near = now[_passes(hospital, walks, antenna, now)]
    first = -(-np.maximum(walks.t_us[near], start_us) // step)
    last = -(-np.minimum(walks.t_us[near + 1], end_us) // step)
    count = np.maximum(last - first, 0)
    asset = np.repeat(walks.asset[near], count)
    rounds = np.arange(count.sum()) + np.repeat(first - np.cumsum(count) + count, count)
    turn = rounds % len(antennas) == number
    asset, rounds = asset[turn], rounds[turn]
    where, space = walks.at(asset, rounds * step)
    chance, rssi = strength(hospital, antenna, where, space)
    read = _draw(hospital.scenario.seed, reader, rounds, asset) < chance
    count_read = int(read.sum())
    return (
        rounds[read] * step,
        np.full(count_read, reader),
        np.full(count_read, number),
        asset[read],
        rssi[read],
    )


def _passes(hospital: Hospital, walks: Walks, antenna: Antenna, legs: Ints) -> NDArray[np.bool_]:
    """Which legs (from a breakpoint to the next) bring an asset with an RFID tag into range."""
    a, b = (_from_antenna(hospital, antenna, walks.xyz_m[i]) for i in (legs, legs + 1))
    along = b - a
    share = -np.einsum("bk,bk->b", a, along) / np.maximum(np.einsum("bk,bk->b", along, along), 1e-9)
    nearest = np.linalg.norm(a + np.clip(share, 0, 1)[:, None] * along, axis=-1)
    readable = np.array([bool(epc) for epc in hospital.fleet.epcs])[walks.asset[legs]]
    same = walks.asset[legs] == walks.asset[legs + 1]
    passes: NDArray[np.bool_] = same & readable & (nearest < hospital.scenario.portals.range_m)
    return passes


def _from_antenna(hospital: Hospital, antenna: Antenna, xyz_m: Floats) -> Floats:
    """Offsets from the antenna; the beam is tall, so height counts half."""
    z = hospital.elevation_m(antenna.floor) + hospital.scenario.portals.antenna_height_m
    gap = xyz_m - np.array([antenna.x_m, antenna.y_m, z])
    return np.asarray(gap * np.array([1.0, 1.0, 0.5]))


def strength(
    hospital: Hospital, antenna: Antenna, xyz_m: Floats, space: Ints
) -> tuple[Floats, Ints]:
    """Probability (N,) that a round reads a tag at xyz (N, 3) in room `space`, and its RSSI."""
    plan = hospital.scenario.portals
    share = np.linalg.norm(_from_antenna(hospital, antenna, xyz_m), axis=-1) / plan.range_m
    chance = plan.read_probability * np.clip(1 - share**4, 0, None)
    chance = np.where(space == antenna.space, chance, chance * plan.wrong_side_probability)
    rssi = plan.rssi_at_range_dbm - 20 * np.log10(np.maximum(share, 0.15))
    return chance, np.rint(rssi).astype(np.int64)


def _draw(seed: int, reader: int, rounds: Ints, asset: Ints) -> Floats:
    """Uniform in [0, 1) from the numbers themselves (splitmix64), no generator's state."""
    bits = np.full(rounds.shape, seed, dtype=np.uint64)
    for key in (np.full_like(rounds, reader), rounds, asset):
        bits = (bits ^ key.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        bits ^= bits >> np.uint64(31)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


class LiveField:
    """The field of one reader for its emulator; what it answers is drawn as time passes.

    `walks` may be replaced by longer ones while it is used.
    """

    def __init__(self, hospital: Hospital, walks: Walks, reader: PortalReader) -> None:
        self._hospital, self.walks, self._antennas = hospital, walks, reader.antennas
        self._rng = stream(hospital.scenario.seed, f"live {reader.name}")
        self._epcs = [bytes.fromhex(epc) for epc in hospital.fleet.epcs]

    def __call__(self, antenna: int, at_us: int) -> list[Echo]:
        """Nothing is in the field of an antenna that is not connected."""
        if antenna >= len(self._antennas):
            return []
        where, space = self.walks.locate(at_us)
        chance, rssi = strength(self._hospital, self._antennas[antenna], where[:, 0], space[:, 0])
        read = np.nonzero(self._rng.random(len(chance)) < chance)[0].tolist()
        noise = self._rng.normal(0, RSSI_SPREAD_DB, len(read)).round().astype(int).tolist()
        return [
            Echo(self._epcs[i], int(rssi[i]) + extra)
            for i, extra in zip(read, noise, strict=True)
            if self._epcs[i]
        ]
