-- Readings by hour and by UTC day, kept when single readings are gone.
call ops.make_summary('continuous_aggregate_sensor_hourly', 'sensor_hourly', $query$
    select
        organization_id,
        asset_id,
        source_id,
        quantity,
        public.time_bucket(interval '1 hour', ts) as hour,
        count(*) as readings,
        sum(value) as value_sum,
        sum(value * value) as square_sum,
        min(value) as value_min,
        max(value) as value_max,
        min(ts) as first_at,
        max(ts) as last_at
    from telemetry.sensor_reading
    group by
        organization_id, asset_id, source_id, quantity, public.time_bucket(interval '1 hour', ts)
$query$, '14 days', '1 hour', '30 minutes');

call ops.make_summary('continuous_aggregate_sensor_daily', 'sensor_daily', $query$
    select
        organization_id,
        asset_id,
        source_id,
        quantity,
        public.time_bucket(interval '1 day', hour) as day,
        sum(readings) as readings,
        sum(value_sum) as value_sum,
        sum(square_sum) as square_sum,
        min(value_min) as value_min,
        max(value_max) as value_max,
        min(first_at) as first_at,
        max(last_at) as last_at
    from telemetry.sensor_hourly
    group by
        organization_id, asset_id, source_id, quantity, public.time_bucket(interval '1 day', hour)
$query$, '30 days', '1 day', '6 hours');
