-- name: M17 pm_effectiveness
-- title: Do devices fail less after maintenance by a procedure than before it?
-- audience: B, Q
-- param: days int = 60
-- param: from date = today - 365 days
-- param: to date = today
-- param: as_of timestamptz = now
-- columns: procedure, strategy, completions, assets, failures_before, failures_after,
--          per_1000_days_before, per_1000_days_after, ratio
-- notes: One row a procedure and strategy, of maintenance completed from .. to with days watched on
--        both sides in full: in service before, and over by as_of. The day of the maintenance is on
--        neither side. ratio is after over before; NULL without a failure before. Evidence for an
--        alternative program, not proof: overlapping times count twice.
with done as (
    select
        occurrence.id, occurrence.asset_id, procedure.code || ' ' || procedure.name as procedure,
        schedule.strategy::text as strategy,
        (occurrence.completed_on - %(days)s::int)::timestamp at time zone facility.time_zone
            as before_from,
        occurrence.completed_on::timestamp at time zone facility.time_zone as starts_at,
        (occurrence.completed_on + 1)::timestamp at time zone facility.time_zone as ends_at,
        (occurrence.completed_on + 1 + %(days)s::int)::timestamp at time zone facility.time_zone
            as after_until
    from maintenance.occurrence
    join maintenance.schedule on schedule.id = occurrence.schedule_id and schedule.kind = 'PM'
    join maintenance.procedure on procedure.id = schedule.procedure_id
    join registry.asset on asset.id = occurrence.asset_id and asset.deleted_at is null
    join registry.facility on facility.id = asset.facility_id
    where occurrence.completed_on between %(from)s::date and %(to)s::date
        and occurrence.deleted_at is null
        and coalesce(asset.in_service_on, asset.installed_on, asset.purchased_on)
            <= occurrence.completed_on - %(days)s::int
        and (asset.retired_on is null
            or asset.retired_on > occurrence.completed_on + %(days)s::int)
        and (occurrence.completed_on + 1 + %(days)s::int)::timestamp at time zone facility.time_zone
            <= %(as_of)s::timestamptz
),
failed as materialized (
    select failures.asset_id, failures.failed_at
    from reporting.failures
),
counted as (
    select
        done.id,
        done.asset_id,
        done.procedure,
        done.strategy,
        count(*) filter (where failed.failed_at < done.starts_at) as before,
        count(*) filter (where failed.failed_at >= done.ends_at) as after
    from done
    left join failed
        on failed.asset_id = done.asset_id
        and failed.failed_at >= done.before_from
        and failed.failed_at < done.after_until
    group by done.id, done.asset_id, done.procedure, done.strategy
)
select
    procedure,
    strategy,
    count(*) as completions,
    count(distinct asset_id) as assets,
    sum(before) as failures_before,
    sum(after) as failures_after,
    round(1000 * sum(before) / (count(*) * %(days)s::int), 3) as per_1000_days_before,
    round(1000 * sum(after) / (count(*) * %(days)s::int), 3) as per_1000_days_after,
    round(sum(after) / nullif(sum(before), 0), 3) as ratio
from counted
group by procedure, strategy
order by procedure, strategy
