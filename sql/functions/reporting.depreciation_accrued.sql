-- How much of a fiscal year's expense has been charged by the end of `as_of`.
--
-- By months (FULL_MONTH and HALF_YEAR): each is charged on its last day; all are equal, rounded,
-- and the last takes the remainder. DAILY: by days, rounded.
create or replace function reporting.depreciation_accrued(
    expense numeric, convention text, starts_on date, ends_on date, as_of date
) returns numeric
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    parts integer;
    done integer;
begin
    if as_of >= ends_on then
        return expense;
    elsif as_of < starts_on then
        return 0;
    elsif convention = 'DAILY' then
        return round(expense * (as_of - starts_on + 1) / (ends_on - starts_on + 1), 2);
    end if;
    parts := (extract(year from ends_on) - extract(year from starts_on)) * 12
        + extract(month from ends_on) - extract(month from starts_on) + 1;
    -- The month of as_of counts when as_of is its last day.
    done := (extract(year from as_of + 1) - extract(year from starts_on)) * 12
        + extract(month from as_of + 1) - extract(month from starts_on);
    return least(expense, round(expense / parts, 2) * done);
end
$$;
comment on function reporting.depreciation_accrued(numeric, text, date, date, date) is
    'Charged by the end of as_of, of an expense that belongs to starts_on .. ends_on.';
grant execute on function reporting.depreciation_accrued(numeric, text, date, date, date)
    to biotrakr_analyst, biotrakr_app;
