-- name: F06 cosr_by_category
-- title: What does a year of service cost, as a share of what the equipment cost?
-- audience: C, B
-- param: year int = null
-- param: as_of timestamptz = now
-- columns: year, category, currency, assets, acquisition_cost, service_cost, cosr_pct, uncounted
-- notes: One row a category and currency, for a calendar year (the one before as_of). The service
--        cost is of assets whose purchase cost is known in the same currency; uncounted is service
--        cost in that currency of other assets. "5 percent or less" is often quoted; there is no
--        standard.
with chosen as (
    select coalesce(
        %(year)s::int,
        extract(year from %(as_of)s::timestamptz at time zone 'UTC')::integer - 1
    ) as year
),
spent as (
    select cost.asset_id, cost.currency, cost.total
    from reporting.f_v_maintenance_cost(%(as_of)s::timestamptz) as cost
    join chosen on chosen.year = cost.year
),
fleet as (
    select
        asset.id, register.category, asset.currency_code::text as currency, asset.purchase_cost
    from registry.asset
    join reporting.v_asset_register as register on register.asset_id = asset.id
    cross join chosen
    left join finance.disposal
        on disposal.asset_id = asset.id and disposal.deleted_at is null
    -- Here for some of the year.
    where coalesce(asset.in_service_on, asset.installed_on, asset.purchased_on)
            <= make_date(chosen.year, 12, 31)
        and coalesce(least(asset.retired_on, disposal.disposed_on), 'infinity')
            >= make_date(chosen.year, 1, 1)
),
paired as (
    select
        fleet.category, fleet.currency, fleet.purchase_cost, coalesce(spent.total, 0) as service,
        0 as uncounted
    from fleet
    left join spent on spent.asset_id = fleet.id and spent.currency = fleet.currency
    where fleet.purchase_cost is not null
    union all
    select fleet.category, spent.currency, null, null, spent.total
    from spent
    join fleet on fleet.id = spent.asset_id
    where fleet.purchase_cost is null or fleet.currency is distinct from spent.currency
)
select
    chosen.year,
    paired.category,
    paired.currency,
    count(paired.purchase_cost) as assets,
    coalesce(sum(paired.purchase_cost), 0) as acquisition_cost,
    coalesce(sum(paired.service), 0) as service_cost,
    round(100 * sum(paired.service) / nullif(sum(paired.purchase_cost), 0), 2) as cosr_pct,
    sum(paired.uncounted) as uncounted
from paired
cross join chosen
group by chosen.year, paired.category, paired.currency
order by paired.category, paired.currency
