"""Site file -> database: an idempotent upsert of one facility in one transaction.

What the file no longer holds is soft-deleted; a tag that it no longer holds is taken off. Rows that
do not differ are not touched, so loading the same file again changes no version and no revision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow, tuple_row
from psycopg.types.json import Jsonb

from pipeline.registry.errors import RegistryError
from pipeline.registry.ids import make_id
from pipeline.registry.rows import COLUMNS, Rows, site_rows
from pipeline.registry.site_file import SiteFile

Connection: TypeAlias = psycopg.Connection[Any]
Cursor: TypeAlias = psycopg.Cursor[TupleRow]

# Which rows a facility's file speaks for: what it does not name of these is deleted.
_SCOPES = {
    "building": "facility_id = %(facility)s",
    "gateway": "facility_id = %(facility)s",
    "asset": "facility_id = %(facility)s",
    "rule": "facility_id = %(facility)s",
    "floor": "building_id in (select id from registry.building where facility_id = %(facility)s)",
    "zone": "building_id in (select id from registry.building where facility_id = %(facility)s)",
    "room": """floor_id in (
        select floor.id from registry.floor
        join registry.building on building.id = floor.building_id
        where building.facility_id = %(facility)s)""",
    "receiver": """gateway_id in (
        select id from registry.gateway where facility_id = %(facility)s)""",
    # A tag is the organization's: only those that an asset of this facility wears, or wore last.
    "tag": """id in (
        select distinct on (worn.tag_id) worn.tag_id from registry.tag_assignment as worn
        join registry.asset on asset.id = worn.asset_id
        where asset.facility_id = %(facility)s
            and not exists (
                select from registry.tag_assignment as later
                where later.tag_id = worn.tag_id and lower(later.during) > lower(worn.during)))""",
}


_KEYS = ("id", "organization_id")


@dataclass
class Counts:
    """`changed` includes rows that came back from deletion."""

    inserted: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0


@dataclass
class LoadReport:
    """What a load did. `moved` names assets that another facility of the organization owned."""

    organization_id: UUID
    facility_id: UUID
    revision: int = 0
    tables: dict[str, Counts] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)

    @property
    def is_unchanged(self) -> bool:
        return not any(c.inserted or c.changed or c.deleted for c in self.tables.values())

    def lines(self) -> list[str]:
        """For people: one line a table that changed, then the moves."""
        lines = [
            f"{table}: {c.inserted} new, {c.changed} changed, {c.deleted} removed"
            for table, c in self.tables.items()
            if c.inserted or c.changed or c.deleted
        ]
        lines += [f"asset {tag_number}: came from another facility" for tag_number in self.moved]
        return lines or ["nothing changed"]


def load_site(conn: Connection, site: SiteFile) -> LoadReport:
    """Make the database say what the file says. One load of an organization at a time.

    Works as biotrakr_app too: the transaction names the organization for row security. Raises
    RegistryError when a code is taken by a row that did not come from a site file, or the
    database knows no such time zone.
    """
    organization = make_id("organization", site.organization.code)
    facility = make_id("facility", site.organization.code, site.facility.code)
    report = LoadReport(organization, facility)
    try:
        with conn.transaction(), conn.cursor(row_factory=tuple_row) as cursor:
            cursor.execute("select set_config('app.org_id', %s, true)", (str(organization),))
            # Tags and assets are the organization's: two facilities must not load at once.
            cursor.execute(_LOCK, (str(organization),))
            _load(cursor, site_rows(site), report)
    except _REFUSALS as error:
        problem = error.diag.message_detail or error.diag.message_primary
        place = f"{site.organization.code}/{site.facility.code}"
        raise RegistryError(f"{place}: nothing was loaded: {problem}") from error
    return report


def _load(cursor: Cursor, rows: Rows, report: LoadReport) -> None:
    report.moved = _assets_from_elsewhere(cursor, rows, report)
    for table in COLUMNS:
        report.tables[table] = _upsert(cursor, table, rows[table])
    # Before anything is taken off: the scope of tags is what the facility's assets wear.
    for table, scope in _SCOPES.items():
        report.tables[table].deleted = _delete_missing(cursor, table, scope, rows[table], report)
    report.tables["tag_assignment"] = _assign(cursor, rows, report)
    found = cursor.execute(
        "select revision from registry.facility_revision where facility_id = %s",
        (report.facility_id,),
    ).fetchone()
    report.revision = _value(found)


def _assets_from_elsewhere(cursor: Cursor, rows: Rows, report: LoadReport) -> list[str]:
    found = cursor.execute(
        "select tag_number from registry.asset where id = any(%s) and facility_id <> %s "
        "and deleted_at is null order by tag_number",
        ([row["id"] for row in rows["asset"]], report.facility_id),
    )
    return [tag_number for (tag_number,) in found]


def _upsert(cursor: Cursor, table: str, rows: list[dict[str, Any]]) -> Counts:
    """One statement a table: a trigger that counts revisions runs once."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in COLUMNS[table])
    # Never set a key column: that would lock rows against every foreign key check, and the
    # dataflow, which makes such checks all the time, would deadlock with this.
    columns = [sql.Identifier(name) for name in COLUMNS[table] if name not in _KEYS]
    query = sql.SQL(
        """insert into registry.{table} as target ({names})
        select {names} from jsonb_populate_recordset(null::registry.{table}, %s)
        on conflict (id) do update set ({columns}, deleted_at) = row({excluded}, null)
        where ({current}) is distinct from ({excluded}) or target.deleted_at is not null
        returning target.version = 1"""
    ).format(
        table=sql.Identifier(table),
        names=names,
        columns=sql.SQL(", ").join(columns),
        current=sql.SQL(", ").join(sql.SQL("target.") + name for name in columns),
        excluded=sql.SQL(", ").join(sql.SQL("excluded.") + name for name in columns),
    )
    written = [new for (new,) in cursor.execute(query, (Jsonb(rows),))]
    inserted = sum(written)
    return Counts(inserted, len(written) - inserted, unchanged=len(rows) - len(written))


def _delete_missing(
    cursor: Cursor, table: str, scope: str, rows: list[dict[str, Any]], report: LoadReport
) -> int:
    query = sql.SQL(
        "update registry.{table} set deleted_at = now() "
        "where deleted_at is null and organization_id = %(organization)s "
        "and id <> all(%(kept)s::uuid[]) and "
    ).format(table=sql.Identifier(table)) + sql.SQL(scope)
    parameters = {
        "organization": report.organization_id,
        "facility": report.facility_id,
        "kept": [row["id"] for row in rows],
    }
    return cursor.execute(query, parameters).rowcount


def _assign(cursor: Cursor, rows: Rows, report: LoadReport) -> Counts:
    """End what is no longer worn, then begin what is new, both at the same moment.

    That moment is never before a bound that is already there: a clock that was set back must not
    make a range empty or let two overlap.
    """
    parameters = {
        "organization": report.organization_id,
        "facility": report.facility_id,
        "wanted": Jsonb(rows["tag_assignment"]),
    }
    at = _value(cursor.execute(_MOMENT, parameters).fetchone())
    ended = cursor.execute(_END, parameters | {"at": at}).rowcount
    begun = cursor.execute(_BEGIN, parameters | {"at": at}).rowcount
    return Counts(inserted=begun, deleted=ended, unchanged=len(rows["tag_assignment"]) - begun)


_LOCK = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"
_REFUSALS = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.ExclusionViolation,
    psycopg.errors.CheckViolation,
    psycopg.errors.InvalidParameterValue,
)
_MOMENT = """
with wanted as (
    select tag_id from jsonb_to_recordset(%(wanted)s) as pair (tag_id uuid)
)
select greatest(
    clock_timestamp(),
    max(lower(worn.during)) + interval '1 microsecond',
    max(upper(worn.during))
)
from registry.tag_assignment as worn
join registry.asset on asset.id = worn.asset_id
where worn.organization_id = %(organization)s
    and (asset.facility_id = %(facility)s or worn.tag_id in (select tag_id from wanted))
"""
_END = """
with wanted as (
    select tag_id, asset_id
    from jsonb_to_recordset(%(wanted)s) as pair (tag_id uuid, asset_id uuid)
)
update registry.tag_assignment as worn
set during = tstzrange(lower(worn.during), %(at)s)
from registry.asset
where asset.id = worn.asset_id
    and worn.organization_id = %(organization)s
    and upper_inf(worn.during)
    and (asset.facility_id = %(facility)s or worn.tag_id in (select tag_id from wanted))
    and (worn.tag_id, worn.asset_id) not in (select tag_id, asset_id from wanted)
"""
_BEGIN = """
with wanted as (
    select tag_id, asset_id
    from jsonb_to_recordset(%(wanted)s) as pair (tag_id uuid, asset_id uuid)
)
insert into registry.tag_assignment (organization_id, tag_id, asset_id, during)
select %(organization)s, wanted.tag_id, wanted.asset_id, tstzrange(%(at)s, null)
from wanted
where not exists (
    select from registry.tag_assignment as worn
    where worn.tag_id = wanted.tag_id
        and worn.asset_id = wanted.asset_id
        and upper_inf(worn.during)
)
"""


def _value(row: Any) -> Any:
    """The only column of the only row."""
    return row[0]
