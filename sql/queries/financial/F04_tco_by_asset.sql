-- name: F04 tco_by_asset
-- title: What has each asset cost so far, by component, with and without downtime?
-- audience: C
-- param: tag text = null
-- param: as_of timestamptz = now
-- columns: asset_tag, name, category, facility, currency, acquisition, installation, contracts,
--          labor, parts, calibration, consumables, training, disposal, downtime_cost,
--          tco_ex_downtime, tco, years, tco_per_year, benefit, roi_pct
-- notes: One row an asset (all, unless its number is given) and currency, the dearest first.
--        disposal is net of resale. downtime_cost and tco are NULL while an hour down has no price.
--        roi_pct is (benefit - tco) / tco in this currency; NULL without a recorded benefit.
select
    register.asset_tag,
    register.name,
    register.category,
    register.facility,
    cost.currency,
    cost.acquisition,
    cost.installation,
    cost.contracts,
    cost.labor,
    cost.parts,
    cost.calibration,
    cost.consumables,
    cost.training,
    cost.disposal,
    cost.downtime_cost,
    cost.tco_ex_downtime,
    cost.tco,
    cost.years,
    cost.tco_per_year,
    gained.benefit,
    round(100 * (gained.benefit - cost.tco) / nullif(cost.tco, 0), 2) as roi_pct
from reporting.f_v_tco(%(as_of)s::timestamptz) as cost
join reporting.v_asset_register as register on register.asset_id = cost.asset_id
left join (
    select benefit.asset_id, benefit.currency_code::text as currency, sum(benefit.amount) as benefit
    from finance.benefit
    where benefit.deleted_at is null
        and benefit.period_end <= (%(as_of)s::timestamptz at time zone 'UTC')::date
    group by benefit.asset_id, benefit.currency_code
) as gained on gained.asset_id = cost.asset_id and gained.currency = cost.currency
where %(tag)s::text is null or upper(register.asset_tag) = upper(btrim(%(tag)s::text))
order by cost.currency, cost.tco_ex_downtime desc, register.asset_tag
