-- What devices reported of their use, by hour and by UTC day. Counters only grow: what was run in a
-- stretch is the maximum at its end minus the one before it.
call ops.make_summary('continuous_aggregate_usage_hourly', 'usage_hourly', $query$
    select
        organization_id,
        asset_id,
        public.time_bucket(interval '1 hour', ts) as hour,
        count(*) as reports,
        count(*) filter (where running) as running_reports,
        min(hours_total) as hours_min,
        max(hours_total) as hours_max,
        min(cycles_total) as cycles_min,
        max(cycles_total) as cycles_max,
        min(ts) as first_at,
        max(ts) as last_at
    from telemetry.usage_log
    group by organization_id, asset_id, public.time_bucket(interval '1 hour', ts)
$query$, '14 days', '1 hour', '30 minutes');

call ops.make_summary('continuous_aggregate_usage_daily', 'usage_daily', $query$
    select
        organization_id,
        asset_id,
        public.time_bucket(interval '1 day', hour) as day,
        sum(reports) as reports,
        sum(running_reports) as running_reports,
        min(hours_min) as hours_min,
        max(hours_max) as hours_max,
        min(cycles_min) as cycles_min,
        max(cycles_max) as cycles_max,
        min(first_at) as first_at,
        max(last_at) as last_at
    from telemetry.usage_hourly
    group by organization_id, asset_id, public.time_bucket(interval '1 day', hour)
$query$, '30 days', '1 day', '6 hours');
