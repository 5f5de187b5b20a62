-- Straight-line depreciation of one period, not rounded. Pure, as all reporting.* formulas here:
-- the date and every figure is an argument, so that a result can be checked by hand.
create or replace function reporting.straight_line(cost numeric, salvage numeric, life numeric)
returns numeric
language sql immutable parallel safe
return (cost - salvage) / nullif(life, 0);
comment on function reporting.straight_line(numeric, numeric, numeric) is
    '(cost - salvage) / life, the same for every period (Excel SLN).';
grant execute on function reporting.straight_line(numeric, numeric, numeric)
    to biotrakr_analyst, biotrakr_app;
