"""What tags measured, into the hypertable of sensor readings.

A value belongs to the asset that wore its tag when it was measured, or, when nobody did, to the one
that wears it now, as a position does; that of a tag that nobody wears is not kept. The key is
natural, so a value that comes twice is one.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from pipeline.contracts.transport import Measurements
from pipeline.sinks.event_rows import when

STAGE = """
create temp table if not exists said_measured (
    organization_id uuid, tag text, quantity text, ts timestamptz, value double precision
) on commit delete rows
"""
COPY = "copy said_measured from stdin (format binary)"
TYPES = ("uuid", "text", "text", "timestamptz", "float8")
READINGS = """
insert into telemetry.sensor_reading (organization_id, asset_id, source_id, quantity, ts, value)
select distinct on (tag.id, quantity.code, said.ts)
    said.organization_id, worn.asset_id, tag.id, quantity.code, said.ts, said.value
from said_measured as said
join registry.quantity_codes((select array_agg(distinct s.quantity) from said_measured s))
    as quantity on quantity.wire_name = said.quantity
join registry.tag on tag.organization_id = said.organization_id and tag.name = said.tag
    and tag.deleted_at is null
cross join lateral (
    select w.asset_id from registry.tag_assignment as w
    where w.tag_id = tag.id and (w.during @> said.ts or upper_inf(w.during))
    order by w.during @> said.ts desc limit 1
) as worn
order by tag.id, quantity.code, said.ts, said.value
on conflict do nothing
"""


def write_measured(cursor: psycopg.Cursor, batches: Sequence[Measurements]) -> None:
    if not batches:
        return
    cursor.execute(STAGE)
    with cursor.copy(COPY) as copy:
        copy.set_types(TYPES)
        for batch in batches:
            for tag, quantity, at_us, value in batch.values:
                copy.write_row((batch.organization_id, tag, quantity, when(at_us), value))
    cursor.execute(READINGS)
