-- Declining balance at `factor` times the straight-line rate, one period, not rounded, never below
-- the salvage value and without a switch to straight line (Excel DDB).
create or replace function reporting.double_declining(
    cost numeric, salvage numeric, life numeric, period numeric, factor numeric default 2
) returns numeric
language sql immutable parallel safe
return case
    when period between 1 and life then greatest(0, least(
        cost * power(greatest(0, 1 - factor / life), period - 1) * least(1, factor / life),
        cost * power(greatest(0, 1 - factor / life), period - 1) - salvage
    ))
    else 0
end;
comment on function reporting.double_declining(numeric, numeric, numeric, numeric, numeric) is
    'min(book * factor / life, book - salvage) (Excel DDB).';
grant execute on function
    reporting.double_declining(numeric, numeric, numeric, numeric, numeric)
    to biotrakr_analyst, biotrakr_app;
