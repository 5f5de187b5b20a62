"""The invented world as objects: what the generators of rows share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from pipeline.seed.catalogue import Model
from pipeline.seed.draw import Draw
from pipeline.seed.sizes import HISTORY_DAYS, Group, Hospital, Size


@dataclass
class Room:
    id: UUID
    code: str
    name: str
    kind: str
    restricted: bool
    beds: int
    left: float
    bottom: float
    right: float
    top: float
    floor: Floor
    department: Department

    @property
    def polygon(self) -> list[list[float]]:
        return [[self.left, self.bottom], [self.right, self.bottom], [self.right, self.top],
                [self.left, self.top]]  # fmt: skip

    @property
    def center(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2


@dataclass
class Floor:
    id: UUID
    code: str
    level: int
    elevation_m: float
    building: Building
    rooms: list[Room] = field(default_factory=list)


@dataclass
class Building:
    id: UUID
    code: str
    name: str
    facility: Facility
    floors: list[Floor] = field(default_factory=list)


@dataclass
class Department:
    id: UUID
    code: str
    name: str
    cost_center: str
    facility: Facility
    users: list[User] = field(default_factory=list)


@dataclass
class User:
    id: UUID
    name: str
    login: str
    role: str
    facility: Facility
    department: Department


@dataclass
class Facility:
    id: UUID
    code: str
    name: str
    hospital: Hospital
    organization: Organization
    buildings: list[Building] = field(default_factory=list)
    departments: list[Department] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    assets: list[Asset] = field(default_factory=list)

    @property
    def rooms(self) -> list[Room]:
        return [room for b in self.buildings for floor in b.floors for room in floor.rooms]

    def staff(self, role: str) -> list[User]:
        return [user for user in self.users if user.role == role]

    def rooms_of(self, *kinds: str) -> list[Room]:
        return [room for room in self.rooms if room.kind in kinds]


@dataclass
class Vendor:
    id: UUID
    code: str
    name: str
    kind: str
    maker: str | None


@dataclass
class Asset:
    """`failures`: when it failed, filled by the maintenance history."""

    id: UUID
    number: int
    tag_number: str
    serial: str
    lot: str
    model: Model
    facility: Facility
    department: Department
    home: Room
    custodian: User
    status: str
    bought: date
    in_service: date
    retired: date | None
    cost: float
    tag: str | None
    failures: list[datetime] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.model.type.code

    @property
    def organization(self) -> Organization:
        return self.facility.organization

    def in_use_until(self, as_of: date) -> date:
        return self.retired or as_of


@dataclass
class Organization:
    id: UUID
    code: str
    name: str
    group: Group
    facilities: list[Facility] = field(default_factory=list)
    vendors: list[Vendor] = field(default_factory=list)

    @property
    def assets(self) -> list[Asset]:
        return [asset for facility in self.facilities for asset in facility.assets]

    @property
    def users(self) -> list[User]:
        return [user for facility in self.facilities for user in facility.users]

    @property
    def departments(self) -> list[Department]:
        return [d for facility in self.facilities for d in facility.departments]

    def vendor_of(self, maker: str) -> Vendor:
        return next(vendor for vendor in self.vendors if vendor.maker == maker)


@dataclass
class World:
    size: Size
    seed: int
    as_of: datetime
    organizations: list[Organization] = field(default_factory=list)

    @property
    def began(self) -> datetime:
        """Where the recorded history begins."""
        return self.as_of - timedelta(days=HISTORY_DAYS)

    @property
    def today(self) -> date:
        return self.as_of.date()

    def draw(self, *topic: object) -> Draw:
        return Draw(self.seed, *topic)

    @property
    def assets(self) -> list[Asset]:
        return [asset for organization in self.organizations for asset in organization.assets]
