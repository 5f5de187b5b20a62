-- Sum-of-years'-digits depreciation of period 1, 2, .. life, not rounded; 0 outside of them.
create or replace function reporting.sum_of_years_digits(
    cost numeric, salvage numeric, life numeric, period numeric
) returns numeric
language sql immutable parallel safe
return case
    when period between 1 and life
    then (cost - salvage) * (life - period + 1) * 2 / (life * (life + 1))
    else 0
end;
comment on function reporting.sum_of_years_digits(numeric, numeric, numeric, numeric) is
    '(cost - salvage) * (life - period + 1) / (life * (life + 1) / 2) (Excel SYD).';
grant execute on function reporting.sum_of_years_digits(numeric, numeric, numeric, numeric)
    to biotrakr_analyst, biotrakr_app;
