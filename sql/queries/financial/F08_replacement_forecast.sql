-- name: F08 replacement_forecast
-- title: How much equipment reaches the end of its life in each fiscal year, at what cost?
-- audience: C
-- param: years int = 10
-- param: inflation_pct numeric = 0
-- param: as_of timestamptz = now
-- columns: fiscal_year, facility, category, currency, assets, cost, cost_unknown, overdue
-- notes: One row a fiscal year, facility, category and currency (NULL: no cost is recorded). A
--        fiscal year is named after the calendar year in which it ends. Due: years of life after it
--        went into service, or the end of support if earlier; what is past due is in the present
--        year, counted in overdue. cost is the replacement cost (else the purchase cost) of today,
--        raised by inflation_pct a year; cost_unknown counts assets that are not in it.
with fleet as (
    select
        facility.code as facility,
        asset.category,
        asset.currency_code::text as currency,
        coalesce(asset.replacement_cost, asset.purchase_cost) as cost,
        reporting.fiscal_year_start(local.day, facility.fiscal_year_start_month) as this_year,
        reporting.fiscal_year_start(
            greatest(due.due_on, local.day), facility.fiscal_year_start_month
        ) as due_year,
        due.due_on < local.day as overdue
    from registry.asset
    join registry.facility on facility.id = asset.facility_id
    cross join lateral (
        select (%(as_of)s::timestamptz at time zone facility.time_zone)::date as day
    ) as local
    left join registry.device_model as model on model.id = asset.device_model_id
    left join registry.device_type as kind on kind.id = model.device_type_id
    left join finance.book
        on book.organization_id = asset.organization_id
        and book.is_primary and book.deleted_at is null
    left join finance.depreciation as written
        on written.asset_id = asset.id and written.book_id = book.id and written.deleted_at is null
    cross join lateral (
        select least(
            (
                coalesce(asset.in_service_on, asset.installed_on, asset.purchased_on)
                + make_interval(
                    years => coalesce(written.life_years, kind.default_useful_life_years)
                )
            )::date,
            model.end_of_support_on
        ) as due_on
    ) as due
    where asset.deleted_at is null
        and asset.ownership = 'OWNED'
        and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
        and due.due_on is not null
)
select
    -- The last day of the fiscal year says its name.
    extract(year from due_year + interval '1 year' - interval '1 day')::integer as fiscal_year,
    facility,
    category,
    currency,
    count(*) as assets,
    round(sum(
        cost * power(
            1 + %(inflation_pct)s::numeric / 100,
            extract(year from due_year) - extract(year from this_year)
        )
    ), 2) as cost,
    count(*) filter (where cost is null) as cost_unknown,
    count(*) filter (where overdue) as overdue
from fleet
where due_year < this_year + make_interval(years => %(years)s::int)
group by due_year, facility, category, currency
order by fiscal_year, facility, category, currency nulls last
