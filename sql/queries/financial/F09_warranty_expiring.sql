-- name: F09 warranty_expiring
-- title: Which warranties and service contracts end soon, and what do they cover?
-- audience: C, B
-- param: days int = 90
-- param: as_of timestamptz = now
-- columns: ends_on, days_left, kind, contract, vendor, asset_tag, name, facility, criticality,
--          annual_cost, currency, other_cover
-- notes: One row an asset and contract that ends from today within days. annual_cost is the asset's
--        own, else an equal share. other_cover: another contract goes on after it.
with covered as (
    select
        own.asset_id, contract.id as contract_id, contract.kind, contract.number,
        contract.vendor_id,
        coalesce(own.starts_on, contract.starts_on) as starts_on,
        coalesce(own.ends_on, contract.ends_on) as ends_on,
        coalesce(
            own.annual_cost,
            contract.annual_cost / count(*) over (partition by own.contract_id)
        ) as annual_cost,
        contract.currency_code
    from registry.contract_asset as own
    join registry.contract on contract.id = own.contract_id
    where own.deleted_at is null
        and contract.deleted_at is null
        and contract.kind in ('WARRANTY', 'AMC', 'CMC')
),
continued as (
    select distinct covered.asset_id, covered.contract_id
    from covered
    join covered as other
        on other.asset_id = covered.asset_id
        and other.contract_id <> covered.contract_id
        and other.starts_on <= covered.ends_on + 1
        and other.ends_on > covered.ends_on
)
select
    covered.ends_on,
    covered.ends_on - local.day as days_left,
    covered.kind,
    covered.number as contract,
    vendor.name as vendor,
    register.asset_tag,
    register.name,
    register.facility,
    register.criticality,
    round(covered.annual_cost, 2) as annual_cost,
    covered.currency_code as currency,
    continued.asset_id is not null as other_cover
from covered
join reporting.v_asset_register as register on register.asset_id = covered.asset_id
join registry.facility on facility.id = register.facility_id
cross join lateral (
    select (%(as_of)s::timestamptz at time zone facility.time_zone)::date as day
) as local
join registry.vendor on vendor.id = covered.vendor_id
left join continued
    on continued.asset_id = covered.asset_id and continued.contract_id = covered.contract_id
where covered.ends_on between local.day and local.day + %(days)s::int
    and register.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
order by covered.ends_on, register.asset_tag, covered.number
