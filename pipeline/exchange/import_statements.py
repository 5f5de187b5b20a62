"""The SQL of the import. A record is a JSON object of columns; a missing key keeps the value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql

from pipeline.exchange.fields import FIELDS

_RESOLVED = ("facility_id", "device_model_id", "vendor_id", "funding_source_id", "department_id",
             "custodian_id", "home_room_id", "udi_issuer", "udi_di", "udi_pi", "udi_carrier",
             "udi_check_ok", "udi_problem")  # fmt: skip
COLUMNS = tuple(dict.fromkeys((*(field.column for field in FIELDS if field.column), *_RESOLVED)))
"""Of registry.asset: what an import may write."""
DEFAULTS = {"status": "ACTIVE", "requires_checkout": False, "auto_work_orders": True,
            "ownership": "OWNED", "specifications": {}}  # fmt: skip
ALWAYS = {*DEFAULTS, "tag_number", "name", "manufacturer", "model", "serial_number", "category",
          "facility_id"}  # fmt: skip
"""Never cleared by a blank cell."""

# As constraint asset_is_complete_as_promised has it.
_PROMISED = ("device_model_id", "criticality", "udi_di", "vendor_id", "purchased_on",
             "purchase_cost", "currency_code", "custodian_id", "department_id")  # fmt: skip
_COMPLETE = sql.SQL("num_nulls({}) = 0").format(
    sql.SQL(", ").join(sql.Identifier("new", name) for name in _PROMISED)
)


@dataclass(frozen=True)
class Known:
    """An asset that is there already."""

    id: UUID
    tag_number: str
    deleted: bool
    facility: UUID
    manufacturer: str
    model: str
    category: str
    device_model: UUID | None
    udi_di: str | None
    udi_pi: str | None
    udi_carrier: str | None

    def has_label(self, label: Mapping[str, Any]) -> bool:
        """The label says nothing new: what was made of it then stays."""
        return all(
            label.get(name, had) == had
            for name, had in (
                ("udi_di", self.udi_di),
                ("udi_pi", self.udi_pi),
                ("udi_carrier", self.udi_carrier),
            )
        )


LOCK = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"

# Each half by its own index; an OR of the two would read the whole table for every batch.
EXISTING = """
with named as (
    select id from registry.asset where tag_number = any(%(tags)s) and deleted_at is null
    union
    select id from registry.asset where id = any(%(ids)s)
)
select id, tag_number, deleted_at is not null, facility_id, manufacturer, model, category,
    device_model_id, udi_di, udi_pi, udi_carrier
from registry.asset
where id in (select named.id from named)
for no key update of asset
"""

_names = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))

INSERT = sql.SQL("""
insert into registry.asset (id, organization_id, created_by, {names}, complete)
select id, %(organization)s, %(user)s, {names}, {complete}
from jsonb_populate_recordset(null::registry.asset, %(rows)s) as new
returning complete
""").format(names=_names, complete=_COMPLETE)


def _of(table: str) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("{}.{}").format(sql.Identifier(table), sql.Identifier(name)) for name in COLUMNS
    )


# Compared as the database stores them, so that writing a number another way is no change. What
# differs from the version that the file was made from is not written.
UPDATE = sql.SQL("""
with wanted as materialized (
    select
        old.id,
        old.version,
        ({theirs}) is distinct from ({ours}) as differs,
        record -> 'expected_version' as expected,
        record,
        old.complete or (old.created_by is not null and {complete}) as complete
    from jsonb_array_elements(%(rows)s) as record
    join registry.asset as old on old.id = (record ->> 'id')::uuid
    cross join lateral jsonb_populate_record(old, record) as new
), written as (
    update registry.asset as target
    set ({names}, complete) = row({ours}, wanted.complete)
    from wanted
    cross join lateral (
        select given.*
        from registry.asset as before
        cross join lateral jsonb_populate_record(before, wanted.record) as given
        where before.id = wanted.id
    ) as new
    where target.id = wanted.id
        and (wanted.differs or wanted.complete is distinct from target.complete)
        and coalesce(wanted.expected, 'null'::jsonb) in ('null'::jsonb, to_jsonb(wanted.version))
    returning target.id
)
select wanted.id, wanted.differs or written.id is not null, wanted.version, wanted.complete
from wanted
left join written on written.id = wanted.id
""").format(
    names=_names,
    ours=_of("new"),
    theirs=_of("old"),
    complete=_COMPLETE,
)
