-- Hours an asset spent where, kept for ten years when single positions are long gone. A continuous
-- aggregate where the edition has them, else a view of the same name and columns.
select ops.try_feature('continuous_aggregate_hourly', $feature$
    select ops.require_community();
    do $do$
    begin
        if not exists (
            select from timescaledb_information.continuous_aggregates
            where view_schema = 'telemetry' and view_name = 'location_hourly'
        ) then
            -- Takes the plain view's readers in reporting along; the runner makes them again.
            drop view if exists telemetry.location_hourly cascade;
            create materialized view telemetry.location_hourly
            with (timescaledb.continuous, timescaledb.materialized_only = false) as
            select
                organization_id,
                asset_id,
                building_id,
                floor_id,
                room_id,
                public.time_bucket(interval '1 hour', ts) as hour,
                count(*) as positions,
                count(*) filter (where moving) as moving_positions,
                sum(reads) as reads,
                sum(accuracy_m) as accuracy_sum_m,
                count(accuracy_m) as accuracy_count,
                min(ts) as first_at,
                max(ts) as last_at
            from telemetry.location_history
            group by
                organization_id, asset_id, building_id, floor_id, room_id,
                public.time_bucket(interval '1 hour', ts)
            with no data;
        end if;
    end
    $do$;
    select public.add_continuous_aggregate_policy(
        'telemetry.location_hourly',
        start_offset => interval '14 days', -- late reads may still change these hours
        end_offset => interval '1 hour',
        schedule_interval => interval '30 minutes',
        if_not_exists => true
    );
$feature$);

do $$
begin
    if to_regclass('telemetry.location_hourly') is null then
        create view telemetry.location_hourly as
        select
            organization_id,
            asset_id,
            building_id,
            floor_id,
            room_id,
            public.time_bucket(interval '1 hour', ts) as hour,
            count(*) as positions,
            count(*) filter (where moving) as moving_positions,
            sum(reads) as reads,
            sum(accuracy_m) as accuracy_sum_m,
            count(accuracy_m) as accuracy_count,
            min(ts) as first_at,
            max(ts) as last_at
        from telemetry.location_history
        group by
            organization_id, asset_id, building_id, floor_id, room_id,
            public.time_bucket(interval '1 hour', ts);
    end if;
end
$$;
grant select on telemetry.location_hourly to biotrakr_backup;
