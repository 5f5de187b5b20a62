-- Which fences were broken by what, for how long, and did somebody take it up? One row an alert of a
-- fence rule; late ones (found when history was computed again) are marked.
create function reporting.f_v_geofence_violations(as_of timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    violation_id uuid,
    asset_id uuid,
    room text,
    rule text,
    entered_at timestamptz,
    left_at timestamptz,
    duration interval,
    acknowledged boolean,
    asset_tag text,
    zone text,
    severity text,
    acknowledged_at timestamptz,
    acknowledged_by text,
    late boolean
)
language sql stable
begin atomic
    select
        alert.organization_id,
        alert.facility_id,
        alert.id,
        alert.asset_id,
        room.code,
        rule.code,
        alert.opened_at,
        case when alert.resolved_at <= as_of then alert.resolved_at end,
        least(coalesce(alert.resolved_at, as_of), as_of) - alert.opened_at,
        coalesce(alert.acknowledged_at <= as_of, false),
        asset.tag_number,
        zone.code,
        alert.severity,
        case when alert.acknowledged_at <= as_of then alert.acknowledged_at end,
        case when alert.acknowledged_at <= as_of then alert.acknowledged_by end,
        alert.late
    from tracking.alert
    join registry.asset on asset.id = alert.asset_id and asset.deleted_at is null
    join registry.rule on rule.id = alert.rule_id
    join registry.zone on zone.id = alert.zone_id
    left join registry.room on room.id = zone.room_id
    where alert.type = 'forbidden-zone' and alert.opened_at <= as_of;
end;
create view reporting.v_geofence_violations with (security_invoker = true) as
select * from reporting.f_v_geofence_violations(now());

comment on function reporting.f_v_geofence_violations(timestamptz) is
    'reporting.v_geofence_violations as it stood at a time.';
comment on view reporting.v_geofence_violations is
    'Every breach of a fence; without left_at it goes on.';
comment on column reporting.v_geofence_violations.room is
    'The room that the zone is; NULL for a zone that is a polygon.';
comment on column reporting.v_geofence_violations.duration is 'So far, while it goes on.';
comment on column reporting.v_geofence_violations.late is
    'Found in late reads: recorded, not paged.';
grant execute on function reporting.f_v_geofence_violations(timestamptz)
    to biotrakr_analyst, biotrakr_app;
grant select on reporting.v_geofence_violations to biotrakr_analyst, biotrakr_app;
