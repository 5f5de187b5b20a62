-- name: F01 depreciation_schedule
-- title: How is this asset written off, year by year, until its life or its time here ends?
-- audience: C
-- param: tag text
-- param: book text = null
-- columns: book, currency, method, convention, period, starts_on, ends_on, expense, accumulated,
--          book_value
-- notes: One row a fiscal year and book (the primary one, unless its code is given). By units of
--        production: up to the last year with units. No row: not in service yet, or in no book.
select
    book.code as book,
    book.currency_code as currency,
    entry.method,
    entry.convention,
    year.period,
    year.starts_on,
    year.ends_on,
    year.expense,
    year.accumulated,
    year.book_value
from reporting.v_asset_register as register
join finance.depreciation as entry
    on entry.asset_id = register.asset_id and entry.deleted_at is null
join finance.book on book.id = entry.book_id and book.deleted_at is null
join registry.facility on facility.id = register.facility_id
left join finance.disposal
    on disposal.asset_id = register.asset_id and disposal.deleted_at is null
left join lateral (
    -- Units of every fiscal year from the first, 0 for one without.
    select array_agg(coalesce(made.units, 0) order by fiscal.starts_on) as units
    from generate_series(
        reporting.fiscal_year_start(
            entry.in_service_on, facility.fiscal_year_start_month
        )::timestamp,
        (
            select max(production.month)::timestamp
            from finance.production
            where production.asset_id = entry.asset_id and production.deleted_at is null
        ),
        interval '1 year'
    ) as fiscal (starts_on)
    left join lateral (
        select sum(production.units) as units
        from finance.production
        where production.asset_id = entry.asset_id
            and production.month >= fiscal.starts_on
            and production.month < fiscal.starts_on + interval '1 year'
            and production.deleted_at is null
    ) as made on true
) as produced on entry.method = 'UNITS_OF_PRODUCTION'
cross join lateral reporting.depreciation_schedule(
    entry.method, entry.cost, entry.salvage, entry.life_years, entry.in_service_on,
    entry.convention, facility.fiscal_year_start_month,
    least(entry.disposed_on, disposal.disposed_on),
    case
        when entry.method = 'DECLINING_BALANCE' and entry.salvage > 0 then null else entry.factor
    end,
    entry.switch_to_straight_line, entry.total_units, produced.units
) as year
where upper(register.asset_tag) = upper(btrim(%(tag)s::text))
    and case
        when %(book)s::text is null then book.is_primary else book.code = %(book)s::text
    end
order by book.code, year.period
