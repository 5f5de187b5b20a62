-- name: F12 vendor_scorecard
-- title: How fast, how well and how dearly does each vendor work?
-- audience: C, B
-- param: from date = today - 365 days
-- param: to date = today
-- columns: vendor, type, work_orders, response_mean_h, response_late_pct, restore_mean_h,
--          first_fix_pct, repeat_pct, cost, currency
-- notes: One row a vendor and currency of cost (NULL: nothing was billed), of corrective work
--        completed from .. to (UTC). first_fix_pct: no failure of the same category on the same
--        device within 30 days of the restoration; repeat_pct is the rest. Both need a category,
--        and are NULL where none is recorded.
with done as (
    select
        work.*,
        extract(epoch from work.responded_at - work.reported_at) / 3600 as response_h,
        extract(epoch from work.restored_at - coalesce(work.failed_at, work.reported_at)) / 3600
            as restore_h,
        case when work.failure_category is not null and work.restored_at is not null then exists (
            select from reporting.failures as again
            where again.asset_id = work.asset_id
                and again.wo_id <> work.id
                and again.failure_category = work.failure_category
                and again.failed_at > work.restored_at
                and again.failed_at <= work.restored_at + interval '30 days'
        ) end as repeated
    from maintenance.work_order as work
    join registry.asset on asset.id = work.asset_id and asset.deleted_at is null
    where work.vendor_id is not null
        and work.type in ('CORRECTIVE_MAINTENANCE', 'EMERGENCY_REPAIR')
        and work.deleted_at is null
        and work.completed_at >= %(from)s::date::timestamp at time zone 'UTC'
        and work.completed_at < (%(to)s::date + 1)::timestamp at time zone 'UTC'
),
figures as (
    select
        vendor_id,
        count(*) as work_orders,
        round(avg(response_h), 2) as response_mean_h,
        round(
            100.0 * count(*) filter (where responded_at > response_due_at)
            / nullif(count(*) filter (where num_nulls(responded_at, response_due_at) = 0), 0), 1
        ) as response_late_pct,
        round(avg(restore_h), 2) as restore_mean_h,
        round(100.0 * count(*) filter (where not repeated) / nullif(count(repeated), 0), 1)
            as first_fix_pct,
        round(100.0 * count(*) filter (where repeated) / nullif(count(repeated), 0), 1)
            as repeat_pct
    from done
    group by vendor_id
),
billed as (
    select vendor_id, currency_code::text as currency, sum(vendor_cost) as cost
    from done
    where vendor_cost > 0
    group by vendor_id, currency_code
)
select
    vendor.name as vendor,
    vendor.type,
    figures.work_orders,
    figures.response_mean_h,
    figures.response_late_pct,
    figures.restore_mean_h,
    figures.first_fix_pct,
    figures.repeat_pct,
    coalesce(billed.cost, 0) as cost,
    billed.currency
from figures
join registry.vendor on vendor.id = figures.vendor_id
left join billed on billed.vendor_id = figures.vendor_id
order by vendor.name, billed.currency nulls last
