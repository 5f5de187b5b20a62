-- When the last, partial fiscal year of a life ends; it begins on `year_start`.
create or replace function reporting.last_day_of_life(
    convention text, year_start date, in_service_on date, life integer
) returns date
language sql immutable parallel safe
return case convention
    when 'HALF_YEAR' then (year_start + interval '6 months' - interval '1 day')::date
    when 'DAILY' then (in_service_on + make_interval(years => life) - interval '1 day')::date
    else (
        date_trunc('month', in_service_on::timestamp) + make_interval(years => life)
        - interval '1 day'
    )::date
end;
comment on function reporting.last_day_of_life(text, date, date, integer) is
    'End of the year after the last whole one of a life.';
grant execute on function reporting.last_day_of_life(text, date, date, integer)
    to biotrakr_analyst, biotrakr_app;
