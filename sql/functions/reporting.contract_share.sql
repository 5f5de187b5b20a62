-- What a yearly cost comes to from one day to another, both counted, over the days that a contract
-- runs: by the days of each calendar year, so that a whole year costs exactly the yearly cost.
create or replace function reporting.contract_share(
    annual_cost numeric, starts_on date, ends_on date, from_day date, to_day date
) returns numeric
language sql immutable parallel safe
begin atomic
    select coalesce(sum(
        annual_cost
        * greatest(0, least(ends_on, to_day, make_date(year, 12, 31))
            - greatest(starts_on, from_day, make_date(year, 1, 1)) + 1)
        / (make_date(year, 12, 31) - make_date(year, 1, 1) + 1)
    ), 0)
    from generate_series(
        extract(year from greatest(starts_on, from_day))::integer,
        extract(year from least(ends_on, to_day))::integer
    ) as year;
end;
comment on function reporting.contract_share(numeric, date, date, date, date) is
    'annual_cost by days of each calendar year; 0 when the days do not meet.';
grant execute on function reporting.contract_share(numeric, date, date, date, date)
    to biotrakr_analyst, biotrakr_app;
