"""The SQL of a revision. `from` and `until` bound the stretch; `revision` numbers it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.domain.utilization import METHOD
from pipeline.sinks import location_rows, statements

HOLD_OFF = f"select pg_advisory_xact_lock({statements.HISTORY_LOCK})"

DROP_STAGE = "drop table if exists revised"
STAGE = """
create temp table revised (like telemetry.location_history including defaults)
"""

BEGIN = """
insert into pipeline.revision (building_id, from_at, until_at, cause, batches, reads, windows,
    positions_removed, positions_written, room_visits_changed, zone_visits_changed,
    sessions_changed, late_alerts)
values (%(building)s, %(from)s, %(until)s, %(cause)s, 0, 0, 0, 0, 0, 0, 0, 0, 0)
returning id
"""
END = """
update pipeline.revision set batches = %(batches)s, reads = %(reads)s, windows = %(windows)s,
    positions_removed = %(positions_removed)s, positions_written = %(positions_written)s,
    room_visits_changed = %(room_visits_changed)s, zone_visits_changed = %(zone_visits_changed)s,
    sessions_changed = %(sessions_changed)s, late_alerts = %(late_alerts)s
where id = %(revision)s
"""

_SAID = [name for name, _ in location_rows.COLUMNS]
_HERE = ", ".join(f"h.{name}" for name in _SAID)
_THERE = ", ".join(f"r.{name}" for name in _SAID)
REMOVE_POSITIONS = f"""
delete from telemetry.location_history h
where h.organization_id = %(organization)s and h.building_id = %(building)s
    and h.ts > %(from)s and h.ts <= %(until)s
    and not exists (
        select from revised r
        where r.asset_id = h.asset_id and r.ts = h.ts
            and row({_HERE}) is not distinct from row({_THERE})
    )
"""  # noqa: S608
WRITE_POSITIONS = f"""
insert into telemetry.location_history ({location_rows.NAMES}, revision)
select {location_rows.NAMES}, %(revision)s from revised
on conflict do nothing
"""  # noqa: S608
CURRENT = statements.CURRENT.replace("from stage s", "from revised s")

WINDOW = """
insert into pipeline.window_commit as w (building_id, window_end, window_start, reads, positions,
    late, duplicates, revision)
values (%s, %s, %s, %s, %s, 0, 0, %s)
on conflict (building_id, window_end) do update set reads = excluded.reads,
    positions = excluded.positions, revision = excluded.revision
where (w.reads, w.positions) <> (excluded.reads, excluded.positions)
"""

SETTLE = """
update pipeline.late_batch set settled_at = clock_timestamp(), revision = %(revision)s
where building_id = %(building)s and settled_at is null
    and first_at >= %(from)s and last_at < %(until)s
"""


@dataclass(frozen=True)
class Table:
    """Statements for one table of stays. `old` gives rows as the sink writes them; `said`: the ids
    of the new history.

    `update` also takes `id`, `start`, `end`, `reason` and `decided` (null: as it was) and, when
    `known`, what else is said of the beginning: `entry0` and so on.
    """

    old: str
    insert: str
    update: str
    delete: str


def _visits(table: str, place: str, here: str) -> Table:
    columns = f"""id, organization_id, facility_id, asset_id, {place}, entered_at, left_at, initial,
    entry_reason, exit_reason, confidence, contenders, window_end"""
    return Table(
        old=f"""
select {columns} from tracking.{table}
where id = any(%(said)s) or {here} and entered_at <= %(until)s
    and (left_at is null or window_end > %(from)s)
for update
""",  # noqa: S608
        insert=f"""
insert into tracking.{table} ({columns}, revision)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
""",  # noqa: S608
        update=f"""
update tracking.{table} set entered_at = %(start)s, left_at = %(end)s,
    exit_reason = coalesce(%(reason)s, exit_reason),
    window_end = coalesce(%(decided)s, window_end), revision = %(revision)s,
    initial = case when %(known)s then %(entry0)s else initial end,
    entry_reason = case when %(known)s then %(entry1)s else entry_reason end,
    confidence = case when %(known)s then %(entry2)s else confidence end,
    contenders = case when %(known)s then %(entry3)s::jsonb else contenders end
where id = %(id)s
""",  # noqa: S608
        delete=f"delete from tracking.{table} where id = any(%s)",  # noqa: S608
    )


_SESSION = """id, organization_id, facility_id, asset_id, room_id, state, method, started_at,
    ended_at, end_reason"""
TABLES = {
    "room_visit": _visits("room_visit", "room_id", "building_id = %(building)s"),
    "zone_visit": _visits(
        "zone_visit",
        "zone_id",
        "zone_id in (select id from registry.zone where building_id = %(building)s)",
    ),
    "usage_session": Table(
        old=f"""
select {_SESSION} from tracking.usage_session
where id = any(%(said)s) or started_at <= %(until)s and method = '{METHOD}'
    and (ended_at is null or ended_at > %(from)s)
    and (room_id in (
            select room.id from registry.room join registry.floor on floor.id = room.floor_id
            where floor.building_id = %(building)s
        ) or room_id is null and asset_id = any(%(assets)s))
for update
""",  # noqa: S608
        insert=f"""
insert into tracking.usage_session ({_SESSION}, revision)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
""",  # noqa: S608
        update="""
update tracking.usage_session set started_at = %(start)s, ended_at = %(end)s,
    end_reason = coalesce(%(reason)s, end_reason), revision = %(revision)s,
    room_id = case when %(known)s then %(entry0)s else room_id end
where id = %(id)s
""",
        delete="delete from tracking.usage_session where id = any(%s)",
    ),
}
