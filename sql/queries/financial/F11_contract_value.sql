-- name: F11 contract_value
-- title: What did each service contract cost, what was done for it, and was the uptime kept?
-- audience: C
-- param: from date = today - 365 days
-- param: to date = today
-- columns: contract, kind, vendor, currency, assets, cost, work_orders, labor_hours, value_billed,
--          promised_uptime_pct, uptime_pct, uptime_kept
-- notes: One row a contract (AMC, CMC) that ran from .. to. cost is by the days it ran then.
--        work_orders and labor_hours are of work under it that was completed then (UTC);
--        value_billed is what was still billed for them in its currency. uptime_pct is of its
--        assets: hours in the stretch without those down by a failure.
with span as (
    select
        contract.*,
        greatest(contract.starts_on, %(from)s::date) as first_day,
        least(contract.ends_on, %(to)s::date) as last_day
    from registry.contract
    where contract.deleted_at is null
        and contract.kind in ('AMC', 'CMC')
        and contract.starts_on <= %(to)s::date
        and contract.ends_on >= %(from)s::date
),
covered as (
    select
        span.id as contract_id,
        register.asset_id,
        tstzrange(
            greatest(span.first_day, own.starts_on)::timestamp at time zone 'UTC',
            (least(span.last_day, own.ends_on) + 1)::timestamp at time zone 'UTC'
        ) as during
    from span
    join registry.contract_asset as own
        on own.contract_id = span.id and own.deleted_at is null
    join reporting.v_asset_register as register on register.asset_id = own.asset_id
    where greatest(span.first_day, own.starts_on) <= least(span.last_day, own.ends_on)
),
up as (
    select
        covered.contract_id,
        count(*) as assets,
        sum(extract(epoch from upper(covered.during) - lower(covered.during))) as required_s,
        sum(coalesce(down.seconds, 0)) as down_s
    from covered
    left join lateral (
        select sum(extract(epoch from upper(gap) - lower(gap))) as seconds
        from (
            select range_agg(
                covered.during * tstzrange(failed.failed_at, failed.restored_at)
            ) as gaps
            from reporting.failures as failed
            where failed.asset_id = covered.asset_id
                and covered.during && tstzrange(failed.failed_at, failed.restored_at)
        ) as merged
        cross join lateral unnest(merged.gaps) as gap
    ) as down on true
    group by covered.contract_id
),
work as (
    select
        work_order.contract_id,
        count(*) as work_orders,
        sum(work_order.labor_hours) as labor_hours,
        sum(work_order.vendor_cost) filter (
            where work_order.currency_code = span.currency_code
        ) as billed
    from maintenance.work_order
    join span on span.id = work_order.contract_id
    where work_order.deleted_at is null
        and work_order.completed_at >= %(from)s::date::timestamp at time zone 'UTC'
        and work_order.completed_at < (%(to)s::date + 1)::timestamp at time zone 'UTC'
    group by work_order.contract_id
),
valued as (
    select
        span.*,
        round(100 * (1 - up.down_s / nullif(up.required_s, 0)), 3) as measured_pct,
        coalesce(up.assets, 0) as assets
    from span
    left join up on up.contract_id = span.id
)
select
    valued.number as contract,
    valued.kind,
    vendor.name as vendor,
    valued.currency_code as currency,
    valued.assets,
    round(reporting.contract_share(
        valued.annual_cost, valued.starts_on, valued.ends_on, %(from)s::date, %(to)s::date
    ), 2) as cost,
    coalesce(work.work_orders, 0) as work_orders,
    coalesce(work.labor_hours, 0) as labor_hours,
    coalesce(work.billed, 0) as value_billed,
    valued.uptime_percent as promised_uptime_pct,
    valued.measured_pct as uptime_pct,
    valued.measured_pct >= valued.uptime_percent as uptime_kept
from valued
join registry.vendor on vendor.id = valued.vendor_id
left join work on work.contract_id = valued.id
order by cost desc, valued.number
