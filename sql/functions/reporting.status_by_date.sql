-- The word for something that must be done again by a day.
create or replace function reporting.status_by_date(
    last_done date, passed boolean, due_on date, warn_days integer, day date
) returns text
language sql immutable parallel safe
return case
    when last_done is null then 'NEVER'
    when not passed then 'FAILED'
    when due_on is null then 'NO_DUE_DATE'
    when due_on < day then 'OVERDUE'
    when due_on <= day + warn_days then 'DUE'
    else 'CURRENT'
end;
comment on function reporting.status_by_date(date, boolean, date, integer, date) is
    'NEVER, FAILED, NO_DUE_DATE, OVERDUE, DUE (within warn_days) or CURRENT.';
grant execute on function reporting.status_by_date(date, boolean, date, integer, date)
    to biotrakr_analyst, biotrakr_app;
