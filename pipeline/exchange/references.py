"""What a list names by code or name, found in the registry: places, people, vendors, models.

Places, departments and people must be there. Makers, models, types and vendors are entered when
they are new, unless that is not wanted.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg

Cursor = psycopg.Cursor[tuple[Any, ...]]


class Unresolved(ValueError):
    """`field` names what is not in the registry."""

    def __init__(self, field_name: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field_name


def fold(text: str) -> str:
    """As app.fold does for the letters of Latin scripts."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o"))
    return "".join(c for c in plain if not unicodedata.combining(c)).lower()


@dataclass
class Added:
    """Rows of masters that were entered, for the report."""

    manufacturers: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    vendors: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [
            f"new {name}: {', '.join(sorted(set(found))[:20])}"
            for name, found in vars(self).items()
            if found
        ]


@dataclass(frozen=True)
class _Type:
    id: UUID
    category: str


class References:
    """Names -> ids of one organization. `enter_new`: whether unknown masters are entered."""

    def __init__(self, cursor: Cursor, organization: UUID, *, enter_new: bool) -> None:
        self._organization, self._enter_new = organization, enter_new
        self.added = Added()
        self._facilities = _pairs(cursor, "select code, name, id from registry.facility", 2)
        self._departments = _pairs(
            cursor, "select code, name, cost_center, id from registry.department", 3
        )
        self._users = _pairs(cursor, "select username, email, id from registry.user_account", 2)
        self._vendors = _pairs(cursor, "select code, name, id from registry.vendor", 2)
        self._funds = _pairs(cursor, "select name, id from registry.funding_source", 1)
        self._makers = _pairs(cursor, "select name, id from registry.manufacturer", 1)
        self._types: dict[str, list[_Type]] = {}
        for code, name, category, id_ in cursor.execute(
            "select code, name, category, id from registry.device_type where deleted_at is null"
        ).fetchall():
            for word in {fold(code), fold(name)}:
                self._types.setdefault(word, []).append(_Type(id_, category))
        self._models: dict[tuple[UUID, str], UUID] = {
            (maker, fold(number)): id_
            for maker, number, id_ in cursor.execute(
                "select manufacturer_id, model_number, id from registry.device_model "
                "where deleted_at is null"
            ).fetchall()
        }
        self._rooms: dict[tuple[UUID, str], list[UUID]] = {}
        for facility, building, code, name, id_ in cursor.execute(_ROOMS).fetchall():
            for word in {fold(code), fold(name), fold(f"{building}/{code}")}:
                self._rooms.setdefault((facility, word), []).append(id_)

    def facility(self, name: str) -> UUID:
        return _one(self._facilities, "facility", name)

    def only_facility(self) -> UUID | None:
        """The facility, where there is but one."""
        ids = {id_ for found in self._facilities.values() for id_ in found}
        return next(iter(ids)) if len(ids) == 1 else None

    def department(self, name: str) -> UUID:
        return _one(self._departments, "department", name)

    def user(self, name: str) -> UUID:
        return _one(self._users, "custodian", name)

    def funding_source(self, name: str) -> UUID:
        return _one(self._funds, "funding_source", name)

    def room(self, facility: UUID, name: str) -> UUID:
        """By code, name or building/code."""
        found = self._rooms.get((facility, fold(name)), [])
        if not found:
            raise Unresolved("home_room", f"there is no room {name!r} in that facility")
        if len(found) > 1:
            raise Unresolved("home_room", f"{len(found)} rooms are called {name!r}: building/code")
        return found[0]

    def vendor(self, cursor: Cursor, name: str) -> UUID:
        if self._enter_new and fold(name) not in self._vendors:
            id_ = uuid4()
            code = self._free_code(name)
            cursor.execute(
                "insert into registry.vendor (id, organization_id, code, name, type) "
                "values (%s, %s, %s, %s, 'DISTRIBUTOR')",
                (id_, self._organization, code, name),
            )
            self._vendors[fold(name)] = self._vendors[fold(code)] = [id_]
            self.added.vendors.append(name)
        return _one(self._vendors, "vendor", name)

    def category(self, type_name: str) -> str | None:
        """Of a known device type."""
        found = self._types.get(fold(type_name), [])
        return found[0].category if len({type_.category for type_ in found}) == 1 else None

    def model(
        self,
        cursor: Cursor,
        maker: str,
        number: str,
        *,
        type_name: str | None,
        category: str | None,
        risk: str | None,
    ) -> UUID | None:
        """A known one; else it is entered, if type and risk class are told; else None."""
        makers = self._makers.get(fold(maker), [])
        if makers and (known := self._models.get((makers[0], fold(number)))):
            return known
        if not self._enter_new:
            raise Unresolved("model_number", f"the registry has no model {number!r} of {maker!r}")
        if type_name is None or risk is None:
            return None
        type_ = self._type(cursor, type_name, category)
        maker_id = makers[0] if makers else self._enter_maker(cursor, maker)
        id_ = uuid4()
        cursor.execute(
            "insert into registry.device_model (id, organization_id, manufacturer_id, "
            "device_type_id, model_number, risk_class) values (%s, %s, %s, %s, %s, %s)",
            (id_, self._organization, maker_id, type_, number, risk),
        )
        self._models[maker_id, fold(number)] = id_
        self.added.models.append(f"{maker} {number}")
        return id_

    def _enter_maker(self, cursor: Cursor, name: str) -> UUID:
        id_ = uuid4()
        cursor.execute(
            "insert into registry.manufacturer (id, organization_id, name) values (%s, %s, %s)",
            (id_, self._organization, name),
        )
        self._makers[fold(name)] = [id_]
        self.added.manufacturers.append(name)
        return id_

    def _type(self, cursor: Cursor, name: str, category: str | None) -> UUID:
        found = self._types.get(fold(name), [])
        ids = {t.id for t in found if category is None or t.category == category}
        if len(ids) == 1:
            return ids.pop()
        if len(ids) > 1:
            raise Unresolved("device_subcategory", f"{len(ids)} types are called {name!r}")
        if category is None:
            raise Unresolved("device_category", f"the type {name!r} is new: say its category")
        id_ = uuid4()
        code = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:50] or "type"
        code = code if fold(code) not in self._types else f"{code}-{id_.hex[:6]}"
        cursor.execute(
            "insert into registry.device_type (id, organization_id, code, name, category) "
            "values (%s, %s, %s, %s, %s)",
            (id_, self._organization, code, name, category),
        )
        for word in {fold(code), fold(name)}:
            self._types.setdefault(word, []).append(_Type(id_, category))
        self.added.types.append(name)
        return id_

    def _free_code(self, name: str) -> str:
        code = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:50] or "vendor"
        return code if fold(code) not in self._vendors else f"{code}-{uuid4().hex[:6]}"


_ROOMS = """
select building.facility_id, building.code, room.code, room.name, room.id
from registry.room
join registry.floor on floor.id = room.floor_id and floor.deleted_at is null
join registry.building on building.id = floor.building_id and building.deleted_at is null
where room.deleted_at is null
"""


def _pairs(cursor: Cursor, query: str, names: int) -> dict[str, list[UUID]]:
    """Each of the first columns, folded, -> the ids it means."""
    found: dict[str, list[UUID]] = {}
    for row in cursor.execute(f"{query} where deleted_at is null".encode()).fetchall():
        for word in {fold(name) for name in row[:names] if name}:
            found.setdefault(word, []).append(row[names])
    return found


def _one(known: dict[str, list[UUID]], what: str, name: str) -> UUID:
    found = known.get(fold(name), [])
    if not found:
        raise Unresolved(what, f"the registry has no {what.replace('_', ' ')} {name!r}")
    if len(found) > 1:
        raise Unresolved(what, f"{len(found)} are called {name!r}: give the code")
    return found[0]
