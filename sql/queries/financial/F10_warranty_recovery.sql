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
with repair as (
    select
        work.id, work.number, work.asset_id,
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
        and (work.reported_at at time zone facility.time_zone)::date
            between %(from)s::date and %(to)s::date
),
cover as (
    select
        repair.id, contract.id as contract_id, contract.kind, contract.number,
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
paid as (
    select repair.id, cover.contract_id, repair.currency, repair.labor, 0 as parts
    from repair
    join cover on cover.id = repair.id and cover.covers_labor
    where repair.labor > 0
    union all
    select repair.id, cover.contract_id, used.currency_code::text, 0, used.quantity * used.unit_cost
    from repair
    join cover on cover.id = repair.id and cover.covers_parts
    join maintenance.work_order_part as used
        on used.work_order_id = repair.id and used.deleted_at is null
)
select
    repair.number,
    register.asset_tag,
    register.name,
    register.facility,
    repair.failed_on,
    cover.kind,
    cover.number as contract,
    cover.vendor,
    sum(paid.labor) as labor,
    sum(paid.parts) as parts,
    paid.currency
from paid
join repair on repair.id = paid.id
join cover on cover.id = paid.id and cover.contract_id = paid.contract_id
join reporting.v_asset_register as register on register.asset_id = repair.asset_id
group by
    repair.number, register.asset_tag, register.name, register.facility, repair.failed_on,
    cover.kind, cover.number, cover.vendor, paid.currency
having sum(paid.labor + paid.parts) > 0
order by repair.failed_on desc, repair.number, cover.number, paid.currency
