-- name: M08 wo_sla_breaches
-- title: How often did each vendor or our own people break a promised response or resolution?
-- audience: B, C
-- param: from date = today - 365 days
-- param: to date = today
-- param: as_of timestamptz = now
-- columns: vendor, service_level, work_orders, response_promised, response_breached,
--          resolution_promised, resolution_breached, breached_pct, worst_late_h
-- notes: One row a vendor (NULL: our own people) and service level of the contract (NULL: none), of
--        work reported from .. to by the owning facility's clock. What is still open and past its
--        promise is a breach. breached_pct is of work with any promise; NULL without one.
with promised as (
    select
        vendor.name as vendor,
        contract.service_level::text as service_level,
        work.response_due_at,
        work.resolution_due_at,
        least(work.responded_at, %(as_of)s::timestamptz) as responded_at,
        least(work.restored_at, %(as_of)s::timestamptz) as restored_at
    from maintenance.work_order as work
    join registry.asset on asset.id = work.asset_id and asset.deleted_at is null
    join registry.facility on facility.id = asset.facility_id
    left join registry.vendor on vendor.id = work.vendor_id
    left join registry.contract on contract.id = work.contract_id
    where work.deleted_at is null
        and work.status <> 'CANCELLED'
        and work.reported_at <= %(as_of)s::timestamptz
        and work.reported_at >= %(from)s::date::timestamp at time zone facility.time_zone
        and work.reported_at < (%(to)s::date + 1)::timestamp at time zone facility.time_zone
),
late as (
    select
        promised.*,
        extract(epoch from coalesce(responded_at, %(as_of)s::timestamptz) - response_due_at) / 3600
            as response_late_h,
        extract(epoch from coalesce(restored_at, %(as_of)s::timestamptz) - resolution_due_at) / 3600
            as resolution_late_h
    from promised
)
select
    vendor,
    service_level,
    count(*) as work_orders,
    count(response_due_at) as response_promised,
    count(*) filter (where response_late_h > 0) as response_breached,
    count(resolution_due_at) as resolution_promised,
    count(*) filter (where resolution_late_h > 0) as resolution_breached,
    round(
        100.0 * count(*) filter (where response_late_h > 0 or resolution_late_h > 0)
        / nullif(count(*) filter (where num_nonnulls(response_due_at, resolution_due_at) > 0), 0), 1
    ) as breached_pct,
    round(greatest(
        max(response_late_h) filter (where response_late_h > 0),
        max(resolution_late_h) filter (where resolution_late_h > 0)
    ), 1) as worst_late_h
from late
group by vendor, service_level
order by breached_pct desc nulls last, vendor nulls last, service_level nulls last
