"""The SQL of the sink. Every statement can be run again without changing anything.

A revision of history may have moved the beginning of a visit or session that is still open: what
ends it later never ends it before it began.
"""

HISTORY_LOCK = 0x62696F68
SHARE_HISTORY = f"select pg_advisory_xact_lock_shared({HISTORY_LOCK})"
"""Held in each transaction of the sink; a revision of history takes it alone."""

_VISIT = """
with said as materialized (
    select * from said_{table}
), revised as materialized (
    select * from tracking.{table}
    where revision > 0 and left_at > (select min(entered_at) from said)
)
insert into tracking.{table} (id, organization_id, facility_id, asset_id, {place}, entered_at,
    left_at, initial, entry_reason, exit_reason, confidence, contenders, window_end{more})
select v.id, v.organization_id, v.facility_id, v.asset_id, v.{place}, since.entered_at,
    case when v.left_at is not null then greatest(v.left_at, since.entered_at) end, v.initial,
    v.entry_reason, v.exit_reason, v.confidence, v.contenders::jsonb, v.window_end{value}
from said v
{join}cross join lateral (
    select greatest(v.entered_at, max(o.left_at)) as entered_at from revised o
    where o.asset_id = v.asset_id and {same} and o.id <> v.id and o.left_at > v.entered_at
) since
on conflict (id) do update set left_at = greatest({table}.entered_at, excluded.left_at),
    exit_reason = excluded.exit_reason, window_end = excluded.window_end
where excluded.left_at is not null
"""
ROOM_VISIT = _VISIT.format(
    table="room_visit",
    place="room_id",
    more=", building_id",
    value=", f.building_id",
    join="join registry.room r on r.id = v.room_id join registry.floor f on f.id = r.floor_id\n",
    same="o.building_id = f.building_id",
)
ZONE_VISIT = _VISIT.format(
    table="zone_visit", place="zone_id", more="", value="", join="", same="o.zone_id = v.zone_id"
)
SESSION = """
with said as materialized (
    select * from said_usage_session
), revised as materialized (
    select * from tracking.usage_session
    where revision > 0 and ended_at > (select min(started_at) from said)
)
insert into tracking.usage_session (id, organization_id, facility_id, asset_id, room_id, state,
    method, started_at, ended_at, end_reason)
select v.id, v.organization_id, v.facility_id, v.asset_id, v.room_id, v.state, v.method,
    since.started_at,
    case when v.ended_at is not null then greatest(v.ended_at, since.started_at) end, v.end_reason
from said v
cross join lateral (
    select greatest(v.started_at, max(o.ended_at)) as started_at from revised o
    where o.asset_id = v.asset_id and o.method = v.method and o.id <> v.id
        and o.ended_at > v.started_at
) since
on conflict (id) do update set ended_at = greatest(usage_session.started_at, excluded.ended_at),
    end_reason = excluded.end_reason
where excluded.ended_at is not null
"""
"""Visits and sessions come through a temporary table (SAID). What the flow decides after a
revision of history may have begun inside the revised stretch: it then begins where that ends."""

SAID = """
create temp table if not exists said_{table} ({columns}) on commit delete rows
"""

ALERT = """
insert into tracking.alert (id, organization_id, facility_id, asset_id, rule_id, zone_id, type,
    severity, state, revision, opened_at, resolved_at, reason)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (id) do update set state = excluded.state, revision = excluded.revision,
    resolved_at = excluded.resolved_at, reason = excluded.reason
where excluded.revision > alert.revision
"""

ALERT_EVENT = """
insert into tracking.alert_event (alert_id, revision, organization_id, state, at, reason, evidence,
    payload)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict do nothing
"""

OUTBOX = """
insert into pipeline.outbox (key, topic, payload, retain) values (%s, %s, %s, %s)
on conflict (key) do nothing
"""

STAGE = """
create temp table if not exists stage (like telemetry.location_history including defaults)
on commit delete rows
"""

MOVED = """
update tracking.asset_location_current as current set organization_id = s.organization_id,
    facility_id = b.facility_id, building_id = s.building_id, ts = s.ts, floor_id = s.floor_id,
    room_id = s.room_id, x_m = s.x_m, y_m = s.y_m, z_m = s.z_m, accuracy_m = s.accuracy_m,
    cov_xx = s.cov_xx, cov_xy = s.cov_xy, cov_yy = s.cov_yy,
    room_confidence = s.room_confidence, method = s.method, reason = s.reason,
    receivers = s.receivers, reads = s.reads, moving = s.moving, last_seen_at = s.ts
from stage s join registry.building b on b.id = s.building_id
where current.asset_id = s.asset_id
    and (s.ts, current.building_id) >= (current.ts, s.building_id)
"""
"""For assets that are in the table and once in `stage`: half the work of CURRENT."""

CURRENT = """
insert into tracking.asset_location_current as current (asset_id, organization_id, facility_id,
    building_id, ts, floor_id, room_id, x_m, y_m, z_m, accuracy_m, cov_xx, cov_xy, cov_yy,
    room_confidence, method, reason, receivers, reads, moving, last_seen_at)
select distinct on (s.asset_id) s.asset_id, s.organization_id, b.facility_id, s.building_id, s.ts,
    s.floor_id, s.room_id, s.x_m, s.y_m, s.z_m, s.accuracy_m, s.cov_xx, s.cov_xy, s.cov_yy,
    s.room_confidence, s.method, s.reason, s.receivers, s.reads, s.moving, s.ts
from stage s join registry.building b on b.id = s.building_id
order by s.asset_id, s.ts desc, s.building_id
on conflict (asset_id) do update set organization_id = excluded.organization_id,
    facility_id = excluded.facility_id, building_id = excluded.building_id, ts = excluded.ts,
    floor_id = excluded.floor_id, room_id = excluded.room_id, x_m = excluded.x_m,
    y_m = excluded.y_m, z_m = excluded.z_m, accuracy_m = excluded.accuracy_m,
    cov_xx = excluded.cov_xx, cov_xy = excluded.cov_xy, cov_yy = excluded.cov_yy,
    room_confidence = excluded.room_confidence, method = excluded.method,
    reason = excluded.reason, receivers = excluded.receivers, reads = excluded.reads,
    moving = excluded.moving, last_seen_at = excluded.last_seen_at
where (excluded.ts, current.building_id) >= (current.ts, excluded.building_id)
"""

APPEARED = CURRENT.replace(
    "order by",
    "where not exists (select from tracking.asset_location_current c "
    "where c.asset_id = s.asset_id)\norder by",
)
"""CURRENT for the assets that are not in the table."""

WINDOW = """
insert into pipeline.window_commit (building_id, window_end, window_start, reads, positions, late,
    duplicates, committed_at)
values (%s, %s, %s, %s, %s, %s, %s, clock_timestamp())
on conflict do nothing
"""

PROGRESS = """
insert into pipeline.progress as p (building_id, window_end) values (%s, %s)
on conflict (building_id) do update set window_end = excluded.window_end
where excluded.window_end > p.window_end
"""

READ_PROGRESS = "select building_id, window_end from pipeline.progress"

_GATEWAY = """
from registry.gateway g
join registry.facility f on (f.organization_id, f.id) = (g.organization_id, g.facility_id)
join registry.organization o on o.id = g.organization_id
where o.code = %s and f.code = %s and g.code = %s and g.deleted_at is null
"""

GATEWAY_PROGRESS = """
insert into pipeline.gateway_progress as p (gateway_id, boot, sequence, until)
select g.id, m.boot, m.sequence, m.until
from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::timestamptz[])
    as m (organization, facility, gateway, boot, sequence, until)
join registry.organization o on o.code = m.organization
join registry.facility f on (f.organization_id, f.code) = (o.id, m.facility)
join registry.gateway g on (g.organization_id, g.facility_id, g.code) = (o.id, f.id, m.gateway)
where g.deleted_at is null
on conflict (gateway_id, boot) do update set sequence = excluded.sequence,
    until = excluded.until
where excluded.sequence >= p.sequence
"""
"""One array a column; a gateway's boot at most once."""

GATEWAY_STATUS = f"""
insert into pipeline.gateway_status as s (gateway_id, organization_id, state, at, payload)
select g.id, g.organization_id, %s, %s, %s {_GATEWAY}
on conflict (gateway_id) do update set state = excluded.state, at = excluded.at,
    payload = excluded.payload
where excluded.at >= s.at
"""

LATE_BATCH = f"""
insert into pipeline.late_batch (gateway_id, building_id, boot, sequence, late_reads, first_at,
    last_at, payload)
select g.id, g.building_id, %s, %s, %s, %s, %s, %s {_GATEWAY}
on conflict do nothing
"""

DEAD_LETTER = """
insert into pipeline.dead_letter as d (topic, reason, sha256, detail, payload, bytes, first_at,
    last_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (topic, reason, sha256) do update set times = d.times + 1,
    last_at = greatest(d.last_at, excluded.last_at)
"""

UNKNOWN_TAG = """
insert into pipeline.unknown_tag as u (facility_id, tag, organization_id, building_id,
    first_seen_at, last_seen_at, reads)
values (%s, %s, %s, %s, %s, %s, %s)
on conflict (facility_id, tag) do update set building_id = excluded.building_id,
    first_seen_at = least(u.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(u.last_seen_at, excluded.last_seen_at),
    reads = u.reads + excluded.reads
"""
