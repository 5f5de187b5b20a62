-- Depreciation by use, not rounded: `units` more after `units_before`, of `total_units` in a life.
-- What is used beyond the total costs nothing.
create or replace function reporting.units_of_production(
    cost numeric, salvage numeric, total_units numeric, units numeric,
    units_before numeric default 0
) returns numeric
language sql immutable parallel safe
-- (least() would pass over a NULL.)
return case
    when units is not null and units_before is not null then (cost - salvage)
        * (least(units_before + units, total_units) - least(units_before, total_units))
        / nullif(total_units, 0)
end;
comment on function reporting.units_of_production(numeric, numeric, numeric, numeric, numeric) is
    '(cost - salvage) * units / total_units, until the total is used up.';
grant execute on function
    reporting.units_of_production(numeric, numeric, numeric, numeric, numeric)
    to biotrakr_analyst, biotrakr_app;
