-- Declining balance between two points of the life, both may lie within a period; not rounded
-- (Excel VDB). Unless `no_switch`, straight line over the remaining life takes over from the period
-- in which it is the larger.
create or replace function reporting.variable_declining(
    cost numeric, salvage numeric, life numeric, start_period numeric, end_period numeric,
    factor numeric default 2, no_switch boolean default false
) returns numeric
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    book numeric := cost;
    period_expense numeric;
    total numeric := 0;
    period integer := 0;
begin
    if start_period < 0 or end_period < start_period or end_period > life then
        raise exception 'periods % to % do not lie within a life of %',
            start_period, end_period, life using errcode = 'invalid_parameter_value';
    end if;
    while period < end_period loop
        period_expense := greatest(0, least(book * factor / life, book - salvage));
        if not no_switch then
            period_expense := greatest(period_expense, (book - salvage) / (life - period));
        end if;
        total := total + period_expense * greatest(
            0, least(period + 1, end_period) - greatest(period, start_period)
        );
        book := book - period_expense;
        period := period + 1;
    end loop;
    return total;
end
$$;
comment on function reporting.variable_declining(
    numeric, numeric, numeric, numeric, numeric, numeric, boolean
) is 'Declining balance between two points, with the switch to straight line (Excel VDB).';
grant execute on function reporting.variable_declining(
    numeric, numeric, numeric, numeric, numeric, numeric, boolean
) to biotrakr_analyst, biotrakr_app;
