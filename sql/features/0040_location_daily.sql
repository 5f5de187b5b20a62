-- The same by UTC day, from the hours.
select ops.try_feature('continuous_aggregate_daily', $feature$
    select ops.require_community();
    do $do$
    begin
        if not exists (
            select from timescaledb_information.continuous_aggregates
            where view_schema = 'telemetry' and view_name = 'location_daily'
        ) then
            drop view if exists telemetry.location_daily cascade;
            create materialized view telemetry.location_daily
            with (timescaledb.continuous, timescaledb.materialized_only = false) as
            select
                organization_id,
                asset_id,
                building_id,
                floor_id,
                room_id,
                public.time_bucket(interval '1 day', hour) as day,
                sum(positions) as positions,
                sum(moving_positions) as moving_positions,
                sum(reads) as reads,
                sum(accuracy_sum_m) as accuracy_sum_m,
                sum(accuracy_count) as accuracy_count,
                min(first_at) as first_at,
                max(last_at) as last_at
            from telemetry.location_hourly
            group by
                organization_id, asset_id, building_id, floor_id, room_id,
                public.time_bucket(interval '1 day', hour)
            with no data;
        end if;
    end
    $do$;
    select public.add_continuous_aggregate_policy(
        'telemetry.location_daily',
        start_offset => interval '30 days',
        end_offset => interval '1 day',
        schedule_interval => interval '6 hours',
        if_not_exists => true
    );
$feature$);

do $$
begin
    if to_regclass('telemetry.location_daily') is null then
        create view telemetry.location_daily as
        select
            organization_id,
            asset_id,
            building_id,
            floor_id,
            room_id,
            public.time_bucket(interval '1 day', hour) as day,
            sum(positions) as positions,
            sum(moving_positions) as moving_positions,
            sum(reads) as reads,
            sum(accuracy_sum_m) as accuracy_sum_m,
            sum(accuracy_count) as accuracy_count,
            min(first_at) as first_at,
            max(last_at) as last_at
        from telemetry.location_hourly
        group by
            organization_id, asset_id, building_id, floor_id, room_id,
            public.time_bucket(interval '1 day', hour);
    end if;
end
$$;
grant select on telemetry.location_daily to biotrakr_backup;
