-- What is every asset still worth in the books? One row an asset in the primary book; the function
-- has every book.
--
-- Money is in the book's currency. Days and fiscal years are the owning facility's.
create function reporting.f_v_depreciation(as_of timestamptz)
returns table (
    organization_id uuid, facility_id uuid, asset_id uuid, method text, cost numeric,
    salvage numeric, life integer, in_service_on date, as_of date, period_expense numeric,
    accumulated numeric, book_value numeric, fully_depreciated boolean, book text, currency text,
    is_primary boolean, disposed_on date
)
language sql stable parallel safe
begin atomic
    select
        entry.organization_id,
        asset.facility_id,
        entry.asset_id,
        entry.method::text,
        entry.cost,
        entry.salvage,
        entry.life_years,
        entry.in_service_on,
        local.day,
        reckoned.period_expense,
        reckoned.accumulated,
        reckoned.book_value,
        reckoned.fully_depreciated,
        book.code,
        book.currency_code::text,
        book.is_primary,
        gone.disposed_on
    from finance.depreciation as entry
    join finance.book on book.id = entry.book_id
    join registry.asset on asset.id = entry.asset_id
    join registry.facility on facility.id = asset.facility_id
    left join finance.disposal
        on disposal.organization_id = entry.organization_id
        and disposal.asset_id = entry.asset_id and disposal.deleted_at is null
    cross join lateral (
        select (f_v_depreciation.as_of at time zone facility.time_zone)::date as day
    ) as local
    cross join lateral (
        select least(entry.disposed_on, disposal.disposed_on) as disposed_on
    ) as gone
    left join lateral (
        select
            coalesce(sum(production.units), 0) as units,
            coalesce(sum(production.units) filter (
                where production.month < reporting.fiscal_year_start(
                    local.day, facility.fiscal_year_start_month
                )
            ), 0) as before_year
        from finance.production
        where entry.method = 'UNITS_OF_PRODUCTION'
            and production.organization_id = entry.organization_id
            and production.asset_id = entry.asset_id
            and production.deleted_at is null
            -- A month counts when it is over, and not after the disposal.
            and production.month + interval '1 month' <= local.day + 1
            and (
                gone.disposed_on is null
                or production.month + interval '1 month' <= gone.disposed_on
            )
    ) as produced on entry.method = 'UNITS_OF_PRODUCTION'
    cross join lateral reporting.depreciation_as_of(
        entry.method, entry.cost, entry.salvage, entry.life_years, entry.in_service_on, local.day,
        entry.convention, facility.fiscal_year_start_month, gone.disposed_on,
        -- With a salvage value the fixed rate follows from it.
        case
            when entry.method = 'DECLINING_BALANCE' and entry.salvage > 0 then null
            else entry.factor
        end,
        entry.switch_to_straight_line, entry.total_units, produced.units, produced.before_year
    ) as reckoned
    where entry.deleted_at is null
        and book.deleted_at is null
        and asset.deleted_at is null;
end;
comment on function reporting.f_v_depreciation(timestamptz) is
    'v_depreciation as of a time, for every book.';
grant execute on function reporting.f_v_depreciation(timestamptz) to biotrakr_analyst, biotrakr_app;

create view reporting.v_depreciation with (security_invoker = true) as
select * from reporting.f_v_depreciation(now()) where is_primary;

comment on view reporting.v_depreciation is
    'One row an asset in the primary book, in the book''s currency.';
comment on column reporting.v_depreciation.method is
    'DECLINING_BALANCE: at the fixed rate that takes cost to salvage; without a salvage value at '
    'factor / life, as DOUBLE_DECLINING.';
comment on column reporting.v_depreciation.in_service_on is
    'NULL: not in service, worth its cost.';
comment on column reporting.v_depreciation.period_expense is
    'Of the whole fiscal year in which as_of lies.';
comment on column reporting.v_depreciation.book_value is
    'cost - accumulated at the end of as_of; after a disposal it stands still: what a gain or loss '
    'is reckoned from.';
comment on column reporting.v_depreciation.disposed_on is 'Nothing is charged from then on.';
grant select on reporting.v_depreciation to biotrakr_analyst, biotrakr_app;
