-- Every fiscal year of a book, from the day an asset went into service until its life or its time
-- here ends. No rows when it never went into service or was disposed of before.
--
-- Disposal: nothing is charged for the month of the disposal (DAILY: the day) and later; the last
-- row ends there with the book value that a gain or loss is reckoned from.
--
-- UNITS_OF_PRODUCTION takes `units`, one figure a fiscal year, and `total_units`; it ignores the
-- life and the share of the first year, for the units are what was used.
create or replace function reporting.depreciation_schedule(
    method text,
    cost numeric,
    salvage numeric,
    life integer,
    in_service_on date,
    convention text default 'FULL_MONTH',
    first_month integer default 1,
    disposed_on date default null,
    factor numeric default null,
    switch boolean default false,
    total_units numeric default null,
    units numeric[] default null
) returns table (
    period integer, starts_on date, ends_on date,
    expense numeric, accumulated numeric, book_value numeric
)
language plpgsql immutable parallel safe rows 10
set search_path = pg_catalog
as $$
declare
    by_units constant boolean := method = 'UNITS_OF_PRODUCTION';
    fraction numeric;
    year_start date;
    cutoff date;
    floor_value constant numeric := coalesce(salvage, 0);
    used numeric := 0;
    last integer;
begin
    if cost < 0 or floor_value < 0 or floor_value > cost then
        raise exception 'salvage value % does not lie between 0 and the cost of %', salvage, cost
            using errcode = 'invalid_parameter_value';
    elsif not by_units and life < 1 then
        raise exception 'a useful life of % years', life
            using errcode = 'invalid_parameter_value';
    elsif by_units and (total_units is null or total_units <= 0) then
        raise exception 'units of production needs the units of a life, not %', total_units
            using errcode = 'invalid_parameter_value';
    end if;
    if method is null or cost is null or in_service_on is null or (life is null and not by_units)
    then
        return;
    end if;
    fraction := reporting.first_year_fraction(convention, in_service_on, first_month);
    last := case
        when by_units then coalesce(array_length(units, 1), 0)
        else life + (fraction < 1)::integer
    end;
    cutoff := reporting.last_charged_day(convention, disposed_on);
    year_start := reporting.fiscal_year_start(in_service_on, first_month);
    book_value := cost;
    accumulated := 0;
    for number in 1 .. last loop
        period := number;
        starts_on := case
            when number > 1 then year_start
            when convention = 'DAILY' then in_service_on
            else date_trunc('month', in_service_on)
        end;
        exit when cutoff < starts_on;
        ends_on := year_start + interval '1 year' - interval '1 day';
        if by_units then
            used := used + coalesce(units[number], 0);
            expense := round(
                reporting.units_of_production(cost, floor_value, total_units, used), 2
            ) - accumulated;
        else
            if number > life then
                ends_on := reporting.last_day_of_life(convention, year_start, in_service_on, life);
            end if;
            expense := reporting.depreciation_expense(
                method, cost, floor_value, life, number, book_value, fraction, factor, switch
            );
        end if;
        if cutoff < ends_on then
            -- Units are counted when they are used: those of the last year are all charged.
            if not by_units then
                expense := reporting.depreciation_accrued(
                    expense, convention, starts_on, ends_on, cutoff
                );
            end if;
            ends_on := cutoff;
        end if;
        accumulated := accumulated + expense;
        book_value := cost - accumulated;
        return next;
        year_start := year_start + interval '1 year';
    end loop;
end
$$;
comment on function reporting.depreciation_schedule(
    text, numeric, numeric, integer, date, text, integer, date, numeric, boolean, numeric, numeric[]
) is 'One row a fiscal year; raises on an unknown method or convention.';
grant execute on function reporting.depreciation_schedule(
    text, numeric, numeric, integer, date, text, integer, date, numeric, boolean, numeric, numeric[]
) to biotrakr_analyst, biotrakr_app;
