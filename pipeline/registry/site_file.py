"""The site file: one facility with its buildings, gateways, assets and rules, as JSON or TOML.

This is how a site is described before it is in the database. It is validated as a whole; every
problem names its key. Lengths are metres; x and y lie in the building's plane, `height_m` is
above the floor it stands on.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from pipeline.contracts.reads import ReceiverName, TagName
from pipeline.contracts.topics import NAME
from pipeline.domain.errors import GeometryError
from pipeline.domain.geometry import check_polygon
from pipeline.registry.errors import SiteFileError

Code = Annotated[str, StringConstraints(pattern=NAME)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Metres = Annotated[float, Field(ge=-10_000, le=10_000, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Point = tuple[Metres, Metres]


def _polygon(points: list[Point]) -> list[Point]:
    try:
        check_polygon(np.array(points, dtype=np.float64).reshape(-1, 2))
    except GeometryError as error:
        raise ValueError(error.problem) from None
    return points


def _time_zone(name: str) -> str:
    known = available_timezones()  # empty on a machine without time zone data: then not checked
    if known and name not in known:
        raise ValueError(f"there is no time zone {name!r}; use a name like Europe/Berlin")
    return name


Polygon = Annotated[list[Point], AfterValidator(_polygon)]
RoomKind = Literal[
    "patient", "treatment", "storage", "cleaning", "workshop", "corridor", "office", "other"
]
Category = Literal[
    "IMAGING", "LABORATORY", "SURGICAL", "PATIENT_MONITORING", "THERAPEUTIC", "LIFE_SUPPORT",
    "DIAGNOSTIC", "ANESTHESIA", "STERILIZATION", "SUPPORT_EQUIPMENT", "IT_MEDICAL", "OTHER",
]  # fmt: skip


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Organization(_Part):
    code: Code
    name: Title


class Facility(_Part):
    code: Code
    name: Title
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"


class RoomEntry(_Part):
    code: Code
    name: Title
    kind: RoomKind = "other"
    polygon: Polygon
    restricted: bool = False


class Wall(_Part):
    start: Point
    end: Point
    attenuation_db: Annotated[float, Field(ge=0, le=60)] = 3.0


class FloorEntry(_Part):
    code: Code
    name: Title
    level: Annotated[int, Field(ge=-100, le=500)]
    elevation_m: Metres
    height_m: Annotated[float, Field(gt=1, le=50)] = 3.5
    rooms: list[RoomEntry]
    walls: list[Wall] = Field(default_factory=list)


class ReceiverEntry(_Part):
    """A BLE receiver or one antenna of an RFID reader; `name` as it stands in the read batch."""

    name: ReceiverName
    kind: Literal["ble", "rfid"] = "ble"
    floor: Code
    x_m: Metres
    y_m: Metres
    height_m: Metres
    p0_dbm: Annotated[float, Field(ge=-120, le=20)] = -59.0
    path_loss_exponent: Annotated[float, Field(ge=1.2, le=6)] = 2.2
    sigma_db: Annotated[float, Field(ge=1, le=20)] = 6.0
    range_m: Annotated[float, Field(gt=0, le=100)] = 1.5
    room: Code | None = None


class GatewayEntry(_Part):
    code: Code
    receivers: list[ReceiverEntry]


class FenceEntry(_Part):
    """See domain.floorplan.Fence."""

    entry_dwell_s: Seconds = 5.0
    exit_tolerance_m: Annotated[float, Field(ge=0, le=100)] = 1.0
    tolerance_timeout_s: Seconds = 10.0
    exit_delay_s: Seconds = 3.0
    timeout_s: Seconds = 120.0


class ZoneEntry(_Part):
    """A room, or a polygon on a floor."""

    code: Code
    name: Title
    floor: Code | None = None
    room: Code | None = None
    polygon: Polygon | None = None
    fence: FenceEntry = FenceEntry()

    @model_validator(mode="after")
    def _one_shape(self) -> ZoneEntry:
        if (self.room is None) == (self.polygon is None):
            raise ValueError("give either room or polygon (with its floor)")
        if self.polygon is not None and self.floor is None:
            raise ValueError("a polygon needs its floor")
        return self


class BuildingEntry(_Part):
    code: Code
    name: Title
    floors: Annotated[list[FloorEntry], Field(min_length=1)]
    gateways: list[GatewayEntry] = Field(default_factory=list)
    zones: list[ZoneEntry] = Field(default_factory=list)


class AssetEntry(_Part):
    tag_number: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    name: Title
    category: Category
    manufacturer: Title = "unknown"
    model: Title = "unknown"
    serial_number: Title = "unknown"
    tags: list[TagName] = Field(default_factory=list)


class RuleEntry(_Part):
    """No asset matching `categories` (empty: any) may enter `zone`."""

    code: Code
    type: Literal["forbidden-zone"] = "forbidden-zone"
    severity: Literal["INFO", "WARNING", "ERROR", "CRITICAL"] = "WARNING"
    zone: Code
    categories: list[Category] = Field(default_factory=list)


class SiteFile(_Part):
    schema_version: Literal[1] = 1
    organization: Organization
    facility: Facility
    buildings: Annotated[list[BuildingEntry], Field(min_length=1)]
    assets: list[AssetEntry] = Field(default_factory=list)
    rules: list[RuleEntry] = Field(default_factory=list)


def load_site_file(path: Path) -> SiteFile:
    """Read and validate a site file. Raises SiteFileError that names every problem."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise SiteFileError(str(path), [f"cannot be read: {error}"]) from None
    return parse_site(data, str(path))


def parse_site(data: object, where: str = "site") -> SiteFile:
    """Validate already parsed data. Raises SiteFileError."""
    try:
        site = SiteFile.model_validate(data)
    except ValidationError as error:
        raise SiteFileError(where, [_line(part) for part in error.errors()]) from None
    problems = list(_cross_references(site))
    if problems:
        raise SiteFileError(where, problems)
    return site


def _line(part: object) -> str:
    loc, message = part["loc"], part["msg"]  # type: ignore[index]
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in loc).lstrip(".")
    return f"{key}: {message.removeprefix('Value error, ')}"


def _cross_references(site: SiteFile) -> Iterator[str]:
    """Codes that occur twice or point nowhere; one line each."""
    yield from _twice("buildings", (b.code for b in site.buildings))
    gateways = [g.code for b in site.buildings for g in b.gateways]
    yield from _twice("gateways of the facility", gateways)
    zones = [z.code for b in site.buildings for z in b.zones]
    yield from _twice("zones of the facility", zones)
    yield from _twice("assets", (a.tag_number for a in site.assets))
    yield from _twice("tags of all assets", (t for a in site.assets for t in a.tags))
    yield from _twice("rules", (r.code for r in site.rules))
    for i, rule in enumerate(site.rules):
        if rule.zone not in zones:
            yield f"rules[{i}].zone: there is no zone {rule.zone!r}"
    for i, building in enumerate(site.buildings):
        yield from _building_references(f"buildings[{i}]", building)


def _building_references(where: str, building: BuildingEntry) -> Iterator[str]:
    floors = {floor.code for floor in building.floors}
    rooms = [room.code for floor in building.floors for room in floor.rooms]
    floor_of = {room.code: floor.code for floor in building.floors for room in floor.rooms}
    yield from _twice(f"{where}.floors", (f.code for f in building.floors))
    yield from _twice(f"{where}: rooms", rooms)
    for g, gateway in enumerate(building.gateways):
        names = [receiver.name for receiver in gateway.receivers]
        yield from _twice(f"{where}.gateways[{g}].receivers", names)
        for r, receiver in enumerate(gateway.receivers):
            key = f"{where}.gateways[{g}].receivers[{r}]"
            if receiver.floor not in floors:
                yield f"{key}.floor: there is no floor {receiver.floor!r}"
            if receiver.room is not None and receiver.room not in rooms:
                yield f"{key}.room: there is no room {receiver.room!r}"
            elif (
                receiver.floor in floors
                and receiver.room
                and floor_of[receiver.room] != receiver.floor
            ):
                yield f"{key}.room: {receiver.room!r} is on floor {floor_of[receiver.room]!r}"
    for z, zone in enumerate(building.zones):
        if zone.floor is not None and zone.floor not in floors:
            yield f"{where}.zones[{z}].floor: there is no floor {zone.floor!r}"
        if zone.room is not None and zone.room not in rooms:
            yield f"{where}.zones[{z}].room: there is no room {zone.room!r}"
        elif zone.room is not None and zone.floor not in (None, floor_of[zone.room]):
            yield f"{where}.zones[{z}].floor: {zone.room!r} is on floor {floor_of[zone.room]!r}"


def _twice(where: str, codes: Iterable[str]) -> Iterator[str]:
    for code, times in Counter(codes).items():
        if times > 1:
            yield f"{where}: {code!r} is used {times} times; give each its own"
