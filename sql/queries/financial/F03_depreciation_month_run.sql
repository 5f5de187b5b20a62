-- name: F03 depreciation_month_run
-- title: What is the depreciation expense of a month, by cost centre?
-- audience: C
-- param: month date = today
-- param: book text = null
-- columns: month, book, currency, cost_center, department, assets, expense, accumulated, book_value
-- notes: One row a currency and department (its cost centre) for the month that holds the day, in
--        the primary book unless its code is given: accumulated at its end less that at its start.
--        Only assets with an expense; the accumulated and book values are theirs at its end.
with bounds as (
    select
        date_trunc('month', %(month)s::date::timestamp)::date as starts_on,
        (date_trunc('month', %(month)s::date::timestamp) + interval '1 month - 1 day')::date
            as ends_on
),
entry as (
    select
        written.*, book.code as book, book.currency_code, asset.department_id,
        facility.fiscal_year_start_month,
        least(written.disposed_on, disposal.disposed_on) as gone_on,
        bounds.starts_on, bounds.ends_on,
        case
            when written.method = 'DECLINING_BALANCE' and written.salvage > 0 then null
            else written.factor
        end as used_factor
    from finance.depreciation as written
    cross join bounds
    join finance.book on book.id = written.book_id and book.deleted_at is null
    join registry.asset on asset.id = written.asset_id and asset.deleted_at is null
    join registry.facility on facility.id = asset.facility_id
    left join finance.disposal
        on disposal.asset_id = written.asset_id and disposal.deleted_at is null
    where written.deleted_at is null
        and written.in_service_on <= bounds.ends_on
        and case
            when %(book)s::text is null then book.is_primary else book.code = %(book)s::text
        end
),
charged as (
    select
        entry.book, entry.currency_code, entry.department_id, entry.starts_on,
        after.accumulated - before.accumulated as expense,
        after.accumulated, after.book_value
    from entry
    left join lateral (
        select
            coalesce(sum(production.units), 0) as after,
            coalesce(sum(production.units) filter (where production.month < entry.starts_on), 0)
                as before
        from finance.production
        where production.asset_id = entry.asset_id
            and production.month <= entry.starts_on
            and (entry.gone_on is null or production.month + interval '1 month' <= entry.gone_on)
            and production.deleted_at is null
    ) as units on entry.method = 'UNITS_OF_PRODUCTION'
    cross join lateral reporting.depreciation_as_of(
        entry.method, entry.cost, entry.salvage, entry.life_years, entry.in_service_on,
        entry.starts_on - 1, entry.convention, entry.fiscal_year_start_month, entry.gone_on,
        entry.used_factor, entry.switch_to_straight_line, entry.total_units, units.before,
        units.before
    ) as before
    cross join lateral reporting.depreciation_as_of(
        entry.method, entry.cost, entry.salvage, entry.life_years, entry.in_service_on,
        entry.ends_on, entry.convention, entry.fiscal_year_start_month, entry.gone_on,
        entry.used_factor, entry.switch_to_straight_line, entry.total_units, units.after,
        units.after
    ) as after
)
select
    charged.starts_on as month,
    charged.book,
    charged.currency_code as currency,
    department.cost_center,
    department.name as department,
    count(*) as assets,
    sum(charged.expense) as expense,
    sum(charged.accumulated) as accumulated,
    sum(charged.book_value) as book_value
from charged
left join registry.department on department.id = charged.department_id
where charged.expense <> 0
group by
    charged.starts_on, charged.book, charged.currency_code, charged.department_id,
    department.cost_center, department.name
order by charged.book, department.cost_center nulls last, department.name nulls last
