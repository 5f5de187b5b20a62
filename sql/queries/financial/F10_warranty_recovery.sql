-- name: F10 warranty_recovery
-- title: Which repairs did we pay for although a warranty or contract covered them?
-- audience: C
-- param: from date = today - 365 days
-- param: to date = today
-- columns: number, asset_tag, name, facility, failed_on, kind, contract, vendor, labor, parts,
--          currency
-- notes: One row a corrective work order, covering contract and currency, reported from .. to by
--        the owning facility's clock. labor (own and vendors' work) counts where the contract
--        covers labour, parts where it covers parts. A user's error is nobody's warranty.
with repair as materialized (
    select
        work.id, work.number, work.asset_id, asset.tag_number, asset.name,
        facility.code as facility,
        (coalesce(work.failed_at, work.reported_at) at time zone facility.time_zone)::date
            as failed_on,
        work.currency_code::text as currency,
        work.labor_cost + work.vendor_cost as labor
    from maintenance.work_order as work
    join registry.asset on asset.id = work.asset_id and asset.deleted_at is null
    join registry.facility on facility.id = asset.facility_id
    where work.type in ('CORRECTIVE_MAINTENANCE', 'EMERGENCY_REPAIR')
        and work.status <> 'CANCELLED'
        and work.deleted_at is null
        and coalesce(work.outcome, '') <> 'USER_ERROR'
        and coalesce(work.failure_category, '') <> 'USER_ERROR'
        and work.reported_at >= %(from)s::date::timestamp at time zone facility.time_zone
        and work.reported_at < (%(to)s::date + 1)::timestamp at time zone facility.time_zone
),
cover as materialized (
    select
        repair.*, contract.id as contract_id, contract.kind, contract.number as contract,
        vendor.name as vendor, contract.covers_labor, contract.covers_parts
    from repair
    join registry.contract_asset as own
        on own.asset_id = repair.asset_id and own.deleted_at is null
    join registry.contract
        on contract.id = own.contract_id and contract.deleted_at is null
        and contract.kind in ('WARRANTY', 'AMC', 'CMC')
    join registry.vendor on vendor.id = contract.vendor_id
    where repair.failed_on between coalesce(own.starts_on, contract.starts_on)
        and coalesce(own.ends_on, contract.ends_on)
),
part as materialized (
    select
        used.work_order_id, used.currency_code::text as currency,
        sum(used.quantity * used.unit_cost) as cost
    from maintenance.work_order_part as used
    where used.deleted_at is null
    group by used.work_order_id, used.currency_code
),
paid as (
    select cover.*, cover.labor as paid_labor, 0 as paid_parts, cover.currency as paid_in
    from cover
    where cover.covers_labor and cover.labor > 0
    union all
    select cover.*, 0, part.cost, part.currency
    from cover
    join part on part.work_order_id = cover.id
    where cover.covers_parts
)
select
    number,
    tag_number as asset_tag,
    name,
    facility,
    failed_on,
    kind,
    contract,
    vendor,
    sum(paid_labor) as labor,
    sum(paid_parts) as parts,
    paid_in as currency
from paid
group by
    id, number, tag_number, name, facility, failed_on, kind, contract_id, contract, vendor, paid_in
having sum(paid_labor + paid_parts) > 0
order by failed_on desc, number, contract, paid_in
