"""Where things went: stays in rooms, as arrays, from which visits, sessions and positions follow.

Times are whole seconds since 1970; a stay is [start, end), the next begins after a walk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.seed.draw import noon
from pipeline.seed.model import Asset, Facility, Room, World

CANDIDATES = 6
SILENCE_S = 4 * 3600
"""A gap of this length is not a walk: the tag was not heard."""
_MEAN_STAY_H = {"patient": 11.0, "treatment": 5.0, "storage": 9.0, "cleaning": 0.8,
                "workshop": 20.0, "corridor": 0.3, "office": 4.0, "other": 8.0}  # fmt: skip
_WEIGHTS = np.array([0.34, 0.24, 0.16, 0.14, 0.09, 0.03])
"""Home, two more rooms of its department, a store, cleaning, anywhere."""


@dataclass(frozen=True)
class Stays:
    """All stays of a facility's assets, in order of asset and time. Columns are (N,).

    `asset`, `room`: indices into `assets` and `rooms`. `silent`: not heard after it for long.
    `last`: the last one of its asset. `open`: it is still there.
    """

    assets: list[Asset]
    rooms: list[Room]
    asset: NDArray[np.int64]
    room: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    silent: NDArray[np.bool_]
    last: NDArray[np.bool_]
    open: NDArray[np.bool_]


def generator(world: World, *topic: object) -> np.random.Generator:
    """Seeded by name, like draw.Draw."""
    text = "/".join(map(str, (world.seed, *topic)))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


def seconds(at: datetime) -> int:
    return round(at.timestamp())


def stays_of(world: World, facility: Facility) -> Stays:
    """Of every asset that wears a tag and is still in service."""
    assets = [a for a in facility.assets if a.tag and a.retired is None]
    rng = generator(world, "movement", facility.organization.code, facility.code)
    rooms = _rooms_in_reach(facility)
    places = _candidates(rng, assets, rooms)
    size = world.size
    days = max(size.location_days, size.visit_days)
    begin = seconds(world.as_of) - days * 86_400
    until = _last_heard(rng, world, assets)
    mean_s = 3600 * np.array([_MEAN_STAY_H[room.kind] for room in rooms])
    steps = int(days * 24 / 5) + 8
    n = len(assets)
    room = _walk(rng, places, steps)
    stay_s = 300 + (-np.log1p(-rng.random((n, steps))) * mean_s[room]).astype(np.int64)
    gap_s = 60 + (rng.random((n, steps)) * 300).astype(np.int64)
    lost = rng.random((n, steps)) < 0.01
    gap_s = np.where(lost, SILENCE_S + (rng.random((n, steps)) * 20 * 3600).astype(np.int64), gap_s)
    end = begin + np.cumsum(stay_s + gap_s, axis=1) - gap_s
    start = end - stay_s
    # The sums over hundreds of stays end somewhere: the last one lasts until now.
    end[:, -1] = np.maximum(end[:, -1], until)
    there = start < until[:, None]
    count = there.sum(axis=1)
    end = np.minimum(end, until[:, None])
    last = np.zeros((n, steps), dtype=bool)
    last[np.arange(n), np.maximum(count - 1, 0)] = count > 0
    now = seconds(world.as_of)
    open_ = last & (end >= until[:, None]) & (until >= now - 60)[:, None]
    owner = np.broadcast_to(np.arange(n)[:, None], (n, steps))
    return Stays(assets, rooms, owner[there], room[there], start[there], end[there], lost[there],
                 last[there], open_[there])  # fmt: skip


def _rooms_in_reach(facility: Facility) -> list[Room]:
    """Its own, and those of the next facility: some equipment ends up there."""
    others = [f for f in facility.organization.facilities if f is not facility]
    return facility.rooms + (others[0].rooms if others else [])


def _candidates(
    rng: np.random.Generator, assets: list[Asset], rooms: list[Room]
) -> NDArray[np.int64]:
    """(n, CANDIDATES) indices of rooms: where an asset may be."""
    index = {room.id: i for i, room in enumerate(rooms)}
    facility = rooms[0].floor.building.facility
    own = [i for i, room in enumerate(rooms) if room.floor.building.facility is facility]
    kinds: dict[str, list[int]] = {}
    departments: dict[Any, list[int]] = {}
    for i in own:
        kinds.setdefault(rooms[i].kind, []).append(i)
        departments.setdefault(rooms[i].department.id, []).append(i)
    others = [i for i in range(len(rooms)) if i not in set(own) and rooms[i].kind != "corridor"]
    free = [i for i in own if not rooms[i].restricted]
    found = np.empty((len(assets), CANDIDATES), dtype=np.int64)
    picks = rng.random((len(assets), CANDIDATES))
    for n, asset in enumerate(assets):
        department = departments.get(asset.department.id, own)
        pools = [
            [index[asset.home.id]],
            department,
            department,
            kinds.get("storage", own),
            kinds.get("cleaning", own),
            own if picks[n, 0] < 0.1 else free,
        ]
        found[n] = [pool[int(u * len(pool))] for pool, u in zip(pools, picks[n], strict=True)]
        if picks[n, 0] > 0.985 and others:
            found[n] = [others[int(u * len(others))] for u in picks[n]]
    return found


def _walk(rng: np.random.Generator, places: NDArray[np.int64], steps: int) -> NDArray[np.int64]:
    """(n, steps) rooms: each another candidate than the one before."""
    picks = np.searchsorted(np.cumsum(_WEIGHTS), rng.random((len(places), steps)))
    picks = np.minimum(picks, CANDIDATES - 1)
    for step in range(1, steps):
        again = picks[:, step] == picks[:, step - 1]
        picks[again, step] = (picks[again, step] + 1) % CANDIDATES
    return np.take_along_axis(places, picks, axis=1)


def _last_heard(rng: np.random.Generator, world: World, assets: list[Asset]) -> NDArray[np.int64]:
    """(n,) Nearly all: seconds ago. Some are missing, for hours or months."""
    u, v = rng.random(len(assets)), rng.random(len(assets))
    ago = (2 + 40 * v).astype(np.int64)
    ago = np.where(u < 0.04, 3_600 + 80 * 3_600 * v, ago)
    ago = np.where(u < 0.015, 86_400 * (4 + 120 * v), ago)
    earliest = (
        np.array([seconds(noon(asset.in_service)) for asset in assets], dtype=np.int64) + 86_400
    )
    return np.maximum(seconds(world.as_of) - ago.astype(np.int64),
                      np.minimum(earliest, seconds(world.as_of) - 60))  # fmt: skip
