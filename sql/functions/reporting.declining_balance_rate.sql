-- The fixed rate that takes `cost` to `salvage` in `life` periods, to three decimals as
-- spreadsheets have it. NULL without a salvage value: the rate would be 1 and the whole cost an
-- expense of the first period, which nobody means.
create or replace function reporting.declining_balance_rate(
    cost numeric, salvage numeric, life numeric
) returns numeric
language sql immutable parallel safe
return case
    when cost > 0 and salvage > 0 and life > 0 then round(1 - power(salvage / cost, 1 / life), 3)
end;
comment on function reporting.declining_balance_rate(numeric, numeric, numeric) is
    'round(1 - (salvage / cost) ^ (1 / life), 3); NULL when salvage is not above 0.';
grant execute on function reporting.declining_balance_rate(numeric, numeric, numeric)
    to biotrakr_analyst, biotrakr_app;
