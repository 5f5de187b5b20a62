-- Fixed-rate declining balance of one period, not rounded (Excel DB). `first_months` of the first
-- period are charged; with fewer than 12 there is a period life + 1 for the rest.
create or replace function reporting.declining_balance(
    cost numeric, salvage numeric, life integer, period integer, first_months integer default 12
) returns numeric
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    rate constant numeric := reporting.declining_balance_rate(cost, salvage, life);
    after_first numeric;
begin
    if rate is null then
        raise exception 'declining balance needs a salvage value above 0, not %', salvage
            using errcode = 'invalid_parameter_value', hint = 'use DOUBLE_DECLINING';
    elsif period < 1 or period > life + (first_months < 12)::integer then
        return 0;
    elsif period = 1 then
        return cost * rate * first_months / 12;
    end if;
    after_first := cost - cost * rate * first_months / 12;
    return after_first * power(1 - rate, period - 2) * rate
        * case when period > life then (12 - first_months) / 12.0 else 1 end;
end
$$;
comment on function reporting.declining_balance(numeric, numeric, integer, integer, integer) is
    'Book value times the fixed rate; the first and last period by their months (Excel DB).';
grant execute on function
    reporting.declining_balance(numeric, numeric, integer, integer, integer)
    to biotrakr_analyst, biotrakr_app;
