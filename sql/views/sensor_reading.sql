-- What did sensors and tags measure? Always give a range of ts.
-- Runs as the owner behind a barrier, as reporting.location_history.
drop view if exists reporting.sensor_reading;
create view reporting.sensor_reading with (security_barrier = true) as
select
    reading.organization_id,
    reading.asset_id,
    reading.source_id,
    sensor.code as sensor_code,
    quantity.name as quantity,
    quantity.unit,
    reading.ts,
    reading.value,
    sensor.low_limit,
    sensor.high_limit
from telemetry.sensor_reading as reading
join telemetry.quantity on quantity.code = reading.quantity
left join registry.sensor on sensor.id = reading.source_id
where reading.organization_id = (select app.current_org())
    and reading.asset_id not in (
        select asset.id from registry.asset where asset.deleted_at is not null
    )
    and (
        (select app.current_facilities()) is null
        or reading.asset_id in (select asset.id from registry.asset)
    );

comment on view reporting.sensor_reading is 'What sensors and tags measured; filter by ts.';
comment on column reporting.sensor_reading.source_id is
    'A sensor, or the tag for what a tag says of itself.';
comment on column reporting.sensor_reading.unit is 'UCUM.';
grant select on reporting.sensor_reading to biotrakr_analyst, biotrakr_app;
