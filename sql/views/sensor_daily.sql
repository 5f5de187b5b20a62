-- What did sensors measure by the UTC day? Always give a range of day.
-- Runs as the owner behind a barrier, as reporting.location_history.
drop view if exists reporting.sensor_daily;
create view reporting.sensor_daily with (security_barrier = true) as
select
    summary.organization_id,
    summary.asset_id,
    summary.source_id,
    sensor.code as sensor_code,
    quantity.name as quantity,
    quantity.unit,
    summary.day,
    summary.readings,
    summary.value_sum / summary.readings::double precision as mean,
    sqrt(greatest(
        summary.square_sum / summary.readings::double precision
        - (summary.value_sum / summary.readings::double precision) ^ 2, 0
    )) as deviation,
    summary.value_min,
    summary.value_max,
    summary.first_at,
    summary.last_at
from telemetry.sensor_daily as summary
join telemetry.quantity on quantity.code = summary.quantity
left join registry.sensor on sensor.id = summary.source_id
where summary.organization_id = (select app.current_org())
    and summary.asset_id not in (
        select asset.id from registry.asset where asset.deleted_at is not null
    )
    and (
        (select app.current_facilities()) is null
        or summary.asset_id in (select asset.id from registry.asset)
    );

comment on view reporting.sensor_daily is 'Readings by UTC day; filter by day.';
comment on column reporting.sensor_daily.day is 'Its start, UTC.';
comment on column reporting.sensor_daily.deviation is 'Standard deviation of the readings.';
grant select on reporting.sensor_daily to biotrakr_analyst, biotrakr_app;
