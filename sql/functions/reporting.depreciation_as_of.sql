-- What a book says at the end of a day. The same figures as reporting.depreciation_schedule, but
-- without making its rows: a report asks this of every asset of an organization.
--
-- `period` counts fiscal years from the one of going into service; `period_expense` is the whole
-- expense of the one in which as_of lies. Before the asset goes into service its book value is its
-- cost; after a disposal the book value stands still. An unknown (NULL) method, cost or life gives
-- NULL figures, an unknown method name an error.
--
-- UNITS_OF_PRODUCTION takes the units used by as_of and before the fiscal year of as_of.
create or replace function reporting.depreciation_as_of(
    method text,
    cost numeric,
    salvage numeric,
    life integer,
    in_service_on date,
    as_of date,
    convention text default 'FULL_MONTH',
    first_month integer default 1,
    disposed_on date default null,
    factor numeric default null,
    switch boolean default false,
    total_units numeric default null,
    units numeric default null,
    units_before_year numeric default null,
    out period integer, out period_expense numeric, out accumulated numeric,
    out book_value numeric, out fully_depreciated boolean
)
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    floor_value constant numeric := coalesce(salvage, 0);
    cutoff constant date := reporting.last_charged_day(convention, disposed_on);
    until constant date := least(as_of, cutoff);
    fraction numeric;
    year_start date;
    starts_on date;
    ends_on date;
    last integer;
begin
    if method is null or cost is null or as_of is null then
        return;
    elsif method not in (
        'STRAIGHT_LINE', 'SUM_OF_YEARS_DIGITS', 'DECLINING_BALANCE', 'DOUBLE_DECLINING',
        'UNITS_OF_PRODUCTION'
    ) then
        raise exception 'unknown depreciation method: %', method
            using errcode = 'invalid_parameter_value';
    elsif method = 'UNITS_OF_PRODUCTION' then
        if in_service_on is not null and until >= in_service_on then
            accumulated := round(
                reporting.units_of_production(cost, floor_value, total_units, units), 2
            );
            period_expense := accumulated - round(
                reporting.units_of_production(cost, floor_value, total_units, units_before_year), 2
            );
        else
            accumulated := 0;
            period_expense := 0;
        end if;
        book_value := cost - accumulated;
        fully_depreciated := book_value <= floor_value;
        return;
    elsif life is null then
        return;
    end if;
    accumulated := 0;
    period_expense := 0;
    -- Otherwise it is not in service yet, or was disposed of before anything was charged.
    if until >= in_service_on then
        fraction := reporting.first_year_fraction(convention, in_service_on, first_month);
        last := life + (fraction < 1)::integer;
        year_start := reporting.fiscal_year_start(until, first_month);
        period := extract(year from year_start)
            - extract(year from reporting.fiscal_year_start(in_service_on, first_month)) + 1;
        if period > last and method <> 'DOUBLE_DECLINING' and method <> 'DECLINING_BALANCE' then
            accumulated := cost - floor_value;
        elsif method = 'STRAIGHT_LINE' and period > 1 then
            -- All whole years are the same: no need to walk.
            accumulated := round((cost - floor_value) * fraction / life, 2)
                + round((cost - floor_value) / life, 2) * (period - 2);
        else
            for number in 1 .. least(period - 1, last) loop
                accumulated := accumulated + reporting.depreciation_expense(
                    method, cost, floor_value, life, number, cost - accumulated, fraction, factor,
                    switch
                );
            end loop;
        end if;
        if period <= last then
            period_expense := reporting.depreciation_expense(
                method, cost, floor_value, life, period, cost - accumulated, fraction, factor,
                switch
            );
            starts_on := case
                when period > 1 then year_start
                when convention = 'DAILY' then in_service_on
                else date_trunc('month', in_service_on)
            end;
            ends_on := case
                when period <= life then year_start + interval '1 year' - interval '1 day'
                else reporting.last_day_of_life(convention, year_start, in_service_on, life)
            end;
            accumulated := accumulated + reporting.depreciation_accrued(
                period_expense, convention, starts_on, ends_on, until
            );
            if cutoff < ends_on then
                -- Disposed of, in this fiscal year or in an earlier one.
                period_expense := case
                    when as_of < year_start + interval '1 year'
                    then reporting.depreciation_accrued(
                        period_expense, convention, starts_on, ends_on, cutoff
                    )
                    else 0
                end;
            end if;
        end if;
    end if;
    book_value := cost - accumulated;
    fully_depreciated := book_value <= floor_value;
end
$$;
comment on function reporting.depreciation_as_of(
    text, numeric, numeric, integer, date, date, text, integer, date, numeric, boolean, numeric,
    numeric, numeric
) is 'Expense of the fiscal year, accumulated depreciation and book value at the end of as_of.';
grant execute on function reporting.depreciation_as_of(
    text, numeric, numeric, integer, date, date, text, integer, date, numeric, boolean, numeric,
    numeric, numeric
) to biotrakr_analyst, biotrakr_app;
