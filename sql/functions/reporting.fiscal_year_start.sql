-- First day of the fiscal year that holds `day`; fiscal years begin with month `first_month`.
create or replace function reporting.fiscal_year_start(day date, first_month integer default 1)
returns date
language sql immutable parallel safe
return make_date(
    extract(year from day)::integer - (extract(month from day) < first_month)::integer,
    first_month, 1
);
comment on function reporting.fiscal_year_start(date, integer) is
    'Start of the fiscal year that holds a day.';
grant execute on function reporting.fiscal_year_start(date, integer)
    to biotrakr_analyst, biotrakr_app;
