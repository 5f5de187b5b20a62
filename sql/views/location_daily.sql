-- How much of a UTC day did an asset spend in which room? Positions are windows of the dataflow.
-- Runs as the owner behind a barrier, as reporting.location_history.
drop view if exists reporting.location_daily;
create view reporting.location_daily with (security_barrier = true) as
select
    summary.organization_id,
    summary.asset_id,
    summary.building_id,
    summary.floor_id,
    summary.room_id,
    room.code as room_code,
    room.name as room_name,
    summary.day,
    summary.positions,
    summary.moving_positions,
    summary.reads,
    summary.accuracy_sum_m / nullif(summary.accuracy_count, 0) as mean_accuracy_m,
    summary.first_at,
    summary.last_at
from telemetry.location_daily as summary
left join registry.room on room.id = summary.room_id
where summary.organization_id = (select app.current_org())
    and summary.asset_id not in (
        select asset.id from registry.asset where asset.deleted_at is not null
    )
    and (
        (select app.current_facilities()) is null
        or summary.building_id in (select building.id from registry.building)
    );

comment on view reporting.location_daily is
    'Positions of a UTC day by asset and room; filter by day.';
comment on column reporting.location_daily.day is 'Start of the day, UTC.';
comment on column reporting.location_daily.positions is 'Windows in which it was located there.';
comment on column reporting.location_daily.moving_positions is 'Of these, the ones in motion.';
comment on column reporting.location_daily.mean_accuracy_m is 'Mean of the 90 % radius.';
grant select on reporting.location_daily to biotrakr_analyst, biotrakr_app;
