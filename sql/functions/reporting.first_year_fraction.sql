-- How much of the first fiscal year is charged.
--
-- FULL_MONTH: its months from the one in which the asset went into service. HALF_YEAR: one half,
-- whenever it did. DAILY: its days from that one.
create or replace function reporting.first_year_fraction(
    convention text, in_service_on date, first_month integer default 1
) returns numeric
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    starts constant date := reporting.fiscal_year_start(in_service_on, first_month);
    ends constant date := starts + interval '1 year';
begin
    case convention
        when 'FULL_MONTH' then
            return
                (12 - (extract(month from in_service_on)::integer - first_month + 12) % 12) / 12.0;
        when 'HALF_YEAR' then
            return 0.5;
        when 'DAILY' then
            return (ends - in_service_on)::numeric / (ends - starts);
        else
            raise exception 'unknown depreciation convention: %', convention
                using errcode = 'invalid_parameter_value';
    end case;
end
$$;
comment on function reporting.first_year_fraction(text, date, integer) is
    'FULL_MONTH, HALF_YEAR or DAILY: share of the first fiscal year, above 0 and at most 1.';
grant execute on function reporting.first_year_fraction(text, date, integer)
    to biotrakr_analyst, biotrakr_app;
