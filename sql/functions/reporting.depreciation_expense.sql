-- The expense of one fiscal year of a book, rounded half up to cents, from the book value at its
-- start: the step that the schedule and the value as of a date both walk.
--
-- `first_fraction` of the first fiscal year is charged; when it is below 1, a year life + 1 takes
-- the rest. Methods that use up cost - salvage exactly (straight line, sum of years' digits, the
-- declining ones with the switch to straight line) put the remainder of rounding in the last year;
-- a declining one without the switch leaves what its formula leaves.
--
-- DECLINING_BALANCE: at `factor` / life when a factor is given, else at the fixed rate that takes
-- cost to salvage. DOUBLE_DECLINING: at `factor` (2) / life.
create or replace function reporting.depreciation_expense(
    method text, cost numeric, salvage numeric, life integer, period integer, book numeric,
    first_fraction numeric, factor numeric, switch boolean
) returns numeric
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    last constant integer := life + (first_fraction < 1)::integer;
    -- The part of this fiscal year that lies within the life.
    share constant numeric := case
        when period = 1 then first_fraction when period > life then 1 - first_fraction else 1
    end;
    rate numeric;
    expense numeric;
begin
    if period > last then
        return 0;
    elsif period = last and (method in ('STRAIGHT_LINE', 'SUM_OF_YEARS_DIGITS') or switch) then
        return book - salvage;
    end if;
    case method
        when 'STRAIGHT_LINE' then
            expense := (cost - salvage) * share / life;
        when 'SUM_OF_YEARS_DIGITS' then
            -- A fiscal year holds the end of one year of the life and the start of the next.
            expense := (cost - salvage) * 2 / (life * (life + 1))
                * ((life - period + 1) * first_fraction
                   + case
                       when period = 1 then 0 else (life - period + 2) * (1 - first_fraction)
                   end);
        when 'DECLINING_BALANCE', 'DOUBLE_DECLINING' then
            rate := case
                when factor is not null then factor / life
                when method = 'DOUBLE_DECLINING' then 2.0 / life
                else reporting.declining_balance_rate(cost, salvage, life)
            end;
            if rate is null then
                raise exception 'declining balance needs a salvage value above 0 or a factor'
                    using errcode = 'invalid_parameter_value';
            end if;
            expense := book * least(rate, 1) * share;
            if switch then
                expense := greatest(expense, (book - salvage) * share
                    / case when period = 1 then life else life - first_fraction - (period - 2) end);
            end if;
        else
            raise exception 'unknown depreciation method: %', method
                using errcode = 'invalid_parameter_value';
    end case;
    return greatest(0, least(round(expense, 2), book - salvage));
end
$$;
comment on function reporting.depreciation_expense(
    text, numeric, numeric, integer, integer, numeric, numeric, numeric, boolean
) is 'Expense of fiscal year `period` of a book that stands at `book` when it begins.';
grant execute on function reporting.depreciation_expense(
    text, numeric, numeric, integer, integer, numeric, numeric, numeric, boolean
) to biotrakr_analyst, biotrakr_app;
