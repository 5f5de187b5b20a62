-- Computes registry.asset_metric for the present organization, from the views that are the truth;
-- returns how many assets changed. With the caller's rights and row security.
--
-- One kind of evidence an asset, the best that it has: kinds are never mixed.
create or replace function registry.refresh_metrics(as_of timestamptz default now()) returns integer
language plpgsql
set search_path = pg_catalog
as $$
#variable_conflict use_variable
declare
    changed integer;
begin
    with best as (
        select distinct on (used.asset_id) used.asset_id, used.method
        from tracking.usage_session as used
        where used.started_at <= as_of
        order by used.asset_id,
            array_position(array['telemetry', 'checkout', 'presence', 'motion'], used.method)
    ),
    session as (
        select used.asset_id, used.method, used.state, used.started_at,
            least(coalesce(used.ended_at, as_of), as_of) as ended_at,
            extract(epoch from least(coalesce(used.ended_at, as_of), as_of) - used.started_at)
                / 3600 as hours,
            -- Of these, the ones in the last 30 days.
            greatest(extract(epoch from least(coalesce(used.ended_at, as_of), as_of)
                - greatest(used.started_at, as_of - interval '30 days')) / 3600, 0) as recent_hours,
            facility.time_zone
        from tracking.usage_session as used
        join best on best.asset_id = used.asset_id and best.method = used.method
        join registry.facility on facility.id = used.facility_id
        where used.started_at <= as_of
    ),
    usage as (
        select asset_id, min(method) as method,
            sum(hours) filter (where state = 'IN_USE') as hours,
            sum(recent_hours) filter (where state = 'IN_USE') as recent_use,
            sum(recent_hours) filter (where state = 'AVAILABLE') as recent_idle,
            max(ended_at) filter (where state = 'IN_USE') as last_used_at,
            avg(hours * 60) filter (where state = 'IN_USE') as mean_minutes,
            trim(mode() within group (order by to_char(started_at at time zone time_zone, 'DAY'))
                filter (where state = 'IN_USE')) as peak_day,
            mode() within group (order by extract(hour from started_at at time zone time_zone))
                filter (where state = 'IN_USE') as peak_hour
        from session
        group by asset_id
    ),
    counter as (
        -- Counters only grow: two months hold the newest of any device that still reports.
        select asset_id, max(hours_max) as hours, max(cycles_max) as cycles
        from reporting.usage_daily
        where day >= as_of - interval '60 days' and day <= as_of
        group by asset_id
    ),
    failed as (
        select asset_id,
            count(*) filter (where failure_confirmed and type in (
                'CORRECTIVE_MAINTENANCE', 'EMERGENCY_REPAIR')) as times,
            max(coalesce(failed_at, reported_at)) filter (where failure_confirmed and type in (
                'CORRECTIVE_MAINTENANCE', 'EMERGENCY_REPAIR')) as last_at,
            avg(extract(epoch from restored_at - failed_at) / 3600)
                filter (where failure_confirmed) as restore_hours,
            sum(coalesce(downtime_hours,
                extract(epoch from least(restored_at, as_of) - failed_at) / 3600)) as down_hours
        from maintenance.work_order
        where deleted_at is null and status <> 'CANCELLED' and reported_at <= as_of
        group by asset_id
    ),
    spent as (
        select cost.asset_id, cost.currency, sum(cost.total) as total
        from reporting.f_v_maintenance_cost(as_of) as cost
        group by cost.asset_id, cost.currency
    ),
    earned as (
        select asset_id, currency_code::text as currency, sum(amount) as amount
        from finance.benefit
        where deleted_at is null and period_end <= as_of::date
        group by asset_id, currency_code
    ),
    computed as (
        select
            asset.organization_id,
            asset.id as asset_id,
            round(greatest(
                coalesce(counter.hours, 0)::numeric, coalesce(usage.hours, 0),
                case when counter.hours is not null or usage.hours is null
                    then coalesce(known.total_usage_hours, 0) else 0 end
            ), 2) as total_usage_hours,
            greatest(counter.cycles, known.total_usage_cycles) as total_usage_cycles,
            round(100 * usage.recent_use / nullif(usage.recent_use + coalesce(usage.recent_idle, 0),
                0), 2) as utilization_rate_percent,
            usage.method as utilization_method,
            round(usage.recent_idle, 2) as idle_time_hours_last_30_days,
            usage.last_used_at,
            round(usage.mean_minutes, 2) as average_session_minutes,
            usage.peak_day as peak_usage_day_of_week,
            usage.peak_hour::integer as peak_usage_hour_of_day,
            coalesce(failed.times, 0)::integer as failure_count,
            failed.last_at::date as last_failure_on,
            round((extract(epoch from as_of - (coalesce(asset.in_service_on, asset.installed_on,
                asset.purchased_on))::timestamptz) / 3600 - coalesce(failed.down_hours, 0))
                / nullif(failed.times, 0), 2) as mtbf_hours,
            round(failed.restore_hours, 2) as mttr_hours,
            round(failed.down_hours, 2) as downtime_hours,
            spent.total as maintenance_cost,
            owned.tco as total_cost_of_ownership,
            round(100 * (earned.amount - owned.tco) / nullif(owned.tco, 0), 2) as roi_percent,
            worth.book_value as current_book_value,
            worth.accumulated as accumulated_depreciation
        from registry.asset
        left join registry.asset_metric as known on known.asset_id = asset.id
            and known.organization_id = asset.organization_id
        left join usage on usage.asset_id = asset.id
        left join counter on counter.asset_id = asset.id
        left join failed on failed.asset_id = asset.id
        left join spent on spent.asset_id = asset.id and spent.currency = asset.currency_code
        left join earned on earned.asset_id = asset.id and earned.currency = asset.currency_code
        left join reporting.f_v_tco(as_of) as owned
            on owned.asset_id = asset.id and owned.currency = asset.currency_code
        left join reporting.f_v_depreciation(as_of) as worth
            on worth.asset_id = asset.id and worth.is_primary
        where asset.deleted_at is null
    )
    insert into registry.asset_metric as target (
        organization_id, asset_id, computed_at, total_usage_hours, total_usage_cycles,
        utilization_rate_percent, utilization_method, idle_time_hours_last_30_days, last_used_at,
        average_session_minutes, peak_usage_day_of_week, peak_usage_hour_of_day, failure_count,
        last_failure_on, mtbf_hours, mttr_hours, downtime_hours, maintenance_cost,
        total_cost_of_ownership, roi_percent, current_book_value, accumulated_depreciation
    )
    select
        organization_id, asset_id, as_of, total_usage_hours, total_usage_cycles,
        utilization_rate_percent, utilization_method, idle_time_hours_last_30_days, last_used_at,
        average_session_minutes, peak_usage_day_of_week, peak_usage_hour_of_day, failure_count,
        last_failure_on, mtbf_hours, mttr_hours, downtime_hours, maintenance_cost,
        total_cost_of_ownership, roi_percent, current_book_value, accumulated_depreciation
    from computed
    on conflict (organization_id, asset_id) do update set
        computed_at = excluded.computed_at,
        total_usage_hours = excluded.total_usage_hours,
        total_usage_cycles = excluded.total_usage_cycles,
        utilization_rate_percent = excluded.utilization_rate_percent,
        utilization_method = excluded.utilization_method,
        idle_time_hours_last_30_days = excluded.idle_time_hours_last_30_days,
        last_used_at = excluded.last_used_at,
        average_session_minutes = excluded.average_session_minutes,
        peak_usage_day_of_week = excluded.peak_usage_day_of_week,
        peak_usage_hour_of_day = excluded.peak_usage_hour_of_day,
        failure_count = excluded.failure_count,
        last_failure_on = excluded.last_failure_on,
        mtbf_hours = excluded.mtbf_hours,
        mttr_hours = excluded.mttr_hours,
        downtime_hours = excluded.downtime_hours,
        maintenance_cost = excluded.maintenance_cost,
        total_cost_of_ownership = excluded.total_cost_of_ownership,
        roi_percent = excluded.roi_percent,
        current_book_value = excluded.current_book_value,
        accumulated_depreciation = excluded.accumulated_depreciation;
    get diagnostics changed = row_count;
    return changed;
end
$$;
comment on function registry.refresh_metrics(timestamptz) is
    'Computes registry.asset_metric for the present organization; returns the number of assets.';
grant execute on function registry.refresh_metrics(timestamptz) to biotrakr_app;
