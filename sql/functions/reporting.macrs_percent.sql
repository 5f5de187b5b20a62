-- Percent of cost by year of recovery: IRS Publication 946, table A-1 (half-year convention, 200 %
-- declining balance with the switch to straight line; its own rounding). Tax only, United States.
create or replace function reporting.macrs_percent(recovery_years integer, year integer)
returns numeric
language sql immutable parallel safe
return case
    when recovery_years = 3 then (array[33.33, 44.45, 14.81, 7.41])[year]
    when recovery_years = 5 then (array[20.00, 32.00, 19.20, 11.52, 11.52, 5.76])[year]
    when recovery_years = 7 then
        (array[14.29, 24.49, 17.49, 12.49, 8.93, 8.92, 8.93, 4.46])[year]
    when recovery_years = 10 then
        (array[10.00, 18.00, 14.40, 11.52, 9.22, 7.37, 6.55, 6.55, 6.56, 6.55, 3.28])[year]
end;
comment on function reporting.macrs_percent(integer, integer) is
    'Table A-1 for 3, 5, 7 and 10 years; NULL for another class or year.';
grant execute on function reporting.macrs_percent(integer, integer)
    to biotrakr_analyst, biotrakr_app;
