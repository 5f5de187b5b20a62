"""Site file -> `Building`, as a database that holds nothing else would give it.

For tools and trials that need no database.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from pipeline.domain.floorplan import Building
from pipeline.registry.read import Groups, building_of
from pipeline.registry.rows import Row, site_rows
from pipeline.registry.site_file import SiteFile


def buildings(site: SiteFile) -> list[Building]:
    """The buildings of the site, in order of their code; every one knows all assets."""
    rows = {table: [_typed(row) for row in found] for table, found in site_rows(site).items()}
    facility = rows["facility"][0]
    place = facility | {
        "organization": site.organization.code,
        "key": f"{site.organization.code}/{site.facility.code}",
        "revision": 0,
    }
    tables = {name: _by_parent(found) for name, found in _parented(rows, facility["id"]).items()}
    return [building_of(place, row, tables) for row in tables["building"][facility["id"]]]


def _parented(rows: dict[str, list[Row]], facility: UUID) -> dict[str, list[Row]]:
    """The rows with what the queries of `read` add: their parent and, sorted by, their code."""
    building_of_floor = {row["id"]: row["building_id"] for row in rows["floor"]}
    gateway = {row["id"]: row for row in rows["gateway"]}
    zone = {row["id"]: row["building_id"] for row in rows["zone"]}
    asset_of = {row["tag_id"]: row["asset_id"] for row in rows["tag_assignment"]}
    parents: dict[str, Any] = {
        "building": lambda row: {"parent": row["facility_id"]},
        "floor": lambda row: {"parent": row["building_id"]},
        "room": lambda row: {"parent": building_of_floor[row["floor_id"]]},
        "zone": lambda row: {"parent": row["building_id"]},
        "rule": lambda row: {"parent": zone[row["zone_id"]]},
        "gateway": lambda row: {"parent": row["building_id"]},
        "receiver": lambda row: {
            "parent": gateway[row["gateway_id"]]["building_id"],
            "gateway": gateway[row["gateway_id"]]["code"],
            "code": row["name"],
        },
        "asset": lambda row: {"parent": facility, "code": row["tag_number"]},
        "tag": lambda row: {
            "parent": facility,
            "code": row["name"],
            "asset_id": asset_of[row["id"]],
        },
    }
    return {name: [row | more(row) for row in rows[name]] for name, more in parents.items()}


def _by_parent(rows: list[Row]) -> Groups:
    groups: Groups = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["code"]):
        groups[row["parent"]].append(row)
    return groups


def _typed(row: Row) -> Row:
    """Ids of a site's rows are text."""
    return {
        name: UUID(value) if value and (name == "id" or name.endswith("_id")) else value
        for name, value in row.items()
    }
