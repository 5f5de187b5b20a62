-- name: F05 tco_by_model_per_year
-- title: What does a year with one unit of each model cost?
-- audience: C
-- param: category text = null
-- param: min_years numeric = 1
-- param: as_of timestamptz = now
-- columns: device_type, manufacturer, model, currency, assets, asset_years, acquisition_per_year,
--          service_per_year, downtime_per_year, tco_per_year, downtime_unknown
-- notes: One row a model and currency, cheapest first within a device type: total cost over total
--        years of assets with at least min_years. service is contracts, labour, parts, calibration
--        and consumables. downtime_unknown counts assets whose downtime has no price; it is not in
--        downtime_per_year and tco_per_year, which are then too low.
select
    register.subcategory as device_type,
    register.manufacturer,
    register.model,
    cost.currency,
    count(*) as assets,
    round(sum(cost.years), 2) as asset_years,
    round(sum(cost.acquisition + cost.installation) / sum(cost.years), 2) as acquisition_per_year,
    round(
        sum(cost.contracts + cost.labor + cost.parts + cost.calibration + cost.consumables)
        / sum(cost.years), 2
    ) as service_per_year,
    round(coalesce(sum(cost.downtime_cost), 0) / sum(cost.years), 2) as downtime_per_year,
    round(
        (sum(cost.tco_ex_downtime) + coalesce(sum(cost.downtime_cost), 0)) / sum(cost.years), 2
    ) as tco_per_year,
    count(*) filter (where cost.downtime_cost is null) as downtime_unknown
from reporting.f_v_tco(%(as_of)s::timestamptz) as cost
join reporting.v_asset_register as register on register.asset_id = cost.asset_id
where cost.years >= greatest(%(min_years)s::numeric, 0.01)
    and (%(category)s::text is null or register.category = %(category)s::text)
group by register.subcategory, register.manufacturer, register.model, cost.currency
order by register.subcategory, cost.currency, tco_per_year, register.manufacturer, register.model
