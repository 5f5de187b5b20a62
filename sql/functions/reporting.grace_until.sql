-- The last day on which what is due on a day is still done on time. Grace comes after the due date.
create or replace function reporting.grace_until(due_on date, grace_days integer)
returns date
language sql immutable parallel safe
return coalesce(
    due_on + grace_days,
    (date_trunc('month', due_on::timestamp) + interval '1 month' - interval '1 day')::date
);
comment on function reporting.grace_until(date, integer) is
    'due_on + grace_days; without grace_days the end of the month it is due in.';
grant execute on function reporting.grace_until(date, integer)
    to biotrakr_analyst, biotrakr_app;
