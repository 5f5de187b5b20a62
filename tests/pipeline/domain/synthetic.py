"""A small building for tests, and what its receivers hear: 2 floors, 6 rooms, 10 receivers.

Both floors have the same plan (metres):

    y=8  +-----------------------------------+
         | corridor                          |
    y=6  +-----------------+-----------------+
         | ward / icu      | store / shop    |
    y=0  +-----------------+-----------------+
         x=0              x=10              x=20

`gw-a` and `gw-b` hear the west and the east of the ground floor, `gw-c` all of the upper one. The
RFID antennas `gw-b/door` and `gw-c/door` stand in the doors of store and shop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID, uuid5

import numpy as np

from pipeline.domain.floorplan import (
    BLE,
    NOWHERE,
    RFID,
    Asset,
    Building,
    Fence,
    Floor,
    Receivers,
    Room,
    Rule,
    Zone,
)
from pipeline.domain.observations import NO_RSSI, Observations, summarise
from pipeline.domain.tracks import Tracks

NAMESPACE = UUID("00000000-0000-0000-0000-00000000beef")
SECOND = 1_000_000
T0_S = 1_700_000_000
"""Scenarios start here: a whole number of 10 s ticks."""

WARD, STORE, CORRIDOR, ICU, SHOP, CORRIDOR_1 = range(6)
PUMP, BED, MONITOR, SCOPE = range(4)
IN_STORE, IN_ICU, GATE, BAY = range(4)

_ROOMS = (  # code, kind, floor, x from, y from, x to, y to
    ("ward", "patient", 0, 0, 0, 10, 6),
    ("store", "storage", 0, 10, 0, 20, 6),
    ("corridor", "corridor", 0, 0, 6, 20, 8),
    ("icu", "patient", 1, 0, 0, 10, 6),
    ("shop", "workshop", 1, 10, 0, 20, 6),
    ("corridor-1", "corridor", 1, 0, 6, 20, 8),
)
_RECEIVERS = (  # gateway, name, kind, floor, room, x, y
    ("gw-a", "r1", BLE, 0, WARD, 1, 1),
    ("gw-a", "r2", BLE, 0, WARD, 1, 7),
    ("gw-a", "r3", BLE, 0, WARD, 9, 5),
    ("gw-b", "door", RFID, 0, STORE, 12, 6),
    ("gw-b", "r1", BLE, 0, STORE, 11, 1),
    ("gw-b", "r2", BLE, 0, STORE, 19, 2),
    ("gw-b", "r3", BLE, 0, CORRIDOR, 18, 7),
    ("gw-c", "door", RFID, 1, SHOP, 12, 6),
    ("gw-c", "r1", BLE, 1, ICU, 3, 2),
    ("gw-c", "r2", BLE, 1, SHOP, 16, 4),
)
_ASSETS = (  # tag number, category, tags
    ("pump-1", "THERAPEUTIC", ("ble:aa01", "epc:e2000001")),
    ("bed-1", "SUPPORT_EQUIPMENT", ("ble:aa02",)),
    ("monitor-1", "PATIENT_MONITORING", ("ble:aa03", "ble:aa04")),
    ("scope-1", "SURGICAL", ("ble:aa05",)),
)
ELEVATION_M = (0.0, 3.5)
WALL = (10.0, 0.0, 10.0, 6.0, 6.0)
"""Between ward and store, and between icu and shop: x1, y1, x2, y2, dB."""


def identity(kind: str, name: str) -> UUID:
    return uuid5(NAMESPACE, f"{kind}/{name}")


def rectangle(x1: float, y1: float, x2: float, y2: float) -> np.ndarray:
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], dtype=np.float64)


def floors(walls: bool = False) -> tuple[Floor, ...]:
    drawn = np.array([WALL]) if walls else np.zeros((0, 5))
    return tuple(
        Floor(identity("floor", f"f{i}"), f"f{i}", i, ELEVATION_M[i], 3.5, drawn) for i in (0, 1)
    )


def rooms() -> tuple[Room, ...]:
    return tuple(
        Room(identity("room", code), code, code.title(), kind, floor, rectangle(*corners))
        for code, kind, floor, *corners in _ROOMS
    )


def zones() -> tuple[Zone, ...]:
    """Two that are rooms, a strip across the corridor without dwell, and a bay in the corridor."""
    store, icu = rooms()[STORE], rooms()[ICU]
    gate, bay = rectangle(9, 6, 11, 8), rectangle(14, 6, 20, 8)
    return (
        Zone(identity("zone", "store"), "store", "the store", 0, store.polygon, Fence(), STORE),
        Zone(identity("zone", "icu"), "icu", "the ICU", 1, icu.polygon, Fence(), ICU),
        Zone(identity("zone", "gate"), "gate", "the gate", 0, gate, Fence(entry_dwell_s=0.0)),
        Zone(identity("zone", "bay"), "bay", "the bay", 0, bay, Fence(timeout_s=600.0)),
    )


def rules() -> tuple[Rule, ...]:
    """No therapeutic equipment in the store; nothing at all in the ICU."""
    therapeutic = np.array([category == "THERAPEUTIC" for _, category, _ in _ASSETS])
    everything = np.ones(len(_ASSETS), dtype=bool)
    return (
        Rule(identity("rule", "a"), "no-pumps", "forbidden-zone", "WARNING", IN_STORE, therapeutic),
        Rule(identity("rule", "b"), "quiet", "forbidden-zone", "CRITICAL", IN_ICU, everything),
    )


def receivers() -> Receivers:
    gateway, name, kind, floor, room, x, y = zip(*_RECEIVERS, strict=True)
    count = len(_RECEIVERS)
    height = np.array([ELEVATION_M[f] for f in floor]) + 2.5
    return Receivers(
        ids=tuple(identity("receiver", f"{g}/{n}") for g, n in zip(gateway, name, strict=True)),
        names=tuple(zip(gateway, name, strict=True)),
        position_m=np.stack([np.array(x, float), np.array(y, float), height], axis=-1),
        floor=np.array(floor, dtype=np.int64),
        room=np.array(room, dtype=np.int64),
        kind=np.array(kind, dtype=np.int64),
        p0_dbm=np.full(count, -59.0),
        path_loss_exponent=np.full(count, 2.2),
        sigma_db=np.full(count, 4.0),
        range_m=np.full(count, 1.5),
    )


def building(*, walls: bool = False, version: int = 1, **changes: object) -> Building:
    """The building; `changes` replace its parts."""
    tags = [(tag, i) for i, (_, _, worn) in enumerate(_ASSETS) for tag in worn]
    whole = Building(
        key="acme/north/main",
        organization="acme",
        facility="north",
        code="main",
        ids={
            "organization": identity("organization", "acme"),
            "facility": identity("facility", "north"),
            "building": identity("building", "main"),
            **{f"gateway/gw-{c}": identity("gateway", c) for c in "abc"},
        },
        floors=floors(walls),
        rooms=rooms(),
        zones=zones(),
        rules=rules(),
        receivers=receivers(),
        gateways=("gw-a", "gw-b", "gw-c"),
        assets=tuple(
            Asset(identity("asset", number), number, number.title(), category)
            for number, category, _ in _ASSETS
        ),
        tags=tuple(tag for tag, _ in tags),
        tag_asset=np.array([asset for _, asset in tags], dtype=np.int64),
        version=version,
        bounds=np.array([[-1.0, -1.0], [21.0, 9.0]]),
    )
    return replace(whole, **changes)


def rssi_dbm(site: Building, receiver: int, x: float, y: float, floor: int) -> float:
    """What the radio model says, without noise and walls; a tag is 1 m above its floor."""
    at = site.receivers.position_m[receiver]
    away = np.linalg.norm(at - [x, y, ELEVATION_M[floor] + 1.0])
    slabs = abs(int(site.receivers.floor[receiver]) - floor)
    return float(-59.0 - 22.0 * np.log10(max(away, 0.3)) - 15.0 * slabs)


def heard(
    site: Building,
    where: Mapping[int, tuple[float, float, int]],
    noise_db: Mapping[tuple[int, int], float] | None = None,
) -> Observations:
    """What BLE receivers hear of assets at (x, y, floor), plus noise per (asset, receiver)."""
    pairs = [
        (asset, r, rssi_dbm(site, r, *place) + (noise_db or {}).get((asset, r), 0.0))
        for asset, place in where.items()
        for r in range(len(site.receivers))
        if site.receivers.kind[r] == BLE
    ]
    return observations(site, [(a, r, round(dbm * 100), 1) for a, r, dbm in pairs])


def door(site: Building, asset: int, receiver: int) -> Observations:
    """A portal read, and nothing else."""
    return observations(site, [(asset, receiver, NO_RSSI, 3)])


def observations(site: Building, reads: Sequence[tuple[int, int, int, int]]) -> Observations:
    """`reads` are (asset, receiver, centi-dBm, receptions)."""
    columns = np.array(reads, dtype=np.int64).reshape(-1, 4).T
    return summarise(*columns, receivers=len(site.receivers))


def tracks(assets: int, **columns: Sequence[float]) -> Tracks:
    """Tracks of which only some columns are known."""
    empty = Tracks.empty(assets)
    given = {
        name: np.asarray(values, dtype=getattr(empty, name).dtype)
        for name, values in columns.items()
    }
    return replace(empty, **given)


def none_of(assets: int) -> np.ndarray:
    """No portal has read any of them."""
    return np.full(assets, NOWHERE, dtype=np.int64)


def us(seconds: float) -> int:
    """Scenario time to microseconds since 1970."""
    return round((T0_S + seconds) * SECOND)


def seconds(at_us: int | None) -> float | None:
    """And back."""
    return None if at_us is None else at_us / SECOND - T0_S
