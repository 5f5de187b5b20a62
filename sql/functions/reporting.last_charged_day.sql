-- The last day that is charged for what was disposed of on a day; NULL: it was not.
create or replace function reporting.last_charged_day(convention text, disposed_on date)
returns date
language sql immutable parallel safe
return case
    when convention = 'DAILY' then disposed_on - 1
    else (date_trunc('month', disposed_on::timestamp) - interval '1 day')::date
end;
comment on function reporting.last_charged_day(text, date) is
    'By months: the end of the month before the disposal; DAILY: the day before it.';
grant execute on function reporting.last_charged_day(text, date)
    to biotrakr_analyst, biotrakr_app;
